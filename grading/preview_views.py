"""The preview's own pages: what is shown of it, what a person chooses in it, sending it, one student of it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from canvas.accounts import account_for
from grading import choosing, jobs, pages, run_pages, services
from grading.filters import read_filters
from grading.models import Run, RunState
from grading.openings import (
    OpenPreview,
    facts_of,
    open_preview,
    page_of,
    person,
    roster_of,
    run_of,
    to_run,
)
from grading.pages import summary_sentence
from lti_tool.csvsafe import safe_cell
from lti_tool.sessions import LaunchRequest, staff_required

NOT_CONNECTED = (
    "Your own Canvas account is not connected, so nothing was sent. Connect it on the page Outcomes and "
    "columns, then press Send again."
)
NOBODY_IN_SECTION = (
    "Canvas named nobody in this section, so nobody was held. Choose the section again, or hold "
    "students one by one."
)


def show_preview(
    request: LaunchRequest, run: Run, values: Mapping[str, str], *, problem: str = "", status: int = 200
) -> HttpResponse:
    opened = open_preview(run)
    roster, notice = roster_of(request, opened)
    facts = facts_of(request.context, opened.grounds)
    filters = read_filters(values)
    shown = pages.preview_page(opened.plan, opened.choices, facts, roster, filters)
    names = {one: facts[one].label for one in facts}
    query = shown.filters.query()
    address = reverse("grading:run", args=[run.number]) + (f"?{query}" if query else "")
    page = page_of(
        request.context,
        run=run,
        names_back=address,
        preview=shown,
        facts=facts,
        sections=sorted(roster.sections.values(), key=lambda one: one.name),
        held_students=len(opened.choices.hold_students),
        problems=run_pages.problem_lines(run, names),
        notice=notice,
        read_when=pages.read_when(run.read_at, timezone.now()),
        **_send_bar(opened),
    )
    response = render(request, "grading/preview.html", page | {"problem": problem}, status=status)
    response["HX-Push-Url"] = address
    return response


def _send_bar(opened: OpenPreview) -> dict[str, Any]:
    plan = opened.plan
    return {
        "digest": plan.digest,
        "unsafe": plan.unsafe_reason() or "",
        "changes": len(plan.to_send()),
        "sentence": summary_sentence(plan.counts),
        "directions": pages.directions(plan),
    }


@require_http_methods(["GET", "POST"])
@staff_required
def choices(request: LaunchRequest, number: int) -> HttpResponseBase:
    """Keep what was ticked, and show the part of the preview that was asked for."""
    run = run_of(request, number)
    if run.state != RunState.READY or request.method == "GET":
        return to_run(run)
    opened = _keep(run, request)
    wanted, problem = _wanted_part(request), ""
    if "hold_none" in request.POST:
        choosing.keep_choices(run, replace(opened.choices, hold_students=frozenset()))
    elif "hold_others" in request.POST:
        # The section that is shown, which the button names: the one chosen beside it may not be shown yet.
        wanted["section"] = request.POST["hold_others"]
        problem = _hold_others(request, run, opened, wanted["section"])
    return show_preview(request, run, wanted, problem=problem)


def _hold_others(request: LaunchRequest, run: Run, opened: OpenPreview, section: str) -> str:
    """Hold everybody outside this section. Why not, or ""."""
    roster, _ = roster_of(request, opened)
    inside = {user for user, one in roster.students.items() if section in one.section_ids}
    if not inside:
        return NOBODY_IN_SECTION
    choosing.keep_choices(run, choosing.only_these(opened.choices, opened.order, inside))
    return ""


def _wanted_part(request: LaunchRequest) -> dict[str, str]:
    """The filters of the button that was pressed, else those in the form's fields."""
    posted = {name: request.POST.get(name, "") for name in ("decision", "section", "alignment", "search")}
    if "go" not in request.POST:
        return posted
    asked = dict(part.partition("=")[::2] for part in request.POST["go"].split("&") if part)
    return {"search": posted["search"], **asked}


def _keep(run: Run, request: LaunchRequest) -> OpenPreview:
    opened = open_preview(run)
    posted = {name: request.POST.getlist(name) for name in request.POST}
    choosing.keep_choices(run, choosing.read_choices(posted, opened.choices, opened.order))
    return open_preview(run)


@require_POST
@staff_required
def send_bar(request: LaunchRequest, number: int) -> HttpResponseBase:
    """A fragment: what would be sent with what is ticked now."""
    run = run_of(request, number)
    if run.state != RunState.READY:
        return to_run(run)
    opened = _keep(run, request)
    page = {"run": run, **_send_bar(opened)}
    return render(request, "grading/_send.html", page)


@require_POST
@staff_required
def send(request: LaunchRequest, number: int) -> HttpResponseBase:
    """Approve exactly the plan that was on the page, and hand it to the worker."""
    run = run_of(request, number)
    if run.state != RunState.READY:
        return to_run(run)
    opened, wanted = _keep(run, request), _wanted_part(request)
    if opened.plan.digest != request.POST.get("digest"):
        problem = f"Your choices changed what would be sent. {summary_sentence(opened.plan.counts)} Press Send again."
        return show_preview(request, run, wanted, problem=problem, status=409)
    account = account_for(request.launch_session)
    if account is None or account.lost_at is not None:
        return show_preview(request, run, wanted, problem=NOT_CONNECTED, status=409)
    confirmed = request.POST.get("confirm_large") == "yes"
    try:
        jobs.approve_and_send(
            run,
            by=person(request),
            digest=run.digest,
            choices=opened.choices,
            confirm_large=confirmed,
            account=account,
        )
    except services.NotApprovable as refused:
        return show_preview(request, run, wanted, problem=str(refused), status=409)
    return to_run(run)


@require_POST
@staff_required
def discard(request: LaunchRequest, number: int) -> HttpResponseBase:
    """Put a preview away. Nothing was written by it."""
    services.discard(run_of(request, number))
    return HttpResponseRedirect(reverse("home"))


@require_POST
@staff_required
def csv_file(request: LaunchRequest, number: int) -> HttpResponseBase:
    """The open preview as CSV: made for this request, kept nowhere."""
    run = run_of(request, number)
    if run.state != RunState.READY:
        return to_run(run)
    opened = open_preview(run)
    facts = facts_of(request.context, opened.grounds)
    roster, _ = roster_of(request, opened)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="preview-{run.number}.csv"'
    writer = csv.writer(response)
    writer.writerow(["student", "sections", "column", "from", "to", "decision", "reason"])
    for cell in filter(lambda one: roster.sees(one.user), opened.plan.cells):
        label = facts[cell.alignment].label if cell.alignment in facts else ""
        line = [
            roster.name(cell.user), roster.note(cell.user), label, cell.before or "", cell.after or "",
            cell.decision, cell.reason,
        ]  # fmt: skip
        writer.writerow([safe_cell(value) for value in line])
    return response
