"""Where each outcome's score comes from, and whether it is the one Canvas shows: sentences for the rule form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from alignments.classunder import ClassUnderRule
from alignments.core.calculations import canvas_calculation
from alignments.core.calculationwords import Evidence, calculation_in_words, how_canvas_differs
from alignments.core.definition import Calculation, Definition
from alignments.core.numbers import short
from alignments.pages import Reading
from canvas.values import Outcome

SAME_METHOD = "That is Canvas's own method for this outcome: both give the same score."
UNKNOWN = "by a method this tool does not know"


@dataclass(frozen=True, slots=True)
class ScoreSource:
    """One outcome: Canvas's method, whether ours is the same, and where Canvas does otherwise than it says."""

    title: str
    canvas: str
    beside: str
    differs: str


def score_sources(definition: Definition, reading: Reading, found: ClassUnderRule) -> Iterator[ScoreSource]:
    """One for each outcome of the alignment. Without a calculation no single result is known, and only what the
    outcome itself gives away can be told."""
    for outcome_id in definition.outcome_ids:
        outcome = reading.evidence.outcomes[outcome_id]
        usual = canvas_calculation(outcome)
        students = list(_students(definition, reading, outcome))
        yield ScoreSource(
            outcome.title,
            calculation_in_words(usual) if usual else UNKNOWN,
            _beside(definition.calculation, usual, outcome, reading, found),
            how_canvas_differs(outcome, students) or "",
        )


def _students(definition: Definition, reading: Reading, outcome: Outcome) -> Iterator[Evidence]:
    """The class's scores in Canvas, each with the results behind it, where these were read."""
    if definition.calculation is None or reading.results is None:
        return
    for user in sorted(reading.class_ids):
        rollup = reading.evidence.rollups.get(user)
        score = rollup.scores.get(outcome.id) if rollup else None
        yield Evidence(score, reading.results.results(outcome, user, "submitted"))


def _beside(
    ours: Calculation | None,
    usual: Calculation | None,
    outcome: Outcome,
    reading: Reading,
    found: ClassUnderRule,
) -> str:
    """Ours beside Canvas's, counted on this class."""
    if ours is None:
        return ""
    differing = sum(_differ(user, outcome.id, reading, found) for user in reading.class_ids)
    if usual is not None and replace(ours, ignore_reasons=()) == usual and not differing:
        return SAME_METHOD
    if not differing:
        return "In this class it gives everybody the score Canvas shows."
    return f"{differing:,} of {len(reading.class_ids):,} students get another score than Canvas shows."


def _differ(user: str, outcome_id: str, reading: Reading, found: ClassUnderRule) -> bool:
    """As a person reads them: Canvas keeps two decimals."""
    rollup = reading.evidence.rollups.get(user)
    canvas = rollup.scores.get(outcome_id) if rollup else None
    ours = found.scores_by_user.get(user, {}).get(outcome_id)
    if canvas is None or ours is None:
        return canvas is not ours
    return short(Fraction(ours)) != short(Fraction(canvas))
