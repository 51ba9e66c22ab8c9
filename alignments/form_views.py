"""One alignment: made, changed, repaired, deleted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from alignments import beginnings, effect, pages, services
from alignments.core import explain
from alignments.core.definition import MAX_NAME, AssignmentTarget, ColumnTarget, Definition
from alignments.core.scales import scales_now
from alignments.forms import AlignmentForm, Choices
from alignments.models import Alignment
from alignments.offers import offers
from alignments.reading import Look, look_at
from alignments.services import StoredAlignment
from alignments.views import our_columns, page_of, to_home
from lti_tool.models import Context
from lti_tool.sessions import LaunchRequest, staff_required


@require_http_methods(["GET", "POST"])
@staff_required
def create(request: LaunchRequest) -> HttpResponseBase:
    """A new alignment, of the outcomes the list named."""
    return _form_page(request, None)


@require_http_methods(["GET", "POST"])
@staff_required
def change(request: LaunchRequest, alignment_id: int) -> HttpResponseBase:
    """An alignment of this course."""
    return _form_page(request, in_course(request.context, alignment_id))


@require_http_methods(["GET", "POST"])
@staff_required
def delete(request: LaunchRequest, alignment_id: int) -> HttpResponseBase:
    """Delete it, after saying what stays."""
    stored = in_course(request.context, alignment_id)
    if request.method == "POST":
        services.delete_alignment(request.context, alignment_id)
        return to_home("deleted")
    page = {"here": "home", "alignment": stored, "words": explain.rule_in_words(stored.definition)}
    return render(request, "alignments/delete.html", page)


@require_POST
@staff_required
def repair(request: LaunchRequest, alignment_id: int) -> HttpResponseBase:
    """Put another outcome of this course in the place of one that is gone."""
    stored = in_course(request.context, alignment_id)
    look = look_at(request.launch_session)
    gone, instead = request.POST.get("gone", ""), request.POST.get("instead", "")
    known = look.reading.evidence.outcomes if look.reading else {}
    if (
        gone not in stored.definition.outcome_ids
        or instead not in known
        or instead in stored.definition.outcome_ids
    ):
        return _form_page(
            request, stored, look=look, problem=f"Choose what takes the place of outcome {gone[:40]}."
        )
    services.replace_outcome(request.context, alignment_id, gone, instead)
    return to_home("repaired")


def in_course(context: Context, alignment_id: int) -> StoredAlignment:
    """The alignment, if it belongs to the launched course; 404 otherwise."""
    try:
        return services.stored_one(context, alignment_id)
    except Alignment.DoesNotExist as error:
        raise Http404("No such alignment in this course.") from error


def _form_page(
    request: LaunchRequest, stored: StoredAlignment | None, *, look: Look | None = None, problem: str = ""
) -> HttpResponseBase:
    look = look or look_at(request.launch_session)
    submitted = request.POST if request.method == "POST" and not problem else None
    form = _form(request, look, stored, submitted)
    status = 200
    if look.reading is None:
        status = 409 if submitted is not None else 200
    elif submitted is not None and form.is_valid():
        if "show" not in submitted:
            problem = _save(request.context, form, look, stored)
            if not problem:
                return to_home("saved")
            status = 409
    elif submitted is not None or problem:
        status = 422
    return render(request, "alignments/form.html", _page(look, stored, form, problem), status=status)


def _form(
    request: LaunchRequest, look: Look, stored: StoredAlignment | None, submitted: Any
) -> AlignmentForm:
    reading = look.reading
    current = stored.definition if stored else None
    if reading is None:
        return AlignmentForm(submitted, choices=Choices({}, {}), current=current)
    taken = {
        one.definition.target.assignment_id: one.name
        for one in services.stored(request.context)
        if isinstance(one.definition.target, AssignmentTarget) and (stored is None or one.id != stored.id)
    }
    first = beginnings.course_settings(request.context).assignment_group_id
    ours = our_columns(request.context)
    groups = offers(reading.assignments.values(), reading.groups, reading.schemes, taken, ours, first)
    usable = {key: one for key, one in reading.assignments.items() if key not in ours}
    choices = Choices(reading.evidence.outcomes, usable, reading.schemes, groups)
    chosen = [one for one in request.GET.getlist("outcome") if one in reading.evidence.outcomes]
    form = AlignmentForm(submitted, choices=choices, current=current, chosen=chosen)
    if submitted is None and stored is None and chosen:
        form.initial["label"] = reading.evidence.outcomes[chosen[0]].title[:MAX_NAME]
    if submitted is None and stored is not None:
        form.initial["omit"] = stored.target.omit_from_final_grade
    return form


def _save(context: Context, form: AlignmentForm, look: Look, stored: StoredAlignment | None) -> str:
    """Saves; returns what is wrong, or ""."""
    definition = form.definition
    try:
        services.save_alignment(
            context,
            definition,
            alignment_id=stored.id if stored else None,
            expected_points=_points_now(definition, look, stored),
            scales=scales_now(definition, look.reading.evidence.outcomes) if look.reading else None,
            omit_from_final_grade=form.cleaned_data["omit"]
            if isinstance(definition.target, ColumnTarget)
            else None,
        )
    except services.TargetInUse as error:
        return f"{error} Choose another target, or change that alignment instead."
    return ""


def _points_now(definition: Definition, look: Look, stored: StoredAlignment | None) -> Decimal | None:
    """The target's points in Canvas at this moment; a column not made yet gets the form's at its first plan."""
    assignments = look.reading.assignments if look.reading else {}
    if isinstance(definition.target, AssignmentTarget):
        return assignments[definition.target.assignment_id].points_possible
    if stored is None or not isinstance(stored.definition.target, ColumnTarget):
        return None
    same = stored.definition.target.label == definition.target.label
    made = assignments.get(stored.target.assignment_id) if same else None
    return made.points_possible if made else None


def _too_little(stored: StoredAlignment | None) -> str:
    """What an imported alignment does without evidence, where that is not the usual."""
    if stored is None or stored.definition.evidence.otherwise == "leave":
        return ""
    return explain.TOO_LITTLE[stored.definition.evidence.otherwise]


def _unchanged(form: AlignmentForm, stored: StoredAlignment | None) -> Definition | None:
    """What the form says before anybody typed: the alignment, or the usual rule for a first outcome."""
    if stored is not None:
        return stored.definition
    known = [form.choices.outcomes[one] for one in form.chosen if one in form.choices.outcomes]
    return beginnings.usual_definition(known[0], ColumnTarget(known[0].title, Decimal(1))) if known else None


def _page(look: Look, stored: StoredAlignment | None, form: AlignmentForm, problem: str) -> dict[str, Any]:
    reading = look.reading
    definition = getattr(form, "definition", None) if form.is_bound else _unchanged(form, stored)
    page = page_of(look) | {
        "form": form,
        "alignment": stored,
        "problem": problem,
        "rule_words": explain.rule_in_words(stored.definition) if stored else "",
        "too_little": _too_little(stored),
        "broken": pages.problem_of(stored, reading) if stored and reading else "",
    }
    if reading is not None and definition is not None and not form.errors:
        page["effect"] = effect.effect_of(definition, reading)
        page["effect_words"] = explain.rule_in_words(definition, reading.evidence.outcomes)
    return page
