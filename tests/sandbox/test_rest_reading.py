"""Rows 121 to 124 of the REST table, and what the structure listings say to whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.sandbox.rest_client import ADMIN, DESIGNER, NOON, OBSERVER, STRANGER, TA, TEACHER, Canvas

Open = Callable[..., Canvas]
ALL = {"student_ids[]": "all"}


def follow(canvas: Canvas, first: requests.Response) -> list[dict[str, Any]]:
    """All items of a list by its ``next`` links."""
    items, page = list(first.json()), first
    while "next" in page.links:
        page = canvas.http.get(
            page.links["next"]["url"], headers={"Authorization": first.request.headers["Authorization"]}
        )
        items += page.json()
    return items


def test_row_121_too_many_students(canvas: Canvas) -> None:
    answer = canvas.get("./students/submissions", **{"student_ids[]": list(range(150))})
    assert (answer.status_code, answer.json()) == (400, {"error": "too many students"})


def test_row_122_one_unpublished_assignment(canvas: Canvas) -> None:
    draft = canvas.assignment(published=False)
    answer = canvas.get("./students/submissions", **ALL, **{"assignment_ids[]": draft.id})
    assert (answer.status_code, answer.json()) == (403, {"error": "invalid assignment ids requested"})


def test_row_123_bookmarks_not_numbers(canvas: Canvas) -> None:
    first = canvas.get("./students/submissions", **ALL, per_page=10)
    typed = canvas.get("./students/submissions", **ALL, per_page=10, page=2)
    assert "page=bookmark%3A" in first.links["next"]["url"]
    assert "last" not in first.links
    assert typed.json() == first.json()


def test_row_123_following_next_sees_every_row_once(canvas: Canvas) -> None:
    rows = follow(canvas, canvas.get("./students/submissions", **ALL, per_page=7))
    assignments = [one for one in canvas.world.course_assignments(101) if one.published]
    assert len({row["id"] for row in rows}) == len(rows) == 6 * len(assignments)


def test_row_123_bookmarks_are_case_sensitive(canvas: Canvas) -> None:
    first = canvas.get("./students/submissions", **ALL, per_page=10)
    other = first.links["next"]["url"].replace("bookmark%3A", "BOOKMARK%3A")
    again = canvas.http.get(other, headers={"Authorization": first.request.headers["Authorization"]})
    assert again.json() == first.json()


def test_row_124_no_link_header_when_the_query_is_too_long(open_canvas: Open) -> None:
    canvas = open_canvas("large")
    outcomes = [3001] * 300
    answer = canvas.rollups(outcome_ids=outcomes, sort_by="student")
    assert answer.status_code == 200
    assert "Link" not in answer.headers
    assert "next" in answer.json()["meta"]["pagination"]


def test_link_header_and_its_order(open_canvas: Open) -> None:
    answer = open_canvas("large").get("./enrollments", page=2, access_token="x")
    rels = [part.split('rel="')[1].rstrip('"') for part in answer.headers["Link"].split(",")]
    assert rels == ["current", "next", "prev", "first", "last"]
    assert "access_token" not in answer.headers["Link"]


def test_a_page_past_the_end_is_empty(canvas: Canvas) -> None:
    answer = canvas.get("./sections", page=50)
    assert (answer.status_code, answer.json()) == (200, [])


def test_grouped_by_student(open_canvas: Open) -> None:
    canvas = open_canvas("two-sections")
    groups = canvas.get("./students/submissions", **ALL, grouped="false", per_page=4).json()
    assert len(groups) == 4
    assert groups[0]["user_id"] == 1001
    assert groups[0]["sis_user_id"] == "S1001"
    assert len({row["assignment_id"] for row in groups[0]["submissions"]}) == len(groups[0]["submissions"])


def test_without_ids_only_the_caller(canvas: Canvas) -> None:
    own = canvas.get("./students/submissions", 1001, per_page=100).json()
    assert {row["user_id"] for row in own} == {1001}
    assert canvas.get("./students/submissions", TEACHER).json() == []


def test_one_invisible_student_refuses_all(canvas: Canvas) -> None:
    ids = {"student_ids[]": [1001, 1002]}
    assert canvas.get("./students/submissions", 1001, **ids).status_code == 403
    assert canvas.get("./students/submissions", OBSERVER, **ids).status_code == 403
    assert canvas.get("./students/submissions", OBSERVER, **{"student_ids[]": [1001]}).status_code == 200


def test_a_limited_teacher_sees_the_own_section(open_canvas: Open) -> None:
    canvas = open_canvas("two-sections")
    rows = canvas.get("./students/submissions", 17, **ALL, per_page=100).json()
    assert {row["user_id"] for row in rows} == {1001, 1002, 1004, 1005, 1006}
    assert [one["id"] for one in canvas.get("./sections", 17).json()] == [702]
    assert len(canvas.rollups(17).json()["rollups"]) == len(canvas.rollups().json()["rollups"])


def test_filters_by_time_need_iso_8601(canvas: Canvas) -> None:
    essay = canvas.assignment()
    canvas.put(essay, 1001, submission={"posted_grade": "5"})
    since = (NOON - timedelta(hours=1)).isoformat()
    rows = canvas.get("./students/submissions", **ALL, graded_since=since).json()
    assert [row["user_id"] for row in rows] == [1001]
    assert canvas.get("./students/submissions", **ALL, graded_since="yesterday").status_code == 400


def test_fields_can_be_trimmed(canvas: Canvas) -> None:
    rows = canvas.get("./students/submissions", **ALL, **{"response_fields[]": ["user_id", "score"]}).json()
    assert set(rows[0]) == {"user_id", "score"}


def test_one_assignments_submissions_are_active_students_only(open_canvas: Open) -> None:
    canvas = open_canvas("rollups-06")
    essay = canvas.assignment()
    rows = canvas.get(f"./assignments/{essay.id}/submissions").json()
    assert [row["user_id"] for row in rows] == [2501, 2506]


def test_enrolments_carry_the_user(canvas: Canvas) -> None:
    rows = canvas.get("./enrollments", **{"type[]": "StudentEnrollment", "per_page": 100}).json()
    assert len(rows) == 6
    assert rows[0]["user"]["sortable_name"] == "Lindqvist, Ada"
    assert (rows[0]["course_section_id"], rows[0]["enrollment_state"]) == (701, "active")


def test_enrolment_states(open_canvas: Open) -> None:
    canvas = open_canvas("rollups-06")
    student = {"type[]": ["StudentEnrollment", "StudentViewEnrollment"]}
    default = canvas.get("./enrollments", **student).json()
    asked = canvas.get("./enrollments", **student, **{"state[]": ["inactive", "completed"]}).json()
    assert {row["enrollment_state"] for row in default} == {"active", "invited"}
    assert {row["user_id"] for row in asked} == {2502, 2503}


def test_links_give_the_full_outcome_with_any_style(canvas: Canvas) -> None:
    short = canvas.get("./outcome_group_links").json()[0]
    full = canvas.get("./outcome_group_links", outcome_style="full").json()[0]
    assert "ratings" not in short["outcome"]
    assert full["outcome"]["ratings"][0] == {"description": "Exceeds Mastery", "points": 4}
    assert full["outcome_group"]["title"] == "Unit 1 Linear relationships"


def test_the_root_group_has_no_parent(canvas: Canvas) -> None:
    groups = canvas.get("./outcome_groups").json()
    roots = [group for group in groups if "parent_outcome_group" not in group]
    assert [group["title"] for group in roots] == ["Algebra I"]


def test_assignments_by_group(canvas: Canvas) -> None:
    groups = canvas.get("./assignment_groups", **{"include[]": "assignments"}).json()
    mastery = next(group for group in groups if group["name"] == "Mastery")
    assert [one["name"] for one in mastery["assignments"]][:2] == [
        "1.1 Linear models",
        "1.2 Systems of equations",
    ]
    evidence = next(group for group in groups if group["name"] == "Evidence")
    assert evidence["assignments"][0]["rubric"][0]["outcome_id"] == 601


def test_a_teacher_makes_and_changes_an_assignment(canvas: Canvas) -> None:
    given = {"assignment": {"name": "Quiz", "points_possible": 5, "published": True}}
    made = canvas.call("POST", "./assignments", json=given)
    assert (made.status_code, made.json()["published"]) == (201, True)
    changed = canvas.call(
        "PUT", f"./assignments/{made.json()['id']}", json={"assignment": {"points_possible": "7.5"}}
    )
    assert changed.json()["points_possible"] == 7.5
    assert canvas.call("POST", "./assignments", 1001, json=given).status_code == 403
    assert canvas.call("POST", "./assignments", json={"assignment": {"name": ""}}).status_code == 400


@pytest.mark.parametrize(
    ("who", "read", "grade", "roster"),
    [
        (TEACHER, 200, True, 200),
        (TA, 200, True, 200),
        (DESIGNER, 200, False, 200),
        (ADMIN, 200, True, 200),
        (1001, 200, False, 200),
        (OBSERVER, 200, False, 403),
        (STRANGER, 403, False, 403),
    ],
)
def test_who_may_what(canvas: Canvas, who: int, read: int, grade: bool, roster: int) -> None:
    assert canvas.get("courses/101", who).status_code == read
    rights = canvas.get("./permissions", who, **{"permissions[]": "manage_grades"}).json()
    assert rights == {"manage_grades": grade}
    assert canvas.get("./enrollments", who).status_code == roster


def test_the_course_and_its_includes(open_canvas: Open) -> None:
    canvas = open_canvas("concluded")
    plain, full = (
        canvas.get("courses/101").json(),
        canvas.get("courses/101", **{"include[]": ["concluded", "term"]}).json(),
    )
    assert "concluded" not in plain
    assert (full["concluded"], full["workflow_state"], full["term"]["id"]) == (True, "completed", 1)


@pytest.mark.parametrize("name", ["lti_context_id", "uuid"])
def test_other_spellings_of_a_course(canvas: Canvas, name: str) -> None:
    assert canvas.get(f"courses/{name}:{getattr(canvas.course, name)}").json()["id"] == 101


@pytest.mark.parametrize("path", ["courses/9", "outcomes/9", "progress/9", "./assignments/9", "planets"])
def test_unknown_things_are_404(canvas: Canvas, path: str) -> None:
    answer = canvas.get(path)
    message = "The specified resource does not exist."
    assert (answer.status_code, answer.json()) == (404, {"errors": [{"message": message}]})


def test_row_101_schemes_of_the_account_are_not_the_courses(open_canvas: Open) -> None:
    canvas = open_canvas("account-scales")
    assert canvas.get("./grading_standards").json() == []
    (scheme,) = canvas.get("accounts/1/grading_standards").json()
    assert scheme["grading_scheme"][0] == {"name": "A", "value": 0.9, "calculated_value": 90.0}


def test_who_am_i(canvas: Canvas) -> None:
    assert canvas.get("users/self").json()["id"] == TEACHER
    assert canvas.get("users/1001", 1002).status_code == 403


def test_ids_beyond_what_a_double_holds(open_canvas: Open) -> None:
    canvas = open_canvas("global-ids")
    teacher = canvas.course.id - 101 + TEACHER
    body = canvas.rollups(teacher, include=["outcomes"]).json()
    assert body["linked"]["outcomes"][0]["id"] == 10_210_000_000_000_601
    assert body["rollups"][0]["links"]["user"] == "10210000000001001"


def test_a_string_id_answer(canvas: Canvas) -> None:
    accept = {"Accept": "application/json+canvas-string-ids"}
    row = canvas.call("GET", "./enrollments", headers=accept).json()[0]
    assert (row["user_id"], row["user"]["id"], row["course_section_id"]) == ("11", "11", "701")
