"""A launched course at a running sandbox Canvas, with the teacher's account connected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from canvas import accounts, oauth
from canvas.models import CanvasAccount
from sandbox import scenarios
from sandbox.oauth.provider import new_token
from sandbox.server import SandboxServer
from sandbox.world import World
from tests.alignments.examples import spaced
from tests.people import Opened, launch_as, new_platform

TEACHER = 11


@dataclass
class Classroom:
    """Who is in the tool, and the Canvas behind it."""

    client: Client
    opened: Opened
    world: World
    canvas: SandboxServer

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query, **self.opened.headers)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        return self.client.post(path, data or {}, **self.opened.headers, **more)

    def text(self, path: str, **query: Any) -> str:
        response = self.get(path, **query)
        assert response.status_code == 200, response.content.decode()
        return spaced(str(response.content.decode()))


@contextmanager
def classroom(
    client: Client,
    *,
    role: str = "teacher",
    user: int = TEACHER,
    connected: bool = True,
    scenario: str = "small",
) -> Iterator[Classroom]:
    """A visit to the scenario's course."""
    world = scenarios.build(scenario)
    with SandboxServer(world) as canvas:
        key = scenarios.Options()
        school = {
            "canvas_url": canvas.url,
            "token_url": f"{canvas.url}/login/oauth2/token",
            "api_client_id": key.api_client_id,
            "api_client_secret": key.api_client_secret,
        }
        platform = new_platform(register_with=school)
        opened = launch_as(client, role, platform, context=f"c{next(iter(world.courses))}", user=f"u{user}")
        if connected:
            connect(opened, world)
        yield Classroom(client, opened, world, canvas)


def connect(opened: Opened, world: World, user_id: int = TEACHER) -> CanvasAccount:
    """The person's Canvas account, as a consent would have left it."""
    key = next(key for key in world.keys.values() if key.kind == "api")
    token = new_token(world, key, user_id, accounts.scope_names())
    now = timezone.now()
    grant = oauth.Grant(token.token, token.refresh_token, now + timedelta(hours=1))
    return oauth.store_grant(opened.platform.registration, grant, str(user_id), accounts.scope_names(), now)
