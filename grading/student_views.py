"""One student of an open preview: every column with its reason, and exceptions for this student."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from alignments import sealedexceptions
from alignments import services as alignments
from alignments.core.exceptions import LOST
from alignments.exceptionforms import ExceptionForm, in_words
from alignments.services import StoredAlignment
from canvas.accounts import account_for
from grading import pages
from grading.connection import connect
from grading.models import Run, RunState
from grading.openings import OpenPreview, facts_of, open_preview, page_of, roster_of, run_of, to_run, zone_of
from grading.pages import CellView, ColumnFacts, student_rows
from grading.student_evidence import results_of
from lti_tool.sealing import CannotUnseal
from lti_tool.sessions import LaunchRequest, staff_required, switches_names

NOTHING_TYPED: Mapping[int, ExceptionForm] = {}
SAVED = "The exception is saved. This preview was made before it: read again to see what it changes."


@dataclass(frozen=True, slots=True)
class StudentColumn:
    """One column of a student's page: the cell, the results behind it, and the student's own rule, if any."""

    alignment: int
    facts: ColumnFacts
    cell: CellView
    results: tuple[str, ...]
    form: ExceptionForm | None
    """None where the alignment is gone or its exceptions cannot be opened."""
    own_rule: str = ""
    is_open: bool = False
    """Whether somebody is at this form: what they typed is in it."""


@require_GET
@staff_required
def student(request: LaunchRequest, number: int, place: int) -> HttpResponseBase:
    """One student's cells in an open preview; the address holds their place in it, not who they are."""
    run = run_of(request, number)
    if run.state != RunState.READY:
        return to_run(run)
    return _show(request, run, place, done=SAVED if request.GET.get("done") == "exception" else "")


@require_POST
@staff_required
def exception(request: LaunchRequest, number: int, place: int) -> HttpResponseBase:
    """Set or remove this student's own rule for one alignment."""
    run = run_of(request, number)
    if run.state != RunState.READY:
        return to_run(run)
    opened = open_preview(run)
    user = _user(opened, place)
    stored = {str(one.id): one for one in alignments.stored(request.context)}
    one = stored.get(request.POST.get("alignment", ""))
    if one is None:
        return _show(request, run, place, problem="Choose a column of this course.", status=422)
    form = _form(one, opened, request.POST)
    typed = {one.id: form}
    if switches_names(request):
        form.unmarked()
        return _show(request, run, place, typed=typed)
    if not form.is_valid():
        return _show(request, run, place, typed=typed, problem=form.error_text(), status=422)
    try:
        if form.is_usual:
            sealedexceptions.remove(request.context, one.id, user)
        else:
            sealedexceptions.put(request.context, one.id, user, form.rule)
    except (sealedexceptions.TooMany, CannotUnseal) as error:
        text = LOST if isinstance(error, CannotUnseal) else str(error)
        return _show(request, run, place, typed=typed, problem=text, status=409)
    return HttpResponseRedirect(f"{reverse('grading:student', args=[run.number, place])}?done=exception")


def _user(opened: OpenPreview, place: int) -> str:
    if not 1 <= place <= len(opened.order):
        raise Http404
    return opened.order[place - 1]


def _form(one: StoredAlignment, opened: OpenPreview, posted: Any = None) -> ExceptionForm:
    grounds = opened.grounds.get(one.id)
    return ExceptionForm(
        posted,
        definition=one.definition,
        outcomes=grounds.outcomes if grounds else None,
        prefix=f"own{one.id}",
        with_usual=True,
    )


def _show(
    request: LaunchRequest,
    run: Run,
    place: int,
    *,
    done: str = "",
    problem: str = "",
    typed: Mapping[int, ExceptionForm] = NOTHING_TYPED,
    status: int = 200,
) -> HttpResponseBase:
    """The student's page, with the form somebody is at as they left it."""
    opened = open_preview(run)
    user = _user(opened, place)
    roster, notice = roster_of(request, opened)
    if not roster.sees(user):
        raise Http404
    page = page_of(
        request.context,
        run=run,
        place=place,
        name=roster.name(user),
        note=roster.note(user),
        rows=_columns(request, opened, user, student_rows(
            opened.plan, user, facts_of(request.context, opened.grounds), opened.choices, roster
        ), typed),
        notice=notice,
        done=done,
        problem=problem,
        read_when=pages.read_when(run.read_at, timezone.now()),
        names_back=reverse("grading:student", args=[run.number, place]),
        names_in_place=True,
    )  # fmt: skip
    return render(request, "grading/student.html", page, status=status)


def _columns(
    request: LaunchRequest,
    opened: OpenPreview,
    user: str,
    rows: list[tuple[ColumnFacts, CellView]],
    typed: Mapping[int, ExceptionForm],
) -> list[StudentColumn]:
    stored = {one.id: one for one in alignments.stored(request.context)}
    results = _results(request, opened, user)
    found = []
    for facts, cell in rows:
        number = int(cell.ref.partition(".")[0])
        one = stored[number]
        has_form = one.students is not None
        own = ""
        if one.students and user in one.students:
            own = in_words(one.definition, one.students[user], _outcomes(opened, number))
        form = typed.get(number) or _form(one, opened) if has_form else None
        lines = tuple(results.get(number, ()))
        found.append(StudentColumn(number, facts, cell, lines, form, own, is_open=number in typed))
    return found


def _outcomes(opened: OpenPreview, number: int) -> Any:
    grounds = opened.grounds.get(number)
    return grounds.outcomes if grounds else None


def _results(request: LaunchRequest, opened: OpenPreview, user: str) -> dict[int, list[str]]:
    """With the rights of the person who asks."""
    account = account_for(request.launch_session)
    if account is None or account.lost_at is not None:
        return {}
    return results_of(connect(request.context, account), opened.grounds, user, zone_of(request.context))
