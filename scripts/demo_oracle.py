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


@dataclass(frozen=True)
class Gradebook:
    """The sandbox's gradebook before the sync, and which of it may be written.

    `cells` hold "" for no grade and "EX" for excused; `kept` are those that somebody gave, so that only the
    missing-submission policy's count as empty; `columns` are assignment ids by name, `points` by id;
    `closed` are assignments in a closed grading period; nothing may be written while `ended`.
    """

    cells: Mapping[Key, str]
    kept: frozenset[Key]
    columns: Mapping[str, str]
    points: Mapping[str, Decimal]
    closed: frozenset[str] = frozenset()
    ended: bool = False


def expected_cells(
    alignments: list[dict[str, Any]], evidence: Evidence, students: set[str], book: Gradebook
) -> dict[Key, str]:
    """The grade of every cell after the sync. A column that should be there and is not counts by its label."""
    cells = dict(book.cells)
    if book.ended:
        return cells
    for entry in alignments:
        target = entry["target"]
        column = target.get("column", {})
        assignment = str(
            target.get("assignment") or book.columns.get(column.get("label"), column.get("label"))
        )
        if assignment in book.closed:
            continue
        points = book.points.get(assignment) or Decimal(column["points"])
        (outcome,) = entry["outcomes"]
        skill = evidence.skills.get(str(outcome["id"]))
        for student in students:
            score = evidence.scores.get((student, str(outcome["id"])))
            key = (assignment, student)
            if skill is not None and score is not None and key not in book.kept:
                cells[key] = plain(expected_grade(entry["rule"], skill, score, points))
    return cells


def plain(number: Decimal | str) -> str:
    """A grade without trailing zeros, never as an exponent; other text as it is."""
    try:
        return f"{Decimal(number).normalize():f}"
    except ArithmeticError:
        return str(number)
