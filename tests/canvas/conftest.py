"""A registration, a connected account and clients that speak to a local server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from canvas.ags import Ags
from canvas.counting import CallCounter
from canvas.models import CanvasAccount
from canvas.oauth import access_purpose, refresh_purpose
from canvas.rest import Rest
from canvas.throttle import _paces
from lti_tool.http import Http
from lti_tool.models import Context, Deployment, Registration
from lti_tool.sealing import API_SECRET_PURPOSE, FINGERPRINT_PURPOSE, seal
from sandbox.lti import token_grant
from sandbox.scenarios import Options, build
from sandbox.scenarios.base import LTI_KEY_CLIENT
from sandbox.server import SandboxServer
from sandbox.world import World
from tests.plugins.local_server import LocalServer, server

__all__ = ["server"]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Waits(list[float]):
    """Stands for `time.sleep`: keeps what was asked, sleeps not."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def http(waits: Waits) -> Http:
    _paces.clear()
    return Http(sleep=waits)


@pytest.fixture
def registration(db: None, server: LocalServer) -> Registration:
    return Registration.objects.create(
        issuer="https://canvas.test",
        client_id="10000000000001",
        canvas_url=server.url,
        authorize_url=f"{server.url}/api/lti/authorize_redirect",
        token_url=f"{server.url}/login/oauth2/token",
        jwks_url=f"{server.url}/api/lti/security/jwks",
        api_client_id="10000000000002",
        sealed_api_client_secret=seal("hush", purpose=API_SECRET_PURPOSE),
        sealed_fingerprint_key=seal("00", purpose=FINGERPRINT_PURPOSE),
    )


@pytest.fixture
def context(registration: Registration, server: LocalServer) -> Context:
    deployment = Deployment.objects.create(registration=registration, deployment_id="7:abc")
    return Context.objects.create(
        registration=registration,
        deployment=deployment,
        context_id="ctx",
        canvas_course_id="101",
        line_items_url=f"{server.url}/api/lti/courses/101/line_items",
        last_launch_at=NOW,
    )


@pytest.fixture
def connect(registration: Registration) -> Callable[..., CanvasAccount]:
    def make(**changes: object) -> CanvasAccount:
        values: dict[str, object] = {
            "registration": registration,
            "canvas_user_id": "5",
            "sealed_access_token": seal("old", purpose=access_purpose(registration.pk, "5")),
            "sealed_refresh_token": seal("again", purpose=refresh_purpose(registration.pk, "5")),
            "expires_at": timezone.now() + timedelta(hours=1),
            "connected_at": NOW,
        }
        return CanvasAccount.objects.create(**(values | changes))

    return make


@pytest.fixture
def counter() -> CallCounter:
    return CallCounter()


@pytest.fixture
def rest(connect: Callable[..., CanvasAccount], http: Http, counter: CallCounter) -> Rest:
    return Rest(connect(), http, counter)


@pytest.fixture
def ags(registration: Registration, context: Context, http: Http, counter: CallCounter) -> Ags:
    return Ags(registration, context, http, counter)


@pytest.fixture
def columns(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Ags, World]]:
    """AGS in the small course: the pretend Canvas fetches our real key set from the running tool, which is no faster
    than the machine."""
    monkeypatch.setattr(token_grant, "FETCH_SECONDS", 60.0)
    _paces.clear()
    world = build("small", Options(tool_url=live_server.url))
    with SandboxServer(world) as server:
        registration = Registration.objects.create(
            issuer="https://canvas.test",
            client_id=LTI_KEY_CLIENT,
            canvas_url=server.url,
            authorize_url=f"{server.url}/api/lti/authorize_redirect",
            token_url=f"{server.url}/login/oauth2/token",
            jwks_url=f"{server.url}/api/lti/security/jwks",
        )
        deployment = Deployment.objects.create(registration=registration, deployment_id="265:x")
        context = Context.objects.create(
            registration=registration,
            deployment=deployment,
            context_id="c",
            canvas_course_id="101",
            line_items_url=f"{server.url}/api/lti/courses/101/line_items",
            last_launch_at=NOW,
        )
        yield Ags(registration, context, Http(), CallCounter()), world
