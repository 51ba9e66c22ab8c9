"""Sessions: by header or hidden field, by cookie only for reading, for two hours idle and ten in all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path
from django.utils import timezone

from lti_tool import lti_urls, sessions
from lti_tool.models import Deployment, LaunchSession, Registration
from tests.people import TOOL, Opened, launch_as, new_platform


def probe(request: sessions.LaunchRequest) -> HttpResponse:
    return HttpResponse(f"{request.role} {request.context.context_id} {request.person.canvas_user_id}")


urlpatterns = [
    path("any", sessions.launched(probe)),
    path("staff", sessions.staff_required(probe)),
    path("", include(lti_urls)),
]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture(autouse=True)
def no_landing(settings: Any) -> None:
    """Teachers get the visitors' page: these tests are about sessions only."""
    settings.LANDING_PATHS = {}


@pytest.fixture
def teacher(client: Client) -> Opened:
    return launch_as(client, "teacher")


def test_the_header_opens_pages_for_staff(client: Client, teacher: Opened) -> None:
    assert client.get("/staff", **teacher.headers).content == b"teacher c77 7"
    assert client.post("/staff", **teacher.headers).status_code == 200


def test_the_hidden_field_opens_a_form_post(teacher: Opened) -> None:
    assert Client().post("/staff", {"session_token": teacher.token}).status_code == 200


def test_the_cookie_reads_but_never_changes(client: Client, teacher: Opened) -> None:
    assert client.get("/staff").status_code == 200
    assert client.post("/staff").status_code == 401


@pytest.mark.parametrize("token", ["", "made-up", "x" * 10_000])
def test_without_a_session_nothing_opens(teacher: Opened, token: str) -> None:
    for address in ("/any", "/staff"):
        response = Client().get(address, HTTP_AUTHORIZATION=f"Bearer {token}")
        assert response.status_code == 401
        assert b"Open this tool from Canvas" in response.content


def test_a_bad_header_does_not_fall_back_to_the_cookie(client: Client, teacher: Opened) -> None:
    assert client.get("/staff", HTTP_AUTHORIZATION="Bearer made-up").status_code == 401


def test_a_student_opens_what_all_may_and_not_what_staff_may(client: Client) -> None:
    student = launch_as(client, "student")
    assert client.get("/any", **student.headers).status_code == 200
    refused = client.get("/staff", **student.headers)
    assert (refused.status_code, b"This page is for teachers" in refused.content) == (403, True)


def test_a_teaching_assistant_is_staff(client: Client) -> None:
    assert client.get("/staff", **launch_as(client, "ta").headers).status_code == 200


def test_two_courses_in_two_tabs_keep_to_themselves(client: Client, teacher: Opened) -> None:
    other = launch_as(client, "teacher", teacher.platform, context="c78")
    assert client.get("/any", **teacher.headers).content == b"teacher c77 7"
    assert client.get("/any", **other.headers).content == b"teacher c78 7"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"HTTP_ORIGIN": TOOL}, 200),
        ({"HTTP_SEC_FETCH_SITE": "same-origin"}, 200),
        ({"HTTP_ORIGIN": "https://evil.test"}, 403),
        ({"HTTP_ORIGIN": "null"}, 403),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, 403),
        ({"HTTP_SEC_FETCH_SITE": "same-site"}, 403),
    ],
)
def test_changes_come_from_our_own_pages(
    client: Client, teacher: Opened, headers: dict[str, str], status: int
) -> None:
    assert client.post("/staff", {"session_token": teacher.token}, **headers).status_code == status


def test_a_session_ends_after_two_idle_hours(client: Client, teacher: Opened) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(3):
            clock.shift(timedelta(minutes=110))
            assert client.get("/any", **teacher.headers).status_code == 200
        clock.shift(timedelta(minutes=121))
        assert client.get("/any", **teacher.headers).status_code == 401


def test_a_session_ends_after_ten_hours_however_busy(client: Client, teacher: Opened) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(5):
            clock.shift(timedelta(minutes=115))
            assert client.get("/any", **teacher.headers).status_code == 200
        clock.shift(timedelta(minutes=30))
        assert client.get("/any", **teacher.headers).status_code == 401


