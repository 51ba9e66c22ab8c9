"""Exact numbers: decimals as a person writes them, fractions to count with, rounding once at the end.

Nothing here goes through Decimal's arithmetic, whose context would round after 28 digits.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction


def plain(number: Decimal) -> str:
    """The number as digits: no exponent, no trailing zeros.

    >>> plain(Decimal("1.500")), plain(Decimal("1E+2")), plain(Decimal("0.00"))
    ('1.5', '100', '0')
    """
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def percentage(digits: str) -> str:
    """ "75 %", with a space at which no line breaks."""
    return f"{digits}\N{NO-BREAK SPACE}%"


def rounded(value: Fraction, places: int) -> Decimal:
    """`value` rounded half up to `places` decimals; below zero, half goes up too, towards zero.

    >>> rounded(Fraction(1, 8), 2), rounded(Fraction(2), 2)
    (Decimal('0.13'), Decimal('2'))
    """
    top, bottom = value.numerator * 10**places, value.denominator
    units = (2 * top + bottom) // (2 * bottom)
    sign, digits = "-" if units < 0 else "", str(abs(units)).rjust(places + 1, "0")
    whole, decimals = digits[: len(digits) - places], digits[len(digits) - places :].rstrip("0")
    return Decimal(f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}")


def short(value: Fraction, places: int = 2) -> str:
    """A fraction for a person to read, rounded half up."""
    return plain(rounded(value, places))
