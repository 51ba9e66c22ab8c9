"""Short ways to write single results in a test: oldest first, a day apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from alignments.core import calculations
from alignments.core.calculationfields import read_calculation
from alignments.core.calculations import Result
from alignments.core.definition import Calculation
from alignments.core.fields import Spot
from canvas.values import Outcome, OutcomeResult
from tests.alignments.examples import outcome

START = datetime(2026, 2, 1, 12, tzinfo=UTC)
SKILL = outcome("1")


def calculation(method: str, **more: Any) -> Calculation:
    """The calculation that the file's `{"method": …}` is."""
    spot = Spot()
    made = read_calculation(spot, {"method": method, **more})
    assert made is not None and not spot.problems, spot.problems
    return made


def raw(score: str, day: int = 0, out_of: str = "4", **more: Any) -> OutcomeResult:
    value, possible = Decimal(score), Decimal(out_of)
    percent = Decimal(repr(float(value) / float(possible)))
    details = {"id": str(day + 1), "percent": percent, "assignment_id": str(900 + day), **more}
    return OutcomeResult(
        user_id="7", outcome_id="1", score=value, possible=possible, at=START + timedelta(days=day), **details
    )


def results(*scores: str, skill: Outcome = SKILL, out_of: str = "4") -> list[Result]:
    return [calculations.on_scale(raw(score, day, out_of), skill) for day, score in enumerate(scores)]


def scored(method: str, scores: Sequence[str], skill: Outcome = SKILL, **more: Any) -> Fraction | None:
    return calculations.calculate(calculation(method, **more), skill, results(*scores, skill=skill))
