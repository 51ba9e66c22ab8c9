"""What a rule would do to the class as it stands now: how many students get which grade. Nothing is sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from alignments.core.checks import check
from alignments.core.definition import ColumnTarget, Definition, Scheme
from alignments.core.explain import TOO_LITTLE, why_not_the_percentage
from alignments.core.numbers import plain
from alignments.core.rules import Decider
from alignments.pages import Reading


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One grade and how many students would get it; `percent` is its share of the class, for the bar."""

    label: str
    count: int
    percent: str


@dataclass(frozen=True, slots=True)
class Effect:
    """The class under a rule."""

    rows: tuple[EffectRow, ...]
    students: int
    surprise: str


def effect_of(definition: Definition, reading: Reading) -> Effect | None:
    """None where it cannot be said: a broken alignment, no points, letters of a scheme not read, or a
    calculation of its own, whose results are not read here."""
    points = _points(definition, reading)
    outcomes = reading.evidence.outcomes
    unread = isinstance(definition.rule, Scheme) or definition.calculation is not None
    if not points or unread or check(definition, outcomes, None):
        return None
    decider = Decider(definition, outcomes, points)
    rollups = reading.evidence.rollups
    wanted = [
        decider.wanted(rollups[user].scores if user in rollups else {}) for user in sorted(reading.class_ids)
    ]
    grades = Counter(one.score for one in wanted if one.score is not None)
    rows = [
        _row(f"{plain(score)} of {plain(points)}", count, len(wanted))
        for score, count in sorted(grades.items(), reverse=True)
    ]
    without = sum(one.score is None for one in wanted)
    if without:
        rows.append(
            _row(f"Too little evidence: {TOO_LITTLE[definition.evidence.otherwise]}", without, len(wanted))
        )
    return Effect(tuple(rows), len(wanted), why_not_the_percentage(definition, outcomes) or "")


def _row(label: str, count: int, students: int) -> EffectRow:
    return EffectRow(label, count, f"{Decimal(count * 100) / students:.2f}")


def _points(definition: Definition, reading: Reading) -> Decimal | None:
    if isinstance(definition.target, ColumnTarget):
        return definition.target.points
    assignment = reading.assignments.get(definition.target.assignment_id)
    return assignment.points_possible if assignment else None
