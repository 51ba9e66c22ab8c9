"""Forgetting the course from its page: first what would go and what stays, then the deed."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from alignments import services as alignments
from grading.forgetting import IN_CANVAS, forget
from grading.models import Run
from grading.runs import RunAlreadyOpen
from lti_tool import cookies, sessions
from lti_tool.sessions import LaunchRequest, teacher_required


@require_http_methods(["GET", "POST"])
@teacher_required
def forget_course(request: LaunchRequest) -> HttpResponse:
    """Ask once, naming what goes; then delete, which ends this visit too."""
    if request.method == "GET":
        return _ask(request)
    if "sure" not in request.POST:
        return _ask(request, problem="Tick the box first. Nothing was deleted.", status=422)
    try:
        receipt = forget(request.context)
    except RunAlreadyOpen:
        problem = (
            "A sync of this course is under way. Nothing was deleted. Stop it, or wait until it has ended."
        )
        return _ask(request, problem=problem, status=409)
    sessions.detach(request)
    response = render(request, "grading/forgotten.html", {"receipt": receipt, "in_canvas": IN_CANVAS})
    cookies.drop_cookie(response, cookies.SESSION)
    return response


def _ask(request: LaunchRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    page = {
        "here": "settings",
        "problem": problem,
        "alignment_count": len(alignments.stored(request.context)),
        "run_count": Run.objects.filter(context=request.context).count(),
        "in_canvas": IN_CANVAS,
    }
    return render(request, "grading/forget.html", page, status=status)
