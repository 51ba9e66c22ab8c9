"""Writing a grade: the one place where a submission's grade changes.

Imitates app/models/abstract_assignment.rb (grade_student, interpret_grade, score_to_grade),
app/models/submission.rb and app/models/late_policy.rb. REST, AGS and the gradebook page all use it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from sandbox.mirror import mirror_edit
from sandbox.records import Assignment, Comment, Submission, SubmissionVersion
from sandbox.schemes import fraction_of, label_for, scheme_for
from sandbox.world import World

NUMBER = re.compile(r"[+-]?(\d+(\.\d+)?|\.\d+)")
PERCENT = re.compile(r"[+-]?(\d+(\.\d+)?|\.\d+)%")
LETTER_TYPES = ("letter_grade", "gpa_scale")
NO_SUBMISSION = {"none", "on_paper", "not_graded", "wiki_page"}
DAY = 24 * 3600


class GradeError(Exception):
    """Canvas would not grade. ``code``: both, unpublished, closed_period, not_a_student."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Grade:
    """What a writer asks for.

    ``text`` is the posted grade as text ("" clears, None gives none); ``grader_id`` a user, a negative
    tool or quiz id, or None. ``prefer_points`` keeps a number from being read as a scheme's label.
    """

    text: str | None
    grader_id: int | None
    at: datetime
    excuse: bool = False
    prefer_points: bool = False


def interpret(world: World, assignment: Assignment, text: str, prefer_points: bool = False) -> Decimal | None:
    """The score a posted grade means; None for a text Canvas cannot read (then the score is lost)."""
    points = assignment.points_possible or Decimal(0)
    kind = assignment.grading_type
    if text == "" or kind == "not_graded":
        return None
    if PERCENT.fullmatch(text):
        score: Decimal | None = points * Decimal(text[:-1]) / 100
    else:
        score = _plain_score(world, assignment, text, points, prefer_points)
    if kind == "pass_fail":
        if score is None and not NUMBER.fullmatch(text):
            return Decimal(0)
        return score if score in (points, Decimal(0)) else None
    return score


def _plain_score(
    world: World,
    assignment: Assignment,
    text: str,
    points: Decimal,
    prefer_points: bool,
) -> Decimal | None:
    lettered = assignment.grading_type in LETTER_TYPES
    number = Decimal(text) if NUMBER.fullmatch(text) else None
    if number is not None and (prefer_points or not lettered):
        return number
    if lettered:
        fraction = fraction_of(scheme_for(world, assignment), text)
        if fraction is not None:
            return fraction * points
    if number is not None:
        return number
    if text in ("pass", "complete"):
        return points
    if text in ("fail", "incomplete"):
        return Decimal(0)
    return None


def shown_grade(world: World, assignment: Assignment, score: Decimal | None, given: str = "") -> str | None:
    """The ``grade`` Canvas shows for a score, recomputed from it."""
    if score is None:
        return None
    points = assignment.points_possible or Decimal(0)
    kind = assignment.grading_type
    if kind == "pass_fail":
        passed = score > 0 if points > 0 else given in ("pass", "complete") or score > 0
        return "complete" if passed else "incomplete"
    if kind == "percent":
        share = score * 100 / points if points else score
        return f"{plain(share.quantize(Decimal('0.01'), ROUND_HALF_UP))}%"
    if kind in LETTER_TYPES:
        scheme = scheme_for(world, assignment)
        if not points:
            return given or label_for(scheme, score / 100)
        return label_for(scheme, score / points)
    return plain(score)


