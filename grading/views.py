"""Preview, sending, report, history: each view finds the run in the launched course, asks once, renders."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alignments import services as alignments
from alignments.core.explain import rule_in_words
from alignments.services import StoredAlignment
from canvas.accounts import account_for
from canvas.values import Section, Student
from grading import choosing, jobs, pages, planning, run_pages, services
from grading.connection import connect
from grading.core.plan import Choices, Plan
from grading.models import Run, RunState
from grading.pages import ColumnFacts, Roster, student_rows, summary_sentence
from lti_tool.csvsafe import safe_cell
from lti_tool.errors import PlatformError
from lti_tool.models import Context
from lti_tool.sessions import LaunchRequest, staff_required


@dataclass(frozen=True, slots=True)
class OpenPreview:
    """A preview waiting for a person: the plan with the choices made so far."""

    run: Run
    plan: Plan
    choices: Choices
    order: tuple[str, ...]


def _run(request: LaunchRequest, number: int) -> Run:
    """The run, if it belongs to the launched course; 404 otherwise."""
    return get_object_or_404(
        Run.objects.select_related("context__registration"), context=request.context, number=number
    )


def _preview(run: Run) -> OpenPreview:
    prepared = planning.open_plan(run.sealed_plan)
    choices = choosing.choices_of(run)
    order = tuple(dict.fromkeys(cell.user for cell in prepared.plan.cells))
    return OpenPreview(run, prepared.plan.with_choices(choices), choices, order)


def _person(request: LaunchRequest) -> str:
    return f"{request.role.value} {request.person.canvas_user_id}".strip()


# Starting


@require_GET
@staff_required
def preview(request: LaunchRequest) -> HttpResponseBase:
    """The course's open run, or the way to start one."""
    run = services.open_run_of(request.context)
    if run is not None:
        return _to(run)
    can_start = bool(alignments.stored(request.context))
    return render(request, "grading/start.html", _page(can_start=can_start, home_url=reverse("home")))


@require_POST
@staff_required
def start(request: LaunchRequest) -> HttpResponseBase:
    """Begin a preview; where a run is under way, show that one."""
    account = account_for(request.launch_session)
    if account is None or account.lost_at is not None:
        return HttpResponseRedirect(reverse("home"))
    if not alignments.stored(request.context):
        return HttpResponseRedirect(reverse("grading:preview"))
    try:
        return _to(jobs.start_preview(request.context, account, started_by=_person(request)))
    except services.RunAlreadyOpen as busy:
        return _to(busy.run)


@require_GET
@staff_required
def summary(request: LaunchRequest) -> HttpResponse:
    """A fragment of the outcomes page: what is waiting or under way, and the last sync."""
    run = services.open_run_of(request.context)
    last = (
        Run.objects.filter(context=request.context, state=RunState.FINISHED, dry_run=False)
        .exclude(outcome="discarded")
        .first()
    )
    page = {
        "open_run": run,
        "sentence": _open_sentence(run),
        "button": "See the preview" if run and run.state == RunState.READY else "See how far it is",
        "last": last,
        "last_sentence": run_pages.last_sentence(last) if last else "",
        "last_by": run_pages.owner(last, _person(request)) if last else "",
    }
    return render(request, "grading/_summary.html", page)


def _open_sentence(run: Run | None) -> str:
    if run is None:
        return "See every change before it happens."
    if run.state == RunState.READY:
        return f"A preview is waiting: {summary_sentence(run.counts)}"
    return "Canvas is being read." if run.state == RunState.READING else "Grades are being sent."


# One run


@require_GET
@staff_required
def show(request: LaunchRequest, number: int) -> HttpResponseBase:
    """The run's page, by its state: reading, preview, sending, report."""
    run = _run(request, number)
    if run.state == RunState.READY:
        return _show_preview(request, run, request.GET.dict())
    if run.state == RunState.FINISHED:
        return _show_report(request, run)
    page = _page(run=run, working=run_pages.working(run), by=run_pages.owner(run, _person(request)))
    return render(request, "grading/working.html", page)


