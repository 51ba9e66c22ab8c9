"""Scores: rows S1 to S48 over HTTP. S42 and S43 (files fetched from the tool) are left out; see docs/sandbox.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox import records as r
from sandbox.lti import vocabulary as v
from sandbox.mirror import find_result
from tests.sandbox.school import (
    COURSE,
    EXTENSION,
    OTHER_STUDENT,
    STUDENT,
    TA,
    TEACHER,
    TOOL,
    School,
    open_school,
    stamp,
)  # fmt: skip

SYNC = {EXTENSION: {"new_submission": False}}


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


@pytest.fixture
def item(school: School) -> r.LineItem:
    return school.add_item()


def result_of(school: School, item: r.LineItem, user_id: int = STUDENT) -> r.LtiResult:
    found = find_result(school.world, item.id, user_id)
    assert found is not None
    return found


def column(school: School, item: r.LineItem) -> r.Assignment:
    return school.world.assignments[item.assignment_id]


def extension(**fields: Any) -> dict[str, Any]:
    return {EXTENSION: fields}


def message(answer: requests.Response) -> tuple[int, str]:
    errors = answer.json()["errors"]
    text = errors["message"] if isinstance(errors, dict) else errors[0]["message"]
    assert answer.headers["Content-Type"].startswith("application/json")
    return answer.status_code, text


def extra_item(school: School) -> r.LineItem:
    """A second item on a coupled assignment: not the default one."""
    first = school.coupled_item()
    return school.add_item(resourceLinkId=school.world.resource_links[first.resource_link_id or 0].uuid)


def test_s1_first_time(school: School, item: r.LineItem) -> None:
    at = stamp(minutes=-5)
    answer = school.score(item, timestamp=at)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith(v.SCORE_TYPE)
    result = result_of(school, item)
    assert result.created_at == result.updated_at == datetime.fromisoformat(at)
    assert answer.json()["resultUrl"].endswith(f"/line_items/{item.id}/results/{result.id}")
    assert answer.json()[EXTENSION] == {"content_items": []}


def test_s2_same_user_again(school: School, item: r.LineItem) -> None:
    first, second = stamp(minutes=-5), stamp()
    school.score(item, timestamp=first)
    school.score(item, timestamp=second)
    result = result_of(school, item)
    assert len(school.world.lti_results) == 1
    assert (result.created_at, result.updated_at) == tuple(map(datetime.fromisoformat, (first, second)))


@pytest.mark.parametrize("kind", ["uuid", "number", "digits"], ids=lambda kind: f"S3-{kind}")
def test_user_ids(school: School, item: r.LineItem, kind: str) -> None:
    ids = {"uuid": school.world.users[STUDENT].lti_id, "number": STUDENT, "digits": str(STUDENT)}
    assert school.score(item, 5, 10, userId=ids[kind]).status_code == 200
    assert school.submission(item).score == 5


@pytest.mark.parametrize("kind", ["FullyGraded", "PendingManual"], ids=lambda kind: f"S4-{kind}")
def test_non_default_item(school: School, kind: str) -> None:
    item = extra_item(school)
    assert school.score(item, 5, 10, gradingProgress=kind).status_code == 200
    assert result_of(school, item).submission_id is None
    submission = school.submission(item)
    assert (submission.score, submission.attempt, submission.workflow_state) == (None, None, "unsubmitted")


def test_s5_a_plain_post_hands_in(school: School, item: r.LineItem) -> None:
    school.submission(item).attempt = 3
    school.score(item, 5, 10)
    submission = school.submission(item)
    assert (submission.attempt, submission.submission_type) == (4, "external_tool")


@pytest.mark.parametrize("more", [{}, {"submitted_at": "2026-01-01T00:00:00Z"}], ids=["S6", "S7"])
def test_no_new_submission(school: School, item: r.LineItem, more: dict[str, str]) -> None:
    school.score(item, 5, 10, **extension(new_submission=False, **more))
    submission = school.submission(item)
    assert (submission.score, submission.attempt, submission.submitted_at) == (5, None, None)


def test_s8_type_none(school: School, item: r.LineItem) -> None:
    school.score(item, 5, 10, **extension(submission_type="none"))
    assert (school.submission(item).attempt, school.submission(item).score) == (None, 5)


@pytest.mark.parametrize("before", ["tool", "teacher"], ids=lambda before: f"S9-{before}")
def test_prioritize_skips_any_score(school: School, item: r.LineItem, before: str) -> None:
    if before == "tool":
        school.score(item, 7, 10, **SYNC)
    else:
        school.teacher_sets(item, "7")
    answer = school.score(item, 5, 10, **extension(new_submission=False, prioritize_non_tool_grade=True))
    assert (answer.status_code, school.submission(item).score) == (200, 7)
    assert result_of(school, item).score == 5


def test_s10_prioritize_writes_the_first(school: School, item: r.LineItem) -> None:
    school.score(item, 5, 10, **extension(prioritize_non_tool_grade=True))
    assert school.submission(item).score == 5


def test_s11_no_score_given_clears(school: School, item: r.LineItem) -> None:
    school.teacher_sets(item, "7")
    assert school.score(item, **SYNC).status_code == 200
    assert school.submission(item).score is None


@pytest.mark.parametrize("kind", ["Pending", "NotReady", "Failed"], ids=lambda kind: f"S12-{kind}")
def test_unfinished_clears(school: School, item: r.LineItem, kind: str) -> None:
    school.teacher_sets(item, "7")
    assert school.score(item, 100, 100, gradingProgress=kind, **SYNC).status_code == 200
    assert school.submission(item).score is None


def test_s13_fully_graded(school: School, item: r.LineItem) -> None:
    school.score(item, 10, 10)
    submission = school.submission(item)
    assert (submission.score, submission.workflow_state, submission.grader_id) == (10, "graded", -TOOL)


def test_s14_comment(school: School, item: r.LineItem) -> None:
    school.score(item, 5, 10, comment="Well done")
    comments = school.submission(item).comments
    assert [(comment.text, comment.author_id) for comment in comments] == [("Well done", None)]


def test_s15_graded_before(school: School, item: r.LineItem) -> None:
    school.teacher_sets(item, "100")
    school.score(item, 10, 10)
    assert school.submission(item).score == 10


def test_s16_pending_manual(school: School, item: r.LineItem) -> None:
    school.score(item, 5, 10, gradingProgress="PendingManual")
    assert (school.submission(item).score, school.submission(item).workflow_state) == (5, "pending_review")
    assert result_of(school, item).grading_progress == "PendingManual"


def test_s17_pending_manual_preserved(school: School, item: r.LineItem) -> None:
    school.score(item, 5, 10, **SYNC)
    school.score(
        item, gradingProgress="PendingManual", **extension(new_submission=False, preserve_score=True)
    )
    assert (school.submission(item).score, school.submission(item).workflow_state) == (5, "pending_review")


def test_s18_review_done(school: School, item: r.LineItem) -> None:
    school.score(item, 5, 10, gradingProgress="PendingManual")
    school.score(item, 6, 10)
    assert school.submission(item).workflow_state == "graded"


@pytest.mark.parametrize(("hours", "late"), [(-2, False), (-0.5, True)], ids=["S19", "S20"])
def test_submitted_at(school: School, item: r.LineItem, hours: float, late: bool) -> None:
    due = column(school, item).due_at = school.world.now() - timedelta(hours=1)
    at = stamp(hours=hours)
    school.score(item, 5, 10, **extension(submitted_at=at))
    submitted = school.submission(item).submitted_at
    assert submitted == datetime.fromisoformat(at)
    assert submitted is not None and (submitted > due) is late


def test_s20_a_plain_post_after_the_due_date_deducts(school: School, item: r.LineItem) -> None:
    column(school, item).due_at = school.world.now() - timedelta(hours=1)
    column(school, item).submission_types = ["external_tool"]
    school.course.late_policy = r.LatePolicy(Decimal(10))
    school.score(item, 5, 10)
    assert (school.submission(item).entered_score, school.submission(item).score) == (5, 4)
    assert result_of(school, item).score == 5


TYPES = ("online_url", "online_text_entry", "external_tool", "basic_lti_launch")


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: f"S21-{kind}")
def test_no_attempts_left(school: School, item: r.LineItem, kind: str) -> None:
    column(school, item).allowed_attempts = 1
    school.submission(item).attempt = 1
    text = "The maximum number of allowed attempts has been reached for this submission"
    assert message(school.score(item, 5, 10, **extension(submission_type=kind))) == (422, text)


@pytest.mark.parametrize(
    "fields", [{"new_submission": False}, {"submission_type": "none"}], ids=["S22-not-new", "S22-none"]
)
def test_no_attempt_needed(school: School, item: r.LineItem, fields: dict[str, Any]) -> None:
    column(school, item).allowed_attempts = 1
    school.submission(item).attempt = 1
    assert school.score(item, 5, 10, **extension(**fields)).status_code == 200


def test_s23_scaled(school: School) -> None:
    item = school.add_item(maximum=50)
    school.score(item, 10, 100)
    result = result_of(school, item)
    assert (result.score, result.maximum, school.submission(item).score) == (10, 100, 5)


def test_s24_nothing_of_nothing(school: School) -> None:
    assert school.score(school.add_item(maximum=0), 0, 0).status_code == 200


ZERO = "cannot be zero if line item's maximum is not zero"
NEGATIVE = "ScoreMaximum must be greater than or equal to 0"


@pytest.mark.parametrize(
    ("given", "maximum", "text"),
    [
        (0, 0, ZERO),
        (5, -1, NEGATIVE),
        (5, None, "ScoreMaximum not supplied when ScoreGiven present."),
        (-1, 10, "ScoreGiven must be greater than or equal to 0"),
    ],
    ids=["S25", "S26", "S33", "S34"],
)
def test_score_values(school: School, item: r.LineItem, given: int, maximum: int | None, text: str) -> None:
    assert message(school.score(item, given, maximum)) == (422, text)


@pytest.mark.parametrize(
    ("given", "grade", "score"), [(2, "complete", 6), (0, "incomplete", 0)], ids=["S27-2", "S27-0"]
)
def test_pass_fail(school: School, given: int, grade: str, score: int) -> None:
    item = school.add_item(maximum=6)
    column(school, item).grading_type = "pass_fail"
    school.score(item, given, 4)
    assert (school.submission(item).grade, school.submission(item).score) == (grade, score)


def test_s28_pass_fail_without_points(school: School) -> None:
    item = school.add_item(maximum=0)
    column(school, item).grading_type = "pass_fail"
    school.score(item, 2, 0)
    assert (school.submission(item).grade, school.submission(item).score) == ("complete", 0)


def test_s29_pass_fail_out_of_zero(school: School) -> None:
    item = school.add_item(maximum=6)
    column(school, item).grading_type = "pass_fail"
    assert message(school.score(item, 2, 0)) == (422, ZERO)


@pytest.mark.parametrize(
    ("kind", "field"),
    [("online_url", "url"), ("basic_lti_launch", "url"), ("online_text_entry", "body")],
    ids=["S30-url", "S30-launch", "S30-text"],
)
def test_submission_data(school: School, item: r.LineItem, kind: str, field: str) -> None:
    sent = {"submission_type": kind, "submission_data": "https://example.edu/work"}
    school.score(item, 5, 10, **extension(**sent))
    submission = school.submission(item)
    assert (submission.submission_type, getattr(submission, field)) == (kind, sent["submission_data"])
    assert school.results(item)[0][EXTENSION] == sent


def test_s31_clear_on_purpose(school: School, item: r.LineItem) -> None:
    school.score(item, 100, 200)
    school.score(item, **SYNC)
    result = result_of(school, item)
    assert (result.score, result.maximum, school.submission(item).score) == (None, None, None)


def test_s32_older_than_the_result(school: School, item: r.LineItem) -> None:
    school.score(item, 5, 10, timestamp="2026-03-02T12:00:00.000Z")
    answer = school.score(item, 6, 10, timestamp="2026-03-01T12:00:00.000Z")
    text = "Provided timestamp of 2026-03-01T12:00:00.000Z before last updated timestamp of 2026-03-02T12:00:00.000Z"
    assert message(answer) == (400, text)
    assert school.score(item, 6, 10, timestamp="2026-03-02T12:00:00.000Z").status_code == 200


@pytest.mark.parametrize("field", ["activityProgress", "gradingProgress"], ids=lambda field: f"S35-{field}")
def test_model_error_rolls_the_score_back(school: School, item: r.LineItem, field: str) -> None:
    school.score(item, 5, 10, **SYNC)
    answer = school.score(item, 9, 10, **{field: "Nonsense"})
    assert message(answer) == (422, "is not included in the list")
    assert (school.submission(item).score, school.submission(item).attempt) == (5, 1)


def test_s35_text_for_a_score(school: School, item: r.LineItem) -> None:
    assert message(school.score(item, "many", 10)) == (422, "is not a number")


NOBODY = (422, "User not found in course or is not a student")


@pytest.mark.parametrize(
    "kind", ["other-course", "TA", "inactive", "none", "missing"], ids=lambda kind: f"S36-{kind}"
)
def test_not_a_student(school: School, item: r.LineItem, kind: str) -> None:
    world = school.world
    stranger = world.add_user("Nora Nowhere")
    if kind == "other-course":
        world.enroll(stranger, world.add_section(world.add_course("Other").id, "X"))
    if kind == "inactive":
        world.enroll(stranger, next(iter(world.sections.values())), state="inactive")
    user_id = None if kind == "missing" else TA if kind == "TA" else stranger.id
    assert message(school.score(item, 5, 10, userId=user_id)) == NOBODY


@pytest.mark.parametrize("iso_only", [False, True], ids=["S37-legacy", "S37-iso"])
def test_other_time_formats(school: School, item: r.LineItem, iso_only: bool) -> None:
    school.platform.enforce_iso8601 = iso_only
    text = "Tue, 24 Nov 2026 10:00:00 +0000"
    answer = school.score(item, 5, 10, timestamp=text)
    if iso_only:
        assert message(answer) == (400, f"Provided timestamp of {text} not a valid timestamp")
    else:
        assert result_of(school, item).updated_at == datetime(2026, 11, 24, 10, tzinfo=UTC)


def test_s38_submitted_at_is_no_time(school: School, item: r.LineItem) -> None:
    text = "Provided submitted_at timestamp of asdf not a valid timestamp"
    assert message(school.score(item, 5, 10, **extension(submitted_at="asdf"))) == (400, text)


def test_s39_submitted_at_ahead(school: School, item: r.LineItem) -> None:
    at = stamp(minutes=5)
    text = f"Provided submitted_at timestamp of {at} in the future"
    assert message(school.score(item, 5, 10, submission={"submittedAt": at})) == (400, text)


def test_s40_upload_without_items(school: School, item: r.LineItem) -> None:
    text = "Content items must be provided with submission type 'online_upload'"
    assert message(school.score(item, 5, 10, **extension(submission_type="online_upload"))) == (422, text)


def test_s41_other_items_are_ignored(school: School, item: r.LineItem) -> None:
    school.score(item, 5, 10, **extension(content_items=[{"type": "link", "url": "https://x.example"}]))
    assert school.submission(item).submission_type == "external_tool"


def test_s44_test_student(school: School, item: r.LineItem) -> None:
    student = school.world.add_user("Test Student")
    school.world.enroll(student, next(iter(school.world.sections.values())), r.TEST_STUDENT)
    assert school.score(item, 5, 10, userId=student.lti_id).status_code == 200


def test_s45_deleted_user(school: School, item: r.LineItem) -> None:
    school.world.users[STUDENT].deleted = True
    assert message(school.score(item, 5, 10)) == NOBODY


def test_s46_merged_user(school: School, item: r.LineItem) -> None:
    old = school.world.add_user("Old Account")
    old.merged_into = STUDENT
    assert school.score(item, 5, 10, userId=old.lti_id).status_code == 200
    assert school.submission(item).score == 5
    assert school.results(item)[0]["userId"] == school.world.users[STUDENT].lti_id


def test_s47_digits_at_the_start_of_a_uuid(school: School, item: r.LineItem) -> None:
    assert message(school.score(item, 5, 10, userId=f"{STUDENT}-aaaa-bbbb")) == NOBODY


def test_s48_unknown_item(school: School, item: r.LineItem) -> None:
    answer = school.call("POST", "/line_items/9/scores", {})
    assert answer.status_code == 404
    assert answer.json() == {"errors": [{"message": "The specified resource does not exist."}]}


# --- what 5.1 to 5.6 say beyond the rows -----------------------------------------------------------


@pytest.mark.parametrize("field", ["activityProgress", "gradingProgress", "timestamp"])
def test_missing_parameter(school: School, item: r.LineItem, field: str) -> None:
    assert message(school.score(item, 5, 10, **{field: None})) == (400, f"{field} is missing")


def test_unpublished_column_refuses_only_a_change(school: School, item: r.LineItem) -> None:
    school.score(item, 5, 10, **SYNC)
    column(school, item).published = False
    text = "cannot be changed at this time: This assignment is still unpublished"
    assert message(school.score(item, 6, 10, **SYNC)) == (422, text)
    assert school.score(item, 5, 10, **SYNC).status_code == 200
    assert result_of(school, item).score == 5


def test_concluded_course(school: School, item: r.LineItem) -> None:
    school.course.workflow_state = "completed"
    assert message(school.score(item, 5, 10))[0] == 422


def test_a_score_unexcuses(school: School, item: r.LineItem) -> None:
    school.teacher_sets(item, None, excuse=True)
    school.score(item, 5, 10)
    assert (school.submission(item).excused, school.submission(item).score) == (False, 5)


def test_manual_posting_hides(school: School, item: r.LineItem) -> None:
    column(school, item).post_manually = True
    school.score(item, 5, 10)
    assert (school.submission(item).score, school.submission(item).posted_at) == (5, None)


def test_group_members_share_the_score(school: School, item: r.LineItem) -> None:
    column(school, item).group_category_id = 1
    school.world.groups[1] = r.Group(1, 1, [STUDENT, OTHER_STUDENT])
    school.score(item, 5, 10)
    assert school.submission(item, OTHER_STUDENT).score == 5
    assert len(school.results(item)) == 1


def test_the_answer_names_the_first_failing_check(school: School, item: r.LineItem) -> None:
    body = {"userId": "nobody", "timestamp": "never", "scoreGiven": -1, "resourceLinkId": "foreign"}
    answer = school.call("POST", f"/line_items/{item.id}/scores", body)
    assert message(answer) == (412, "The specified LTI link ID is not associated with the line item.")


def test_teacher_first_then_an_older_score_is_refused(school: School, item: r.LineItem) -> None:
    at = stamp(seconds=-2)
    school.teacher_sets(item, "4")
    assert school.score(item, 5, 10, timestamp=at).status_code == 400
    assert (school.submission(item).score, school.submission(item).grader_id) == (4, TEACHER)


def test_fractions_arrive_exactly(school: School) -> None:
    item = school.add_item(maximum=1)
    school.score(item, 0.85, 1, **SYNC)
    assert school.submission(item).score == Decimal("0.85")
    assert (
        school.call("GET", f"{school.url}/api/lti/courses/{COURSE}/line_items/{item.id}").status_code == 200
    )
