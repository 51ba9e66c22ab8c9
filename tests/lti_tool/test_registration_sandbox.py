"""The whole installation against the sandbox Canvas over HTTP: link, registration, API key, first launch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from canvas import oauth
from lti_tool.models import Context, LaunchSession, Registration
from sandbox import scenarios
from sandbox.scenarios.base import ADMIN_ID, TEACHER_ID
from sandbox.server import SandboxServer
from tests.lti_tool.registrar import new_link
from tests.lti_tool.sandbox_canvas import SECONDS, browser, hidden, launch, paste, switch_on
from tests.people import TOOL

pytestmark = pytest.mark.django_db


@pytest.fixture
def canvas() -> Iterator[SandboxServer]:
    with SandboxServer(scenarios.build("small")) as server:
        yield server


def test_from_the_pasted_link_to_a_teachers_first_page(canvas: SandboxServer, client: Client) -> None:
    page = client.get(paste(canvas, new_link())).content.decode()
    registration = Registration.objects.get()
    key = canvas.world.key_by_client_id(registration.client_id)
    assert key is not None and (key.name, key.enabled) == ("Mastery Gradebook", False)
    assert key.login_url == f"{TOOL}/lti/login/{registration.key}"

    admin = browser(canvas, ADMIN_ID)
    redirect_uri = f"{TOOL}/canvas/callback"
    admin.post(
        f"{canvas.url}/accounts/developer_keys/api", data={"redirect_uri": redirect_uri}, timeout=SECONDS
    )
    api_key = list(canvas.world.keys.values())[-1]
    filled = {**hidden(page), "api_client_id": api_key.client_id, "api_client_secret": "wrong"}
    assert "Canvas does not accept" in client.post("/canvas/install", filled).content.decode()
    filled["api_client_secret"] = api_key.secret
    assert client.post("/canvas/install", filled).status_code == 200
    registration.refresh_from_db()
    assert oauth.has_api_key(registration)

    switch_on(canvas)
    opened = launch(canvas, client, TEACHER_ID)
    assert (opened.status_code, "Connect Canvas" in opened.content.decode()) == (200, True)
    context = Context.objects.get()
    assert context.canvas_course_id == str(next(iter(canvas.world.courses)))
    assert context.ags_scopes == [scope for scope in key.scopes if "/lti-ags/" in scope]


def test_an_admin_who_launches_first_finds_the_form(canvas: SandboxServer, client: Client) -> None:
    client.get(paste(canvas, new_link()))
    key = canvas.world.key_by_client_id(Registration.objects.get().client_id)
    assert key is not None
    switch_on(canvas)
    teacher = launch(canvas, client, TEACHER_ID).content.decode()
    assert "Canvas is not set up for this tool yet." in teacher and "install_pass" not in teacher
    assert "install_pass" in launch(canvas, client, ADMIN_ID).content.decode()
    assert LaunchSession.objects.filter(role="teacher").count() == 1


def test_the_same_school_twice_is_two_keys_and_two_registrations(
    canvas: SandboxServer, client: Client
) -> None:
    """An administrator who starts again: both stand, each with a login address of its own, none is ambiguous."""
    for _ in range(2):
        assert client.get(paste(canvas, new_link())).status_code == 200
    one, two = Registration.objects.all()
    assert (one.issuer, one.canvas_url) == (two.issuer, two.canvas_url)
    assert len({one.key, two.key}) == len({one.client_id, two.client_id}) == 2


def test_a_link_that_was_used_makes_no_key_in_canvas(canvas: SandboxServer, client: Client) -> None:
    link = new_link()
    client.get(paste(canvas, link))
    keys = len(canvas.world.keys)
    assert client.get(paste(canvas, link)).status_code == 403
    assert len(canvas.world.keys) == keys