@require_GET
@staff_required
def progress(request: LaunchRequest, number: int) -> HttpResponse:
    """The fragment of a run at work."""
    run = _run(request, number)
    return render(request, "grading/_working.html", {"run": run, "working": run_pages.working(run)})


def _show_report(request: LaunchRequest, run: Run) -> HttpResponse:
    names = {one.id: one.name for one in alignments.stored(request.context)}
    page = _page(
        run=run,
        report=run_pages.report(run, names),
        by=run_pages.owner(run, _person(request)),
    )
    return render(request, "grading/report.html", page | {"here": "history"})


def _show_preview(
    request: LaunchRequest, run: Run, values: Mapping[str, str], *, problem: str = "", status: int = 200
) -> HttpResponse:
    opened = _preview(run)
    roster, notice = _roster(request, opened)
    facts = _facts(request.context)
    filters = pages.read_filters(values)
    shown = pages.preview_page(opened.plan, opened.choices, facts, roster, filters)
    names = {one: facts[one].title for one in facts}
    page = _page(
        run=run,
        preview=shown,
        facts=facts,
        sections=sorted(roster.sections.values(), key=lambda one: one.name),
        problems=run_pages.problem_lines(run, names),
        notice=notice,
        read_when=pages.read_when(run.read_at, timezone.now()),
        **_send_bar(opened),
    )
    response = render(request, "grading/preview.html", page | {"problem": problem}, status=status)
    query = filters.query()
    response["HX-Push-Url"] = reverse("grading:run", args=[run.number]) + (f"?{query}" if query else "")
    return response


def _send_bar(opened: OpenPreview) -> dict[str, Any]:
    plan = opened.plan
    return {
        "digest": plan.digest,
        "unsafe": plan.unsafe_reason() or "",
        "changes": len(plan.to_send()),
        "sentence": summary_sentence(plan.counts),
        **pages.directions(plan),
    }


@require_http_methods(["GET", "POST"])
@staff_required
def choices(request: LaunchRequest, number: int) -> HttpResponseBase:
    """Keep what was ticked, and show the part of the preview that was asked for."""
    run = _run(request, number)
    if run.state != RunState.READY or request.method == "GET":
        return _to(run)
    _keep(run, request)
    return _show_preview(request, run, _wanted_part(request))


def _wanted_part(request: LaunchRequest) -> dict[str, str]:
    """The filters of the button that was pressed, else those in the form's fields."""
    posted = {name: request.POST.get(name, "") for name in ("section", "alignment", "search", "names")}
    if "go" not in request.POST:
        return posted
    asked = dict(part.partition("=")[::2] for part in request.POST["go"].split("&") if part)
    return {"search": posted["search"], **asked}


def _keep(run: Run, request: LaunchRequest) -> OpenPreview:
    opened = _preview(run)
    posted = {name: request.POST.getlist(name) for name in request.POST}
    choosing.keep_choices(run, pages.read_choices(posted, opened.choices, opened.order))
    return _preview(run)


@require_POST
@staff_required
def send_bar(request: LaunchRequest, number: int) -> HttpResponseBase:
    """A fragment: what would be sent with what is ticked now."""
    run = _run(request, number)
    if run.state != RunState.READY:
        return _to(run)
    opened = _keep(run, request)
    page = {"run": run, **_send_bar(opened)}
    return render(request, "grading/_send.html", page)


@require_POST
@staff_required
def send(request: LaunchRequest, number: int) -> HttpResponseBase:
    """Approve exactly the plan that was on the page, and hand it to the worker."""
    run = _run(request, number)
    if run.state != RunState.READY:
        return _to(run)
    opened = _keep(run, request)
    if opened.plan.digest != request.POST.get("digest"):
        problem = f"Your choices changed what would be sent. {summary_sentence(opened.plan.counts)} Press Send again."
        return _show_preview(request, run, {}, problem=problem, status=409)
    confirmed = request.POST.get("confirm_large") == "yes"
    try:
        jobs.approve_and_send(
            run, by=_person(request), digest=run.digest, choices=opened.choices, confirm_large=confirmed
        )
    except services.NotApprovable as refused:
        return _show_preview(request, run, {}, problem=str(refused), status=409)
    return _to(run)


