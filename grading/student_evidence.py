"""One student's single results, read for one page where an alignment calculates from them; kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping

from alignments.core.calculations import calculate, on_scale
from alignments.core.calculationwords import results_in_words
from canvas.values import OutcomeResult
from grading.connection import Connection
from grading.evidence import Grounds
from lti_tool.errors import PlatformError

NEWER = "Results came in since the preview was made: read again to have them counted."
UNREAD = "The single results behind it could not be read from Canvas just now."


def results_of(to: Connection, grounds: Mapping[int, Grounds], user: str) -> dict[int, list[str]]:
    """By alignment, for those that calculate otherwise than Canvas: the results with their dates and what they
    give, a sentence each. Nothing is asked where no alignment does."""
    own = {key: one for key, one in grounds.items() if one.definition.calculation is not None}
    if not own:
        return {}
    wanted = sorted({outcome_id for one in own.values() for outcome_id in one.definition.outcome_ids})
    try:
        found = to.rest.results_of_student(to.course_id, wanted, user)
        existing = to.rest.assignments(to.course_id)
    except PlatformError:
        return {key: [UNREAD] for key in own}
    there = [row for row in found if row.assignment_id is None or row.assignment_id in existing]
    return {key: _said(one, there, user) for key, one in own.items()}


def _said(one: Grounds, rows: list[OutcomeResult], user: str) -> list[str]:
    calculation = one.definition.calculation
    if calculation is None:
        return []
    said, is_newer = [], False
    for outcome_id in one.definition.outcome_ids:
        outcome = one.outcomes[outcome_id]
        results = [on_scale(row, outcome) for row in rows if row.outcome_id == outcome_id]
        name = f"{outcome.title}: " if len(one.definition.outcomes) > 1 else ""
        said += [f"{name}{line}" for line in results_in_words(calculation, outcome, results)]
        if calculation.order == "submitted":
            now = calculate(calculation, outcome, results)
            is_newer |= now != one.scores.get(user, {}).get(outcome_id)
    return [*said, NEWER] if is_newer else said
