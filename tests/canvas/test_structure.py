"""Roster, course, assignments, schemes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from canvas.rest import DEFAULT_SCHEME, Rest
from canvas.schemes import NewScheme
from canvas.values import Assignment, Course
from lti_tool.errors import AccessLost, Incomplete, Refused
from tests.plugins.local_server import Answer, LocalServer, Seen

API = "/api/v1/courses/101"


def enrolment(user: int, **changes: Any) -> dict[str, Any]:
    return {
        "user_id": user,
        "course_section_id": 1,
        "enrollment_state": "active",
        "type": "StudentEnrollment",
        "user": {"id": user, "name": f"Student {user}", "sortable_name": f"{user}, Student"},
    } | changes


def test_two_enrolments_are_one_student_and_teachers_none(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", f"{API}/enrollments"] = Answer(
        [
            enrolment(1, enrollment_state="inactive"),
            enrolment(1, course_section_id=2),
            enrolment(2, type="StudentViewEnrollment"),
            enrolment(3, type="TeacherEnrollment"),
        ]
    )
    students = rest.students("101")
    assert set(students) == {"1", "2"}
    assert students["1"].states == {"active", "inactive"}
    assert students["1"].section_ids == {"1", "2"}
    assert students["2"].is_test_student
    assert server.seen[0].query["type[]"] == ["StudentEnrollment", "StudentViewEnrollment"]


def test_states_a_server_does_not_know_are_left_out(server: LocalServer, rest: Rest) -> None:
    def answer(seen: Seen) -> Answer:
        if "creation_pending" in seen.query["state[]"]:
            return Answer({"errors": [{"message": "Invalid state"}]}, 400)
        return Answer([enrolment(1)])

    server.routes["GET", f"{API}/enrollments"] = answer
    assert set(rest.students("101")) == {"1"}


def test_the_course_is_read_through_canvasapi_on_our_transport(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", API] = Answer(
        {
            "id": 101,
            "name": "2024",
            "account_id": 1,
            "root_account_id": 1,
            "workflow_state": "available",
            "concluded": True,
        }
    )
    course = rest.course("101")
    assert (course.name, course.concluded, course.account_id) == ("2024", True, "1")
    assert server.seen[0].headers["authorization"] == "Bearer old"
    assert server.seen[0].query["include[]"] == ["concluded", "grading_scheme", "permissions", "term"]


def test_another_course_in_the_answer_is_no_answer(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", API] = Answer({"id": 102, "name": "x"})
    with pytest.raises(Incomplete):
        rest.course("101")
    with pytest.raises(Refused):
        rest.course("$Canvas.course.id")


def test_what_decides_whether_an_assignment_can_be_graded(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", f"{API}/assignments"] = Answer(
        [
            {"id": 1, "name": "Essay", "points_possible": 10.5, "group_category_id": 4, "published": False},
            {
                "id": 2,
                "name": "Lab",
                "points_possible": None,
                "submission_types": ["none"],
                "moderated_grading": True,
            },
        ]
    )
    essay, lab = rest.assignments("101").values()
    assert (essay.points_possible, essay.graded_as_group, essay.published) == (Decimal("10.5"), True, False)
    assert (lab.points_possible, lab.submission_types, lab.moderated_grading) == (None, ("none",), True)


def test_closed_periods_or_no_word_of_them(server: LocalServer, rest: Rest) -> None:
    path = f"{API}/grading_periods"
    server.routes["GET", path] = Answer(
        {"grading_periods": [{"id": "1", "is_closed": True}, {"id": "2", "is_closed": False}]}
    )
    assert rest.closed_grading_periods("101") == {"1"}
    server.routes["GET", path] = Answer(
        {"errors": [{"message": "Insufficient scopes on access token."}]}, 401
    )
    assert rest.closed_grading_periods("101") is None


def scheme(number: int, **changes: Any) -> dict[str, Any]:
    entries = [{"name": "P", "value": 0.5}, {"name": "F", "value": 0}, {"name": "A", "value": 0.9}]
    return {"id": number, "title": f"Scheme {number}", "grading_scheme": entries} | changes


COURSE = Course("101", "c", account_id="5", root_account_id="1", grading_standard_id="8")


def test_the_scheme_that_applies(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", f"{API}/grading_standards"] = Answer([scheme(7)])
    server.routes["GET", "/api/v1/accounts/5/grading_standards"] = Answer([scheme(8, data=[["X", 1]])])
    server.routes["GET", "/api/v1/accounts/1/grading_standards"] = Answer(
        {"errors": [{"message": "no"}]}, 403
    )
    schemes = rest.grading_schemes(COURSE)
    own = Assignment("1", "a", None, grading_standard_id="7")
    other = Assignment("2", "b", None, grading_standard_id="9")
    found = schemes.applying_to(own, COURSE)
    assert found is not None
    assert [level.name for level in found.levels] == ["A", "P", "F"]
    course_scheme = schemes.applying_to(None, COURSE)
    assert course_scheme is not None
    assert course_scheme.id == "8"
    assert schemes.applying_to(other, COURSE) is None
    assert "account 1" in schemes.explanation


def test_without_any_choice_or_word_of_canvas_its_own_scheme_is_assumed(
    server: LocalServer, rest: Rest
) -> None:
    found = rest.grading_scheme(Course("101", "c"), None)
    assert found is not None and found.assumed and found.levels == DEFAULT_SCHEME.levels
    assert server.seen == []


DEFAULT_PAIRS = [[level.name, float(level.lower_bound)] for level in DEFAULT_SCHEME.levels]


@pytest.mark.parametrize(
    ("told", "title", "assumed"),
    [
        (DEFAULT_PAIRS, DEFAULT_SCHEME.title, False),
        ([["F", 0], ["A", 0.9]], "Your school's default scheme", False),
        (None, DEFAULT_SCHEME.title, True),
        ([], DEFAULT_SCHEME.title, True),
    ],
)
def test_a_course_that_chose_none_has_its_accounts_default(
    server: LocalServer, rest: Rest, told: Any, title: str, assumed: bool
) -> None:
    server.routes["GET", API] = Answer({"id": 101, "name": "c", "grading_scheme": told})
    course = rest.course("101")
    found = rest.grading_scheme(course, Assignment("1", "a", None))
    assert found is not None and (found.title, found.assumed) == (title, assumed)
    bounds = [level.lower_bound for level in found.levels]
    assert bounds == sorted(bounds, reverse=True)


def test_an_inherited_scheme_has_its_name_where_that_can_be_read(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", API] = Answer(
        {"id": 101, "name": "c", "account_id": 5, "grading_scheme": [["A", 0.9], ["P", 0.5], ["F", 0]]}
    )
    server.routes["GET", f"{API}/grading_standards"] = Answer([scheme(6)])
    server.routes["GET", "/api/v1/accounts/5/grading_standards"] = Answer(
        [scheme(8, context_type="Account", title="School letters")]
    )
    course = rest.course("101")
    found = rest.grading_schemes(course).applying_to(None, course)
    assert found is not None and (found.id, found.title) == ("8", "School letters")


def test_schemes_come_page_by_page(server: LocalServer, rest: Rest) -> None:
    """A newer Canvas pages them: the one that applies may stand on the last page of the account's."""
    path = "/api/v1/accounts/5/grading_standards"

    def page(seen: Seen) -> Answer:
        number = int(seen.query.get("page", ["1"])[0])
        following = f'<{server.url}{path}?page={number + 1}&per_page=2>; rel="next"'
        rows = [scheme(10 * number + one, context_type="Account") for one in range(2)]
        return Answer(rows, headers={"Link": following} if number < 4 else {})

    server.routes["GET", f"{API}/grading_standards"] = Answer([scheme(7)])
    server.routes["GET", path] = page
    known = rest.grading_schemes(Course("101", "c", account_id="5", grading_standard_id="41"))
    assert sorted(known.by_id) == sorted(["7", "10", "11", "20", "21", "30", "31", "40", "41"])
    assert len(server.calls("GET", path)) == 4


