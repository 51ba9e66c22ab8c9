"""One student's single results behind each grade, read for one page and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo

from alignments.classresults import Moments, is_there
from alignments.core.calculations import Result, calculate, canvas_calculation, on_scale
from alignments.core.calculationwords import results_in_words, shown
from alignments.core.definition import Calculation, Order
from alignments.core.levels import Score
from canvas.values import Outcome, OutcomeResult
from grading.connection import Connection
from grading.evidence import Grounds
from lti_tool.errors import PlatformError

NEWER = "Results came in since the preview was made: read again to have them counted."
UNREAD = "The single results behind it could not be read from Canvas just now."
COUNTED = "Canvas counted {score} when the preview was made."
ANY = Calculation("latest")
"""For results whose method in Canvas is not known."""


def results_of(
    to: Connection, grounds: Mapping[int, Grounds], user: str, zone: tzinfo = UTC
) -> dict[int, list[str]]:
    """By alignment, the results with their dates and what they give, a sentence each. Where they cannot be read
    that is said of alignments that calculate from them; Canvas's own score stands without."""
    wanted = sorted({outcome_id for one in grounds.values() for outcome_id in one.definition.outcome_ids})
    if not wanted:
        return {}
    try:
        found = to.rest.results_of_student(to.course_id, wanted, user)
        existing = to.rest.assignments(to.course_id)
        there = [replace(row, at=row.at.astimezone(zone)) for row in found if is_there(row, existing)]
        moments = Moments(to.rest, to.course_id, existing)
        for one in grounds.values():
            if order_of(one) != "submitted":
                moments.read((row for row in there if row.outcome_id in one.definition.outcome_ids), [user])
    except PlatformError:
        return {key: [UNREAD] for key, one in grounds.items() if one.definition.calculation is not None}
    return {key: _said(one, there, user, moments, zone) for key, one in grounds.items()}


def order_of(one: Grounds) -> Order:
    """What the alignment's results are ordered by."""
    return one.definition.calculation.order if one.definition.calculation else "submitted"


def _said(
    one: Grounds, rows: Sequence[OutcomeResult], user: str, moments: Moments, zone: tzinfo
) -> list[str]:
    calculation, said, is_newer = one.definition.calculation, [], False
    for outcome_id in one.definition.outcome_ids:
        outcome, before = one.outcomes[outcome_id], one.scores.get(user, {}).get(outcome_id)
        results = [
            on_scale(row, outcome, moments.counts_at(row, order_of(one), zone))
            for row in rows
            if row.outcome_id == outcome_id
        ]
        if calculation is None:
            lines = _of_canvas(outcome, results, before)
        else:
            lines = results_in_words(calculation, outcome, results)
            is_newer |= calculate(calculation, outcome, results) != before
        name = f"{outcome.title}: " if len(one.definition.outcomes) > 1 else ""
        said += [f"{name}{line}" for line in lines]
    return [*said, NEWER] if is_newer else said


def _of_canvas(outcome: Outcome, results: Sequence[Result], score: Score | None) -> list[str]:
    """The results, and Canvas's own method where that gives the score Canvas counted."""
    if not results:
        return []
    for new_decaying in (True, False):
        method = canvas_calculation(outcome, new_decaying)
        if method is not None and calculate(method, outcome, results) == score:
            return results_in_words(method, outcome, results)
    counted = COUNTED.format(score="nothing" if score is None else shown(score))
    return [*results_in_words(ANY, outcome, results)[:-1], counted]
