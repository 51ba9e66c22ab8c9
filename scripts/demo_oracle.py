"""What the gradebook should hold after the demo's sync, worked out without the tool.

The evidence comes from Canvas's REST API, the rules from the alignments the tool exports; only the rules
that the demo sets are known here. Everything else must be as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

Key = tuple[str, str]
"""Assignment and user id."""


@dataclass(frozen=True)
class Skill:
    """An outcome's scale as Canvas tells it."""

    title: str
    top: Decimal
    mastery: Decimal


@dataclass(frozen=True)
class Evidence:
    """Skills by id, and rollup scores by user and outcome id; what is not here was not assessed."""

    skills: Mapping[str, Skill]
    scores: Mapping[tuple[str, str], Decimal]


def expected_grade(rule: Mapping[str, Any], skill: Skill, score: Decimal, points: Decimal) -> Decimal:
    """Full points at mastery (`cutoff`), or points in proportion, rounded half up to two decimals."""
    if rule["kind"] == "proportional":
        share = Fraction(score) / Fraction(skill.top)
    elif rule["kind"] == "cutoff" and rule.get("at") is None:
        share = Fraction(1 if score >= skill.mastery else 0)
    else:
        raise ValueError(f"the demo sets no such rule: {rule}")
    exact = share * Fraction(points)
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def expected_cells(
    alignments: list[dict[str, Any]],
    evidence: Evidence,
    students: set[str],
    before: Mapping[Key, str],
    columns: Mapping[str, str],
    points: Mapping[str, Decimal],
) -> dict[Key, str]:
    """The grade of every cell of the gradebook: "" is none, "EX" excused.

    `before` has every cell that was there; `columns` are the assignment ids of the columns the tool made,
    by label; `points` the points of every assignment. A cell that held something belongs to a person.
    """
    cells = dict(before)
    for entry in alignments:
        target = entry["target"]
        assignment = (
            str(target["assignment"]) if "assignment" in target else columns[target["column"]["label"]]
        )
        (outcome,) = entry["outcomes"]
        skill = evidence.skills[str(outcome["id"])]
        for student in students:
            score = evidence.scores.get((student, str(outcome["id"])))
            key = (assignment, student)
            if score is not None and not cells.get(key):
                grade = expected_grade(entry["rule"], skill, score, points[assignment])
                cells[key] = plain(grade)
    return cells


def plain(number: Decimal | str) -> str:
    """A grade without trailing zeros, never as an exponent; other text as it is."""
    try:
        return f"{Decimal(number).normalize():f}"
    except ArithmeticError:
        return str(number)
