"""Letters of a grading scheme: which one a level finds, and what Canvas gives when a person types it.

Source: Canvas app/models/grading_standard.rb (score_to_grade, grade_to_score); points-based schemes store
the same fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from canvas.values import GradingScheme

ONE_POINT = Fraction(1, 100)
TENTH_OF_A_POINT = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, the level from which it counts, and what it earns; None: the level itself."""

    name: str
    bound: Fraction
    worth: Fraction | None


def letters(scheme: GradingScheme) -> tuple[Letter, ...]:
    """The scheme's letters from the highest bound down.

    The top letter is worth everything, the others the next higher bound minus one point of percentage
    (0.1 where the gap is below one) and never less than their own bound. The lowest earns the level
    itself, so that nothing shown is worth nothing.
    """
    ordered = sorted(scheme.levels, key=lambda level: level.lower_bound, reverse=True)
    found: list[Letter] = []
    for index, level in enumerate(ordered):
        bound = Fraction(level.lower_bound)
        worth: Fraction | None = Fraction(1)
        if index == len(ordered) - 1:
            worth = None
        elif index > 0:
            above = found[-1].bound
            step = ONE_POINT if above - bound >= ONE_POINT else TENTH_OF_A_POINT
            worth = max(above - step, bound)
        found.append(Letter(level.name, bound, worth))
    return tuple(found)


def letter_for(ordered: tuple[Letter, ...], level: Fraction) -> Letter:
    """The first letter whose bound the level reaches, inclusive and unrounded; below all, the lowest."""
    return next((letter for letter in ordered if level >= letter.bound), ordered[-1])
