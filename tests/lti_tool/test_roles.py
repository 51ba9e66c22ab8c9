"""Who is a teacher here: membership URIs to the letter, and what each role sees."""

from __future__ import annotations

import pytest
from django.test import Client

from lti_tool import claims as c
from lti_tool.models import LaunchRole, LaunchSession
from lti_tool.roles import role_of
from tests.people import MEMBERSHIP, PERSON, ROLES, launch, launch_as, new_platform

LIS = "http://purl.imsglobal.org/vocab/lis/v2"


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        (ROLES["teacher"], LaunchRole.TEACHER),
        (ROLES["ta"], LaunchRole.TEACHING_ASSISTANT),
        (ROLES["student"], LaunchRole.STUDENT),
        (ROLES["test_student"], LaunchRole.STUDENT),
        (ROLES["observer"], LaunchRole.OBSERVER),
        (ROLES["designer"], LaunchRole.DESIGNER),
        (ROLES["admin"], LaunchRole.ADMIN),
        (ROLES["nobody"], LaunchRole.OTHER),
        ([], LaunchRole.OTHER),
        (["Instructor"], LaunchRole.TEACHER),
        (["Learner"], LaunchRole.STUDENT),
        (["TeachingAssistant"], LaunchRole.TEACHING_ASSISTANT),
        ([f"{MEMBERSHIP}#Administrator"], LaunchRole.ADMIN),
        ([f"{LIS}/system/person#SysAdmin"], LaunchRole.ADMIN),
        ([f"{MEMBERSHIP}#Instructor", f"{MEMBERSHIP}#Learner"], LaunchRole.TEACHER),
        ([f"{MEMBERSHIP}#Instructor", *ROLES["test_student"]], LaunchRole.STUDENT),
        ([f"{MEMBERSHIP}#Learner", f"{PERSON}#Instructor"], LaunchRole.STUDENT),
        ([f"{PERSON}#Instructor"], LaunchRole.OTHER),
        ([f"{LIS}/person#Instructor"], LaunchRole.OTHER),
        (["http://purl.imsglobal.org/vocab/lis/v2evil/membership#Instructor"], LaunchRole.OTHER),
        ([f"{MEMBERSHIP}#instructor"], LaunchRole.OTHER),
        (["instructor"], LaunchRole.OTHER),
        ([f" {MEMBERSHIP}#Instructor"], LaunchRole.OTHER),
        ([f"{MEMBERSHIP}#Instructor#x"], LaunchRole.OTHER),
    ],
)
def test_roles_are_read_to_the_letter(roles: list[str], role: LaunchRole) -> None:
    assert role_of(roles) == role
    assert role_of(list(reversed(roles))) == role


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["student", "test_student", "observer", "designer"])
def test_who_does_not_grade_reads_a_page_and_reaches_no_staff_page(client: Client, role: str) -> None:
    opened = launch_as(client, role)
    assert "Mastery Gradebook" in opened.response.content.decode()
    assert client.get("/course/", **opened.headers).status_code == 403


@pytest.mark.django_db
def test_who_is_not_in_the_course_reads_a_page_and_gets_no_session(client: Client) -> None:
    response = launch(client, new_platform(), role="nobody")
    assert response.status_code == 200
    assert "no role in this course" in response.content.decode()
    assert LaunchSession.objects.count() == 0
    assert "lmg-session" not in response.cookies


@pytest.mark.django_db
def test_an_administrator_reads_the_self_check_and_nothing_of_the_course(client: Client) -> None:
    opened = launch_as(client, "admin")
    assert "as an administrator" in opened.response.content.decode()
    assert client.get("/course/check/", **opened.headers).status_code == 200
    for path in ("/course/", "/course/settings/", "/course/runs/"):
        assert client.get(path, **opened.headers).status_code == 403, path


@pytest.mark.django_db
def test_a_student_who_teaches_elsewhere_is_a_student_here(client: Client) -> None:
    claims = {c.ROLES: [f"{PERSON}#Instructor", f"{PERSON}#Administrator", f"{MEMBERSHIP}#Learner"]}
    assert launch_as(client, "student", claims=claims).session.role == "student"
