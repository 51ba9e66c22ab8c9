"""Rows 41 to 86 of the REST table: writing grades over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox import records as r
from sandbox.grading import Grade, apply_grade, grade_student, run_missing_policy, submit_work
from tests.sandbox.rest_client import ADMIN, NOON, TEACHER, Canvas

Open = Callable[..., Canvas]
LATER = timedelta(minutes=10)
FOUR_LABELS = [
    (label, Decimal(bound)) for label, bound in (("4", "0.9"), ("3", "0.7"), ("2", "0.5"), ("1", "0"))
]


def late_essay(canvas: Canvas) -> r.Assignment:
    """An essay student 1001 handed in late: one point of ten goes."""
    essay = canvas.assignment(submission_types=["online_text_entry"], due_at=NOON - timedelta(hours=5))
    canvas.course.late_policy = r.LatePolicy(Decimal(10))
    submit_work(canvas.world, essay, 1001, NOON - timedelta(hours=1))
    return essay


def failed_with_error(job: dict[str, Any]) -> bool:
    return job["workflow_state"] == "failed" and job["message"].startswith("Unexpected error, ID: ")


def test_row_41_bulk_writes_a_grade(canvas: Canvas) -> None:
    essay = canvas.assignment()
    data = {"grade_data": {str(essay.id): {"1001": {"posted_grade": "8.5"}}}}
    queued = canvas.call("POST", "./submissions/update_grades", json=data)
    assert (queued.status_code, queued.json()["workflow_state"]) == (200, "queued")
    assert queued.json()["tag"] == "submissions_update"
    cell = canvas.cell(essay, 1001)
    assert (cell["score"], cell["entered_score"], cell["workflow_state"]) == (8.5, 8.5, "graded")
    assert (cell["grader_id"], cell["posted_at"]) == (TEACHER, "2026-03-02T12:00:00Z")


def test_row_41_as_a_form_and_for_one_assignment(canvas: Canvas) -> None:
    essay = canvas.assignment()
    path = f"./assignments/{essay.id}/submissions/update_grades"
    canvas.call("POST", path, data={"grade_data[1001][posted_grade]": "7"})
    assert canvas.cell(essay, 1001)["score"] == 7.0


def test_row_42_an_unchanged_grade_is_not_saved(canvas: Canvas) -> None:
    essay = canvas.assignment()
    for _ in range(2):
        job = canvas.bulk(essay, {1001: {"posted_grade": "8.5"}})
        canvas.world.advance(LATER)
    assert job["workflow_state"] == "completed"
    assert canvas.cell(essay, 1001)["graded_at"] == "2026-03-02T12:00:00Z"
    assert len(canvas.world.submission(essay, 1001).versions) == 1


def test_row_43_a_late_grade_is_saved_again(canvas: Canvas) -> None:
    essay = late_essay(canvas)
    for _ in range(2):
        canvas.bulk(essay, {1001: {"posted_grade": "8.5"}})
        canvas.world.advance(LATER)
    cell = canvas.cell(essay, 1001)
    assert (cell["score"], cell["entered_score"], cell["points_deducted"]) == (7.5, 8.5, 1.0)
    assert (cell["late"], cell["graded_at"]) == (True, "2026-03-02T12:10:00Z")


@pytest.mark.parametrize(
    ("row", "kind", "points", "given", "score", "grade"),
    [
        (44, "points", 10, "85%", 8.5, "8.5"),
        (49, "points", 10, "11", 11.0, "11"),
        (50, "points", 10, "-1", -1.0, "-1"),
        (50, "points", 10, "+2", 2.0, "2"),
        (51, "points", 10, "1e-05", None, None),
        (52, "points", 10, "1,5", None, None),
        (52, "points", 10, "3.", None, None),
        (52, "points", 10, " 3", None, None),
        (53, "points", 10, "N/A", None, None),
        (54, "pass_fail", 10, "pass", 10.0, "complete"),
        (55, "pass_fail", 10, "Pass", 0.0, "incomplete"),
        (56, "pass_fail", 10, "5", None, None),
        (57, "pass_fail", 1, "1", 1.0, "complete"),
        (57, "pass_fail", 10, "0", 0.0, "incomplete"),
        (57, "pass_fail", 0, "pass", 0.0, "complete"),
        (58, "letter_grade", 10, "B", 8.6, "B"),
        (58, "letter_grade", 10, "A", 10.0, "A"),
        (58, "letter_grade", 10, "A-", 9.3, "A-"),
        (58, "letter_grade", 10, "F", 6.0, "F"),
        (59, "letter_grade", 10, "b", 8.6, "B"),
        (59, "letter_grade", 10, "8.5", 8.5, "B"),
        (62, "not_graded", 10, "7", None, None),
        (0, "percent", 3, "2", 2.0, "66.67%"),
    ],
)
def test_rows_44_to_62_what_a_posted_grade_means(
    canvas: Canvas, row: int, kind: str, points: int, given: str, score: float | None, grade: str | None
) -> None:
    essay = canvas.assignment(points, grading_type=kind)
    job = canvas.bulk(essay, {1001: {"posted_grade": given}})
    cell = canvas.cell(essay, 1001)
    assert job["workflow_state"] == "completed", row
    assert (cell["score"], cell["grade"]) == (score, grade)


def test_row_51_an_unreadable_grade_loses_the_score(canvas: Canvas) -> None:
    essay = canvas.assignment()
    canvas.bulk(essay, {1001: {"posted_grade": "8"}})
    assert canvas.bulk(essay, {1001: {"posted_grade": "1e-05"}})["workflow_state"] == "completed"
    assert canvas.cell(essay, 1001)["score"] is None


@pytest.mark.parametrize("empty", ["", None])
def test_rows_45_46_clearing_keeps_graded_at(canvas: Canvas, empty: str | None) -> None:
    essay = canvas.assignment()
    canvas.bulk(essay, {1001: {"posted_grade": "8"}})
    canvas.world.advance(LATER)
    job = canvas.bulk(essay, {1001: {"posted_grade": empty}})
    cell = canvas.cell(essay, 1001)
    assert job["workflow_state"] == "completed"
    assert (cell["score"], cell["grade"], cell["workflow_state"]) == (None, None, "unsubmitted")
    assert cell["graded_at"] == "2026-03-02T12:00:00Z"


def test_row_47_put_ignores_null(canvas: Canvas) -> None:
    essay = canvas.assignment()
    canvas.put(essay, 1001, submission={"posted_grade": "8"})
    answer = canvas.put(essay, 1001, submission={"posted_grade": None})
    assert (answer.status_code, answer.json()["score"]) == (200, 8.0)


def test_rows_60_61_numeric_labels(canvas: Canvas) -> None:
    canvas.world.grading_standards[71] = r.GradingStandard(
        71, "Course", canvas.course.id, "Four", FOUR_LABELS
    )
    essay = canvas.assignment(grading_type="letter_grade", grading_standard_id=71)
    canvas.bulk(essay, {1001: {"posted_grade": "3"}})
    assert canvas.cell(essay, 1001)["score"] == 8.9
    canvas.put(essay, 1001, submission={"posted_grade": "3"}, prefer_points_over_scheme=True)
    assert canvas.cell(essay, 1001)["score"] == 3.0


def test_rows_63_66_excuse_and_grade_again(canvas: Canvas) -> None:
    essay = canvas.assignment()
    canvas.bulk(essay, {1001: {"posted_grade": "8"}})
    canvas.bulk(essay, {1001: {"excuse": True}})
    cell = canvas.cell(essay, 1001)
    assert (cell["excused"], cell["score"], cell["grade"], cell["workflow_state"]) == (
        True,
        None,
        None,
        "graded",
    )
    canvas.bulk(essay, {1001: {"posted_grade": "7"}})
    assert (canvas.cell(essay, 1001)["excused"], canvas.cell(essay, 1001)["score"]) == (False, 7.0)


def test_rows_64_69_an_exception_stops_the_job(canvas: Canvas) -> None:
    essay = canvas.assignment()
    grades = {
        1001: {"posted_grade": "5"},
        1002: {"posted_grade": "", "excuse": True},
        1003: {"posted_grade": "6"},
    }
    assert failed_with_error(canvas.bulk(essay, grades))
    assert [canvas.cell(essay, user)["score"] for user in (1001, 1002, 1003)] == [5.0, None, None]


def test_row_65_put_refuses_both(canvas: Canvas) -> None:
    answer = canvas.put(canvas.assignment(), 1001, submission={"posted_grade": "5", "excuse": True})
    assert answer.status_code == 400
    assert answer.json() == {"error": "Cannot simultaneously grade and excuse an assignment"}


def test_row_67_a_false_excuse_as_form_text_clears(canvas: Canvas) -> None:
    essay = canvas.assignment()
    canvas.put(essay, 1001, submission={"posted_grade": "8"})
    canvas.put(essay, 1001, submission={"excuse": False})
    assert canvas.cell(essay, 1001)["score"] == 8.0
    path = f"./assignments/{essay.id}/submissions/1001"
    canvas.call("PUT", path, data={"submission[excuse]": "false"})
    assert canvas.cell(essay, 1001)["score"] is None


def test_rows_68_70_concluded_students_are_missing_inactive_ones_are_graded(open_canvas: Open) -> None:
    canvas = open_canvas("rollups-06")
    essay = canvas.assignment()
    grade = {"posted_grade": "5"}
    job = canvas.bulk(essay, {2501: grade, 2502: grade, 2503: grade, 2504: grade})
    assert (job["workflow_state"], job["message"]) == ("failed", "Couldn't find User(s) with API ids '2502'")
    scores = [canvas.world.submission(essay, user).score for user in (2501, 2502, 2503, 2504)]
    assert scores == [Decimal(5), None, Decimal(5), Decimal(5)]


def test_row_71_an_unassigned_student_is_missing(canvas: Canvas) -> None:
    essay = canvas.assignment(only_visible_to_overrides=True, assigned_user_ids={1001})
    job = canvas.bulk(essay, {1002: {"posted_grade": "5"}, 1001: {"posted_grade": "5"}})
    assert job["message"] == "Couldn't find User(s) with API ids '1002'"
    assert canvas.cell(essay, 1001)["score"] == 5.0


def test_row_71_a_limited_teacher_grades_the_own_section_only(open_canvas: Open) -> None:
    canvas = open_canvas("two-sections")
    essay = canvas.assignment()
    job = canvas.bulk(essay, {1003: {"posted_grade": "5"}, 1004: {"posted_grade": "5"}}, who=17)
    assert job["message"] == "Couldn't find User(s) with API ids '1003'"
    assert canvas.cell(essay, 1004)["score"] == 5.0


def test_row_72_an_unpublished_assignment_refuses_the_call(canvas: Canvas) -> None:
    essay, draft = canvas.assignment(), canvas.assignment(published=False)
    data = {"grade_data": {str(one.id): {"1001": {"posted_grade": "5"}} for one in (essay, draft)}}
    answer = canvas.call("POST", "./submissions/update_grades", json=data)
    assert answer.status_code == 403
    assert canvas.cell(essay, 1001)["score"] is None
    assert canvas.put(draft, 1001, submission={"posted_grade": "5"}).status_code == 403


def test_row_72_unpublished_while_the_job_waits(canvas: Canvas) -> None:
    essay = canvas.assignment()
    canvas.world.job_delay = 600
    data = {"grade_data": {str(essay.id): {"1001": {"posted_grade": "5"}}}}
    queued = canvas.call("POST", "./submissions/update_grades", json=data).json()
    essay.published = False
    canvas.world.run_jobs(everything=True)
    message = canvas.get(f"progress/{queued['id']}").json()["message"]
    assert (
        message == f"Some assignments are either not published or deleted and can not be graded '{essay.id}'"
    )


def test_rows_73_74_faults_of_the_call(canvas: Canvas) -> None:
    data = {"grade_data": {"999": {"1001": {"posted_grade": "5"}}}}
    unknown = canvas.call("POST", "./submissions/update_grades", json=data)
    missing = canvas.call("POST", "./submissions/update_grades", json={})
    assert (unknown.status_code, unknown.json()) == (
        400,
        {"error": "Some assignments could not be found: ( 999 )"},
    )
    assert (missing.status_code, missing.json()) == (400, {"error": "'grade_data' parameter required"})


def test_row_75_sis_ids(canvas: Canvas) -> None:
    essay = canvas.assignment()
    assert canvas.bulk(essay, {"sis_user_id:S1001": {"posted_grade": "5"}})["workflow_state"] == "completed"
    assert canvas.cell(essay, 1001)["score"] == 5.0


def test_row_76_closed_grading_period(canvas: Canvas) -> None:
    essay = canvas.assignment(closed_period=True)
    assert failed_with_error(canvas.bulk(essay, {1001: {"posted_grade": "5"}}))
    answer = canvas.put(essay, 1001, submission={"posted_grade": "5"})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Cannot grade this submission at this time: ")
    assert canvas.put(essay, 1001, ADMIN, submission={"posted_grade": "5"}).status_code == 200


def test_row_77_manual_posting_hides(canvas: Canvas) -> None:
    essay = canvas.assignment(post_manually=True)
    canvas.bulk(essay, {1001: {"posted_grade": "5"}})
    assert (canvas.cell(essay, 1001)["posted_at"], canvas.cell(essay, 1001)["score"]) == (None, 5.0)
    own = canvas.get(f"./assignments/{essay.id}/submissions/1001", 1001).json()
    assert own["score"] is None


def test_row_78_two_comments(canvas: Canvas) -> None:
    essay = canvas.assignment()
    for _ in range(2):
        canvas.bulk(essay, {1001: {"text_comment": "Well done"}})
    row = canvas.get(
        f"./assignments/{essay.id}/submissions/1001", **{"include[]": "submission_comments"}
    ).json()
    assert [one["comment"] for one in row["submission_comments"]] == ["Well done", "Well done"]


def test_row_79_a_group_is_graded_together(canvas: Canvas) -> None:
    essay = canvas.assignment(group_category_id=5)
    canvas.world.groups[6] = r.Group(6, 5, [1001, 1002])
    canvas.bulk(essay, {1001: {"posted_grade": "5"}})
    assert [canvas.cell(essay, user)["score"] for user in (1001, 1002, 1003)] == [5.0, 5.0, None]


def test_row_80_a_concluded_course_is_read_only(open_canvas: Open) -> None:
    canvas = open_canvas("concluded")
    column = canvas.world.course_assignments(canvas.course.id)[0]
    data = {"grade_data": {str(column.id): {"1001": {"posted_grade": "1"}}}}
    assert canvas.call("POST", "./submissions/update_grades", json=data).status_code == 403
    assert canvas.put(column, 1001, submission={"posted_grade": "1"}).status_code == 403
    assert canvas.rollups().status_code == 200


def test_row_81_progress_does_not_move_until_it_ends(canvas: Canvas) -> None:
    essay = canvas.assignment()
    canvas.world.job_delay = 600
    data = {"grade_data": {str(essay.id): {"1001": {"posted_grade": "5"}}}}
    number = canvas.call("POST", "./submissions/update_grades", json=data).json()["id"]
    job, seen = canvas.world.progress[number], []
    for seconds_passed in (0, 400, 300):
        job.started, job.due = job.started - seconds_passed, job.due - seconds_passed
        polled = canvas.get(f"progress/{number}").json()
        seen.append((polled["workflow_state"], polled["completion"]))
    assert seen == [("queued", None), ("running", 0), ("completed", 100)]


def test_row_82_the_missing_policy_has_no_grader(canvas: Canvas) -> None:
    essay = canvas.assignment(submission_types=["online_upload"], due_at=NOON - timedelta(hours=3))
    canvas.course.late_policy = r.LatePolicy(missing_percent=Decimal(20))
    assert run_missing_policy(canvas.world, canvas.course.id) == 6
    cell = canvas.cell(essay, 1001)
    assert (cell["score"], cell["grader_id"], cell["workflow_state"], cell["missing"]) == (
        2.0,
        None,
        "graded",
        True,
    )


def test_row_83_a_teachers_own_edit_looks_like_the_tools(canvas: Canvas) -> None:
    essay = canvas.assignment()
    canvas.bulk(essay, {1001: {"posted_grade": "8"}})
    canvas.world.advance(LATER)
    grade_student(canvas.world, essay, 1001, Grade("9", TEACHER, canvas.world.now()))
    cell = canvas.cell(essay, 1001)
    assert (cell["grader_id"], cell["score"], cell["graded_at"]) == (TEACHER, 9.0, "2026-03-02T12:10:00Z")


@pytest.mark.parametrize(("row", "grader"), [(84, -88), (85, -265)])
def test_rows_84_85_quizzes_and_tools_are_negative(canvas: Canvas, row: int, grader: int) -> None:
    essay = canvas.assignment()
    apply_grade(canvas.world, essay, 1001, Grade("8", grader, NOON))
    assert canvas.cell(essay, 1001)["grader_id"] == grader, row


def test_row_86_a_resubmission_keeps_the_score(canvas: Canvas) -> None:
    essay = canvas.assignment(submission_types=["online_text_entry"])
    submit_work(canvas.world, essay, 1001, NOON)
    canvas.bulk(essay, {1001: {"posted_grade": "8"}})
    submit_work(canvas.world, essay, 1001, NOON + LATER)
    cell = canvas.cell(essay, 1001)
    assert (cell["grade_matches_current_submission"], cell["score"], cell["attempt"]) == (False, 8.0, 2)


def test_students_strangers_and_designers_do_not_grade(canvas: Canvas) -> None:
    essay = canvas.assignment()
    for who in (1001, 13, 14, 16):
        assert canvas.put(essay, 1001, who, submission={"posted_grade": "9"}).status_code == 403
    assert canvas.cell(essay, 1001)["score"] is None


@pytest.mark.parametrize(("row", "given", "letter"), [(97, "8.9999", "B+"), (98, "9", "A-")])
def test_rows_97_98_bounds_are_inclusive_and_nothing_is_rounded(
    canvas: Canvas, row: int, given: str, letter: str
) -> None:
    essay = canvas.assignment(grading_type="letter_grade")
    canvas.bulk(essay, {1001: {"posted_grade": given}})
    assert canvas.cell(essay, 1001)["grade"] == letter, row
