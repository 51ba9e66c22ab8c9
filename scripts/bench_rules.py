"""Alignments of every kind for the benchmark of planning: rules, combinations, own calculations, sections."""

from collections.abc import Mapping, Sequence
from typing import Any

LEVELS = [["1", "55%"], ["2", "70%"], ["3", "85%"], ["4", "100%"]]
CRITERIA = [
    {"credit": "100%", "all_at_least": None},
    {"credit": "85%", "none_below": "2", "mastered_at_least": 2},
    {"credit": "70%", "average_at_least": "50%"},
    {"credit": "40%"},
]
RULES: list[dict[str, Any]] = [
    {"rule": {"kind": "cutoff"}, "uses": 1},
    {"rule": {"kind": "table", "levels": LEVELS}, "uses": 1},
    {"rule": {"kind": "proportional"}, "uses": 3},
    {"rule": {"kind": "table", "levels": LEVELS, "interpolate": True}, "uses": 2, "combine": "min"},
    {"rule": {"kind": "scheme"}, "uses": 1},
    {"rule": {"kind": "criteria", "grades": CRITERIA}, "uses": 3},
    {"rule": {"kind": "cutoff", "at": "2.8", "credit": "95%", "below": "50%"}, "uses": 2, "combine": "max"},
    {"rule": {"kind": "proportional"}, "uses": 4, "combine": "share", "evidence": {"at_least": 2}},
]
CALCULATIONS: list[dict[str, Any]] = [
    {"method": "standard_decaying_average"},
    {"method": "newest", "count": 2},
    {"method": "power_law"},
    {"method": "streak", "count": 2},
    {"method": "n_mastery", "count": 2},
    {"method": "latest_and_highest", "drop_lowest": 1},
    {"method": "mode"},
    {"method": "weighted_average", "percent": "70%"},
    {"method": "average", "at_least": 2},
    {"method": "latest"},
]
EVERY_SO_MANY = 4
"""One alignment in four calculates itself."""


def mixed(targets: Mapping[str, str], sections: Sequence[str]) -> list[dict[str, Any]]:
    """An alignment for each of `targets` (an outcome's id to the assignment fed): that outcome, and with it the
    next ones where the rule takes several."""
    outcomes, entries = list(targets), []
    for place, outcome in enumerate(outcomes):
        entry = dict(RULES[place % len(RULES)])
        uses = min(entry.pop("uses"), len(outcomes))
        chosen = [outcomes[(place + step) % len(outcomes)] for step in range(uses)]
        entry |= {
            "outcomes": [{"id": one, "weight": str(1 + step)} for step, one in enumerate(chosen)],
            "target": {"assignment": targets[outcome]},
        }
        if place % EVERY_SO_MANY == 0:
            number = place // EVERY_SO_MANY % len(CALCULATIONS)
            entry["calculation"] = CALCULATIONS[number]
        if place % EVERY_SO_MANY == 1:
            entry["sections"] = [
                {"section": sections[0], "rule": {"kind": "cutoff", "at": "60%", "credit": "90%"}},
                {"section": sections[1], "not_assessed": True},
            ]
        entries.append(entry)
    return entries
