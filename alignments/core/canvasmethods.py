"""The calculation methods Canvas has too, in the arithmetic Canvas does: binary floats, rounded at the end.

Floats only here: at an exact half cent it is Canvas's float that decides, and a score worked out here has to be
the one Canvas shows. The order of the operations is Canvas's (app/models/rollup_score_aggregator_helper.rb);
Ruby's sum of floats is compensated, as `fsum` is.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from math import fsum

CENT = Decimal("0.01")
WIDE = Context(prec=60)
"""Room for the widest number the gateways let through."""
Floats = Sequence[float]
"""Scores on the outcome's scale, oldest first, at least one."""


def to_cents(value: float) -> Fraction:
    """Two decimals, half away from zero, of the number the float is written as (Ruby's `round`)."""
    return Fraction(Decimal(repr(value)).quantize(CENT, ROUND_HALF_UP, WIDE))


def mean(values: Floats) -> float:
    return fsum(values) / len(values)


def decayed(values: Floats, percent: float) -> float:
    """Each result in turn weighs `percent`, everything before it the rest."""
    answer = values[0]
    for value in values[1:]:
        answer = answer * (0.01 * (100 - percent)) + value * (0.01 * percent)
    return answer


def weighted(values: Floats, percent: float) -> float:
    """The newest result weighs `percent`, the mean of all earlier ones the rest."""
    if len(values) == 1:
        return values[0]
    return values[-1] * (0.01 * percent) + mean(values[:-1]) * (0.01 * (100 - percent))


def n_mastery(values: Floats, mastery: float, times: int) -> float | None:
    """The mean of the results at mastery, once there are so many of them."""
    kept = [value for value in values if value >= mastery]
    return mean(kept) if len(kept) >= times else None
