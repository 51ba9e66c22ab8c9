"""The single results of a class, read for one page, where a rule on it calculates from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from alignments.classresults import MOST_PAIRS, TOO_MANY, ClassResults, Moments, is_there
from alignments.core.definition import Definition
from alignments.pages import Reading
from alignments.reading import Look, in_words
from canvas.counting import CallCounter
from canvas.models import CanvasAccount
from canvas.rest import Rest
from canvas.values import OutcomeResult
from lti_tool.errors import AccessLost, PlatformError
from lti_tool.http import shared_http

NO_RIGHT = (
    "Your connected Canvas account may not read single results yet, and this calculation needs them. Connect your "
    "Canvas account again; what you typed stays here."
)


def with_results(look: Look, definitions: Iterable[Definition | None]) -> Look:
    """The look with the results behind these alignments' outcomes; nothing is asked where none calculates."""
    wanted = [one for one in definitions if one is not None and one.calculation is not None]
    if not wanted or look.reading is None or look.account is None:
        return look
    return replace(look, reading=replace(look.reading, results=_read(look.account, look.reading, wanted)))


def _read(account: CanvasAccount, reading: Reading, wanted: Iterable[Definition]) -> ClassResults:
    definitions = list(wanted)
    outcome_ids = sorted(
        {key for one in definitions for key in one.outcome_ids if _has_scale(reading, key)},
    )
    if len(outcome_ids) * len(reading.class_ids) > MOST_PAIRS:
        return ClassResults(trouble=TOO_MANY)
    rest = Rest(account, shared_http(), CallCounter())
    try:
        return _results(rest, reading, outcome_ids, definitions)
    except AccessLost as error:
        if error.code == "scope_missing":
            return ClassResults(trouble=NO_RIGHT, connect=True)
        return _in_words(error)
    except PlatformError as error:
        return _in_words(error)


def _in_words(error: PlatformError) -> ClassResults:
    said = in_words(error)
    return ClassResults(trouble=f"{said.title} {said.text}", connect=said.connect)


def _has_scale(reading: Reading, outcome_id: str) -> bool:
    """Whether anything can be worked out for it; Canvas refuses to list the results of one that is gone."""
    outcome = reading.evidence.outcomes.get(outcome_id)
    return outcome is not None and bool(outcome.points_possible)


def _results(
    rest: Rest, reading: Reading, outcome_ids: list[str], definitions: Iterable[Definition]
) -> ClassResults:
    rows: dict[tuple[str, str], list[OutcomeResult]] = defaultdict(list)
    for part in rest.results_of(reading.course.id, outcome_ids, len(reading.students)) if outcome_ids else ():
        for row in part:
            if is_there(row, reading.assignments):
                rows[row.outcome_id, row.user_id].append(row)
    moments = Moments(rest, reading.course.id, reading.assignments)
    for one in definitions:
        if one.calculation is not None and one.calculation.order != "submitted":
            moments.read(row for key in rows if key[0] in one.outcome_ids for row in rows[key])
    return ClassResults(dict(rows), moments)
