"""Scores as text."""

from __future__ import annotations

from decimal import Decimal


def plain(score: Decimal) -> str:
    """A score as the text Canvas understands: never an exponent, which it takes for no grade at all."""
    return format(score.normalize() if score else Decimal(0), "f")