@require_POST
@staff_required
def discard(request: LaunchRequest, number: int) -> HttpResponseBase:
    """Put a preview away. Nothing was written by it."""
    services.discard(_run(request, number))
    return HttpResponseRedirect(reverse("home"))


@require_POST
@staff_required
def stop(request: LaunchRequest, number: int) -> HttpResponseBase:
    """Ask a run to end after the batch it is sending."""
    run = _run(request, number)
    services.request_stop(run)
    return _to(run)


@require_POST
@staff_required
def undo(request: LaunchRequest, number: int) -> HttpResponseBase:
    """Take a run back, in the background, where its cells are still as it left them."""
    run = _run(request, number)
    if services.open_run_of(request.context) is None and run_pages.undoable_journal(run):
        jobs.start_undo(request.context, started_by=_person(request))
    return HttpResponseRedirect(reverse("grading:history"))


@require_GET
@staff_required
def student(request: LaunchRequest, number: int, place: int) -> HttpResponseBase:
    """One student's cells in an open preview; the address holds their place in it, not who they are."""
    run = _run(request, number)
    if run.state != RunState.READY:
        return _to(run)
    opened = _preview(run)
    if not 1 <= place <= len(opened.order):
        raise Http404
    roster, notice = _roster(request, opened)
    user, shown = opened.order[place - 1], request.GET.get("names") != "off"
    rows = student_rows(opened.plan, user, _facts(request.context), opened.choices, roster)
    page = _page(
        run=run, name=roster.name(user, shown=shown), note=roster.note(user), rows=rows, notice=notice
    )
    return render(request, "grading/student.html", page)


@require_POST
@staff_required
def csv_file(request: LaunchRequest, number: int) -> HttpResponseBase:
    """The open preview as CSV: made for this request, kept nowhere."""
    run = _run(request, number)
    if run.state != RunState.READY:
        return _to(run)
    opened, facts = _preview(run), _facts(request.context)
    roster, _ = _roster(request, opened)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="preview-{run.number}.csv"'
    writer = csv.writer(response)
    writer.writerow(["student", "sections", "column", "from", "to", "decision", "reason"])
    for cell in opened.plan.cells:
        label = facts[cell.alignment].label if cell.alignment in facts else ""
        line = [
            roster.name(cell.user), roster.note(cell.user), label, cell.before or "", cell.after or "",
            cell.decision, cell.reason,
        ]  # fmt: skip
        writer.writerow([safe_cell(value) for value in line])
    return response


@require_GET
@staff_required
def history(request: LaunchRequest) -> HttpResponse:
    """The course's runs, newest first."""
    runs = Run.objects.filter(context=request.context).select_related("undo_of")[:200]
    page = {"here": "history", "runs": [run_pages.history_row(run, _person(request)) for run in runs]}
    return render(request, "grading/history.html", page)


# What these pages share


def _to(run: Run) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("grading:run", args=[run.number]))


def _page(**values: Any) -> dict[str, Any]:
    return {"here": "preview", **values}


def _facts(context: Context) -> dict[int, ColumnFacts]:
    return {one.id: _fact(one) for one in alignments.stored(context)}


def _fact(one: StoredAlignment) -> ColumnFacts:
    is_new = one.target.kind == "column" and not one.target.line_item_url
    label = one.target.label or one.name
    return ColumnFacts(one.name, rule_in_words(one.definition), label, is_new)


def _roster(request: LaunchRequest, opened: OpenPreview) -> tuple[Roster, str]:
    """The names for this one request; without them students are numbered, and the page says why."""
    account = account_for(request.launch_session) or opened.run.account
    students: Mapping[str, Student] = {}
    sections: Mapping[str, Section] = {}
    notice = ""
    if account is not None:
        to = connect(request.context, account)
        try:
            students = to.rest.students(to.course_id)
            sections = to.rest.sections(to.course_id)
        except PlatformError as error:
            notice = f"Canvas did not give the names, so students are numbered. {error.detail}"
    return Roster(opened.order, students, sections), notice
