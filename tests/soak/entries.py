"""Random alignments: what the teacher of a random course wants."""

from __future__ import annotations

import random
from typing import Any

from sandbox.world import World

STANDARD = 71
CALCULATIONS = (
    {"method": "newest", "count": 2},
    {"method": "streak", "count": 2},
    {"method": "latest_and_highest"},
    {"method": "mode"},
)


def has_results(outcome: int) -> bool:
    """Of every second outcome Canvas has single results; of the others only rollups, as odd as one likes."""
    return outcome % 2 == 0


def random_entries(rng: random.Random, world: World) -> list[dict[str, Any]]:
    """One alignment for each of some targets."""
    works = [a for a in world.assignments.values() if a.name.startswith("Work") and not a.deleted]
    targets: list[dict[str, Any]] = [{"assignment": str(a.id)} for a in works if rng.random() < 0.8]
    for label in ("First", "Second"):
        if rng.random() < 0.7:
            targets.append({"column": {"label": label, "points": rng.choice(("1", "10", "100"))}})
    targets = targets or [{"column": {"label": "First", "points": "1"}}]
    rng.shuffle(targets)
    return [_entry(rng, world, target) for target in targets]


def _entry(rng: random.Random, world: World, target: dict[str, Any]) -> dict[str, Any]:
    calculated = rng.random() < 0.3
    ids = [str(one) for one in world.outcomes if has_results(one) or not calculated]
    chosen = rng.sample(ids, rng.randint(1, min(3, len(ids))))
    rule = _rule(rng, len(chosen))
    entry: dict[str, Any] = {
        "outcomes": [{"id": one, "weight": rng.choice(("1", "1", "2", "0.5"))} for one in chosen],
        "rule": rule,
        "target": target,
        "combine": rng.choice(("mean", "mean", "min", "max", "share")),
        "overwrite": rng.choice(("ours", "ours", "ours", "empty", "all")),
        "direction": rng.choice(("both", "both", "up")),
        "round": rng.choice((2, 2, 0, 1, 4)),
    }
    if _has_points_line(rule) and entry["combine"] == "share" and rule["kind"] != "criteria":
        entry["combine"] = "mean"
    otherwise = ["leave", "leave", "zero", "clear", *(["excuse"] if "assignment" in target else [])]
    entry["evidence"] = {"otherwise": rng.choice(otherwise)}
    if rng.random() < 0.3:
        entry["evidence"]["at_least"] = rng.randint(1, len(chosen))
    if calculated:
        drop, least = rng.choice((0, 0, 1, 2)), rng.choice((1, 1, 2))
        entry["calculation"] = {**rng.choice(CALCULATIONS), "drop_lowest": drop, "at_least": least}
    if rng.random() < 0.25:
        sections = rng.sample(("701", "702"), rng.randint(1, 2))
        entry["sections"] = [_section(rng, entry, one) for one in sections]
    return entry


def _section(rng: random.Random, entry: dict[str, Any], section: str) -> dict[str, Any]:
    rule = other_rule(rng, entry)
    return {"section": section, "not_assessed": True} if rule is None else {"section": section, "rule": rule}


def other_rule(rng: random.Random, entry: dict[str, Any]) -> dict[str, Any] | None:
    """A rule for some students of an entry; None: they are not assessed."""
    rule = _rule(rng, len(entry["outcomes"]))
    in_points = _has_points_line(rule) and entry["combine"] == "share"
    if rule["kind"] in ("scheme", "criteria", "table") or in_points:
        return None
    return rule


def _has_points_line(rule: dict[str, Any]) -> bool:
    lines = [rule.get("at"), *(at for at, _ in rule.get("levels", ()))]
    return any(line is not None and not line.endswith("%") for line in lines)


def _rule(rng: random.Random, outcomes: int) -> dict[str, Any]:
    credit, below = rng.choice(("100%", "100%", "85%", "33.333%")), rng.choice(("0%", "0%", "50%"))
    kind = rng.choice(("cutoff", "cutoff", "proportional", "table", "scheme", "criteria"))
    if kind == "cutoff":
        return {"kind": kind, "at": rng.choice((None, None, "75%", "3")), "credit": credit, "below": below}
    if kind == "table":
        levels = rng.choice(([["25%", "50%"], ["75%", "100%"]], [["1", "60%"], ["3", "90%"], ["4", "110%"]]))
        return {"kind": kind, "levels": levels, "interpolate": rng.random() < 0.5}
    if kind == "scheme":
        return {"kind": kind, "grading_standard_id": str(STANDARD)}
    if kind == "criteria":
        first = rng.choice(
            (
                {"all_at_least": None},
                {"mastered_at_least": rng.randint(0, outcomes), "none_below": "25%"},
                {"average_at_least": rng.choice((None, "80%"))},
            )
        )
        return {"kind": kind, "grades": [{"credit": "100%", **first}, {"credit": below}]}
    return {"kind": kind}
