"""Reading one AGS score: the checks of lti.md 5.1 in their order, and what is left to write."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.errors import missing_param
from sandbox.lti import vocabulary as v
from sandbox.lti.advantage import Caller, refused
from sandbox.lti.line_items import check_link
from sandbox.lti.people import find_student
from sandbox.lti.state import platform_of
from sandbox.lti.times import milliseconds, parse_time
from sandbox.mirror import default_line_item, find_result
from sandbox.records import Assignment, LineItem, User

REQUIRED = ("userId", "activityProgress", "gradingProgress", "timestamp")
ACTIVITY = ("Initialized", "Started", "InProgress", "Submitted", "Completed")
GRADING = ("FullyGraded", "Pending", "PendingManual", "Failed", "NotReady")
GRADED = ("FullyGraded", "PendingManual")
NOT_A_STUDENT = "User not found in course or is not a student"
NO_ATTEMPTS = "The maximum number of allowed attempts has been reached for this submission"
NO_FILES = "Content items must be provided with submission type 'online_upload'"
AHEAD = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ScorePost:
    """A score that passed every check. ``given`` and ``maximum`` are as posted, not scaled."""

    item: LineItem
    assignment: Assignment
    user: User
    given: Any
    maximum: Decimal | None
    activity_progress: str
    grading_progress: str
    at: datetime
    submitted_at: datetime | None
    comment: str | None
    extension: dict[str, Any] = field(default_factory=dict)

    @property
    def is_reset(self) -> bool:
        """Everything that is not a final or pending-manual grade with a score wipes the grade (5.4)."""
        return self.grading_progress not in GRADED or self.given is None

    @property
    def submission_type(self) -> str:
        """How the homework counts; ``none`` for no homework."""
        if _files(self.extension):
            return "online_upload"
        return str(self.extension.get("submission_type") or "external_tool")

    @property
    def hands_in(self) -> bool:
        """A plain score post submits homework: the default is yes (5.5)."""
        return self.extension.get("new_submission", True) is not False and self.submission_type != "none"


def read_score(caller: Caller, item: LineItem, given: dict[str, Any]) -> ScorePost:
    """The checks one after another; the first failing one answers."""
    assignment = caller.world.assignments[item.assignment_id]
    check_link(caller.world, item, given.get("resourceLinkId"))
    user = find_student(caller.world, caller.course, given.get("userId"))
    if user is None:
        raise refused(422, NOT_A_STUDENT)
    for name in REQUIRED:
        if given.get(name) in (None, ""):
            raise missing_param(name)
    at = _timestamp(caller, item, user, given["timestamp"])
    extension = given.get(v.SUBMISSION_EXTENSION)
    post = ScorePost(
        item=item,
        assignment=assignment,
        user=user,
        given=given.get("scoreGiven"),
        maximum=_maximum(item, given),
        activity_progress=str(given["activityProgress"]),
        grading_progress=str(given["gradingProgress"]),
        at=at,
        submitted_at=_submitted_at(caller, given),
        comment=given.get("comment"),
        extension=extension if isinstance(extension, dict) else {},
    )
    _check_homework(caller, post)
    return post


def _timestamp(caller: Caller, item: LineItem, user: User, text: Any) -> datetime:
    at = parse_time(text, iso_only=platform_of(caller.world).enforce_iso8601)
    if at is None:
        raise refused(400, f"Provided timestamp of {text} not a valid timestamp")
    result = find_result(caller.world, item.id, user.id)
    if result is not None and at < result.updated_at:
        last = milliseconds(result.updated_at)
        raise refused(400, f"Provided timestamp of {text} before last updated timestamp of {last}")
    return at


def _maximum(item: LineItem, given: dict[str, Any]) -> Decimal | None:
    """Rules 6 and 7 of lti.md 5.1; a reset needs no maximum."""
    score = given.get("scoreGiven")
    maximum = as_decimal(given.get("scoreMaximum"))
    if score is not None and given["gradingProgress"] in GRADED:
        if given.get("scoreMaximum") is None:
            raise refused(422, "ScoreMaximum not supplied when ScoreGiven present.")
        if maximum is not None and maximum < 0:
            raise refused(422, "ScoreMaximum must be greater than or equal to 0")
        if maximum == 0 and item.score_maximum != 0:
            raise refused(422, "cannot be zero if line item's maximum is not zero")
    number = as_decimal(score)
    if number is not None and number < 0:
        raise refused(422, "ScoreGiven must be greater than or equal to 0")
    return maximum


def _submitted_at(caller: Caller, given: dict[str, Any]) -> datetime | None:
    """The preferred ``submission.submittedAt``, then the extension's, then the legacy one."""
    extension, claim = given.get(v.SUBMISSION_EXTENSION) or {}, given.get("submission") or {}
    text = claim.get("submittedAt") or extension.get("submitted_at") or given.get("submittedAt")
    if text is None:
        return None
    at = parse_time(text)
    if at is None:
        raise refused(400, f"Provided submitted_at timestamp of {text} not a valid timestamp")
    if at > caller.world.now() + AHEAD:
        raise refused(400, f"Provided submitted_at timestamp of {text} in the future")
    return at


def _check_homework(caller: Caller, post: ScorePost) -> None:
    if post.submission_type == "online_upload" and not _files(post.extension):
        raise refused(422, NO_FILES)
    allowed = post.assignment.allowed_attempts
    if not post.hands_in or allowed is None or allowed < 0 or not touches_gradebook(caller, post):
        return
    submission = caller.world.submission(post.assignment, post.user.id)
    if (submission.attempt or 0) >= allowed:
        raise refused(422, NO_ATTEMPTS)


def touches_gradebook(caller: Caller, post: ScorePost) -> bool:
    """Only the assignment's default line item is tied to the gradebook."""
    return default_line_item(caller.world, post.item.assignment_id) is post.item


def as_decimal(value: Any) -> Decimal | None:
    """A number from JSON or from text; None for anything else."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _files(extension: dict[str, Any]) -> list[dict[str, Any]]:
    """Items of another type than ``file`` are ignored (S41)."""
    items = extension.get("content_items")
    given = items if isinstance(items, list) else []
    return [item for item in given if isinstance(item, dict) and item.get("type") == "file"]
