"""Notices of copied courses, from the subscription to the mark: asked for at the sandbox Canvas over HTTP, and sent
by it to the tool's own door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from grading import jobs
from lti_tool.models import CourseMark, Registration
from sandbox import scenarios
from sandbox.lti import vocabulary as v
from sandbox.lti.notices import COPIED, HANDLERS, copy_notices
from sandbox.scenarios.base import TEACHER_ID
from sandbox.server import SandboxServer
from tests.lti_tool.sandbox_canvas import install, launch, registered_key
from tests.people import TOOL

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def canvas(client: Client) -> Iterator[SandboxServer]:
    """Installed by link, opened once."""
    with SandboxServer(scenarios.build("small")) as server:
        install(server, client)
        assert launch(server, client, TEACHER_ID).status_code == 200
        yield server


def handlers(canvas: SandboxServer) -> list[str]:
    wanted: dict[int, dict[str, str]] = canvas.world.lti_state.get(HANDLERS, {})
    return [each[COPIED] for each in wanted.values() if each.get(COPIED)]


def puts(canvas: SandboxServer) -> int:
    return sum("notice-handlers" in call.path for call in canvas.world.calls.all("PUT"))


def deliver(client: Client, handler: str, body: dict[str, Any]) -> int:
    """As Canvas's own request arrives here."""
    path = urlsplit(handler).path
    return int(client.post(path, json.dumps(body), content_type="application/json").status_code)


def test_a_copied_course_is_told_of_from_the_first_day(canvas: SandboxServer, client: Client) -> None:
    jobs.ask_for_notices(timestamp=0)
    assert handlers(canvas) == [f"{TOOL}/lti/notices"]
    [course] = canvas.world.courses.values()
    [(handler, body)] = copy_notices(canvas.world, course, "the-course-it-came-from")
    assert deliver(client, handler, body) == 200
    assert CourseMark.objects.get().kind == "copied"
    assert deliver(client, handler, body) == 200 and CourseMark.objects.count() == 1


def test_asked_for_every_day_it_stays_one_handler(canvas: SandboxServer) -> None:
    jobs.ask_for_notices(timestamp=0)
    jobs.ask_for_notices(timestamp=86_400)
    assert len(handlers(canvas)) == 1 and puts(canvas) == 2
    tokens = [call for call in canvas.world.calls.all("POST") if call.path == "/login/oauth2/token"]
    assert len(tokens) == 1


def test_a_key_without_the_scope_has_no_notices_and_everything_else(
    canvas: SandboxServer, client: Client
) -> None:
    registered_key(canvas).scopes.remove(v.SCOPE_NOTICES)
    jobs.ask_for_notices(timestamp=0)
    assert not handlers(canvas) and puts(canvas) == 0
    assert launch(canvas, client, TEACHER_ID).status_code == 200


def test_one_installation_that_is_gone_keeps_no_other_from_being_told(canvas: SandboxServer) -> None:
    registration = Registration.objects.get()
    registration.deployments.create(deployment_id="1:gone")
    registration.deployments.create(deployment_id="no-number")
    registration.deployments.create(deployment_id="2:off", is_active=False)
    jobs.ask_for_notices(timestamp=0)
    assert len(handlers(canvas)) == 1 and puts(canvas) == 2


def test_a_school_that_is_switched_off_is_not_asked(canvas: SandboxServer) -> None:
    Registration.objects.update(is_active=False)
    jobs.ask_for_notices(timestamp=0)
    assert puts(canvas) == 0
