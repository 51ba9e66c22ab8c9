"""Whose Canvas account may be used where, and what is asked for when one is connected."""

from __future__ import annotations

from datetime import datetime

from canvas.models import CanvasAccount, CourseGrader
from lti_tool.launch import Launch
from lti_tool.models import Context, LaunchSession
from lti_tool.roles import STAFF
from lti_tool.sessions import person_of

SCOPES: tuple[tuple[str, str], ...] = (
    ("url:GET|/api/v1/courses/:id", "to see whether the course is open for grading"),
    ("url:GET|/api/v1/courses/:course_id/outcome_rollups", "to read every student's mastery of the outcomes"),
    (
        "url:GET|/api/v1/courses/:course_id/outcome_results",
        "to read single results, where you calculate otherwise than Canvas",
    ),
    ("url:GET|/api/v1/courses/:course_id/outcome_group_links", "to read the outcomes of the course"),
    ("url:GET|/api/v1/courses/:course_id/outcome_groups", "to show outcomes in their groups"),
    ("url:GET|/api/v1/courses/:course_id/enrollments", "to know who is a student of the course now"),
    ("url:GET|/api/v1/courses/:course_id/sections", "to filter the preview by section"),
    ("url:GET|/api/v1/courses/:course_id/assignments", "to offer existing assignments as columns"),
    ("url:GET|/api/v1/courses/:course_id/assignment_groups", "to list assignments as the gradebook does"),
    (
        "url:PUT|/api/v1/courses/:course_id/assignments/:id",
        "to keep a column out of the final grade, if you say so",
    ),
    ("url:GET|/api/v1/courses/:course_id/grading_periods", "to leave closed grading periods alone"),
    ("url:GET|/api/v1/courses/:course_id/grading_standards", "to turn levels into your course's letters"),
    ("url:GET|/api/v1/accounts/:account_id/grading_standards", "to turn levels into your school's letters"),
    (
        "url:POST|/api/v1/courses/:course_id/grading_standards",
        "to make a grading scheme of your own levels, if you say so",
    ),
    ("url:GET|/api/v1/courses/:course_id/students/submissions", "to compare with the grades that are there"),
    (
        "url:POST|/api/v1/courses/:course_id/assignments/:assignment_id/submissions/update_grades",
        "to write the grades you approved",
    ),
    (
        "url:PUT|/api/v1/courses/:course_id/assignments/:assignment_id/submissions/:user_id",
        "to put a single grade back when you undo",
    ),
    ("url:GET|/api/v1/progress/:id", "to follow Canvas while it writes them"),
)
"""Every scope this tool uses, and why. Shown to the person who is asked."""


def scope_names() -> list[str]:
    return [name for name, _ in SCOPES]


def missing_scopes(account: CanvasAccount) -> list[str]:
    """What a newer version of this tool asks for and this account never granted."""
    return [name for name in scope_names() if name not in account.scopes]


def account_for(session: LaunchSession) -> CanvasAccount | None:
    """The account of the person who launched, connected or lost; None where there is none."""
    user_id = person_of(session).canvas_user_id
    accounts = CanvasAccount.objects.select_related("registration").filter(registration=session.registration)
    return accounts.filter(canvas_user_id=user_id).first() if user_id else None


def accounts_for_course(context: Context) -> list[CanvasAccount]:
    """Accounts that still work of people who launched this course as teacher or TA, newest first."""
    graders = CourseGrader.objects.filter(context=context).values("canvas_user_id")
    accounts = CanvasAccount.objects.select_related("registration")
    usable = accounts.filter(registration=context.registration, lost_at=None, canvas_user_id__in=graders)
    return list(usable.order_by("-connected_at", "-pk"))


def remember_grader(context: Context, launch: Launch, now: datetime) -> None:
    """After a launch: a teacher or TA may be the one whose account `sync` uses for this course; somebody who
    came back as something else no longer is."""
    user_id = launch.canvas_user_id
    if not user_id:
        return
    if launch.role not in STAFF:
        CourseGrader.objects.filter(context=context, canvas_user_id=user_id).delete()
        return
    CourseGrader.objects.update_or_create(
        context=context, canvas_user_id=user_id, defaults={"last_launch_at": now}
    )
