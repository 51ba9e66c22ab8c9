"""From rollup scores to one level: each outcome's share of its own scale, then combined.

A level is 0 at the bottom of the scale and 1 at its top (it may pass 1); a mastery line is on the same scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from alignments.core.definition import Combine, WeightedOutcome
from canvas.values import Outcome

ZERO = Fraction(0)
ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Scale:
    """What one outcome is measured on. `mastery` is a share of `top`; None where Canvas has none."""

    outcome_id: str
    weight: Fraction
    top: Fraction
    mastery: Fraction | None


@dataclass(frozen=True, slots=True)
class Assessed:
    """One outcome's level for one student."""

    scale: Scale
    level: Fraction

    @property
    def is_mastered(self) -> bool:
        """Only asked where `rules.check` found a mastery level."""
        return self.scale.mastery is not None and self.level >= self.scale.mastery


@dataclass(frozen=True, slots=True)
class Combined:
    """The one level a rule sees, and whether the mastery line is reached (None: there is no line)."""

    level: Fraction
    mastery: Fraction | None
    is_mastered: bool | None


def scale_of(weighted: WeightedOutcome, outcome: Outcome) -> Scale:
    """The outcome's scale; `rules.check` has made sure that its top is above 0."""
    if outcome.points_possible is None:
        raise ValueError(f"outcome {outcome.id} has no scale")
    top = Fraction(outcome.points_possible)
    mastery = None if outcome.mastery_points is None else Fraction(outcome.mastery_points) / top
    return Scale(weighted.outcome_id, Fraction(weighted.weight), top, mastery)


def assess(scales: Sequence[Scale], scores: Mapping[str, Decimal | None]) -> list[Assessed]:
    """The outcomes with evidence. No score and a null score are none; 0 is a score; below 0 counts as 0."""
    assessed = []
    for scale in scales:
        score = scores.get(scale.outcome_id)
        if score is not None:
            assessed.append(Assessed(scale, max(ZERO, Fraction(score) / scale.top)))
    return assessed


def combine(how: Combine, assessed: Sequence[Assessed]) -> Combined:
    """One level out of at least one assessed outcome (interface 5.2)."""
    if how == "mean":
        level, line = mean_level(assessed), mean_mastery(assessed)
        return Combined(level, line, None if line is None else level >= line)
    if how == "share":
        share = mastered_share(assessed)
        return Combined(share, ONE, share >= ONE)
    levels = [one.level for one in assessed]
    mastered = [one.is_mastered for one in assessed]
    if how == "min":
        return Combined(min(levels), None, all(mastered))
    return Combined(max(levels), None, any(mastered))


def mean_level(assessed: Sequence[Assessed]) -> Fraction:
    """The weighted mean of the levels."""
    if len(assessed) == 1:
        return assessed[0].level
    total = sum((one.scale.weight for one in assessed), ZERO)
    return sum((one.scale.weight * one.level for one in assessed), ZERO) / total


def mean_mastery(assessed: Sequence[Assessed]) -> Fraction | None:
    """The weighted mean of the mastery lines; None where an outcome has none."""
    total = weighted = ZERO
    for one in assessed:
        if one.scale.mastery is None:
            return None
        total += one.scale.weight
        weighted += one.scale.weight * one.scale.mastery
    return weighted / total


def mastered_share(assessed: Sequence[Assessed]) -> Fraction:
    """The weight of the mastered outcomes in the weight of the assessed ones."""
    total = sum((one.scale.weight for one in assessed), ZERO)
    return sum((one.scale.weight for one in assessed if one.is_mastered), ZERO) / total
