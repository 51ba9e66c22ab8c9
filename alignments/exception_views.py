"""Exceptions of one alignment: sections and students with a rule of their own, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from alignments import exceptionpages, formdata, sealedexceptions, services
from alignments.core import explain
from alignments.core.definition import OwnRule, SectionException
from alignments.core.exceptions import LOST
from alignments.exceptionforms import ExceptionForm
from alignments.exceptionpages import sections_of
from alignments.form_views import in_course
from alignments.reading import Look, look_at
from alignments.services import StoredAlignment
from alignments.views import page_of
from lti_tool.models import Context
from lti_tool.sealing import CannotUnseal
from lti_tool.sessions import LaunchRequest, staff_required, switches_names

DONE = {
    "set": "The exception is saved. Nothing was sent to Canvas: preview the changes when you are ready.",
    "removed": "The exception is removed: the alignment's rule counts again.",
}
WHO = "Choose a student or a section of this course."


@dataclass(frozen=True, slots=True)
class Asked:
    """What was sent: blanks with the effect of a button, whom it is about, and whether it is to be saved."""

    data: QueryDict
    who: str
    is_to_save: bool


@require_http_methods(["GET", "POST"])
@staff_required
def exceptions(request: LaunchRequest, alignment_id: int) -> HttpResponseBase:
    """List, add, change and remove. Who they are is read for this page only, with the person's own account."""
    stored = in_course(request.context, alignment_id)
    if "remove" in request.POST:
        _remove(request.context, stored, request.POST["remove"])
        return _back(alignment_id, "removed")
    switches_names(request)
    look = look_at(request.launch_session)
    asked = _asked(request.POST) if request.method == "POST" and "edit" not in request.POST else None
    form = _form(stored, look, asked, request.POST.get("edit", ""))
    problem = ""
    if asked is not None and asked.is_to_save:
        problem = _add(request.context, stored, look, form, asked.who)
        if not problem:
            return _back(alignment_id, "set")
    elif asked is not None:
        form.unmarked()
    page = _page(look, stored, names=not request.launch_session.names_hidden) | {
        "names_back": reverse("alignments:exceptions", args=[alignment_id]),
        "names_in_place": True,
        "form": form,
        "problem": problem,
        "chosen": asked.who if asked else request.POST.get("edit", ""),
        "done": DONE.get(request.GET.get("done", ""), ""),
        "do": request.POST.get("do", ""),
    }
    return render(request, "alignments/exceptions.html", page, status=422 if problem else 200)


def _asked(sent: QueryDict) -> Asked:
    data, do = sent.copy(), sent.get("do", "")
    if do:
        formdata.change_rows(data, do)
    return Asked(data, sent.get("who", ""), not do)


def _form(stored: StoredAlignment, look: Look, asked: Asked | None, edit: str) -> ExceptionForm:
    return ExceptionForm(
        asked.data if asked else None,
        definition=stored.definition,
        outcomes=look.reading.evidence.outcomes if look.reading else None,
        with_rows=True,
        current=_there(stored, edit),
    )


def _there(stored: StoredAlignment, value: str) -> OwnRule | None:
    """The exception that is to be changed."""
    kind, _, key = value.partition(":")
    if kind == "student":
        return (stored.students or {}).get(key)
    return next((one.rule for one in stored.definition.sections if one.section_id == key), None)


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
    if kind == "section" and key in sections_of(look):
        services.set_sections(context, stored.id, _with_section(stored, SectionException(key, form.rule)))
        return ""
    return WHO


def _with_section(stored: StoredAlignment, new: SectionException) -> list[SectionException]:
    """One that is there keeps its place: of a student in several sections, the first counts."""
    there = stored.definition.sections
    if all(one.section_id != new.section_id for one in there):
        return [*there, new]
    return [new if one.section_id == new.section_id else one for one in there]


def _page(look: Look, stored: StoredAlignment, *, names: bool) -> dict[str, Any]:
    sections = sections_of(look)
    outcomes = look.reading.evidence.outcomes if look.reading else {}
    return page_of(look) | {
        "alignment": stored,
        "rule_words": explain.rule_in_words(stored.definition, outcomes),
        "section_rows": exceptionpages.section_rows(stored, look.reading, sections),
        "student_rows": exceptionpages.student_rows(stored, look.reading, names=names),
        "lost": LOST if stored.students is None else "",
        "sections": sorted(sections.values(), key=lambda one: one.name),
        "students": exceptionpages.to_choose(look.reading, names=names),
    }
