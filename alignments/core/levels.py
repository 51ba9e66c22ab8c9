"""From rollup scores to one level: each outcome's share of its own scale, then combined.

A level is 0 at the bottom of the scale and 1 at its top (it may pass 1); a mastery line is on the same scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm

from alignments.core.definition import Combine, WeightedOutcome
from canvas.values import Outcome

Score = Decimal | Fraction
"""On an outcome's scale: a decimal from Canvas, or a fraction from a calculation of our own."""
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Scale:
    """What one outcome is measured on. `weight` is whole, in proportion to the others of the alignment;
    `mastery` is a share of `top`, 0 where Canvas has none and `checks` found that none is needed."""

    outcome_id: str
    weight: int
    top: Fraction
    mastery: Fraction


@dataclass(frozen=True, slots=True)
class Assessed:
    """One outcome's level for one student."""

    scale: Scale
    level: Fraction
    weighted: Fraction
    is_mastered: bool


def scales_of(weighted: Sequence[WeightedOutcome], outcomes: Mapping[str, Outcome]) -> list[Scale]:
    """The outcomes' scales; `checks.check` has made sure that each has a top above 0."""
    weights = [Fraction(one.weight) for one in weighted]
    whole = lcm(*(weight.denominator for weight in weights))
    return [
        _scale(outcomes[one.outcome_id], int(weight * whole))
        for one, weight in zip(weighted, weights, strict=True)
    ]


def _scale(outcome: Outcome, weight: int) -> Scale:
    top = Fraction(outcome.points_possible or 0)
    return Scale(outcome.id, weight, top, Fraction(outcome.mastery_points or 0) / top)


def assess(scale: Scale, score: Score) -> Assessed:
    """The level of one score; below 0 counts as 0."""
    level = max(ZERO, Fraction(score) / scale.top)
    return Assessed(scale, level, scale.weight * level, level >= scale.mastery)


def combined_level(how: Combine, assessed: Sequence[Assessed]) -> Fraction:
    """One level out of at least one assessed outcome (docs/rules.md)."""
    if how == "min":
        return min(one.level for one in assessed)
    if how == "max":
        return max(one.level for one in assessed)
    return mean_level(assessed) if how == "mean" else mastered_share(assessed)


def is_mastered(how: Combine, assessed: Sequence[Assessed]) -> bool:
    """Whether the mastery line is reached: on average, by every outcome, or by any."""
    if how == "mean":
        return is_mastered_on_average(assessed)
    mastered = [one.is_mastered for one in assessed]
    return any(mastered) if how == "max" else all(mastered)


def is_mastered_on_average(assessed: Sequence[Assessed]) -> bool:
    """The weighted mean of the levels reaches that of the mastery lines; their common divisor is left out."""
    line = sum((one.scale.weight * one.scale.mastery for one in assessed), ZERO)
    return sum((one.weighted for one in assessed), ZERO) >= line


def mean_level(assessed: Sequence[Assessed]) -> Fraction:
    """The weighted mean of the levels."""
    if len(assessed) == 1:
        return assessed[0].level
    return sum((one.weighted for one in assessed), ZERO) / sum(one.scale.weight for one in assessed)


def mastered_share(assessed: Sequence[Assessed]) -> Fraction:
    """The weight of the mastered outcomes in the weight of the assessed ones."""
    mastered = sum(one.scale.weight for one in assessed if one.is_mastered)
    return Fraction(mastered, sum(one.scale.weight for one in assessed))
