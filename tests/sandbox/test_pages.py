"""The pages of the pretend Canvas as a person without scripts uses them, and the control API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox import records as r
from tests.sandbox.school import (
    ADMIN,
    COURSE,
    DESIGNER,
    OBSERVER,
    SECONDS,
    STRANGER,
    STUDENT,
    TA,
    TEACHER,
    School,
    open_school,
)  # fmt: skip


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


@pytest.fixture
def item(school: School) -> r.LineItem:
    return school.add_item("Quiz", 10)


def get(school: School, path: str, user_id: int | None = TEACHER) -> requests.Response:
    return school.browser(user_id).get(f"{school.url}{path}", timeout=SECONDS)


def post(school: School, path: str, who: int | None = TEACHER, /, **fields: Any) -> requests.Response:
    return school.browser(who).post(f"{school.url}{path}", data=fields, timeout=SECONDS)


def edit(
    school: School, item: r.LineItem, action: str, grade: str = "", user_id: int = TEACHER
) -> requests.Response:
    fields = {"user_id": STUDENT, "assignment_id": item.assignment_id, "action": action, "grade": grade}
    return post(school, f"/courses/{COURSE}/gradebook", user_id, **fields)


def cell(school: School, item: r.LineItem) -> str:
    """The text of the first student's cell, without tags."""
    page = get(school, f"/courses/{COURSE}/gradebook/table").text
    found = re.search(
        rf'<td data-user="{STUDENT}" data-assignment="{item.assignment_id}">(.*?)</td>', page, re.S
    )
    assert found
    return " ".join(re.sub(r"<[^>]+>", " ", found.group(1)).split())


def course_change(school: School, change: str, number: int = 0, user_id: int = TEACHER) -> requests.Response:
    return post(school, f"/courses/{COURSE}/settings", user_id, change=change, id=number)


# --- a teacher's own edits ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "grade", "shown"),
    [("set", "8.5", "8.5 person"), ("set", "90%", "9 person"), ("excuse", "", "EX person")],
)
def test_teacher_grades(school: School, item: r.LineItem, action: str, grade: str, shown: str) -> None:
    assert edit(school, item, action, grade).status_code == 200
    assert cell(school, item) == shown
    assert school.submission(item).grader_id == TEACHER


def test_teacher_clears_a_tools_grade(school: School, item: r.LineItem) -> None:
    school.score(item, 5, 10)
    assert cell(school, item) == "5 tool"
    assert "cleared" in edit(school, item, "clear").text
    assert cell(school, item) == "–"
    assert "resultScore" not in school.results(item)[0]


def test_empty_grade_changes_nothing(school: School, item: r.LineItem) -> None:
    school.teacher_sets(item, "5")
    assert "Nothing was changed" in edit(school, item, "set", "").text
    assert school.submission(item).score == 5


def test_unpublished_column_cannot_be_graded(school: School, item: r.LineItem) -> None:
    course_change(school, "publish", item.assignment_id)
    assert "still unpublished" in edit(school, item, "set", "5").text


@pytest.mark.parametrize(
    "user_id", [STUDENT, OBSERVER, DESIGNER, STRANGER], ids=["student", "observer", "designer", "stranger"]
)
def test_others_cannot_grade(school: School, item: r.LineItem, user_id: int) -> None:
    assert edit(school, item, "set", "10", user_id).status_code == 403
    assert get(school, f"/courses/{COURSE}/gradebook", user_id).status_code == 403
    assert school.submission(item).score is None


@pytest.mark.parametrize("user_id", [TA, ADMIN], ids=["ta", "admin"])
def test_graders_besides_the_teacher(school: School, item: r.LineItem, user_id: int) -> None:
    edit(school, item, "set", "10", user_id)
    assert (school.submission(item).score, school.submission(item).grader_id) == (10, user_id)


def test_nobody_signed_in(school: School) -> None:
    assert get(school, f"/courses/{COURSE}/gradebook", None).status_code == 403
    assert "Nobody is signed in" in get(school, "/", None).text


def test_a_column_of_another_course_is_not_found(school: School) -> None:
    other = school.world.add_course("Other")
    foreign = school.world.add_assignment(other.id, "Foreign", 1)
    fields = {"user_id": STUDENT, "assignment_id": foreign.id, "action": "set", "grade": "1"}
    assert post(school, f"/courses/{COURSE}/gradebook", **fields).status_code == 404


# --- what the gradebook shows -------------------------------------------------------------------


