"""Grades as text: how a cell reads in plans, reports and digests.

A grade is a plain decimal without trailing zeros, "EX" is excused, None is no grade.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from alignments.core.numbers import plain, rounded

EXCUSED = "EX"
SAME_PLACES = 4
"""Two scores are the same grade when they agree after rounding half up to this many decimals."""

GradeText = str | None


def grade_text(score: Decimal | None, excused: bool = False) -> GradeText:
    """What a person reads in the cell.

    >>> grade_text(Decimal("1.50")), grade_text(Decimal("-0.0")), grade_text(None), grade_text(None, True)
    ('1.5', '0', None, 'EX')
    """
    if excused:
        return EXCUSED
    if score is None:
        return None
    return "0" if score == 0 else plain(score)


def to_score(text: GradeText) -> Decimal | None:
    """The number in a grade's text; None for excused and for no grade."""
    return None if text is None or text == EXCUSED else Decimal(text)


def comparable(text: GradeText) -> GradeText:
    """The text two cells are compared by: scores rounded to `SAME_PLACES`."""
    score = to_score(text)
    return text if score is None else grade_text(rounded(Fraction(score), SAME_PLACES))


def same_grade(one: GradeText, other: GradeText) -> bool:
    """Whether Canvas would show the same in both."""
    return one == other or comparable(one) == comparable(other)


def is_lower(after: Decimal, before: Decimal) -> bool:
    """Whether `after` is a lower grade, with differences beyond `SAME_PLACES` ignored."""
    return rounded(Fraction(after), SAME_PLACES) < rounded(Fraction(before), SAME_PLACES)
