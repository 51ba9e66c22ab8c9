"""The self-check as a page: for the course's teachers, and for an administrator who opens the tool there.

It shows what works and what to do, never a student, a grade or what belongs to the server's operator alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from alignments.readiness import Note, readiness
from alignments.reading import look_as
from canvas import accounts, trial
from canvas.models import CanvasAccount
from grading import doctor
from grading.selfcheck import check_jobs
from lti_tool.models import LaunchRole
from lti_tool.selfcheck import Finding, Verdict
from lti_tool.sessions import LaunchRequest, staff_or_admin_required, staff_required

WORDS = {
    Verdict.OK: ("success", "Everything works."),
    Verdict.WARNING: ("info", "The tool works. What could be better is listed below."),
    Verdict.PROBLEM: ("warning", "Something needs a person. What to do is listed below."),
}


@dataclass(frozen=True, slots=True)
class Results:
    """What the page shows: lines that need somebody first, the rest folded away."""

    kind: str
    sentence: str
    urgent: Sequence[Finding]
    fine: Sequence[Finding]
    notes: Sequence[Note]
    canvas_course: str


@require_GET
@staff_or_admin_required
def check(request: LaunchRequest) -> HttpResponse:
    """The page; it fetches its results, because Canvas is asked some twenty questions for them."""
    return render(request, "grading/check.html", _page(request))


@require_GET
@staff_or_admin_required
def results(request: LaunchRequest) -> HttpResponse:
    """The results alone where htmx asks for them, the whole page else."""
    page = _page(request) | {"results": _results(request, ())}
    is_part = "HX-Request" in request.headers and "HX-Boosted" not in request.headers
    return render(request, "grading/_check.html" if is_part else "grading/check.html", page)


@require_POST
@staff_required
def write_test(request: LaunchRequest) -> HttpResponse:
    """Make a column and remove it, because a person who read what that means pressed the button."""
    tried = trial.write_test(request.context)
    return render(request, "grading/check.html", _page(request) | {"results": _results(request, tried)})


def _page(request: LaunchRequest) -> dict[str, object]:
    return {"here": "settings", "trial_warning": trial.WARNING, "is_admin": request.role == LaunchRole.ADMIN}


def _results(request: LaunchRequest, tried: Sequence[Finding]) -> Results:
    now, context = timezone.now(), request.context
    account = _account(request)
    findings = [*tried, *doctor.examine_course(context, account, now), *check_jobs(now)]
    look = look_as(account, context.canvas_course_id)
    kind, sentence = WORDS[doctor.worst(findings)]
    return Results(
        kind=kind,
        sentence=sentence,
        urgent=[one for one in findings if one.fix],
        fine=[one for one in findings if not one.fix],
        notes=readiness(look.reading) if look.reading else [],
        canvas_course=f"{context.registration.canvas_url}/courses/{context.canvas_course_id}",
    )


def _account(request: LaunchRequest) -> CanvasAccount | None:
    """A teacher's own account; an administrator looks with the one a sync would use."""
    if request.role == LaunchRole.ADMIN:
        return doctor.account_of(request.context)
    return accounts.account_for(request.launch_session)
