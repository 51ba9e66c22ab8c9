"""Reading submissions (app/controllers/submissions_api_controller.rb, lib/api/v1/submission.rb)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox import records as r
from sandbox.app import iso
from sandbox.errors import ApiError, messages, not_found, plain_error
from sandbox.grading import expects_submission, seconds_late
from sandbox.permissions import Rights, rights_of, visible_students
from sandbox.rest.api import Call, endpoint, find_user
from sandbox.rest.assignments import assignment_json, find_assignment, readable
from sandbox.rest.courses import course_json
from sandbox.rest.paging import bookmarked, numbered
from sandbox.rest.params import as_list
from sandbox.rest.people import user_json

MAX_STUDENTS = 100


def submission_json(call: Call, submission: r.Submission, rights: Rights) -> dict[str, Any]:
    """All fields, then what ``include[]``, ``response_fields[]`` and ``exclude_response_fields[]`` ask."""
    assignment = call.world.assignments[submission.assignment_id]
    late = seconds_late(assignment, submission)
    hidden = submission.posted_at is None and not rights.sees_grades
    page = f"{call.base}/courses/{assignment.course_id}/assignments/{assignment.id}/submissions/{submission.user_id}"
    answer: dict[str, Any] = {
        "id": submission.id,
        "body": submission.body,
        "url": submission.url,
        "grade": None if hidden else submission.grade,
        "score": None if hidden else submission.score,
        "submitted_at": iso(submission.submitted_at),
        "assignment_id": submission.assignment_id,
        "user_id": submission.user_id,
        "submission_type": submission.submission_type,
        "workflow_state": submission.workflow_state,
        "grade_matches_current_submission": submission.matches_current is not False,
        "graded_at": None if hidden else iso(submission.graded_at),
        "grader_id": None if hidden else submission.grader_id,
        "attempt": submission.attempt,
        "cached_due_date": iso(assignment.due_for.get(submission.user_id, assignment.due_at)),
        "excused": submission.excused,
        "late_policy_status": submission.late_policy_status,
        "points_deducted": submission.points_deducted,
        "grading_period_id": None,
        "extra_attempts": None,
        "posted_at": iso(submission.posted_at),
        "redo_request": False,
        "custom_grade_status_id": None,
        "sticker": None,
        "late": late > 0,
        "missing": _missing(call, assignment, submission),
        "seconds_late": late,
        "entered_grade": None if hidden else submission.entered_grade,
        "entered_score": None if hidden else submission.entered_score,
        "preview_url": f"{page}?preview=1",
    }
    answer |= _includes(call, assignment, submission, rights)
    return _trimmed(call, answer)


def _missing(call: Call, assignment: r.Assignment, submission: r.Submission) -> bool:
    if submission.late_policy_status is not None:
        return submission.late_policy_status == "missing"
    past = assignment.due_at is not None and assignment.due_at < call.world.now()
    untouched = not submission.attempt and submission.grader_id is None and not submission.excused
    return past and untouched and expects_submission(assignment)


def _includes(
    call: Call, assignment: r.Assignment, submission: r.Submission, rights: Rights
) -> dict[str, Any]:
    includes, extra = as_list(call.params.get("include")), dict[str, Any]()
    if "submission_comments" in includes:
        extra["submission_comments"] = comments_json(submission)
    if "rubric_assessment" in includes and submission.rubric_assessment:
        extra["rubric_assessment"] = submission.rubric_assessment
    if "assignment" in includes:
        extra["assignment"] = assignment_json(call, assignment, rights)
    if "visibility" in includes:
        extra["assignment_visible"] = call.world.is_assigned(assignment, submission.user_id)
    if "user" in includes:
        extra["user"] = user_json(call.world.users[submission.user_id], rights.sees_grades)
    if "course" in includes:
        extra["course"] = course_json(call, call.world.courses[assignment.course_id])
    if "submission_history" in includes:
        extra["submission_history"] = [
            {
                "id": submission.id,
                "user_id": submission.user_id,
                "assignment_id": submission.assignment_id,
                "score": version.score,
                "grade": version.grade,
                "excused": version.excused,
                "grader_id": version.grader_id,
                "graded_at": iso(version.at),
            }
            for version in submission.versions
        ]
    return extra


def comments_json(submission: r.Submission) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "comment": one.text,
            "author_id": one.author_id,
            "created_at": iso(one.at),
            "media_comment": None,
        }
        for one in submission.comments
    ]


def _trimmed(call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    only, without = (
        as_list(call.params.get("response_fields")),
        as_list(call.params.get("exclude_response_fields")),
    )
    if only:
        answer = {name: answer[name] for name in answer if name in only}
    return {name: value for name, value in answer.items() if name not in without}


# --- one assignment -------------------------------------------------------------------------


@endpoint("GET", "/courses/<course_id>/assignments/<assignment_id>/submissions")
def assignment_submissions(call: Call, course_id: str, assignment_id: str) -> Any:
    """Active students only."""
    course, rights = readable(call, course_id)
    if not rights.sees_grades:
        raise call.denied()
    assignment = find_assignment(call, course, assignment_id)
    students = visible_students(call.world, call.user, course, ("active",))
    rows = [
        call.world.submission(assignment, student)
        for student in students
        if call.world.is_assigned(assignment, student)
    ]
    shown = bookmarked(call, sorted(rows, key=_id), _id)
    return [submission_json(call, row, rights) for row in shown]


@endpoint("GET", "/courses/<course_id>/assignments/<assignment_id>/submissions/<user_id>")
def one_submission(call: Call, course_id: str, assignment_id: str, user_id: str) -> Any:
    course, rights = readable(call, course_id)
    assignment = find_assignment(call, course, assignment_id)
    user = find_user(call, user_id)
    if user is None or not call.world.has_student(course.id, user.id, _ANY_STATE):
        raise not_found()
    if user.id not in visible_students(call.world, call.user, course):
        raise call.denied()
    return submission_json(call, call.world.submission(assignment, user.id), rights)


_ANY_STATE = ("active", "invited", "inactive", "completed", "rejected", "creation_pending")


def _id(row: r.Submission) -> int:
    return row.id


# --- many students --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ask:
    course: r.Course
    rights: Rights
    students: list[int]
    assignments: list[r.Assignment]


@endpoint("GET", "/courses/<course_id>/students/submissions")
def students_submissions(call: Call, course_id: str) -> Any:
    """Flat: paged by submission with bookmarks. Grouped: one element per student, numbered pages."""
    ask = _checked(call, course_id)
    keep = _filters(call)
    if call.params.get("grouped"):
        shown, _ = numbered(call, ask.students)
        return [_group(call, ask, student, keep) for student in shown]
    rows = [row for row in _rows(call, ask, ask.students) if keep(row)]
    if call.params.get("order") == "graded_at" or call.params.get("order_direction") == "descending":
        rows = _ordered(call, rows)
        page, _ = numbered(call, rows)
    else:
        page = bookmarked(call, sorted(rows, key=_id), _id)
    return [submission_json(call, row, ask.rights) for row in page]


def _ordered(call: Call, rows: list[r.Submission]) -> list[r.Submission]:
    backwards = call.params.get("order_direction") == "descending"
    if call.params.get("order") == "graded_at":
        first = datetime.min.replace(tzinfo=call.world.now().tzinfo)
        return sorted(rows, key=lambda row: (row.graded_at or first, row.id), reverse=backwards)
    return sorted(rows, key=_id, reverse=backwards)


def _checked(call: Call, course_id: str) -> _Ask:
    course = call.course(course_id)
    rights = rights_of(call.world, call.user, course)
    if not rights.read:
        raise call.denied()
    return _Ask(course, rights, _asked_students(call, course), _asked_assignments(call, course))


def _asked_students(call: Call, course: r.Course) -> list[int]:
    """The caller alone without ``student_ids``; one invisible id refuses all."""
    asked = as_list(call.params.get("student_ids"))
    visible = visible_students(call.world, call.user, course)
    if "all" in asked:
        chosen = visible
    else:
        if len(asked) > MAX_STUDENTS:
            raise plain_error("too many students")
        found = [find_user(call, text) for text in asked] if asked else [call.user]
        if asked and any(user is None or user.id not in visible for user in found):
            raise call.denied()
        chosen = sorted({user.id for user in found if user is not None and user.id in visible})
    wanted = call.params.get("enrollment_state")
    if wanted not in ("active", "concluded"):
        return chosen
    return [student for student in chosen if _is_active(call, course, student) == (wanted == "active")]


def _is_active(call: Call, course: r.Course, student: int) -> bool:
    """Date-aware: in a course past its end everybody counts as concluded."""
    by_date = call.params.get("state_based_on_date", "true") != "false"
    if by_date and course.is_concluded(call.world.now()):
        return False
    return call.world.has_student(course.id, student, ("active", "invited"))


def _asked_assignments(call: Call, course: r.Course) -> list[r.Assignment]:
    published = [one for one in call.world.course_assignments(course.id) if one.published]
    asked = as_list(call.params.get("assignment_ids"))
    if not asked:
        return published
    by_id = {str(one.id): one for one in published}
    if any(text not in by_id for text in asked):
        raise plain_error("invalid assignment ids requested", 403)
    return [by_id[text] for text in dict.fromkeys(asked)]


def _filters(call: Call) -> Any:
    """A predicate from ``workflow_state``, ``submitted_since`` and ``graded_since``."""
    state = call.params.get("workflow_state")
    submitted = _moment(call, "submitted_since")
    graded = _moment(call, "graded_since")

    def keep(row: r.Submission) -> bool:
        return (
            (not state or row.workflow_state == state)
            and (submitted is None or (row.submitted_at is not None and row.submitted_at > submitted))
            and (graded is None or (row.graded_at is not None and row.graded_at > graded))
        )

    return keep


def _moment(call: Call, name: str) -> datetime | None:
    text = call.params.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ApiError(400, messages(f"Invalid {name}: must be an ISO 8601 time"))
    return moment


def _rows(call: Call, ask: _Ask, students: Iterable[int]) -> list[r.Submission]:
    chosen = list(students)
    return [
        call.world.submission(assignment, student)
        for assignment in ask.assignments
        for student in chosen
        if call.world.is_assigned(assignment, student)
    ]


def _group(call: Call, ask: _Ask, student: int, keep: Any) -> dict[str, Any]:
    user = call.world.users[student]
    places = [
        one for one in call.world.user_enrollments(student, ask.course.id) if one.type in r.STUDENT_TYPES
    ]
    element: dict[str, Any] = {"user_id": student, "section_id": places[0].section_id}
    if ask.rights.sees_grades:
        element["sis_user_id"] = user.sis_id
        element["integration_id"] = user.integration_id
    rows = [row for row in _rows(call, ask, [student]) if keep(row)]
    element["submissions"] = [submission_json(call, row, ask.rights) for row in rows]
    return element
