"""What the grading pages share: the run of the launched course, an open preview, columns and names in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse

from alignments import services as alignments
from alignments.core.explain import rule_in_words
from alignments.services import StoredAlignment
from canvas.accounts import account_for
from grading import choosing, planning
from grading.connection import connect
from grading.core.plan import Choices, Plan
from grading.evidence import Grounds
from grading.models import Run
from grading.pages import ColumnFacts, Roster
from lti_tool.errors import PlatformError
from lti_tool.models import Context
from lti_tool.sessions import LaunchRequest

NOT_SEEN = (
    "{:,} of the students in this preview are not shown: your Canvas account does not see them, so it cannot grade "
    "them either. Have somebody who teaches the whole course send it, or read again for your own students."
)
NOT_CONNECTED = (
    "Students are numbered until your own Canvas account is connected: names are read with your rights. "
    "Connect it on the page Outcomes and columns."
)


@dataclass(frozen=True, slots=True)
class OpenPreview:
    """A preview waiting for a person: the plan with the choices made so far."""

    run: Run
    plan: Plan
    choices: Choices
    order: tuple[str, ...]
    """The students in the plan's order: a place in it, counted from 1, is what an address may hold."""
    grounds: Mapping[int, Grounds] = field(repr=False)


def run_of(request: LaunchRequest, number: int) -> Run:
    """The run, if it belongs to the launched course; 404 otherwise."""
    runs = Run.objects.select_related("context__registration", "undo_of")
    return get_object_or_404(runs, context=request.context, number=number)


def open_preview(run: Run) -> OpenPreview:
    """What waits for a person in a run that is READY."""
    prepared = planning.open_plan(run.sealed_plan)
    choices = choosing.choices_of(run)
    order = tuple(dict.fromkeys(cell.user for cell in prepared.plan.cells))
    return OpenPreview(run, prepared.plan.with_choices(choices), choices, order, prepared.grounds)


def person(request: LaunchRequest) -> str:
    """Whoever asks, as runs note it: a role and a Canvas id."""
    return f"{request.role.value} {request.person.canvas_user_id}".strip()


def to_run(run: Run) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("grading:run", args=[run.number]))


def page_of(context: Context, **values: Any) -> dict[str, Any]:
    """What every page of these needs, and what this one does."""
    return {"here": "preview", "zone": zone_of(context), **values}


def zone_of(context: Context) -> tzinfo:
    """The course's time zone as Canvas last said it; UTC until then."""
    try:
        return ZoneInfo(context.time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def facts_of(context: Context, grounds: Mapping[int, Grounds]) -> dict[int, ColumnFacts]:
    """The course's columns in the teacher's order, with what the preview knows of each."""
    zone = zone_of(context)
    return {one.id: _facts(one, grounds.get(one.id), zone) for one in alignments.stored(context)}


def _facts(one: StoredAlignment, grounds: Grounds | None, zone: tzinfo) -> ColumnFacts:
    is_new = one.target.kind == "column" and not one.target.line_item_url
    if grounds is None:
        return ColumnFacts(one.place, rule_in_words(one.definition), is_new)
    explain = partial(grounds.sentences, zone=zone)
    return ColumnFacts(one.place, grounds.rule, is_new, grounds.worth, explain, grounds.newest_of)


def roster_of(request: LaunchRequest, opened: OpenPreview) -> tuple[Roster, str]:
    """The names for this one request, read with the rights of the person who asks; without them students are
    numbered, and the page says why."""
    account = account_for(request.launch_session)
    if account is None or account.lost_at is not None:
        return Roster(opened.order, {}, {}), NOT_CONNECTED
    to = connect(request.context, account)
    try:
        students, sections = to.rest.students(to.course_id), to.rest.sections(to.course_id)
    except PlatformError as error:
        notice = f"Canvas did not give the names, so students are numbered. {error.detail}"
        return Roster(opened.order, {}, {}), notice
    roster = Roster(opened.order, students, sections, request.launch_session.names_hidden)
    hidden = sum(not roster.sees(user) for user in opened.order)
    return roster, NOT_SEEN.format(hidden) if hidden else ""