def test_older_schemes_are_pairs(server: LocalServer, rest: Rest) -> None:
    old = {"id": 7, "title": "old", "data": [["A", 0.9], ["F", 0]]}
    server.routes["GET", f"{API}/grading_standards"] = Answer([old])
    schemes = rest.grading_schemes(Course("101", "c"))
    found = schemes.find("7")
    assert found is not None
    assert [(level.name, level.lower_bound) for level in found.levels] == [
        ("A", Decimal("0.9")),
        ("F", Decimal(0)),
    ]


def test_a_lost_account_is_not_taken_for_a_small_right(server: LocalServer, rest: Rest) -> None:
    expired = Answer({"errors": [{"message": "Invalid access token."}]}, 401, {"WWW-Authenticate": "Bearer"})
    server.routes["GET", f"{API}/grading_periods"] = expired
    server.routes["POST", "/login/oauth2/token"] = Answer(
        {"error": "invalid_request", "error_description": "refresh_token not found"}, 400
    )
    with pytest.raises(AccessLost) as caught:
        rest.closed_grading_periods("101")
    assert caught.value.code == "revoked"


def test_a_new_scheme_is_sent_with_exact_percentages(server: LocalServer, rest: Rest) -> None:
    server.routes["POST", f"{API}/grading_standards"] = Answer(scheme(9, points_based=True))
    new = NewScheme("Mine", (("Got it", Decimal("62.5")), ("Not yet", Decimal(0))), top_points=Decimal(4))
    assert rest.create_grading_scheme("101", new).points_based
    assert server.seen[-1].json() == {
        "title": "Mine",
        "grading_scheme_entry": [{"name": "Got it", "value": "62.5"}, {"name": "Not yet", "value": "0"}],
        "points_based": True,
        "scaling_factor": "4",
    }


def test_what_canvas_finds_wrong_with_a_new_scheme_has_its_own_code(server: LocalServer, rest: Rest) -> None:
    said = {"errors": {"data": [{"message": "grading schemes must have 0% for the lowest grade"}]}}
    server.routes["POST", f"{API}/grading_standards"] = Answer(said, 400)
    with pytest.raises(Refused) as caught:
        rest.create_grading_scheme("101", NewScheme("Mine", (("A", Decimal(90)),)))
    assert caught.value.code == "scheme_no_zero"
