"""Lines, credits and conditions of a rule as phrases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from alignments.core.definition import (
    FULL_CREDIT,
    NO_CREDIT,
    Criteria,
    CriteriaGrade,
    Definition,
    Line,
    MasteryLine,
    Percent,
    PointsLine,
)
from alignments.core.numbers import percentage, plain, short
from canvas.values import Outcome


def credit_in_words(credit: Percent) -> str:
    """ "full credit", "no credit" or "85 %"."""
    if credit == FULL_CREDIT:
        return "full credit"
    return "no credit" if credit == NO_CREDIT else percent_in_words(credit)


def percent_in_words(percent: Percent) -> str:
    return percentage(plain(percent.number))


def share_in_words(share: Fraction) -> str:
    """A share as a percentage to two decimals; "about" where that is not all of it."""
    text = percentage(short(share * 100))
    return text if is_exact(share * 100, 2) else f"about {text}"


def is_exact(value: Fraction, places: int) -> bool:
    """Whether so many decimals say all of it."""
    return bool(10**places % value.denominator == 0)


def line_in_words(line: Line, definition: Definition, outcomes: Mapping[str, Outcome]) -> str:
    first = outcomes.get(definition.outcomes[0].outcome_id)
    top = first.points_possible if first is not None else None
    if isinstance(line, MasteryLine):
        if len(definition.outcomes) > 1 or first is None or first.mastery_points is None:
            return "mastery"
        return points_in_words(first.mastery_points, top)
    if isinstance(line, PointsLine):
        return points_in_words(line.points, top)
    of_them = definition.combine == "share" and not isinstance(definition.rule, Criteria)
    return f"{percent_in_words(line.percent)} of {'them' if of_them else 'the scale'}"


def points_in_words(points: Decimal, top: Decimal | None) -> str:
    if top is not None:
        return f"{plain(points)} of {plain(top)}"
    return "1 point" if points == 1 else f"{plain(points)} points"


def criterion_in_words(grade: CriteriaGrade, definition: Definition, outcomes: Mapping[str, Outcome]) -> str:
    """One grade of criteria: "85 % if none is below 2 of 4"."""
    parts = []
    if grade.all_at_least is not None:
        parts.append(f"every outcome reaches {line_in_words(grade.all_at_least, definition, outcomes)}")
    if grade.none_below is not None:
        parts.append(f"none is below {line_in_words(grade.none_below, definition, outcomes)}")
    if grade.mastered_at_least is not None:
        parts.append(f"{grade.mastered_at_least} or more are mastered")
    if grade.average_at_least is not None:
        parts.append(f"the average reaches {line_in_words(grade.average_at_least, definition, outcomes)}")
    credit = credit_in_words(grade.credit)
    return f"{credit} if {' and '.join(parts)}" if parts else f"otherwise {credit}"


def day_in_words(moment: datetime) -> str:
    """ "3 March 2026", in the zone the moment has."""
    return f"{moment.day} {moment:%B %Y}"