def test_late_hidden_and_deducted(school: School, item: r.LineItem) -> None:
    column = school.world.assignments[item.assignment_id]
    column.submission_types, column.post_manually = ["online_text_entry"], True
    school.course.late_policy = r.LatePolicy(Decimal(10))
    submission = school.submission(item)
    submission.late_policy_status, submission.seconds_late_override = "late", 60
    school.teacher_sets(item, "9")
    assert cell(school, item) == "8 person hidden late 9 less 1 for being late"


def test_table_answers_304_while_nothing_changed(school: School, item: r.LineItem) -> None:
    browser, url = school.browser(TEACHER), f"{school.url}/courses/{COURSE}/gradebook/table"
    tag = browser.get(url, timeout=SECONDS).headers["ETag"]
    assert browser.get(url, headers={"If-None-Match": tag}, timeout=SECONDS).status_code == 304
    school.score(item, 5, 10)
    assert browser.get(url, headers={"If-None-Match": tag}, timeout=SECONDS).status_code == 200


def test_student_sees_posted_grades_only(school: School, item: r.LineItem) -> None:
    school.world.assignments[item.assignment_id].post_manually = True
    school.score(item, 7.25, 10)
    assert "7.25" not in get(school, f"/courses/{COURSE}/grades", STUDENT).text
    course_change(school, "post_grades", item.assignment_id)
    assert "7.25" in get(school, f"/courses/{COURSE}/grades", STUDENT).text
    assert "7.25" in get(school, f"/courses/{COURSE}/grades", OBSERVER).text


def test_titles_are_text(school: School) -> None:
    school.add_item("<script>alert(1)</script>")
    page = get(school, f"/courses/{COURSE}/gradebook").text
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


# --- evidence and settings ----------------------------------------------------------------------


def test_evidence(school: School) -> None:
    link = school.world.course_outcomes(COURSE)[0]
    work = school.world.course_assignments(COURSE)[0]
    fields = {"user_id": STUDENT, "outcome_id": link.outcome_id, "assignment_id": work.id}
    page = post(school, f"/courses/{COURSE}/evidence", **fields, points="3.5").text
    assert f"3.5 of 4 on {school.world.outcomes[link.outcome_id].title}" in page
    mine = [
        row for row in school.world.results.values() if (row.user_id, row.assignment_id) == (STUDENT, work.id)
    ]
    assert [row.score for row in mine if row.outcome_id == link.outcome_id] == [Decimal("3.5")]
    assert (
        "type the points as a number"
        in post(school, f"/courses/{COURSE}/evidence", **fields, points="x").text
    )


def test_conclude_and_reopen(school: School, item: r.LineItem) -> None:
    assert "concluded" in course_change(school, "conclude").text
    assert school.score(item, 5, 10).status_code == 422
    assert edit(school, item, "set", "5").status_code == 403
    course_change(school, "reopen")
    assert school.score(item, 5, 10).status_code == 200


def test_drop_and_bring_back_a_student(school: School, item: r.LineItem) -> None:
    enrollment = school.world.user_enrollments(STUDENT, COURSE)[0]
    course_change(school, "drop", enrollment.id)
    assert school.score(item, 5, 10).status_code == 422
    course_change(school, "activate", enrollment.id)
    assert school.score(item, 5, 10).status_code == 200


def test_delete_an_assignment_and_an_outcome(school: School, item: r.LineItem) -> None:
    link = school.world.course_outcomes(COURSE)[0]
    course_change(school, "delete_assignment", item.assignment_id)
    course_change(school, "remove_outcome", link.id)
    assert school.call("GET", f"/line_items/{item.id}").status_code == 404
    assert link not in school.world.course_outcomes(COURSE)


def test_a_student_changes_no_settings(school: School) -> None:
    assert course_change(school, "conclude", 0, STUDENT).status_code == 403
    assert school.course.workflow_state == "available"


# --- acting as, faults, log ---------------------------------------------------------------------


def test_act_as_offers_everyone_and_goes_back(school: School) -> None:
    page = get(school, "/", None).text
    for kind in ("teacher", "TA", "designer", "observer", "account admin", "stranger", "student"):
        assert f"({kind})" in page
    answer = school.browser().post(
        f"{school.url}/login/act_as", data={"user_id": TEACHER, "next": f"/courses/{COURSE}"}, timeout=SECONDS
    )
    assert answer.url == f"{school.url}/courses/{COURSE}"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_act_as_stays_on_this_site(school: School, target: str) -> None:
    answer = requests.post(
        f"{school.url}/login/act_as",
        data={"user_id": TEACHER, "next": target},
        timeout=SECONDS,
        allow_redirects=False,
    )
    assert answer.headers["Location"] == "/"


