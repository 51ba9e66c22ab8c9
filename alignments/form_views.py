"""One alignment: made, changed, repaired, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from alignments import beginnings, comparison, effect, formdata, formwords, pages, schemepages, services
from alignments.classunder import NO_STUDENTS
from alignments.core import explain
from alignments.core.definition import MAX_NAME, AssignmentTarget, ColumnTarget, Definition, Scheme
from alignments.core.exceptions import Students
from alignments.core.scales import scales_now
from alignments.core.usual import usual_rule
from alignments.effect import NoEffect
from alignments.formdata import Typed
from alignments.forms import AlignmentForm, Choices
from alignments.models import Alignment
from alignments.offers import offers
from alignments.reading import Look, look_at
from alignments.resultreading import with_results
from alignments.services import StoredAlignment
from alignments.views import our_columns, page_of, to_home
from lti_tool.models import Context
from lti_tool.sessions import LaunchRequest, staff_required, switches_names


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


@require_POST
@staff_required
def rule(request: LaunchRequest) -> HttpResponseBase:
    """The rule's part of the form anew, after a button of it or another kind of rule; and the class under it."""
    page = _changed(request)
    return render(request, "alignments/_rule_and_class.html", page)


@require_POST
@staff_required
def class_effect(request: LaunchRequest) -> HttpResponseBase:
    """The class under the rule as it is typed."""
    page = _changed(request)
    return render(request, "alignments/_class_and_set.html", page)


def _changed(request: LaunchRequest) -> dict[str, Any]:
    """The form as its button changed it, from one reading of the course. Nothing is saved."""
    number = request.POST.get("alignment", "")
    stored = in_course(request.context, int(number)) if number.isdecimal() and len(number) < 19 else None
    sent = _typed(request)
    look = look_at(request.launch_session, schemes=sent.wants_schemes)
    form = _form(request, look, stored, sent.data)
    form.full_clean()
    formdata.keep(sent, form)
    page = _page(look, stored, form, "", sent)
    form.unmarked()
    return page


def _form_page(
    request: LaunchRequest, stored: StoredAlignment | None, *, look: Look | None = None, problem: str = ""
) -> HttpResponseBase:
    sent = _typed(request) if request.method == "POST" and not problem else None
    look = look or look_at(request.launch_session, schemes=_wants_schemes(sent, stored))
    form = _form(request, look, stored, sent.data if sent else None)
    status = 200
    if look.reading is None:
        status = 409 if sent is not None else 200
    elif sent is not None and not sent.is_to_save:
        form.full_clean()
        formdata.keep(sent, form)
    elif sent is not None and form.is_valid():
        problem = _save(request.context, form, look, stored)
        if not problem:
            return to_home("saved")
        status = 409
    elif sent is not None or problem:
        status = 422
    page = _page(look, stored, form, problem, sent) | {
        "names_back": reverse("alignments:change", args=[stored.id]) if stored else request.get_full_path(),
        "names_in_place": True,
    }
    return render(request, "alignments/form.html", page, status=status)


def _typed(request: LaunchRequest) -> Typed:
    """What was sent. While the visit hides names, no button of the form shows them."""
    switches_names(request)
    found = formdata.typed(request.POST)
    found.names = found.names and not request.launch_session.names_hidden
    return found


def _wants_schemes(sent: Typed | None, stored: StoredAlignment | None) -> bool:
    if sent is not None:
        return sent.wants_schemes
    return stored is not None and isinstance(stored.definition.rule, Scheme)


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
    listed = reading.known_schemes.by_id.values() if reading.known_schemes else ()
    choices = Choices(reading.evidence.outcomes, usable, reading.schemes, groups, tuple(listed))
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


def _unchanged(form: AlignmentForm, stored: StoredAlignment | None) -> Definition | None:
    """What the form says before anybody typed: the alignment, or the usual rule for a first outcome."""
    if stored is not None:
        return stored.definition
    known = form.known_outcomes
    if not known:
        return None
    usual = beginnings.usual_definition(known[0], ColumnTarget(known[0].title, Decimal(1)))
    return replace(usual, rule=usual_rule(known))


def _page(
    look: Look, stored: StoredAlignment | None, form: AlignmentForm, problem: str, sent: Typed | None = None
) -> dict[str, Any]:
    reading = look.reading
    definition = form.draft if form.is_bound else _unchanged(form, stored)
    wrong = _first_wrong(form) if form.is_bound and definition is None else ""
    if sent is not None and (not sent.is_to_save or reading is None):
        form.unmarked()
    students = stored.students if stored else NO_STUDENTS
    page = page_of(look) | {
        "form": form,
        "alignment": stored,
        "problem": problem,
        "broken": pages.problem_of(stored, reading) if stored and reading else "",
        "kept": sent.kept if sent else [],
        "names": sent.names if sent else False,
        "presets": comparison.PRESETS,
        "calculation_presets": comparison.CALCULATIONS,
        "typed": sent,
        "set": formwords.settings(form, definition),
        "opened": formwords.open_folds(
            form, sent.opened if sent else None, to_save=sent is not None and sent.is_to_save
        ),
        "effect_trouble": wrong,
    }
    if reading is not None and form.kind == "scheme":
        page["letters"] = schemepages.shown_for_form(form, reading, definition)
    if reading is None or definition is None:
        return page
    return page | _class(look, definition, students, page["kept"], names=page["names"])


def _class(
    look: Look, definition: Definition, students: Students | None, kept: Sequence[str], *, names: bool
) -> dict[str, Any]:
    """The class under the rule and under those kept to compare; single results are read where one needs them."""
    reading = with_results(look, [definition, *comparison.definitions_of(definition, kept)]).reading
    if reading is None:
        return {}
    found = effect.effect_of(definition, reading, students, names=names)
    page: dict[str, Any] = {"comparison": comparison.compare(definition, kept, reading, students)}
    if isinstance(found, NoEffect):
        return page | {"effect_trouble": found.trouble, "effect_connect": found.connect, "can_compare": True}
    return page | {"effect": found, "can_compare": True}


def _first_wrong(form: AlignmentForm) -> str:
    """The first thing that keeps the class from being worked out."""
    messages = [message for errors in form.errors.values() for message in errors]
    return str(messages[0]) if messages else ""