def plain(number: Decimal) -> str:
    """A decimal without exponent and trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def seconds_late(assignment: Assignment, submission: Submission) -> int:
    """How late the work came, by its status or by its times; 0 when in time."""
    if submission.late_policy_status is not None:
        override = submission.seconds_late_override or 0
        return override if submission.late_policy_status == "late" else 0
    if submission.submitted_at is None or assignment.due_at is None:
        return 0
    return max(0, int((submission.submitted_at - assignment.due_at).total_seconds()))


def expects_submission(assignment: Assignment) -> bool:
    return not set(assignment.submission_types) <= NO_SUBMISSION


def _deduction(world: World, assignment: Assignment, submission: Submission, entered: Decimal) -> Decimal:
    policy = world.courses[assignment.course_id].late_policy
    late = seconds_late(assignment, submission)
    if policy is None or not late or not expects_submission(assignment):
        return Decimal(0)
    points = assignment.points_possible or Decimal(0)
    days = Decimal(math.ceil(late / DAY))
    wanted = min(policy.deduction_percent * days, Decimal(100)) * points / 100
    floor = policy.minimum_percent * points / 100
    return max(Decimal(0), min(wanted, entered - floor))


def refusal(world: World, assignment: Assignment, grader_id: int | None) -> GradeError | None:
    """Why this grade could not be changed now, or None. Account admins pass a closed period."""
    if not assignment.published:
        return GradeError("unpublished", "This assignment is still unpublished")
    grader = world.users.get(grader_id or 0)
    if assignment.closed_period and not (grader is not None and grader.account_admin):
        return GradeError(
            "closed_period",
            "This assignment is in a closed grading period for this student",
        )
    return None


def apply_grade(
    world: World,
    assignment: Assignment,
    user_id: int,
    grade: Grade,
    *,
    keep_unchanged: bool = False,
    refuse_only_changes: bool = False,
) -> bool:
    """Write ``grade`` for one student; True when something was saved.

    ``keep_unchanged`` is the bulk rule: an equal score *after* deduction and an equal excuse save
    nothing. ``refuse_only_changes`` is the AGS rule: unpublished or closed refuses only a change.
    Raises ``GradeError``.
    """
    if grade.excuse and grade.text is not None:
        raise GradeError("both", "Cannot simultaneously grade and excuse an assignment")
    submission = world.submission(assignment, user_id)
    entered = None if grade.excuse else interpret(world, assignment, grade.text or "", grade.prefer_points)
    same = submission.score == entered and bool(submission.excused) == grade.excuse
    refused = refusal(world, assignment, grade.grader_id)
    if refused is not None and not (refuse_only_changes and same):
        raise refused
    if keep_unchanged and same:
        return False
    _save(world, assignment, submission, entered, grade)
    return True


def grade_student(
    world: World,
    assignment: Assignment,
    user_id: int,
    grade: Grade,
    *,
    keep_unchanged: bool = False,
    refuse_only_changes: bool = False,
) -> list[int]:
    """``apply_grade`` for the student and, on a group assignment graded together, the group's members.

    An excused other member is skipped. Returns the ids of the students whose submission was saved.
    """
    members = [user_id]
    if assignment.group_category_id is not None and not assignment.grade_individually:
        members += [
            member
            for group in world.groups.values()
            if group.category_id == assignment.group_category_id and user_id in group.user_ids
            for member in group.user_ids
            if member != user_id and not world.submission(assignment, member).excused
        ]
    return [
        member
        for member in members
        if apply_grade(
            world,
            assignment,
            member,
            grade,
            keep_unchanged=keep_unchanged,
            refuse_only_changes=refuse_only_changes,
        )
    ]


def _save(
    world: World,
    assignment: Assignment,
    submission: Submission,
    entered: Decimal | None,
    grade: Grade,
) -> None:
    given = grade.text or ""
    score_before = submission.score
    submission.grader_id = grade.grader_id
    submission.excused = grade.excuse
    submission.entered_score = entered
    submission.entered_grade = shown_grade(world, assignment, entered, given)
    set_score(world, assignment, submission, given)
    if entered is None and not grade.excuse:
        submission.workflow_state = "submitted" if submission.attempt else "unsubmitted"
    else:
        submission.workflow_state = "graded"
        submission.graded_at = grade.at
        submission.matches_current = True
        if submission.posted_at is None and not assignment.post_manually:
            submission.posted_at = grade.at
    add_version(submission, grade.at)
    if submission.score != score_before:
        mirror_edit(world, assignment, submission, grade.at)


def set_score(world: World, assignment: Assignment, submission: Submission, given: str = "") -> None:
    """Score, grade and deduction from the entered score (app/models/late_policy.rb)."""
    entered = submission.entered_score
    if entered is None:
        submission.score = submission.grade = submission.points_deducted = None
        return
    taken = _deduction(world, assignment, submission, entered)
    submission.points_deducted = taken if taken or seconds_late(assignment, submission) else None
    submission.score = entered - taken
    submission.grade = shown_grade(world, assignment, submission.score, given)


def add_version(submission: Submission, at: datetime) -> None:
    submission.versions.append(
        SubmissionVersion(
            at,
            submission.score,
            submission.grade,
            submission.excused,
            submission.grader_id,
        )
    )


def submit_work(
    world: World,
    assignment: Assignment,
    user_id: int,
    at: datetime,
    kind: str = "online_text_entry",
) -> Submission:
    """The student hands in: a new attempt; an existing grade stays but no longer matches it."""
    submission = world.submission(assignment, user_id)
    submission.attempt = (submission.attempt or 0) + 1
    submission.submitted_at, submission.submission_type = at, kind
    if submission.score is None and not submission.excused:
        submission.workflow_state = "submitted"
    else:
        submission.matches_current = False
    return submission


def add_comment(world: World, submission: Submission, text: str, author_id: int | None, at: datetime) -> None:
    submission.comments.append(Comment(world.new_id(), text, author_id, at))


def run_missing_policy(world: World, course_id: int) -> int:
    """The missing-submission job (lib/missing_policy_applicator.rb): grades without a grader.

    Looks at submissions due within the last day, without work and without a grade; returns how many.
    """
    policy = world.courses[course_id].late_policy
    if policy is None or policy.missing_percent is None:
        return 0
    now, written = world.now(), 0
    for assignment in world.course_assignments(course_id):
        due = assignment.due_at
        if due is None or not 0 <= (now - due).total_seconds() <= DAY or not expects_submission(assignment):
            continue
        for enrollment in world.course_enrollments(course_id, ["StudentEnrollment"]):
            submission = world.submission(assignment, enrollment.user_id)
            if submission.score is None and not submission.attempt and not submission.excused:
                submission.entered_score = (
                    (assignment.points_possible or Decimal(0)) * policy.missing_percent / 100
                )
                set_score(world, assignment, submission)
                submission.workflow_state, submission.graded_at = "graded", now
                add_version(submission, now)
                written += 1
    return written
