"""Rules to start from: what an outcome's own scale, mastery level and ratings suggest."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from alignments.core.definition import (
    FULL_CREDIT,
    NO_CREDIT,
    Combine,
    Criteria,
    CriteriaGrade,
    Cutoff,
    MasteryLine,
    Percent,
    PointsLine,
    Proportional,
    Rule,
    ShareLine,
    Table,
    TableLevel,
)
from alignments.core.numbers import rounded
from canvas.values import Outcome

AT_MASTERY = 85
"""What reaching mastery earns in the table offered first: a good grade, not three quarters."""
A_LEVEL_LESS = 15
LEAST = 10
MOST_WHOLE_LEVELS = 10
NEARLY = Percent(Decimal(AT_MASTERY))


def usual_rule(outcomes: Sequence[Outcome]) -> Rule:
    """What a new alignment starts as: full credit at mastery; without a mastery level the level itself."""
    known = outcomes and all(one.mastery_points is not None for one in outcomes)
    return Cutoff() if known or not outcomes else Proportional()


def usual_table(outcomes: Sequence[Outcome], combine: Combine, *, interpolate: bool = False) -> Table:
    """A step for each level of the first outcome's scale: 4 → 100 %, 3 → 85 %, 2 → 70 %, 1 → 55 % where
    mastery is 3 of 4. In percent of the scale where scales differ or no scale is meant."""
    first = outcomes[0] if outcomes else None
    tops = {one.points_possible for one in outcomes}
    if first is None or not first.points_possible or combine == "share":
        quarters = [(ShareLine(Percent(Decimal(25 * step))), step) for step in (1, 2, 3, 4)]
        return Table(tuple(TableLevel(at, _percent(40 + 15 * step)) for at, step in quarters), interpolate)
    levels = levels_of(first)
    credits = _credits(levels, first.mastery_points)
    in_points = len(tops) == 1
    steps = [
        TableLevel(PointsLine(at) if in_points else _share(at, first.points_possible), credit)
        for at, credit in zip(levels, credits, strict=True)
    ]
    return Table(tuple(steps), interpolate)


def levels_of(outcome: Outcome) -> list[Decimal]:
    """The levels above zero of an outcome's scale, rising: its ratings', else whole points up to the top."""
    top = outcome.points_possible or Decimal(0)
    rated = sorted({one.points for one in outcome.ratings if one.points > 0})
    if rated:
        return rated
    if top == top.to_integral_value() and 0 < top <= MOST_WHOLE_LEVELS:
        return [Decimal(number) for number in range(1, int(top) + 1)]
    mastery = outcome.mastery_points
    return sorted({one for one in (mastery, top) if one is not None and one > 0})


def _credits(levels: Sequence[Decimal], mastery: Decimal | None) -> list[Percent]:
    """Full credit at the top, `AT_MASTERY` at the mastery level, evenly between, and a step less for each
    level below."""
    last = len(levels) - 1
    at = next((place for place, one in enumerate(levels) if mastery is not None and one >= mastery), last)
    start = AT_MASTERY if at < last else 100
    found = []
    for place in range(len(levels)):
        if place < at:
            found.append(_percent(max(LEAST, start - A_LEVEL_LESS * (at - place))))
        else:
            up = Fraction((100 - start) * (place - at), max(1, last - at))
            found.append(Percent(rounded(start + up, 0)))
    return found


def usual_criteria() -> Criteria:
    """All mastered: full credit; mastered on average and none far below: nearly; else none."""
    half = ShareLine(Percent(Decimal(50)))
    return Criteria(
        (
            CriteriaGrade(FULL_CREDIT, all_at_least=MasteryLine()),
            CriteriaGrade(NEARLY, none_below=half, average_at_least=MasteryLine()),
            CriteriaGrade(NO_CREDIT),
        )
    )


def _percent(number: int) -> Percent:
    return Percent(Decimal(number))


def _share(points: Decimal, top: Decimal) -> ShareLine:
    return ShareLine(Percent(rounded(Fraction(points) / Fraction(top) * 100, 2)))
