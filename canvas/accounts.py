"""Whose Canvas account may be used where, and what is asked for when one is connected."""

from __future__ import annotations

from datetime import datetime

from canvas.models import CanvasAccount, CourseGrader
from lti_tool.launch import Launch
from lti_tool.models import Context, LaunchRole, LaunchSession
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

SCHOOL_SCOPES: tuple[tuple[str, str], ...] = (
    ("url:GET|/api/v1/courses/:id", "to know which account the course belongs to"),
    ("url:GET|/api/v1/accounts/:account_id/grading_standards", "to list the grading schemes of the school"),
    (
        "url:POST|/api/v1/accounts/:account_id/grading_standards",
        "to make a grading scheme for the whole school, if you say so",
    ),
)
"""What an administrator who is not a teacher of the course is asked for, and nobody else."""

SCOPES_OF_KEY = (*SCOPES, *SCHOOL_SCOPES[2:])
"""What the school's API key must allow, each with its reason. An administrator's own is asked of nobody else, so a
key without it still serves every teacher."""


def scope_names() -> list[str]:
    return [name for name, _ in SCOPES]


def scopes_of(role: str) -> tuple[tuple[str, str], ...]:
    """What a person with this role is asked for, and why."""
    return SCHOOL_SCOPES if role == LaunchRole.ADMIN else SCOPES


def names_to_ask(session: LaunchSession) -> list[str]:
    """The scopes of this visit's consent. What the person granted as somebody else stays granted: one account
    serves both the courses they teach and the school they administer."""
    account = account_for(session)
    granted = set(account.scopes) if account is not None else set()
    wanted = {name for name, _ in scopes_of(session.role)}
    every = dict.fromkeys(name for name, _ in (*SCOPES, *SCHOOL_SCOPES))
    return [name for name in every if name in wanted | granted]


def missing_scopes(account: CanvasAccount, role: str = LaunchRole.TEACHER) -> list[str]:
    """What is asked for in this role and this account never granted: a newer version of the tool asks for more."""
    return [name for name, _ in scopes_of(role) if name not in account.scopes]


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
        graders = CourseGrader.objects.filter(context=context, canvas_user_id=user_id)
        # Asked first: for a class of students that is one question instead of a transaction each.
        if graders.exists():
            graders.delete()
        return
    CourseGrader.objects.bulk_create(
        [CourseGrader(context=context, canvas_user_id=user_id, last_launch_at=now)],
        update_conflicts=True,
        unique_fields=["context", "canvas_user_id"],
        update_fields=["last_launch_at"],
    )
