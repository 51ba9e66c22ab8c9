"""The pages about templates: the list, saving one, reviewing and applying one, files."""

from __future__ import annotations

import json
import re
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alignments import services, template_saving, template_services
from alignments.core import fields, templatejson
from alignments.core.jsonfile import FileErrors
from alignments.core.jsontext import MAX_BYTES
from alignments.core.templates import Template
from alignments.models import Template as Row
from alignments.reading import Look, look_at
from alignments.template_review import Review, digest, needs_schemes
from alignments.template_services import Kept, NameTaken
from alignments.views import our_columns, page_of, to_home, unreadable
from lti_tool.sessions import LaunchRequest, staff_required

DONE = {
    "saved": "The template is saved. Teachers of your school find it here in their courses.",
    "imported": "The template of the file is saved. Review it to apply it to this course.",
    "renamed": "The template has its new name.",
    "deleted": "The template is deleted. Alignments made from it stay in their courses.",
}


@require_GET
@staff_required
def templates(request: LaunchRequest) -> HttpResponse:
    """All templates of the school, saving one and reading one from a file."""
    return _list(request, done=DONE.get(request.GET.get("done", ""), ""))


@require_http_methods(["GET", "POST"])
@staff_required
def save(request: LaunchRequest) -> HttpResponseBase:
    """This course's alignments under a name, after a look at what goes along."""
    stored = services.stored(request.context)
    look = look_at(request.launch_session, schemes=template_saving.uses_schemes(stored))
    if look.reading is None:
        return unreadable(request, look)
    gathered = template_saving.gather(stored, look.reading)
    name = request.POST.get("name", request.context.title).strip()
    page = page_of(look) | {"here": "settings", "gathered": gathered, "name": name[:1000]}
    if request.method == "GET":
        return render(request, "alignments/template_save.html", page)
    trouble = fields.title_trouble(name)
    if trouble:
        page["problem"] = f"The name {trouble}"
    elif not gathered.entries:
        page["problem"] = "There is no alignment to save."
    else:
        try:
            template = Template(name, gathered.entries)
            template_services.keep(request.context, template, instead="instead" in request.POST)
            return _back("saved")
        except NameTaken as taken:
            page |= {"problem": _taken(taken), "may_replace": taken.own}
    return render(request, "alignments/template_save.html", page, status=422)


@require_http_methods(["GET", "POST"])
@staff_required
def review(request: LaunchRequest, template_id: int) -> HttpResponseBase:
    """What of a template this course has, entry by entry; the ticked ones become alignments."""
    kept, template = _one(request, template_id)
    look = look_at(request.launch_session, schemes=needs_schemes(template))
    if look.reading is None:
        return unreadable(request, look)
    if request.method == "GET":
        return _review_page(request, look, kept, template)
    if request.POST.get("content") != digest(template):
        problem = "The template was changed meanwhile. Nothing was saved; look through it again."
        return _review_page(request, look, kept, template, problem=problem, status=409)
    form = {key: str(value) for key, value in request.POST.items()}
    found = _compared(request, look, template, form)
    problem = _apply(request, found)
    if not problem:
        return to_home("template")
    return _review_page(request, look, kept, template, found, problem, status=422)


def _compared(request: LaunchRequest, look: Look, template: Template, form: dict[str, str] | None) -> Review:
    assert look.reading is not None
    stored, ours = services.stored(request.context), our_columns(request.context)
    return Review(template, look.reading, stored, ours, form, request.POST.getlist("entry"))


def _apply(request: LaunchRequest, found: Review) -> str:
    """Saves what is ticked, all or nothing; returns what is wrong, or ""."""
    if not any(row.ticked for row in found.rows):
        return "Nothing was ticked, so nothing is aligned yet."
    wanted = found.applications()
    if wanted is None:
        return "Nothing was saved yet. Correct what is marked below."
    try:
        template_services.apply(request.context, wanted)
    except services.TargetInUse as error:
        return f"{error} Nothing was saved; look through the list again."
    except FileErrors as errors:
        return f"Nothing was saved: exceptions of an alignment to be replaced do not fit. {errors.lines[0]}"
    return ""


