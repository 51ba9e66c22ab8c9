"""Grading schemes and the usual set-up of the whole school, for an administrator who opened the tool in a course.
No grade is read."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from alignments import schemeforms, schemepages, template_services
from alignments.models import Template
from alignments.reading import Trouble, in_words, teachers_rest
from alignments.scheme_views import make
from alignments.schemeforms import SchemeForm
from canvas import accounts
from canvas.schemes import Schemes
from canvas.values import Course
from lti_tool.errors import PlatformError
from lti_tool.models import LaunchRole
from lti_tool.sessions import LaunchRequest, staff_or_admin_required

MADE = "The scheme is made. Every course of the account can use it, in the rules here and in Canvas."
DONE = {"made": MADE, "set-up": "Courses with nothing aligned are offered what you chose from now on."}
NOT_ADMIN = (
    "Only an administrator can make grading schemes for the whole school. You can make one for this course."
)


@dataclass(frozen=True, slots=True)
class School:
    """The accounts a course belongs to and their schemes, or why they cannot be shown."""

    course: Course | None = None
    schemes: Schemes | None = None
    trouble: Trouble | None = None

    @property
    def accounts(self) -> list[tuple[str, str]]:
        """To choose from: the account of the course, then the whole school's."""
        if self.course is None:
            return []
        own, root = self.course.account_id, self.course.root_account_id
        found = [(own, f"the account this course belongs to ({own})")] if own and own != root else []
        return found + ([(root, f"the whole school (account {root})")] if root else [])


@require_http_methods(["GET", "POST"])
@staff_or_admin_required
def school_schemes(request: LaunchRequest) -> HttpResponseBase:
    """The school's schemes, and the form for one more."""
    if request.role != LaunchRole.ADMIN:
        school = School(trouble=Trouble("This page is for administrators.", NOT_ADMIN))
        return _page(request, school, schemeforms.from_levels(None), status=_status(request))
    school = _look(request)
    if request.method == "GET" or school.course is None:
        return _page(request, school, schemeforms.from_levels(None), status=_status(request))
    form, do, problem = schemeforms.sent(request.POST), request.POST.get("do", ""), ""
    if do:
        form.change(do)
        return _page(request, school, form)
    account = request.POST.get("account", "")
    new = form.read()
    if account not in dict(school.accounts):
        problem = "Choose the account the scheme is for."
    elif new is not None:
        problem = make(request, new, account, "accounts")
        if not problem:
            return HttpResponseRedirect(f"{reverse('alignments:school-schemes')}?done=made")
    return _page(request, school, form, problem, status=422)


@require_POST
@staff_or_admin_required
def set_up(request: LaunchRequest) -> HttpResponseBase:
    """Which template a course with nothing aligned is offered; the administrator of the installation chooses."""
    if request.role != LaunchRole.ADMIN:
        school = School(trouble=Trouble("This page is for administrators.", NOT_ADMIN))
        return _page(request, school, schemeforms.from_levels(None), status=422)
    deployment, chosen = request.context.deployment, request.POST.get("template", "")
    number = int(chosen) if chosen.isdecimal() and len(chosen) < 19 else None
    row = Template.objects.filter(deployment=deployment, pk=number).first() if number else None
    if row is None and chosen != "none":
        problem = "Choose one of the templates, or none."
        return _page(request, _look(request), schemeforms.from_levels(None), problem, status=422)
    template_services.set_usual(deployment, row)
    return HttpResponseRedirect(f"{reverse('alignments:school-schemes')}?done=set-up")


def _status(request: LaunchRequest) -> int:
    return 422 if request.method == "POST" else 200


def _look(request: LaunchRequest) -> School:
    """With the rights of the administrator's own account."""
    account = accounts.account_for(request.launch_session)
    rest = teachers_rest(request.launch_session)
    if account is None or rest is None or accounts.missing_scopes(account, request.role):
        return School()
    try:
        course = rest.course(request.context.canvas_course_id)
        return School(course, rest.school_schemes(course))
    except PlatformError as error:
        return School(trouble=in_words(error))


def _page(
    request: LaunchRequest, school: School, form: SchemeForm, problem: str = "", status: int = 200
) -> HttpResponseBase:
    known = school.schemes
    page = {
        "here": "settings",
        "school": school,
        "done": DONE.get(request.GET.get("done", ""), "") if request.method == "GET" else "",
        "templates": template_services.listed(request.context) if request.role == LaunchRole.ADMIN else [],
        "form": form,
        "problem": problem,
        "schemes": schemepages.listed(known) if known else [],
        "unread": known.explanation if known and known.unreadable_accounts else "",
        "account": request.POST.get("account", ""),
    }
    return render(request, "alignments/school_schemes.html", page, status=status)
