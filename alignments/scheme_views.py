"""The course's grading schemes: listed with what each letter earns, and a new one of the teacher's own levels."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from alignments import pages, schemeforms, schemepages
from alignments.reading import Look, in_words, look_at, teachers_rest
from alignments.schemeforms import SchemeForm
from alignments.views import page_of, unreadable
from canvas.rest import DEFAULT_SCHEME
from canvas.schemes import NewScheme
from lti_tool.errors import PlatformError, Refused
from lti_tool.sessions import LaunchRequest, staff_required

MADE = "The scheme is in this course now. Choose it in a rule, or for an assignment in Canvas."


@require_http_methods(["GET", "POST"])
@staff_required
def schemes(request: LaunchRequest) -> HttpResponseBase:
    """The list, and the form below it."""
    look = look_at(request.launch_session, schemes=True)
    if look.reading is None:
        return unreadable(request, look)
    if request.method == "GET":
        return _page(request, look, schemeforms.from_levels(_outcome(request, look)))
    form, do = schemeforms.sent(request.POST), request.POST.get("do", "")
    if do == "levels":
        return _page(request, look, schemeforms.from_levels(_outcome(request, look)))
    if do:
        form.change(do)
        return _page(request, look, form)
    new = form.read()
    problem = make(request, new, request.context.canvas_course_id) if new else ""
    if new and not problem:
        return HttpResponseRedirect(f"{reverse('alignments:schemes')}?done=made")
    return _page(request, look, form, problem, status=422)


def make(
    request: LaunchRequest, new: NewScheme, owner_id: str, owner: Literal["courses", "accounts"] = "courses"
) -> str:
    """Make it in Canvas; returns what is wrong, or ""."""
    rest = teachers_rest(request.launch_session)
    if rest is None:
        return "Connect your Canvas account first."
    try:
        rest.create_grading_scheme(owner_id, new, owner)
    except Refused as error:
        return schemeforms.CANVAS_SAYS.get(
            error.code, f"Canvas did not take the scheme. {in_words(error).text}"
        )
    except PlatformError as error:
        trouble = in_words(error)
        return f"{trouble.title} {trouble.text}"
    return ""


def _outcome(request: LaunchRequest, look: Look) -> Any:
    """The outcome whose levels are wanted, else the first of the course."""
    known = look.reading.evidence.outcomes if look.reading else {}
    wanted = request.POST.get("outcome") or request.GET.get("outcome", "")
    by_title = sorted(known.values(), key=lambda one: pages.natural(one.title))
    return known.get(wanted) or next(iter(by_title), None)


def _page(
    request: LaunchRequest, look: Look, form: SchemeForm, problem: str = "", status: int = 200
) -> HttpResponseBase:
    reading = look.reading
    known = reading.known_schemes if reading else None
    page = page_of(look) | {
        "here": "settings",
        "done": MADE if request.GET.get("done") == "made" and request.method == "GET" else "",
        "form": form,
        "problem": problem,
        "schemes": schemepages.listed(known, [DEFAULT_SCHEME]) if known else None,
        "unread": known.explanation if known and known.unreadable_accounts else "",
        "outcomes": sorted(reading.evidence.outcomes.values(), key=lambda one: pages.natural(one.title))
        if reading
        else [],
    }
    return render(request, "alignments/schemes.html", page, status=status)