def test_sessions_that_are_over_are_deleted_at_the_next_launch(
    client: Client, teacher: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Once a minute in a process: another test's launch may have been in that very minute.
    monkeypatch.setattr(sessions, "_tidied", [timezone.now()])
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        launch_as(client, "student", teacher.platform)
    assert LaunchSession.objects.count() == 1


@pytest.mark.parametrize("model", [Registration, Deployment])
def test_switching_off_ends_open_sessions(client: Client, teacher: Opened, model: Any) -> None:
    model.objects.update(is_active=False)
    assert client.get("/any", **teacher.headers).status_code == 401


def test_each_launch_starts_a_session_of_its_own(client: Client, teacher: Opened) -> None:
    assert launch_as(client, "teacher", teacher.platform).token != teacher.token
    assert LaunchSession.objects.count() == 2


def test_signing_out_ends_the_session_and_its_tickets(client: Client, teacher: Opened) -> None:
    ticket = sessions.issue_ticket(teacher.session, "consent")
    response = client.post("/lti/signout", {"session_token": teacher.token})
    assert (response.status_code, b"You are signed out" in response.content) == (200, True)
    assert client.get("/any", **teacher.headers).status_code == 401
    assert client.get("/any").status_code == 401
    assert sessions.redeem_ticket(ticket, "consent") is None
    assert LaunchSession.objects.count() == 0


def test_signing_out_needs_a_session_and_a_post(client: Client, teacher: Opened) -> None:
    assert Client().post("/lti/signout").status_code == 401
    assert client.get("/lti/signout", **teacher.headers).status_code == 405


def test_a_ticket_works_once_for_its_purpose_and_a_minute(teacher: Opened) -> None:
    session = teacher.session
    ticket = sessions.issue_ticket(session, "consent")
    assert sessions.redeem_ticket(ticket, "download") is None
    assert sessions.redeem_ticket(ticket, "consent") == session
    assert sessions.redeem_ticket(ticket, "consent") is None
    late = sessions.issue_ticket(session, "consent")
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert sessions.redeem_ticket(late, "consent") is None


def test_the_person_rests_sealed_and_the_token_hashed(client: Client) -> None:
    opened = launch_as(client, "student", user="u987654321")
    with connection.cursor() as cursor:
        cursor.execute("SELECT lti_tool_launchsession::text FROM lti_tool_launchsession")
        row = cursor.fetchone()[0]
    assert "987654321" not in row
    assert opened.token not in row
    assert "987654321" not in repr(sessions.person_of(opened.session))


def test_a_session_no_key_opens_is_over(client: Client, teacher: Opened, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert client.get("/any", **teacher.headers).status_code == 401


def test_pages_are_framed_by_their_own_canvas_only(client: Client, teacher: Opened) -> None:
    other = new_platform(client_id="2", register_with={"service_hosts": ("principal.school.test",)})
    mine = client.get("/any", **teacher.headers)["Content-Security-Policy"]
    theirs = launch_as(client, "student", other).response["Content-Security-Policy"]
    none = Client().get("/any")["Content-Security-Policy"]
    assert mine.endswith(f"frame-ancestors {teacher.platform.url}")
    assert theirs.endswith(f"frame-ancestors {other.url} https://principal.school.test")
    assert none.endswith("frame-ancestors 'none'")


def test_the_policy_loads_only_our_own(client: Client, teacher: Opened) -> None:
    response = client.get("/any", **teacher.headers)
    policy = dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == "'none'"
    assert policy["style-src"] == policy["connect-src"] == policy["font-src"] == "'self'"
    assert policy["script-src"].startswith("'self' 'nonce-")
    assert policy["form-action"] == f"'self' {teacher.platform.url}"
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_each_page_has_a_nonce_of_its_own(client: Client, teacher: Opened) -> None:
    policies = {client.get("/any", **teacher.headers)["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3
