"""Settings of the course: the connection, what is left out, and alignments as a file."""

from __future__ import annotations

import json

from django.conf import settings as configuration
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from alignments import beginnings, services
from alignments.core import jsonfile
from alignments.core.jsonfile import FileErrors
from alignments.core.jsontext import MAX_BYTES
from alignments.models import ExcludedOutcome
from alignments.reading import assignment_groups
from alignments.views import address_of
from canvas import accounts
from lti_tool.sessions import LaunchRequest, staff_required

MOST_WORDS = 50
LONGEST_WORD = 100
DONE = {
    "keywords": "The words are saved.",
    "group": "Assignments of that group are offered first.",
    "imported": "The alignments of the file are saved. Nothing was sent to Canvas yet.",
}


@require_GET
@staff_required
def settings(request: LaunchRequest) -> HttpResponse:
    """Everything about the course that is not an alignment."""
    return _page(request, done=DONE.get(request.GET.get("done", ""), ""))


@require_POST
@staff_required
def keywords(request: LaunchRequest) -> HttpResponseBase:
    """Outcomes whose title holds one of these words are left out."""
    words = [
        word.strip() for word in request.POST.get("words", "").replace("\n", ",").split(",") if word.strip()
    ]
    if len(words) > MOST_WORDS or any(len(word) > LONGEST_WORD for word in words):
        problem = f"At most {MOST_WORDS} words of at most {LONGEST_WORD} letters each; nothing was changed."
        return _page(request, words_problem=problem, words=request.POST.get("words", ""), status=422)
    beginnings.set_keywords(request.context, words)
    return _back("keywords")


@require_POST
@staff_required
def preferred_group(request: LaunchRequest) -> HttpResponseBase:
    """Whose assignments are offered first as targets."""
    chosen = request.POST.get("group", "")
    groups = assignment_groups(request.launch_session)
    if chosen and chosen not in {group.id for group in groups or []}:
        return _page(request, group_problem="Choose a group of this course; nothing was changed.", status=422)
    settings = beginnings.course_settings(request.context)
    settings.assignment_group_id = chosen
    settings.save(update_fields=["assignment_group_id"])
    return _back("group")


@require_POST
@staff_required
def export(request: LaunchRequest) -> HttpResponse:
    """The alignments as a file. A post with the form's token: a download needs no cookie then."""
    body = json.dumps(services.export_alignments(request.context), indent=1, ensure_ascii=False)
    response = HttpResponse(body + "\n", content_type="application/json")
    response["Content-Disposition"] = 'attachment; filename="alignments.json"'
    return response


@require_POST
@staff_required
def import_file(request: LaunchRequest) -> HttpResponseBase:
    """Alignments from a file: all of it or nothing."""
    upload = request.FILES.get("file")
    if upload is None:
        return _page(request, file_errors=["Choose a file first."], status=422)
    if upload.size is None or upload.size > MAX_BYTES:
        return _page(request, file_errors=[f"The file is larger than {MAX_BYTES:,} bytes."], status=422)
    try:
        definitions = jsonfile.parse_file(upload.read())
        services.import_alignments(request.context, definitions, replace="replace" in request.POST)
    except FileErrors as errors:
        return _page(request, file_errors=[str(line) for line in errors.lines], status=422)
    return _back("imported")


def _back(done: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('alignments:settings')}?done={done}")


def _page(
    request: LaunchRequest,
    *,
    done: str = "",
    words: str | None = None,
    words_problem: str = "",
    file_errors: list[str] | None = None,
    group_problem: str = "",
    status: int = 200,
) -> HttpResponse:
    kept = beginnings.course_settings(request.context)
    saved = ", ".join(kept.excluded_keywords)
    page = {
        "here": "settings",
        "done": done,
        "account": accounts.account_for(request.launch_session),
        "scopes": accounts.SCOPES,
        "disconnect_url": address_of("canvas:disconnect"),
        "words": saved if words is None else words,
        "words_problem": words_problem,
        "assignment_groups": assignment_groups(request.launch_session),
        "group_id": kept.assignment_group_id,
        "group_problem": group_problem,
        "file_errors": file_errors or [],
        "excluded_count": ExcludedOutcome.objects.filter(context=request.context).count(),
        "undo_days": configuration.UNDO_DAYS,
        "alignment_count": len(services.stored(request.context)),
    }
    return render(request, "alignments/settings.html", page, status=status)
