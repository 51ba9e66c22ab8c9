"""Runs of the course: starting a preview, one run by its state, the history, the summary for the home page."""

from __future__ import annotations

import csv

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from alignments import services as alignments
from canvas.accounts import account_for
from grading import jobs, report_pages, run_pages, services
from grading.models import Run, RunState
from grading.news import news_of
from grading.openings import page_of, person, run_of, to_run
from grading.pages import read_when, summary_sentence
from grading.preview_views import show_preview
from lti_tool.csvsafe import safe_cell
from lti_tool.models import Context
from lti_tool.sessions import LaunchRequest, staff_required

MOST_DIGITS = 9
"""Of a run's number in an address."""

# Starting


@require_GET
@staff_required
def preview(request: LaunchRequest) -> HttpResponseBase:
    """The course's open run, or the way to start one."""
    run = services.open_run_of(request.context)
    if run is not None:
        return to_run(run)
    can_start = bool(alignments.stored(request.context))
    return render(
        request, "grading/start.html", page_of(request.context, can_start=can_start, home_url=reverse("home"))
    )


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
        return to_run(jobs.start_preview(request.context, account, started_by=person(request)))
    except services.RunAlreadyOpen as busy:
        return to_run(busy.run)


@require_GET
@staff_required
def summary(request: LaunchRequest) -> HttpResponse:
    """A fragment of the outcomes page: what is waiting or under way, and the last sync."""
    run = services.open_run_of(request.context)
    account = account_for(request.launch_session)
    can_start = account is not None and account.lost_at is None
    last = (
        Run.objects.filter(context=request.context, state=RunState.FINISHED, dry_run=False)
        .exclude(outcome="discarded")
        .first()
    )
    page = page_of(
        request.context,
        open_run=run,
        sentence=_open_sentence(run, can_start=can_start),
        note=_open_note(run, can_start=can_start),
        can_start=can_start,
        button="See the preview" if run and run.state == RunState.READY else "See how far it is",
        last=last,
        last_sentence=run_pages.last_sentence(last) if last else "",
        last_by=run_pages.owner(last, person(request)) if last else "",
        news=news_of(request.context),
        can_undo=bool(last and run is None and run_pages.undoable_journal(last)),
    )
    return render(request, "grading/_summary.html", page)


def _open_sentence(run: Run | None, *, can_start: bool) -> str:
    if run is None:
        return "Preview to see what a sync would change now." if can_start else "No sync is under way."
    if run.state == RunState.READY:
        return f"A preview is waiting: {summary_sentence(run.counts)}"
    if run.undo_of:
        return f"Run {run.undo_of.number} is being undone."
    return "Canvas is being read." if run.state == RunState.READING else "Grades are being sent."


def _open_note(run: Run | None, *, can_start: bool) -> str:
    """How old that is: what would change is known only as of when the gradebook was read, which takes a call for
    every hundred cells and is therefore not done to show this page."""
    if run is None:
        return "It reads the gradebook and writes nothing." if can_start else ""
    return read_when(run.read_at, timezone.now()) if run.state == RunState.READY else ""


# One run


@require_GET
@staff_required
def show(request: LaunchRequest, number: int) -> HttpResponseBase:
    """The run's page, by its state: reading, preview, sending, report."""
    run = run_of(request, number)
    if run.state == RunState.READY:
        return show_preview(request, run, request.GET.dict())
    if run.state == RunState.FINISHED:
        return _show_report(request, run)
    page = page_of(
        request.context,
        here="history" if run.undo_of_id else "preview",
        run=run,
        working=run_pages.working(run),
        by=run_pages.owner(run, person(request)),
    )
    return render(request, "grading/working.html", page)


@require_GET
@staff_required
def progress(request: LaunchRequest, number: int) -> HttpResponse:
    """The fragment of a run at work."""
    run = run_of(request, number)
    return render(request, "grading/_working.html", {"run": run, "working": run_pages.working(run)})


def _report_of(request: LaunchRequest, run: Run) -> report_pages.Report:
    return report_pages.report(run, {one.id: one.place for one in alignments.stored(request.context)})


def _show_report(request: LaunchRequest, run: Run) -> HttpResponse:
    by = run_pages.owner(run, person(request))
    page = page_of(request.context, here="history", run=run, report=_report_of(request, run), by=by)
    return render(request, "grading/report.html", page)


@require_POST
@staff_required
def report_csv(request: LaunchRequest, number: int) -> HttpResponseBase:
    """The report of a finished run as CSV. It names no student, because none is kept."""
    run = run_of(request, number)
    if run.state != RunState.FINISHED:
        return to_run(run)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="report-{run.number}.csv"'
    lines = report_pages.file_lines(_report_of(request, run))
    csv.writer(response).writerows([safe_cell(value) for value in line] for line in lines)
    return response


@require_POST
@staff_required
def stop(request: LaunchRequest, number: int) -> HttpResponseBase:
    """Ask a run to end after the batch it is sending."""
    run = run_of(request, number)
    services.request_stop(run)
    return to_run(run)


@require_POST
@staff_required
def undo(request: LaunchRequest, number: int) -> HttpResponseBase:
    """Take a run back, in the background, where its cells are still as it left them."""
    run = run_of(request, number)
    account = account_for(request.launch_session)
    if account is None or account.lost_at is not None:
        return HttpResponseRedirect(reverse("home"))
    if services.open_run_of(request.context) is not None or not run_pages.undoable_journal(run):
        return to_run(run)
    newest = Run.objects.filter(context=request.context).values_list("number", flat=True)[0]
    jobs.start_undo(run, account, started_by=person(request))
    # The undo is a run of its own once a worker has begun with it: the first one after these.
    return HttpResponseRedirect(f"{reverse('grading:history')}?undo={newest}")


@require_GET
@staff_required
def history(request: LaunchRequest) -> HttpResponse:
    """The course's runs, newest first. Where an undo was asked for, the page asks by `poll` whether it has begun, and
    goes on to it then."""
    asked = request.GET.get("undo", "")
    asked = asked if asked.isdecimal() and len(asked) <= MOST_DIGITS else ""
    undo_run = _undo_after(request.context, asked)
    if "poll" in request.GET:
        if undo_run is None:
            return HttpResponse(status=204)
        return render(request, "grading/_undo_begun.html", {"run": undo_run})
    runs = Run.objects.filter(context=request.context).select_related("undo_of")[:200]
    rows = [run_pages.history_row(run, person(request)) for run in runs]
    page = page_of(
        request.context,
        here="history",
        runs=rows,
        undo_asked="" if undo_run else asked,
        undo_run=undo_run,
        undo_said=_undo_said(undo_run) if undo_run else "",
    )
    return render(request, "grading/history.html", page)


def _undo_after(context: Context, number: str) -> Run | None:
    """The undo that began after the run of this number was the newest, if it has."""
    if not number:
        return None
    undone = Run.objects.filter(context=context, number__gt=int(number), undo_of__isnull=False)
    return undone.select_related("undo_of").last()


def _undo_said(run: Run) -> str:
    return run_pages.headline(run) if run.state == RunState.FINISHED else f"{run_pages.titles(run)[0]}."