def _review_page(
    request: LaunchRequest,
    look: Look,
    kept: Kept,
    template: Template,
    found: Review | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    found = found or _compared(request, look, template, None)
    page = page_of(look) | {
        "here": "settings",
        "kept": kept,
        "review": found,
        "content": digest(template),
        "problem": problem,
    }
    return render(request, "alignments/template_review.html", page, status=status)


@require_POST
@staff_required
def export(request: LaunchRequest, template_id: int) -> HttpResponse:
    """The template as a file, without anything that means something in this Canvas only."""
    _, template = _one(request, template_id)
    body = json.dumps(templatejson.to_json(template, with_ids=False), indent=1, ensure_ascii=False)
    response = HttpResponse(body + "\n", content_type="application/json")
    words = re.sub("[^a-z0-9]+", "-", template.name.lower()).strip("-")[:60]
    response["Content-Disposition"] = f'attachment; filename="template-{words or template_id}.json"'
    return response


@require_POST
@staff_required
def import_file(request: LaunchRequest) -> HttpResponseBase:
    """A template from a file: all of it or nothing."""
    upload = request.FILES.get("file")
    if upload is None:
        return _list(request, file_errors=["Choose a file first."], status=422)
    try:
        template = templatejson.parse_template(upload.read(MAX_BYTES + 1))
        template_services.keep(request.context, template)
    except FileErrors as errors:
        return _list(request, file_errors=errors.lines, status=422)
    except NameTaken as taken:
        problem = f'template: {taken} Write another name after "template" in the file.'
        return _list(request, file_errors=[problem], status=422)
    return _back("imported")


@require_POST
@staff_required
def rename(request: LaunchRequest, template_id: int) -> HttpResponseBase:
    """Another name, by the staff of the course it was made in."""
    kept = _own(request, template_id)
    name = request.POST.get("name", "").strip()
    trouble = fields.title_trouble(name)
    problem = f"The name {trouble}" if trouble else ""
    if not problem:
        try:
            template_services.rename(request.context, template_id, name)
        except NameTaken as taken:
            problem = _taken(taken)
    if problem:
        return _list(request, problem=f"“{kept.name}” keeps its name. {problem}", status=422)
    return _back("renamed")


@require_http_methods(["GET", "POST"])
@staff_required
def delete(request: LaunchRequest, template_id: int) -> HttpResponseBase:
    """Delete it, after saying what stays."""
    kept = _own(request, template_id)
    if request.method == "POST":
        template_services.delete(request.context, template_id)
        return _back("deleted")
    return render(request, "alignments/template_delete.html", {"here": "settings", "kept": kept})


def _one(request: LaunchRequest, template_id: int) -> tuple[Kept, Template]:
    """A template of the school; 404 for another school's."""
    try:
        return template_services.one(request.context, template_id)
    except Row.DoesNotExist as error:
        raise Http404("No such template.") from error


def _own(request: LaunchRequest, template_id: int) -> Kept:
    """A template this course may change; 404 otherwise, as the list offers no change."""
    kept, _ = _one(request, template_id)
    if not kept.may_change:
        raise Http404("No such template of this course.")
    return kept


def _taken(taken: NameTaken) -> str:
    return f"{taken} Choose another name."


def _back(done: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('alignments:templates')}?done={done}")


def _list(
    request: LaunchRequest,
    *,
    done: str = "",
    problem: str = "",
    file_errors: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    page: dict[str, Any] = {
        "here": "settings",
        "done": done,
        "problem": problem,
        "file_errors": file_errors or [],
        "templates": template_services.listed(request.context),
        "alignment_count": len(services.stored(request.context)),
    }
    return render(request, "alignments/templates.html", page, status=status)
