"""Where requests with a token may go: the school's own hosts, whatever an answer, a claim or a redirect says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from canvas.ags import Ags
from canvas.counting import CallCounter
from canvas.models import CanvasAccount
from canvas.rest import Rest
from lti_tool import claims as c
from lti_tool import platform_keys
from lti_tool.errors import PlatformError
from lti_tool.http import Http
from lti_tool.models import Context, Registration
from tests.canvas.conftest import connect, context, counter, http, registration, waits
from tests.people import claims_for, launch_as, log_in, new_platform, post_launch, sign_launch
from tests.plugins.local_server import Answer, LocalServer, server

__all__ = ["connect", "context", "counter", "http", "registration", "server", "waits"]


@pytest.fixture
def stranger() -> Iterator[LocalServer]:
    """A host that belongs to nobody here and must hear nothing."""
    other = LocalServer()
    yield other
    other.close()


FOREIGN = (
    "http://{host}/api/v1/x", "//{host}/api/v1/x", "http://user@{host}/x", "http://{own}@{host}/x", "http://{own}#@{host}/x",
    "http://{own}\\@{host}/x", "http://{host}\\@{own}/x", "http://{own}.{host}/x", "http://2130706433:{port}/x",
    "http://0x7f000001:{port}/x", "http://[::ffff:127.0.0.1]:{port}/x", "http://127.1:{port}/x", "http://0:{port}/x",
    "gopher://{host}/x", "file:///etc/passwd", "https://{host}/x",
)  # fmt: skip


def foreign(pattern: str, own: LocalServer, other: LocalServer) -> str:
    host, mine = other.url.removeprefix("http://"), own.url.removeprefix("http://")
    return pattern.format(host=host, own=mine, port=host.rpartition(":")[2])


@pytest.mark.parametrize("pattern", FOREIGN)
def test_the_next_page_is_never_read_elsewhere(
    server: LocalServer,
    stranger: LocalServer,
    connect: Callable[..., CanvasAccount],
    http: Http,
    pattern: str,
) -> None:
    link = f'<{foreign(pattern, server, stranger)}>; rel="next"'
    server.routes["GET", "/api/v1/courses/101/assignment_groups"] = Answer([], headers={"Link": link})
    with pytest.raises(PlatformError):
        Rest(connect(), http, CallCounter()).assignment_groups("101")
    assert stranger.seen == []


@pytest.mark.parametrize("pattern", FOREIGN)
def test_a_column_elsewhere_is_never_asked(
    server: LocalServer,
    stranger: LocalServer,
    registration: Registration,
    context: Context,
    http: Http,
    pattern: str,
) -> None:
    server.routes["POST", "/login/oauth2/token"] = Answer({"access_token": "at", "expires_in": 3600})
    with pytest.raises(PlatformError):
        Ags(registration, context, http, CallCounter()).results(foreign(pattern, server, stranger))
    assert stranger.seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(
    server: LocalServer, stranger: LocalServer, connect: Callable[..., CanvasAccount], http: Http, status: int
) -> None:
    away = Answer({}, status=status, headers={"Location": f"{stranger.url}/x"})
    server.routes["GET", "/api/v1/courses/101/assignment_groups"] = away
    with pytest.raises(PlatformError):
        Rest(connect(), http, CallCounter()).assignment_groups("101")
    assert stranger.seen == []


@pytest.mark.django_db
def test_a_key_set_that_redirects_is_no_key_set(
    server: LocalServer, stranger: LocalServer, client: Client
) -> None:
    platform_keys.forget_keys()
    platform = new_platform(register_with={"jwks_url": f"{server.url}/jwks"})
    server.routes["GET", "/jwks"] = Answer({}, status=302, headers={"Location": f"{stranger.url}/jwks"})
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role="teacher", context="c77", user="u7")
    assert post_launch(client, begun.state, sign_launch(platform, said)).status_code == 503
    assert stranger.seen == []


@pytest.mark.django_db
@pytest.mark.parametrize("pattern", [each for each in FOREIGN if "#" not in each])
def test_a_claim_widens_nothing(
    server: LocalServer, stranger: LocalServer, client: Client, pattern: str
) -> None:
    platform = new_platform(register_with={"canvas_url": server.url})
    where = foreign(pattern, server, stranger)
    said: dict[str, Any] = {
        c.AGS_ENDPOINT: {"lineitems": where, "scope": []},
        c.NRPS_SERVICE: {"context_memberships_url": where},
        c.LAUNCH_PRESENTATION: {"return_url": where},
        c.CUSTOM: {"canvas_course_id": "77", "canvas_user_id": "7", "canvas_api_domain": where},
    }
    opened = launch_as(client, platform=platform, claims=said)
    found = opened.context
    assert (found.line_items_url, found.memberships_url, found.return_url) == ("", "", "")
    assert where not in opened.response.content.decode() and stranger.seen == []


@pytest.mark.django_db
def test_a_teachers_token_stays_at_the_school_even_among_its_lti_hosts(
    server: LocalServer, stranger: LocalServer, connect: Callable[..., CanvasAccount], http: Http
) -> None:
    """All hosted schools share the hosts of keys and logins: they may be asked for keys, never with a token (I10)."""
    account = connect()
    account.registration.jwks_url = f"{stranger.url}/jwks"
    account.registration.authorize_url = f"{stranger.url}/authorize"
    account.registration.save()
    link = f'<{stranger.url}/api/v1/x>; rel="next"'
    server.routes["GET", "/api/v1/courses/101/assignment_groups"] = Answer([], headers={"Link": link})
    with pytest.raises(PlatformError):
        Rest(account, http, CallCounter()).assignment_groups("101")
    assert stranger.seen == []
