"""Results: rows R1 to R9 over HTTP, and what a teacher's own edits do to them (lti.md 6)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from sandbox import records as r
from sandbox.lti import vocabulary as v
from tests.sandbox.school import COURSE, EXTENSION, STUDENT, TA, TEACHER, School, open_school

SYNC = {EXTENSION: {"new_submission": False}}


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


@pytest.fixture
def item(school: School) -> r.LineItem:
    return school.add_item(maximum=5)


def students(school: School) -> list[r.User]:
    return [user for user in school.world.users.values() if school.world.has_student(COURSE, user.id)]


def test_r1_list(school: School, item: r.LineItem) -> None:
    for user in students(school)[:3]:
        school.score(item, 1, 2, userId=user.lti_id)
    answer = school.call("GET", f"/line_items/{item.id}/results")
    assert answer.headers["Content-Type"].startswith(v.RESULT_TYPE)
    assert [row["userId"] for row in answer.json()] == [user.lti_id for user in students(school)[:3]]
    url = f"{school.url}/api/lti/courses/{COURSE}/line_items/{item.id}"
    first = answer.json()[0]
    assert (first["scoreOf"], first["resultScore"], first["resultMaximum"]) == (url, 1, 2)
    assert first["id"].startswith(f"{url}/results/") and "comment" not in first


@pytest.mark.parametrize("kind", ["uuid", "number"], ids=lambda kind: f"R2-{kind}")
def test_one_person(school: School, item: r.LineItem, kind: str) -> None:
    for user in students(school)[:2]:
        school.score(item, 1, 2, userId=user.id)
    uuid = school.world.users[STUDENT].lti_id
    rows = school.results(item, user_id=uuid if kind == "uuid" else STUDENT)
    assert [row["userId"] for row in rows] == [uuid]


@pytest.mark.parametrize(
    "user_id", ["unknown", str(TA), str(STUDENT)], ids=["R3-unknown", "R3-no-student", "R3-no-result"]
)
def test_nobody(school: School, item: r.LineItem, user_id: str) -> None:
    answer = school.call("GET", f"/line_items/{item.id}/results", params={"user_id": user_id})
    assert (answer.status_code, answer.json()) == (200, [])


def test_r4_pages(school: School, item: r.LineItem) -> None:
    for user in students(school)[:4]:
        school.score(item, 1, 2, userId=user.id)
    answer = school.call("GET", f"/line_items/{item.id}/results", params={"limit": 2})
    assert len(answer.json()) == 2 and "next" in answer.links
    rest = school.call("GET", answer.links["next"]["url"])
    assert len(rest.json()) == 2 and "next" not in rest.links


def test_r5_a_persons_grade_is_scaled_on_reading(school: School, item: r.LineItem) -> None:
    school.score(item, 0.5, 1)
    school.submission(item).grader_id = TEACHER  # the raw score is left as it is, as Canvas's own test does
    assert school.results(item)[0]["resultScore"] == pytest.approx(0.1)


def test_r6_show(school: School, item: r.LineItem) -> None:
    url = school.score(item, 1, 2).json()["resultUrl"]
    answer = school.call("GET", url)
    assert (answer.status_code, answer.json()["id"]) == (200, url)


def test_r7_under_another_item(school: School, item: r.LineItem) -> None:
    number = school.score(item, 1, 2).json()["resultUrl"].rpartition("/")[2]
    other = school.add_item("Other")
    assert school.call("GET", f"/line_items/{other.id}/results/{number}").status_code == 404


def test_r8_unknown(school: School, item: r.LineItem) -> None:
    assert school.call("GET", f"/line_items/{item.id}/results/9").status_code == 404


def test_r9_scope(school: School, item: r.LineItem) -> None:
    answer = school.call("GET", f"/line_items/{item.id}/results", token=school.token(v.SCOPE_SCORE))
    assert (answer.status_code, answer.json()["errors"]["message"]) == (401, "Insufficient permissions")


# --- a teacher's own edits ---------------------------------------------------------------------------


def test_teacher_changes_a_tools_score(school: School, item: r.LineItem) -> None:
    school.score(item, 0.5, 1)
    school.teacher_sets(item, "4")
    row = school.results(item)[0]
    assert (row["resultScore"], row["resultMaximum"]) == (pytest.approx(0.8), 1)


def test_teacher_grades_first(school: School, item: r.LineItem) -> None:
    school.teacher_sets(item, "4")
    row = school.results(item)[0]
    assert (row["resultScore"], row["resultMaximum"]) == (4, 5)


@pytest.mark.parametrize("excuse", [False, True], ids=["clear", "excuse"])
def test_teacher_empties(school: School, item: r.LineItem, excuse: bool) -> None:
    school.score(item, 0.5, 1)
    school.teacher_sets(item, None if excuse else "", excuse=excuse)
    assert "resultScore" not in school.results(item)[0]


def test_an_edit_keeps_the_time_of_the_result(school: School, item: r.LineItem) -> None:
    school.score(item, 0.5, 1, timestamp="2026-03-01T00:00:00.000Z")
    school.teacher_sets(item, "4")
    assert school.score(item, 1, 1, timestamp="2026-03-02T00:00:00.000Z").status_code == 200


def test_late_deduction_shows_in_a_persons_value_only(school: School, item: r.LineItem) -> None:
    assignment = school.world.assignments[item.assignment_id]
    assignment.submission_types = ["online_text_entry"]
    school.course.late_policy = r.LatePolicy(Decimal(20))
    submission = school.submission(item)
    submission.late_policy_status, submission.seconds_late_override = "late", 3600
    school.score(item, 5, 5, **SYNC)
    assert (school.submission(item).score, school.results(item)[0]["resultScore"]) == (4, 5)
    school.teacher_sets(item, "4")
    assert school.results(item)[0]["resultScore"] == 3


def test_hidden_grades_are_returned(school: School, item: r.LineItem) -> None:
    school.world.assignments[item.assignment_id].post_manually = True
    school.teacher_sets(item, "4")
    assert school.results(item)[0]["resultScore"] == 4


def test_after_a_skipped_write_results_misleads(school: School) -> None:
    item = school.add_item(maximum=10)
    school.teacher_sets(item, "8")
    school.score(item, 0.5, 1, **{EXTENSION: {"new_submission": False, "preserve_score": True}})
    assert school.submission(item).score == 8
    assert school.results(item)[0]["resultScore"] == pytest.approx(0.05)
