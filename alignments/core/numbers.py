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


def rounded(value: Fraction, places: int) -> Decimal:
    """`value` rounded half up to `places` decimals; below zero, half goes up too, towards zero.

    >>> rounded(Fraction(1, 8), 2), rounded(Fraction(2), 2)
    (Decimal('0.13'), Decimal('2'))
    """
    scaled = value * 10**places
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    sign, digits = int(units < 0), tuple(int(digit) for digit in str(abs(units)))
    return Decimal(plain(Decimal((sign, digits, -places))))


def short(value: Fraction, places: int = 2) -> str:
    """A fraction for a person to read, rounded half up."""
    return plain(rounded(value, places))