def test_the_session_cookie_reaches_the_frame(school: School) -> None:
    answer = requests.post(
        f"{school.url}/login/act_as", data={"user_id": TEACHER}, timeout=SECONDS, allow_redirects=False
    )
    assert "SameSite=None" in answer.headers["Set-Cookie"] and "SameSite=Lax" in answer.headers["Set-Cookie"]


def test_faults_switch(school: School) -> None:
    page = post(
        school,
        "/_sandbox/faults_page",
        change="add",
        kind="error_before",
        method="GET",
        path="*/line_items",
        count="1",
    )
    assert "error 500, nothing done" in page.text
    assert [school.call("GET", "/line_items").status_code for _ in range(2)] == [500, 200]
    post(school, "/_sandbox/faults_page", change="add", kind="throttled", path="/api/*", count="0")
    assert "No fault is waiting" in post(school, "/_sandbox/faults_page", change="clear").text


def test_log_of_calls(school: School) -> None:
    school.call("GET", "/line_items")
    page = get(school, "/_sandbox/log").text
    assert f"/api/lti/courses/{COURSE}/line_items" in page and f"lti:{school.key.client_id}" in page
    clicks = '<td class="path">/login/act_as'
    assert clicks not in page and clicks in get(school, "/_sandbox/log?all=1").text


# --- control API --------------------------------------------------------------------------------


def control(school: School, method: str, path: str, /, **body: Any) -> Any:
    answer = requests.request(method, f"{school.url}/_sandbox{path}", json=body or None, timeout=SECONDS)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_control_world(school: School) -> None:
    world = control(school, "GET", "/world")
    assert world["platform"]["jwks_url"] == f"{school.url}/api/lti/security/jwks"
    assert world["courses"][0]["lti_context_id"] == school.course.lti_context_id
    assert {"teacher", "stranger", "account admin"} <= {user["role"] for user in world["users"]}
    assert "secret" not in str(world)


def test_control_gradebook_and_grade(school: School, item: r.LineItem) -> None:
    edit = {"assignment_id": item.assignment_id, "user_id": STUDENT, "grader_id": TEACHER}
    assert control(school, "POST", "/grade", **edit, grade="7.5")["entered_score"] == "7.5"
    cells = control(school, "GET", f"/courses/{COURSE}/gradebook")["cells"]
    mine = [row for row in cells if (row["user_id"], row["assignment_id"]) == (STUDENT, item.assignment_id)]
    assert [(row["score"], row["grader"]) for row in mine] == [("7.5", "person")]
    assert control(school, "POST", "/grade", **edit, excuse=True)["excused"] is True


def test_control_calls_and_faults(school: School) -> None:
    control(school, "DELETE", "/calls")
    control(school, "POST", "/faults", kind="error_after", method="POST", path="*/scores")
    school.call("GET", "/line_items")
    assert control(school, "GET", "/calls?method=GET&path=*/line_items")["count"] == 1
    assert len(control(school, "GET", "/faults")["faults"]) == 1
    assert control(school, "DELETE", "/faults")["faults"] == []


def test_control_clock_and_settings(school: School) -> None:
    assert control(school, "POST", "/clock", at="2026-03-01T00:00:00+00:00")["now"].startswith(
        "2026-03-01T00:00"
    )
    assert control(school, "POST", "/clock", advance=3600)["now"].startswith("2026-03-01T01:00")
    control(
        school,
        "POST",
        "/settings",
        latency_ms=5,
        throttle={"enabled": True},
        platform={"issuer": "https://x.example"},
    )
    assert (school.world.latency, school.platform.issuer) == (0.005, "https://x.example")


def test_control_course_change_and_evidence(school: School) -> None:
    assert control(school, "POST", f"/courses/{COURSE}/change", change="conclude")["message"]
    work = school.world.course_assignments(COURSE)[0]
    outcome = school.world.course_outcomes(COURSE)[0].outcome_id
    made = control(
        school, "POST", "/evidence", assignment_id=work.id, user_id=STUDENT, outcome_id=outcome, points="4"
    )
    assert school.world.results[made["id"]].score == 4


def test_control_launch_without_a_page(school: School) -> None:
    launch = control(school, "POST", "/launch", user_id=TEACHER, course_id=COURSE)
    browser = requests.Session()
    browser.cookies.update(launch["cookies"])
    answer = browser.request(launch["method"], launch["url"], data=launch["parameters"], timeout=SECONDS)
    assert "id_token" in answer.text
    token = control(school, "POST", "/id_token", user_id=TEACHER, course_id=COURSE, nonce="n")
    assert token["claims"]["nonce"] == "n" and token["claims"]["sub"] == school.world.users[TEACHER].lti_id
