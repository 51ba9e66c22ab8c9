"""What the id_token says: claims, roles, custom fields, privacy, keys (lti.md 2 and 1.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests

from sandbox import records as r
from sandbox.lti import vocabulary as v
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
    TOOL,
    School,
    open_school,
)  # fmt: skip


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


def claims_of(school: School, user_id: int) -> dict[str, Any]:
    """The verified claims of a launch, with the key fetched from the platform's JWKS."""
    token = school.launch(user_id)["id_token"]
    keys = jwt.PyJWKClient(f"{school.url}/api/lti/security/jwks")
    claims: dict[str, Any] = jwt.decode(
        token, keys.get_signing_key_from_jwt(token).key, algorithms=["RS256"], audience=school.key.client_id
    )
    return claims


def test_claims_of_a_course_navigation_launch(school: School) -> None:
    claims, teacher = claims_of(school, TEACHER), school.world.users[TEACHER]
    assert (claims["iss"], claims["azp"], claims["sub"]) == (
        "https://canvas.instructure.com", school.key.client_id, teacher.lti_id,
    )  # fmt: skip
    assert claims["exp"] - claims["iat"] == 3600
    assert claims[v.LTI + "message_type"] == "LtiResourceLinkRequest"
    assert claims[v.LTI + "version"] == "1.3.0"
    assert claims[v.LTI + "deployment_id"] == f"{TOOL}:{school.course.lti_context_id}"
    assert claims[v.LTI + "context"]["id"] == school.course.lti_context_id
    assert claims[v.LTI + "resource_link"]["id"] == school.course.lti_context_id
    assert claims[v.LTI + "launch_presentation"]["document_target"] == "iframe"
    assert claims[v.LTI + "tool_platform"]["product_family_code"] == "canvas"
    assert claims[v.LTI + "lti11_legacy_user_id"] == teacher.legacy_id
    assert claims[v.INSTRUCTURE + "placement"] == "course_navigation"


def test_service_claims(school: School) -> None:
    school.platform.services_url = "https://school.instructure.example"
    claims = claims_of(school, TEACHER)
    base = f"https://school.instructure.example/api/lti/courses/{COURSE}"
    assert claims[v.AGS_CLAIM]["lineitems"] == f"{base}/line_items"
    assert "lineitem" not in claims[v.AGS_CLAIM]
    assert set(claims[v.AGS_CLAIM]["scope"]) <= set(v.AGS_SCOPES)
    assert claims[v.NRPS_CLAIM]["context_memberships_url"] == f"{base}/names_and_roles"


def test_no_service_claims_without_scopes(school: School) -> None:
    school.key.scopes = []
    claims = claims_of(school, TEACHER)
    assert v.AGS_CLAIM not in claims and v.NRPS_CLAIM not in claims


def test_noise_and_inner_nulls(school: School) -> None:
    claims = claims_of(school, TEACHER)
    assert claims[v.LTI + "context"]["validation_context"] is None
    assert claims[v.LTI + "context"]["errors"] == {"errors": {}}
    assert claims[v.LTI + "resource_link"]["description"] is None
    assert claims[v.LTI + "lis"]["course_offering_sourcedid"] is None


@pytest.mark.parametrize(
    ("user_id", "roles"),
    [
        (TEACHER, {v.INSTRUCTOR}),
        (TA, {v.TEACHING_ASSISTANT, v.INSTRUCTOR}),
        (DESIGNER, {v.CONTENT_DEVELOPER}),
        (OBSERVER, {v.MENTOR}),
        (STUDENT, {v.LEARNER}),
        (ADMIN, set()),
    ],
    ids=["teacher", "ta", "designer", "observer", "student", "admin"],
)
def test_membership_roles(school: School, user_id: int, roles: set[str]) -> None:
    held = claims_of(school, user_id)[v.LTI + "roles"]
    assert {role for role in held if "membership" in role} == roles
    assert held == sorted(held) and v.SYSTEM_USER in held
    assert (v.INSTITUTION_ADMINISTRATOR in held) == (user_id == ADMIN)


def test_test_student_has_both_roles(school: School) -> None:
    section = next(iter(school.world.sections.values()))
    student = school.world.add_user("Test Student")
    school.world.enroll(student, section, r.TEST_STUDENT)
    held = claims_of(school, student.id)[v.LTI + "roles"]
    assert {v.LEARNER, v.TEST_USER} <= set(held)


def test_institution_roles_come_from_anywhere(school: School) -> None:
    other = school.world.add_course("Elsewhere")
    school.world.enroll(school.world.users[STUDENT], school.world.add_section(other.id, "X"), r.TEACHER)
    held = claims_of(school, STUDENT)[v.LTI + "roles"]
    assert v.INSTITUTION_INSTRUCTOR in held and v.INSTRUCTOR not in held


def test_stranger_cannot_open_the_tool(school: School) -> None:
    page = school.browser(STRANGER).get(
        f"{school.url}/courses/{COURSE}/external_tools/{TOOL}", timeout=SECONDS
    )
    assert page.status_code == 403


def test_custom_fields(school: School) -> None:
    school.key.custom_fields = {
        "course": "$Canvas.course.id",
        "user": "$Canvas.user.id",
        "domain": "$Canvas.api.domain",
        "sections": "$Canvas.course.sectionIds",
        "names": "$com.instructure.User.sectionNames",
        "roles": "$Canvas.membership.roles",
        "may": "$Canvas.membership.permissions<manage_grades,manage_courses>",
        "sis": "$Canvas.user.sisSourceId",
        "unknown": "$Canvas.no.such.thing",
        "plain": "text",
    }
    custom = claims_of(school, TA)[v.LTI + "custom"]
    assert custom == {
        "course": str(COURSE),
        "user": str(TA),
        "domain": school.url.removeprefix("http://"),
        "sections": "701",
        "names": '["Section A"]',
        "roles": "TaEnrollment",
        "may": "manage_grades",
        "sis": "$Canvas.user.sisSourceId",
        "unknown": "$Canvas.no.such.thing",
        "plain": "text",
    }


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("anonymous", set()),
        ("name_only", {"name", "given_name", "family_name"}),
        ("email_only", {"email"}),
        ("public", {"name", "given_name", "family_name", "email", "picture"}),
    ],
)
def test_privacy_levels(school: School, level: str, shown: set[str]) -> None:
    school.key.privacy_level = level
    claims = claims_of(school, TEACHER)
    assert {"name", "given_name", "family_name", "email", "picture"} & set(claims) == shown
    assert claims["sub"] and claims[v.LTI + "custom"]["canvas_user_id"] == str(TEACHER)


def test_observers_students_are_named_when_public(school: School) -> None:
    claims = claims_of(school, OBSERVER)
    assert claims[v.LTI + "role_scope_mentor"] == [school.world.users[STUDENT].lti_id]


def test_jwks_has_three_cacheable_keys(school: School) -> None:
    answer = requests.get(f"{school.url}/api/lti/security/jwks", timeout=SECONDS)
    keys = answer.json()["keys"]
    assert [set(key) for key in keys] == [{"kid", "kty", "alg", "e", "n", "use"}] * 3
    assert "max-age=864000" in answer.headers["Cache-Control"]


def test_rotation_signs_with_the_next_key(school: School) -> None:
    before = jwt.get_unverified_header(school.launch(TEACHER)["id_token"])["kid"]
    future = school.platform.keys.future.kid
    requests.post(f"{school.url}/_sandbox/rotate_keys", timeout=SECONDS)
    after = jwt.get_unverified_header(school.launch(TEACHER)["id_token"])["kid"]
    assert before != after == future
    assert claims_of(school, TEACHER)["sub"]
