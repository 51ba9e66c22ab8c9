"""The order of checks on every LTI Advantage call: rows G1 to G16 over HTTP, and the members service."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests

from sandbox import records as r
from sandbox.lti import vocabulary as v
from tests.sandbox.school import COURSE, OBSERVER, SECONDS, STUDENT, TA, TEACHER, TOOL, School, open_school

PLACES = {
    "ags": ("/line_items", (v.SCOPE_LINE_ITEM_READ,)),
    "nrps": ("/names_and_roles", (v.SCOPE_MEMBERS,)),
}


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> tuple[str, tuple[str, ...]]:
    return PLACES[request.param]


def answer_to(school: School, place: tuple[str, tuple[str, ...]], token: str) -> tuple[int, str]:
    """Status and message; an empty message when all is well."""
    answer = school.call("GET", place[0], token=token)
    body = answer.json()
    errors = body.get("errors", {}) if isinstance(body, dict) else {}
    if errors:
        assert answer.headers["Content-Type"].startswith("application/json")
    return answer.status_code, errors.get("message", "") if isinstance(errors, dict) else ""


Place = tuple[str, tuple[str, ...]]
FIELDS = "Invalid access token field/s: "


def test_g1_no_token(school: School, place: Place) -> None:
    assert answer_to(school, place, "") == (401, "Missing access token")


def test_g2_gibberish(school: School, place: Place) -> None:
    assert answer_to(school, place, "gibberish") == (401, "Invalid access token format")


def test_g3_wrong_signature(school: School, place: Place) -> None:
    forged = jwt.encode({"sub": "1"}, "y" * 40, algorithm="HS256")
    assert answer_to(school, place, forged) == (401, "Access token invalid - signature likely incorrect")


def test_g4_scope_missing(school: School, place: Place) -> None:
    assert answer_to(school, place, school.token(v.SCOPE_SCORE)) == (401, "Insufficient permissions")


def test_g5_claims_missing(school: School, place: Place) -> None:
    bare = jwt.encode({"scopes": ""}, school.platform.secret, algorithm="HS256")
    missing = "the following assertions are missing: sub,aud,exp,iat,jti,iss"
    assert answer_to(school, place, bare) == (401, FIELDS + missing)


def test_g6_foreign_aud(school: School, place: Place) -> None:
    token = school.token(token_url="https://other.example/login/oauth2/token")
    assert answer_to(school, place, token) == (401, FIELDS + "the 'aud' is invalid")


def test_g7_universal_host(school: School, place: Place) -> None:
    token = school.token(token_url="https://canvas.instructure.com/login/oauth2/token")
    assert answer_to(school, place, token) == (200, "")


def test_g8_expired(school: School, place: Place) -> None:
    assert answer_to(school, place, school.token(issued_at=time.time() - 7200)) == (
        401,
        "Access token expired",
    )


@pytest.mark.parametrize(
    ("shift", "text"),
    [(3600, "the 'iat' must not be in the future"), (-7200, "the 'iat' must be less than 3600 seconds old")],
    ids=["G9-future", "G9-old"],
)
def test_iat(school: School, place: Place, shift: int, text: str) -> None:
    now = time.time()
    claims = {
        "sub": school.key.client_id, "aud": f"{school.url}/login/oauth2/token", "iss": "x", "jti": "1",
        "iat": now + shift, "exp": now + 60, "scopes": " ".join(school.key.scopes),
    }  # fmt: skip
    token = jwt.encode(claims, school.platform.secret, algorithm="HS256")
    assert answer_to(school, place, token) == (401, FIELDS + text)


@pytest.mark.parametrize("kind", ["inactive", "deleted"], ids=lambda kind: f"G10-{kind}")
def test_key_gone(school: School, place: Place, kind: str) -> None:
    token = school.token()
    if kind == "deleted":
        del school.world.keys[school.key.id]
    else:
        school.key.active = False
    assert answer_to(school, place, token) == (401, "Unknown or inactive Developer Key")


def test_g11_key_off_in_the_account(school: School, place: Place) -> None:
    school.key.enabled = False
    assert answer_to(school, place, school.token()) == (401, "Invalid Developer Key")


@pytest.mark.parametrize("kind", ["uninstalled", "sibling", "child"], ids=lambda kind: f"G12-{kind}")
def test_tool_out_of_reach(school: School, place: Place, kind: str) -> None:
    school.world.tools[TOOL].deleted = True
    if kind != "uninstalled":
        account = r.Account(school.world.new_id(), kind, parent_id=1)
        school.world.accounts[account.id] = account
        school.world.install_tool(school.key, account)
    text = "Access Token not linked to a Tool associated with this Context"
    assert answer_to(school, place, school.token()) == (401, text)


def test_g13_tool_at_the_root(school: School, place: Place) -> None:
    world = school.world
    world.tools[TOOL].deleted = True
    world.install_tool(school.key, world.accounts[1])
    for number, parent in ((901, 1), (902, 901)):
        world.accounts[number] = r.Account(number, f"Account {number}", parent_id=parent)
    school.course.account_id = 902
    assert answer_to(school, place, school.token()) == (200, "")


def test_g14_the_courses_own_tool_wins(school: School) -> None:
    school.world.install_tool(school.key, school.world.accounts[1])
    item = school.add_item()
    school.score(item, 5, 10)
    assert school.submission(item).grader_id == -TOOL


@pytest.mark.parametrize("kind", ["unknown", "deleted"], ids=lambda kind: f"G15-{kind}")
def test_course_gone(school: School, place: Place, kind: str) -> None:
    token = school.token()
    if kind == "deleted":
        school.course.workflow_state = "deleted"
        assert answer_to(school, place, token) == (404, "Context is deleted or not found")
    else:
        answer = school.call("GET", f"{school.url}/api/lti/courses/9{place[0]}", token=token)
        assert answer.status_code == 404
        assert answer.json() == {"errors": [{"message": "The specified resource does not exist."}]}


def test_g16_crash(school: School, place: Place) -> None:
    school.world.faults.add("error_before", path="/api/lti/*")
    assert school.call("GET", place[0]).status_code == 500


def test_token_faults(school: School, place: Place) -> None:
    school.world.faults.add("expired", path="/api/lti/*")
    assert answer_to(school, place, school.token()) == (401, "Access token expired")
    assert answer_to(school, place, school.token()) == (200, "")


def test_wrong_algorithm(school: School, place: Place) -> None:
    token = jwt.encode({"sub": "1"}, school.platform.secret, algorithm="HS512")
    assert answer_to(school, place, token) == (401, "Access token signature algorithm not allowed")


# --- members ------------------------------------------------------------------------------------


def members(school: School, **query: Any) -> list[dict[str, Any]]:
    answer = school.call("GET", "/names_and_roles", params=query)
    assert answer.headers["Content-Type"].startswith(v.MEMBERS_TYPE)
    found: list[dict[str, Any]] = answer.json()["members"]
    return found


def test_n1_roles(school: School) -> None:
    roles = {member["user_id"]: member["roles"] for member in members(school)}
    users = school.world.users
    assert roles[users[TEACHER].lti_id] == [v.INSTRUCTOR]
    assert roles[users[TA].lti_id] == sorted([v.INSTRUCTOR, v.TEACHING_ASSISTANT])
    assert roles[users[OBSERVER].lti_id] == [v.MENTOR]


def test_n3_departures_show_by_absence(school: School) -> None:
    for enrollment in school.world.user_enrollments(STUDENT, COURSE):
        enrollment.state = "inactive"
    assert school.world.users[STUDENT].lti_id not in {member["user_id"] for member in members(school)}


def test_n4_pages(school: School) -> None:
    token, url, seen = (
        school.token(),
        f"{school.url}/api/lti/courses/{COURSE}/names_and_roles?limit=3&per_page=9",
        [],
    )
    while url:
        answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=SECONDS)
        seen += [len(answer.json()["members"])]
        url = answer.links.get("next", {}).get("url", "")
    assert sum(seen) == len(members(school)) and set(seen[:-1]) == {3}


def test_n7_role_filter(school: School) -> None:
    found = {member["user_id"] for member in members(school, role=v.INSTRUCTOR)}
    assert found == {school.world.users[number].lti_id for number in (TEACHER, TA)}
    assert members(school, role="nonsense") == []


def test_n10_numeric_ids_through_rlid(school: School) -> None:
    school.key.custom_fields = {"canvas_user_id": "$Canvas.user.id", "roles": "$Canvas.membership.roles"}
    rows = members(school, rlid=school.course.lti_context_id)
    customs = [row["message"][0][v.LTI + "custom"] for row in rows]
    assert str(STUDENT) in {custom["canvas_user_id"] for custom in customs}
    assert {custom["roles"] for custom in customs} == {"$Canvas.membership.roles"}
    assert "message" not in members(school)[0]


def test_n12_nonsense_rlid(school: School) -> None:
    answer = school.call("GET", "/names_and_roles", params={"rlid": "nonsense"})
    assert (answer.status_code, answer.json()["errors"]["message"]) == (400, "Invalid 'rlid' parameter")
