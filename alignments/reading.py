"""Reading the course for one page: with the person's own Canvas account, whole, or the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection

from alignments.pages import Reading
from canvas import accounts
from canvas.counting import CallCounter
from canvas.models import CanvasAccount
from canvas.rest import Rest, Schemes
from canvas.values import Assignment, AssignmentGroup, Course, GradingScheme
from lti_tool.errors import AccessLost, Incomplete, MaybeSent, NeverSent, PlatformError, Refused, Throttled
from lti_tool.http import shared_http
from lti_tool.models import LaunchSession

Read = TypeVar("Read")
LETTERED = ("letter_grade", "gpa_scale")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the course could not be read, in words."""

    title: str
    text: str
    connect: bool = False
    """Whether connecting the account (again) is the step."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a page could see of the course: a reading, or what stood in the way."""

    account: CanvasAccount | None
    reading: Reading | None = None
    trouble: Trouble | None = None

    @property
    def is_connected(self) -> bool:
        return self.account is not None and self.account.lost_at is None

    @property
    def needs_connection(self) -> bool:
        """Whether the person should connect, again, or for a permission that is new."""
        if self.account is None or not self.is_connected:
            return True
        return bool(accounts.missing_scopes(self.account)) or (
            self.trouble is not None and self.trouble.connect
        )


def look_at(session: LaunchSession, *, schemes: bool = False) -> Look:
    """Read the launched course, with its grading schemes where they are asked for. Canvas's troubles come back
    as words; nothing is raised for them."""
    account = accounts.account_for(session)
    if session.context is None:
        return Look(account)
    return look_as(account, session.context.canvas_course_id, schemes=schemes)


def look_as(account: CanvasAccount | None, course_id: str, *, schemes: bool = False) -> Look:
    """Read a course with this account; troubles come back as words."""
    if account is None or account.lost_at is not None:
        return Look(account)
    if not course_id:
        return Look(account, trouble=NO_COURSE)
    try:
        return Look(account, _read(Rest(account, shared_http(), CallCounter()), course_id, schemes))
    except PlatformError as error:
        return Look(account, trouble=in_words(error))


def teachers_rest(session: LaunchSession) -> Rest | None:
    """Canvas as the person who is here, or None where their account is not connected."""
    account = accounts.account_for(session)
    if account is None or account.lost_at is not None or session.context is None:
        return None
    return Rest(account, shared_http(), CallCounter())


def assignment_groups(session: LaunchSession) -> list[AssignmentGroup] | None:
    """The course's assignment groups in order, or None where Canvas cannot be asked now."""
    rest = teachers_rest(session)
    if rest is None or session.context is None:
        return None
    try:
        found = rest.assignment_groups(session.context.canvas_course_id)
    except PlatformError:
        return None
    return sorted(found.values(), key=lambda group: (group.position, group.name))


def _read(rest: Rest, course_id: str, with_schemes: bool) -> Reading:
    course = rest.course(course_id)  # first and alone: it fetches the token the others share
    with ThreadPoolExecutor(max_workers=3) as pool:
        evidence = pool.submit(_alone, rest.evidence, course_id)
        students = pool.submit(_alone, rest.students, course_id)
        groups = pool.submit(_alone, rest.assignment_groups, course_id)
        assignments = rest.assignments(course_id)
        lettered = any(one.grading_type in LETTERED for one in assignments.values())
        known = _schemes(rest, course) if lettered or with_schemes else None
        return Reading(
            course=course,
            evidence=evidence.result(),
            students=students.result(),
            assignments=assignments,
            groups=tuple(groups.result().values()),
            schemes=_lettered(known, course, assignments.values()) if known else {},
            known_schemes=known,
        )


def _alone(read: Callable[[str], Read], course_id: str) -> Read:
    """Read in a helper thread; where that had to renew the token, its database connection ends with it."""
    try:
        return read(course_id)
    finally:
        connection.close()


def _schemes(rest: Rest, course: Course) -> Schemes | None:
    """All schemes in reach. Where they cannot be read, nothing speaks against an assignment here: a sync asks
    again."""
    try:
        return rest.grading_schemes(course)
    except (Refused, AccessLost):
        return None


def _lettered(
    known: Schemes, course: Course, assignments: Iterable[Assignment]
) -> Mapping[str, GradingScheme]:
    """The scheme of each letter-graded assignment, by the assignment's id."""
    lettered = (one for one in assignments if one.grading_type in LETTERED)
    found = ((one.id, known.applying_to(one, course)) for one in lettered)
    return {assignment_id: scheme for assignment_id, scheme in found if scheme is not None}


NO_COURSE = Trouble(
    "Canvas did not say which course this is.",
    "The tool's key in Canvas lacks the custom field canvas_course_id=$Canvas.course.id. "
    "Ask the Canvas administrator to add it, then open the tool again.",
)


def in_words(error: PlatformError) -> Trouble:
    """What happened, whether anything is lost, and what to do."""
    safe = "Your alignments are kept here and nothing was changed."
    if isinstance(error, AccessLost):
        return _access_words(error)
    if isinstance(error, Throttled):
        wait = max(1, round(error.wait_seconds))
        return Trouble("Canvas asks for a pause.", f"{safe} Reload this page in {wait} seconds.")
    if isinstance(error, NeverSent):
        return Trouble("Canvas could not be reached.", f"{safe} Try again in a minute.")
    if isinstance(error, MaybeSent):
        return Trouble(
            "Canvas did not answer in time, or had a fault of its own.", f"{safe} Try again in a minute."
        )
    if isinstance(error, Incomplete):
        return Trouble(
            "Canvas's answer about this course was not complete, so nothing is shown from it.",
            f"{error.detail} {safe} Reload this page; if it stays, give the administrator the code {error.code}.",
        )
    return Trouble("Canvas refused to show this course to the tool.", f"{error.detail} {safe}")


def _access_words(error: AccessLost) -> Trouble:
    if error.who == "teacher":
        text = f"{error.detail} Your alignments are kept. Connect your account again to go on."
        return Trouble("Canvas no longer accepts your connection.", text, connect=True)
    return Trouble(
        "The tool may not read this course in Canvas.",
        f"{error.detail} Ask the Canvas administrator; your alignments are kept. The code is {error.code}.",
    )
