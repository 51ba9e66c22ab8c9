"""Short ways to write an alignment and a class in a test; plain functions, no magic."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from alignments.core import jsonfile, rules
from alignments.core.definition import Definition
from alignments.core.numbers import plain
from canvas.values import GradingScheme, Outcome, SchemeLevel


def spaced(text: str) -> str:
    """The text with an ordinary space for each at which no line breaks ("75 %")."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def outcome(outcome_id: str, top: str | None = "4", mastery: str | None = "3", title: str = "") -> Outcome:
    return Outcome(
        id=outcome_id,
        title=title or f"Skill {outcome_id}",
        points_possible=None if top is None else Decimal(top),
        mastery_points=None if mastery is None else Decimal(mastery),
    )


def entry(rule: Mapping[str, Any], weights: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """One entry of the file: outcome 1 unless `weights` says which outcomes, worth 100 points."""
    return {
        "outcomes": [{"id": key, "weight": weight} for key, weight in (weights or {"1": "1"}).items()],
        "rule": dict(rule),
        "target": {"assignment": "9"},
        **more,
    }


def definition(rule: Mapping[str, Any], weights: Mapping[str, str] | None = None, **more: Any) -> Definition:
    return jsonfile.parse_definition(entry(rule, weights, **more))


def scheme(*bounds: tuple[str, str]) -> GradingScheme:
    return GradingScheme("7", "Letters", tuple(SchemeLevel(name, Decimal(bound)) for name, bound in bounds))


CANVAS_DEFAULT = scheme(
    ("A", ".94"), ("A-", ".90"), ("B+", ".87"), ("B", ".84"), ("B-", ".80"), ("C+", ".77"),
    ("C", ".74"), ("C-", ".70"), ("D+", ".67"), ("D", ".64"), ("D-", ".61"), ("F", "0"),
)  # fmt: skip


def decided(
    made: Definition,
    outcomes: Mapping[str, Outcome],
    scores: Mapping[str, str | None],
    points: str = "100",
    letters: GradingScheme | None = None,
) -> str:
    """The cell as a word or a number: `87.5`, `not_enough`, `excused`, …"""
    given = {key: None if score is None else Decimal(score) for key, score in scores.items()}
    wanted = rules.decide(made, outcomes, given, Decimal(points), letters)
    return plain(wanted.score) if wanted.kind == "graded" and wanted.score is not None else wanted.kind
