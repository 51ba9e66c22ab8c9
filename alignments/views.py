"""The teacher's list of outcomes and what they feed, and everything that starts from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alignments import beginnings, deeplinking, pages, services, template_services
from alignments.forms import PointsForm
from alignments.models import Target, TargetKind
from alignments.pages import Filters, Reading
from alignments.readiness import readiness
from alignments.reading import Look, look_at
from alignments.services import StoredAlignment
from canvas.values import Outcome
from lti_tool.models import Context
from lti_tool.sessions import LaunchRequest, staff_required

DONE = {
    "saved": "The alignment is saved. Nothing was sent to Canvas: preview the changes when you are ready.",
    "deleted": "The alignment is deleted. Grades it sent stay in the gradebook, and so does its column.",
    "aligned": "The suggested alignments are saved. Nothing was sent to Canvas yet.",
    "columns": "The columns are planned. Canvas makes each one when its first grade is sent.",
    "repaired": "The alignment is repaired. Nothing was sent to Canvas yet.",
    "excluded": "The outcome is left out of suggestions and of new columns.",
    "included": "The outcome is no longer left out by choice.",
    "template": "The ticked alignments of the template are saved. Nothing was sent to Canvas yet.",
}
FILTER_NAMES = ("q", "show", "group")


@require_GET
@staff_required
def home(request: LaunchRequest) -> HttpResponse:
    """Outcomes by group and what each feeds; the first steps while nothing is aligned."""
    look = look_at(request.launch_session)
    if look.reading is not None:
        deeplinking.bind_seen(request.context, look.reading.assignments, timezone.now())
    stored = services.stored(request.context)
    if look.reading is not None:
        services.remember_places(stored, look.reading.assignments)
    filters = Filters(*(request.GET.get(name, "").strip()[:255] for name in FILTER_NAMES))
    page = page_of(look) | {
        "stored": stored,
        "filters": filters,
        "done": DONE.get(request.GET.get("done", ""), ""),
        "summary_url": address_of("grading:summary"),
    }
    if not stored:
        page["templates"] = template_services.listed(request.context)
    if look.reading is not None:
        page |= list_of(request.context, look.reading, stored, filters)
    else:
        page["plain_feeds"] = [(one.id, one.name, pages.kept_feed(one)) for one in stored]
    return render(request, "alignments/home.html", page)


def list_of(
    context: Context, reading: Reading, stored: list[StoredAlignment], filters: Filters
) -> dict[str, Any]:
    """Everything the list shows of a course that could be read."""
    outcomes = reading.evidence.outcomes
    rows = pages.outcome_rows(reading, stored, beginnings.exclusions(context, outcomes.values()))
    return {
        "groups": pages.filtered(rows, filters),
        "group_names": list(dict.fromkeys(row.group for row in rows)),
        "outcome_count": len(rows),
        "unaligned_count": sum(row.is_unaligned for row in rows),
        "attention_count": sum(row.needs_attention for row in rows),
        "broken": pages.broken_feeds(reading, stored),
        "suggested": suggested_for(context, reading),
        "notes": readiness(reading),
        "all_outcomes": sorted(outcomes.values(), key=lambda outcome: pages.natural(outcome.title)),
    }


@require_http_methods(["GET", "POST"])
@staff_required
def suggested(request: LaunchRequest) -> HttpResponseBase:
    """Review the pairs that look alike and accept some or all of them."""
    look = look_at(request.launch_session)
    if look.reading is None:
        return unreadable(request, look)
    found = suggested_for(request.context, look.reading)
    problem, status = "", 200
    if request.method == "POST":
        chosen = set(request.POST.getlist("pair"))
        problem = _accept(request.context, look.reading, found, chosen)
        if not problem:
            return to_home("aligned")
        status = 422
    page = page_of(look) | {"suggested": found, "problem": problem}
    return render(request, "alignments/suggested.html", page, status=status)


def suggested_for(context: Context, reading: Reading) -> list[pages.Suggested]:
    """The likely pairs of this course, in the outcomes' order."""
    outcomes = sorted(reading.evidence.outcomes.values(), key=lambda one: pages.natural(one.title))
    pairs = beginnings.suggestions(context, outcomes, pages.usable(reading, our_columns(context)))
    return pages.suggested(pairs, reading)


def _accept(context: Context, reading: Reading, found: list[pages.Suggested], chosen: set[str]) -> str:
    """Saves the chosen pairs; returns what is wrong, or ""."""
    pairs = [one for one in found if one.value in chosen]
    if not chosen:
        return "Nothing was chosen, so nothing is aligned yet. Tick the pairs to align."
    if len(pairs) != len(chosen):
        return "Some pairs are no longer suggested: the course has changed. Look through the list again."
    try:
        beginnings.accept(
            context,
            [
                (reading.evidence.outcomes[one.outcome_id], reading.assignments[one.assignment_id])
                for one in pairs
            ],
        )
    except services.TargetInUse as error:
        return f"{error} Nothing was saved; look through the list again."
    return ""


