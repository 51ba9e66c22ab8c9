"""Writing grades by REST: one submission, and in bulk with a Progress.

Imitates app/controllers/submissions_api_controller.rb (update, bulk_update), app/models/submission.rb
(process_bulk_update), app/models/progress.rb and lib/api/v1/progress.rb.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox import records as r
from sandbox.app import iso
from sandbox.errors import ApiError, not_found, plain_error
from sandbox.evidence import assess
from sandbox.grading import Grade, GradeError, add_comment, grade_student, set_score
from sandbox.permissions import rights_of, visible_students
from sandbox.rest.api import Call, endpoint, find_user
from sandbox.rest.assignments import find_assignment
from sandbox.rest.params import truthy
from sandbox.rest.submissions import comments_json, submission_json
from sandbox.world import World

GRADABLE = ("active", "invited", "inactive")
LATE_STATES = ("late", "missing", "extended", "none")


def _grading_course(call: Call, course_id: str) -> r.Course:
    course = call.course(course_id)
    if not rights_of(call.world, call.user, course).manage_grades:
        raise call.denied()
    return course


# --- one submission -------------------------------------------------------------------------


@endpoint("PUT", "/courses/<course_id>/assignments/<assignment_id>/submissions/<user_id>")
def grade_one(call: Call, course_id: str, assignment_id: str, user_id: str) -> Any:
    course = _grading_course(call, course_id)
    assignment = find_assignment(call, course, assignment_id)
    user = find_user(call, user_id)
    known = user is not None and any(
        one.type in r.STUDENT_TYPES for one in call.world.user_enrollments(user.id, course.id)
    )
    if user is None or not known:
        raise not_found()
    if not assignment.published or user.id not in visible_students(call.world, call.user, course):
        raise call.denied()
    given = call.params.get("submission")
    asked = given if isinstance(given, dict) else {}
    criteria = _criteria(call, assignment)
    _put_grade(call, course, assignment, user, asked)
    submission = call.world.submission(assignment, user.id)
    if asked.get("late_policy_status") in LATE_STATES:
        submission.late_policy_status = str(asked["late_policy_status"])
        set_score(call.world, assignment, submission)
    if criteria:
        assess_rubric(call.world, assignment, user.id, criteria, call.user.id)
    comment = call.params.get("comment")
    if isinstance(comment, dict) and comment.get("text_comment"):
        add_comment(call.world, submission, str(comment["text_comment"]), call.user.id, call.world.now())
    answer = submission_json(call, submission, rights_of(call.world, call.user, course))
    answer["submission_comments"] = comments_json(submission)
    answer["all_submissions"] = [{**answer, "submission_comments": comments_json(submission)}]
    return answer


def _put_grade(
    call: Call, course: r.Course, assignment: r.Assignment, user: r.User, asked: dict[str, Any]
) -> None:
    """A null posted_grade is ignored; a false ``excuse`` as form text clears (it is truthy there)."""
    text = asked.get("posted_grade")
    flag = asked.get("excuse")
    touched = text is not None or (flag is not None and flag is not False and flag != "")
    if not touched:
        return
    if not call.world.has_student(course.id, user.id, GRADABLE):
        raise plain_error("Student must be enrolled in the course as a student to be graded")
    grade = Grade(
        text=None if text is None else str(text),
        grader_id=call.user.id,
        at=call.world.now(),
        excuse=truthy(flag),
        prefer_points=truthy(call.params.get("prefer_points_over_scheme")),
    )
    try:
        grade_student(call.world, assignment, user.id, grade)
    except GradeError as error:
        raise plain_error(_sentence(error)) from None


def _sentence(error: GradeError) -> str:
    if error.code == "both":
        return error.message
    return f"Cannot grade this submission at this time: {error.message}"


# --- rubrics --------------------------------------------------------------------------------


def _criteria(call: Call, assignment: r.Assignment) -> dict[str, Any]:
    """The sent rubric rows; rows that match no criterion at all are refused."""
    given = call.params.get("rubric_assessment")
    if not isinstance(given, dict):
        return {}
    rubric = rubric_of(call.world, assignment)
    known = {criterion.id for criterion in rubric.criteria} if rubric is not None else set()
    if not known & set(given):
        raise ApiError(400, {"message": "invalid rubric_assessment"})
    return given


def rubric_of(world: World, assignment: r.Assignment) -> r.Rubric | None:
    return next((one for one in world.rubrics.values() if assignment.id in one.assignment_ids), None)


def assess_rubric(
    world: World, assignment: r.Assignment, user_id: int, given: dict[str, Any], grader_id: int
) -> None:
    """Replace the assessment by the rows sent; outcome rows are capped at the criterion's points.

    The outcome results are written by a background job, so rollups lag; the total grades the
    submission at once where the rubric is used for grading.
    """
    rubric = rubric_of(world, assignment)
    if rubric is None:
        return
    submission = world.submission(assignment, user_id)
    submission.rubric_assessment = {}
    for criterion in rubric.criteria:
        row = given.get(criterion.id)
        if isinstance(row, dict):
            points = _points(row.get("points"))
            if points is not None and criterion.outcome_id is not None:
                points = min(points, criterion.points)
            kept = {"rating_id": row.get("rating_id"), "comments": row.get("comments"), "points": points}
            submission.rubric_assessment[criterion.id] = kept
    if rubric.use_for_grading:
        scored = [row["points"] for row in submission.rubric_assessment.values() if row["points"] is not None]
        text = format(sum(scored, Decimal(0)), "f") if scored else ""
        grade_student(world, assignment, user_id, Grade(text, grader_id, world.now()), keep_unchanged=True)
    work = _outcome_work(world, assignment, rubric, user_id, dict(submission.rubric_assessment))
    world.queue_job(assignment.course_id, "rubric_assessment", work)


def _outcome_work(
    world: World, assignment: r.Assignment, rubric: r.Rubric, user_id: int, rows: dict[str, dict[str, Any]]
) -> Callable[[], None]:
    """The job that writes one outcome result for each assessed criterion with an outcome."""

    def work() -> None:
        for criterion in rubric.criteria:
            row = rows.get(criterion.id)
            if row is None or criterion.outcome_id is None:
                continue
            result = assess(
                world,
                assignment,
                user_id,
                criterion.outcome_id,
                row["points"],
                world.now(),
                possible=criterion.points,
                rubric_id=rubric.id,
            )
            result.hidden = rubric.hide_outcome_results

    return work


def _points(value: Any) -> Decimal | None:
    try:
        return None if value in (None, "") else Decimal(str(value))
    except InvalidOperation:
        return None


# --- bulk -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cell:
    assignment_id: int
    student: str
    data: dict[str, Any]


@endpoint("POST", "/courses/<course_id>/submissions/update_grades")
def bulk_course(call: Call, course_id: str) -> Any:
    course = _grading_course(call, course_id)
    data = call.params.get("grade_data")
    if not isinstance(data, dict) or not data:
        raise plain_error("'grade_data' parameter required")
    own = {str(one.id): one for one in call.world.assignments.values() if one.course_id == course.id}
    if any(key not in own for key in data):
        raise plain_error(f"Some assignments could not be found: ( {', '.join(data)} )")
    return _queue(call, course, [(own[key], rows) for key, rows in data.items()])


@endpoint("POST", "/courses/<course_id>/assignments/<assignment_id>/submissions/update_grades")
def bulk_assignment(call: Call, course_id: str, assignment_id: str) -> Any:
    course = _grading_course(call, course_id)
    assignment = find_assignment(call, course, assignment_id)
    data = call.params.get("grade_data")
    if not isinstance(data, dict) or not data:
        raise plain_error("'grade_data' parameter required")
    return _queue(call, course, [(assignment, data)])


def _queue(call: Call, course: r.Course, asked: list[tuple[r.Assignment, Any]]) -> dict[str, Any]:
    """Refuse the whole call for one unpublished assignment, else queue the job."""
    if any(one.deleted or not one.published for one, _ in asked):
        raise call.denied()
    cells = [
        _Cell(assignment.id, str(student), row if isinstance(row, dict) else {})
        for assignment, rows in asked
        if isinstance(rows, dict)
        for student, row in rows.items()
    ]
    job = call.world.queue_job(course.id, "submissions_update", _bulk_work(call, course, cells))
    return progress_json(call, job)


def _bulk_work(call: Call, course: r.Course, cells: list[_Cell]) -> Callable[[], str | None]:
    """The job: students in the order given, no transaction, one exception ends it."""

    def work() -> str | None:
        world = call.world
        visible = set(visible_students(world, call.user, course, GRADABLE))
        missing: list[str] = []
        unpublished: list[str] = []
        for cell in cells:
            assignment = world.assignments[cell.assignment_id]
            if assignment.deleted or not assignment.published:
                unpublished.append(str(assignment.id))
                continue
            user = find_user(call, cell.student)
            if user is None or user.id not in visible or not world.is_assigned(assignment, user.id):
                missing.append(cell.student)
                continue
            try:
                _bulk_cell(world, assignment, user.id, cell.data, call.user.id)
            except (GradeError, ArithmeticError):
                return f"Unexpected error, ID: {world.new_id()}"
        return _job_message(missing, unpublished)

    return work


def _job_message(missing: list[str], unpublished: list[str]) -> str | None:
    if missing:
        names = ", ".join(f"'{one}'" for one in dict.fromkeys(missing))
        return f"Couldn't find User(s) with API ids {names}"
    if unpublished:
        names = ", ".join(f"'{one}'" for one in dict.fromkeys(unpublished))
        return f"Some assignments are either not published or deleted and can not be graded {names}"
    return None


def _bulk_cell(
    world: World, assignment: r.Assignment, user_id: int, data: dict[str, Any], grader_id: int
) -> None:
    now = world.now()
    if "posted_grade" in data or "excuse" in data:
        text, excuse = data.get("posted_grade"), truthy(data.get("excuse"))
        given = None if text is None else str(text)
        grade_student(world, assignment, user_id, Grade(given, grader_id, now, excuse), keep_unchanged=True)
    criteria = data.get("rubric_assessment")
    if isinstance(criteria, dict):
        assess_rubric(world, assignment, user_id, criteria, grader_id)
    if data.get("text_comment"):
        add_comment(world, world.submission(assignment, user_id), str(data["text_comment"]), grader_id, now)


# --- progress -------------------------------------------------------------------------------


def progress_json(call: Call, job: r.Progress) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": job.id,
        "context_id": job.course_id,
        "context_type": "Course",
        "user_id": job.user_id,
        "tag": job.tag,
        "completion": job.completion,
        "workflow_state": job.state,
        "created_at": iso(job.created_at),
        "updated_at": iso(job.updated_at),
        "message": job.message,
        "url": f"{call.base}/api/v1/progress/{job.id}",
    }
    if job.results is not None and job.state in ("completed", "failed"):
        answer["results"] = job.results
    return answer


@endpoint("GET", "/progress/<progress_id>")
def progress(call: Call, progress_id: str) -> Any:
    job = call.world.progress.get(int(progress_id) if progress_id.isdigit() else 0)
    if job is None:
        raise not_found()
    course = call.world.courses[job.course_id]
    if not rights_of(call.world, call.user, course).read:
        raise call.denied()
    return progress_json(call, job)
