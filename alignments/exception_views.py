"""Exceptions of one alignment: sections and students with a rule of their own, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from alignments import sealedexceptions, services
from alignments.core import explain
from alignments.core.definition import SectionException
from alignments.core.exceptions import LOST
from alignments.exceptionforms import ExceptionForm, in_words
from alignments.form_views import in_course
from alignments.reading import Look, look_at
from alignments.services import StoredAlignment
from alignments.views import page_of
from canvas.counting import CallCounter
from canvas.rest import Rest
from canvas.roster import by_name
from canvas.values import Outcome, Section, Student
from lti_tool.errors import PlatformError
from lti_tool.http import shared_http
from lti_tool.models import Context
from lti_tool.sealing import CannotUnseal
from lti_tool.sessions import LaunchRequest, staff_required

DONE = {
    "set": "The exception is saved. Nothing was sent to Canvas: preview the changes when you are ready.",
    "removed": "The exception is removed: the alignment's rule counts again.",
}
WHO = "Choose a student or a section of this course."


@dataclass(frozen=True, slots=True)
class Row:
    """One exception: the value that removes it, whom it is for and what counts."""

    value: str
    who: str
    words: str


@require_http_methods(["GET", "POST"])
@staff_required
def exceptions(request: LaunchRequest, alignment_id: int) -> HttpResponseBase:
    """List, add and remove. Who they are is read for this page only, with the person's own account."""
    stored = in_course(request.context, alignment_id)
    look = look_at(request.launch_session)
    outcomes = look.reading.evidence.outcomes if look.reading else None
    posted = request.POST if request.method == "POST" else None
    form = ExceptionForm(posted, definition=stored.definition, outcomes=outcomes)
    problem = ""
    if request.method == "POST":
        if "remove" in request.POST:
            _remove(request.context, stored, request.POST["remove"])
            return _back(alignment_id, "removed")
        problem = _add(request.context, stored, look, form, request.POST.get("who", ""))
        if not problem:
            return _back(alignment_id, "set")
    page = _page(look, stored) | {
        "form": form,
        "problem": problem,
        "chosen": request.POST.get("who", ""),
        "done": DONE.get(request.GET.get("done", ""), ""),
    }
    return render(request, "alignments/exceptions.html", page, status=422 if problem else 200)


def _back(alignment_id: int, done: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('alignments:exceptions', args=[alignment_id])}?done={done}")


def _remove(context: Context, stored: StoredAlignment, value: str) -> None:
    kind, _, key = value.partition(":")
    if kind == "all" or stored.students is None:
        sealedexceptions.remove_all(context, stored.id)
    elif kind == "student":
        sealedexceptions.remove(context, stored.id, key)
    elif kind == "section":
        kept = [one for one in stored.definition.sections if one.section_id != key]
        services.set_sections(context, stored.id, kept)


def _add(context: Context, stored: StoredAlignment, look: Look, form: ExceptionForm, who: str) -> str:
    """Saves one exception; returns what is wrong, or ""."""
    kind, _, key = who.partition(":")
    if not form.is_valid():
        return form.error_text()
    if kind == "student" and look.reading and key in look.reading.students:
        try:
            sealedexceptions.put(context, stored.id, key, form.rule)
        except (sealedexceptions.TooMany, CannotUnseal) as error:
            return LOST if isinstance(error, CannotUnseal) else str(error)
        return ""
    if kind == "section" and key in _sections(look):
        others = [one for one in stored.definition.sections if one.section_id != key]
        services.set_sections(context, stored.id, [*others, SectionException(key, form.rule)])
        return ""
    return WHO


def _sections(look: Look) -> Mapping[str, Section]:
    """The sections by id; none where they cannot be read now."""
    if look.account is None or look.reading is None:
        return {}
    try:
        return Rest(look.account, shared_http(), CallCounter()).sections(look.reading.course.id)
    except PlatformError:
        return {}


def _page(look: Look, stored: StoredAlignment) -> dict[str, Any]:
    reading = look.reading
    sections = _sections(look)
    students = reading.students if reading else {}
    outcomes = reading.evidence.outcomes if reading else {}
    return page_of(look) | {
        "alignment": stored,
        "rule_words": explain.rule_in_words(stored.definition, outcomes),
        "section_rows": _section_rows(stored, sections, outcomes),
        "student_rows": _student_rows(stored, students, outcomes),
        "lost": LOST if stored.students is None else "",
        "sections": sorted(sections.values(), key=lambda one: one.name),
        "students": _to_choose(students),
    }


def _to_choose(students: Mapping[str, Student]) -> Sequence[Student]:
    return [one for one in by_name(students) if one.is_active and not one.is_test_student]


def _section_rows(
    stored: StoredAlignment, sections: Mapping[str, Section], outcomes: Mapping[str, Outcome]
) -> list[Row]:
    return [
        Row(
            f"section:{one.section_id}",
            sections[one.section_id].name if one.section_id in sections else f"Section {one.section_id}",
            in_words(stored.definition, one.rule, outcomes),
        )
        for one in stored.definition.sections
    ]


def _student_rows(
    stored: StoredAlignment, students: Mapping[str, Student], outcomes: Mapping[str, Outcome]
) -> list[Row]:
    """By name; somebody who left the course, or everybody where names cannot be read, has none."""
    rows = [
        Row(
            f"student:{user}",
            students[user].sortable_name if user in students else "A student whose name cannot be read now",
            in_words(stored.definition, rule, outcomes),
        )
        for user, rule in (stored.students or {}).items()
    ]
    return sorted(rows, key=lambda row: row.who.casefold())