@require_http_methods(["GET", "POST"])
@staff_required
def columns(request: LaunchRequest) -> HttpResponseBase:
    """Plan a column for every outcome that feeds nothing, after a look at the list."""
    look = look_at(request.launch_session)
    if look.reading is None:
        return unreadable(request, look)
    offered = unaligned_outcomes(request.context, look.reading)
    chosen = request.POST.getlist("outcome") if request.method == "POST" else [one.id for one in offered]
    points = PointsForm(request.POST if request.method == "POST" else None)
    problem, status = "", 200
    if request.method == "POST":
        wanted = [one for one in offered if one.id in chosen]
        problem = _columns_problem(wanted, chosen)
        if not problem and points.is_valid():
            beginnings.make_columns(request.context, wanted, points.cleaned_data["points"])
            return to_home("columns")
        status = 422
    page = page_of(look) | {
        "offered": offered,
        "offered_groups": _by_group(offered, chosen),
        "points": points,
        "problem": problem,
        "look_alike": {
            one.outcome_id: one.assignment for one in suggested_for(request.context, look.reading)
        },
    }
    return render(request, "alignments/columns.html", page, status=status)


def _by_group(offered: list[Outcome], chosen: list[str]) -> list[tuple[str, list[tuple[Outcome, str, bool]]]]:
    """The outcomes under their group's name, each with what it measures and whether it is ticked."""
    groups: dict[str, list[tuple[Outcome, str, bool]]] = {}
    for one in offered:
        name = " / ".join(one.group_path) or "Outcomes without a group"
        groups.setdefault(name, []).append((one, pages.measures(one), one.id in chosen))
    return list(groups.items())


def _columns_problem(wanted: list[Outcome], chosen: list[str]) -> str:
    if not chosen:
        return "Nothing was chosen, so no column is planned yet. Tick the outcomes to make columns for."
    if len(wanted) != len(set(chosen)):
        return "Some outcomes are aligned by now or no longer in this course. Look through the list again."
    return ""


def unaligned_outcomes(context: Context, reading: Reading) -> list[Outcome]:
    """The outcomes that feed nothing and are not left out, as a person would list them."""
    found = beginnings.unaligned(context, reading.evidence.outcomes.values())
    return sorted(found, key=lambda one: (one.group_path, pages.natural(one.title)))


@require_POST
@staff_required
def exclude(request: LaunchRequest, outcome_id: int) -> HttpResponse:
    """Leave an outcome out of grades by choice."""
    beginnings.exclude(request.context, str(outcome_id)[:32])
    return to_home("excluded", request.POST)


@require_POST
@staff_required
def include(request: LaunchRequest, outcome_id: int) -> HttpResponse:
    """No longer leave it out by choice."""
    beginnings.include(request.context, str(outcome_id))
    return to_home("included", request.POST)


# What these pages and the form's share


def page_of(look: Look) -> dict[str, Any]:
    """What every page around the list knows about the connection."""
    return {
        "here": "home",
        "look": look,
        "canvas_course": _canvas_course(look),
        "preview_url": address_of("grading:preview"),
    }


def _canvas_course(look: Look) -> str:
    """The course's address in Canvas, for links into it."""
    if look.account is None or look.reading is None:
        return ""
    return f"{look.account.registration.canvas_url.rstrip('/')}/courses/{look.reading.course.id}"


def unreadable(request: LaunchRequest, look: Look) -> HttpResponse:
    """The course could not be read and this page needs it; 409 because the form is not lost."""
    return render(request, "alignments/unreadable.html", page_of(look), status=409)


def our_columns(context: Context) -> set[str]:
    """The Canvas assignments behind the columns this tool made."""
    made = Target.objects.filter(context=context, kind=TargetKind.COLUMN).exclude(assignment_id="")
    return set(made.values_list("assignment_id", flat=True))


def to_home(done: str, filters: QueryDict | Mapping[str, str] | None = None) -> HttpResponseRedirect:
    """Back to the list with a word on what was done, and the filters as they were."""
    kept = {name: filters[name][:255] for name in FILTER_NAMES if filters and filters.get(name)}
    return HttpResponseRedirect(f"{reverse('home')}?{urlencode({'done': done, **kept})}")


def address_of(name: str) -> str:
    """The page's address, or "" where that part is not installed: pages above this one link, not import."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
