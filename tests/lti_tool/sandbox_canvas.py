"""The sandbox Canvas over HTTP as an administrator and people of a course use it, with the tool behind Django's
test client: a registered tool, its launches, and the forms in between."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlencode

import requests
from django.test import Client

from lti_tool.keys import signing_key
from lti_tool.models import Registration
from sandbox.records import DeveloperKey
from sandbox.scenarios.base import ADMIN_ID
from sandbox.server import SandboxServer
from tests.lti_tool.registrar import new_link
from tests.people import FORM, TOOL

SECONDS = 60


def browser(canvas: SandboxServer, user_id: int) -> requests.Session:
    session = requests.Session()
    session.cookies.set("canvas_user", str(user_id))
    return session


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def paste(canvas: SandboxServer, link: str) -> str:
    """What Canvas opens in its frame when the administrator pastes a link; path and query of the tool's address."""
    page = browser(canvas, ADMIN_ID).get(
        f"{canvas.url}/accounts/developer_keys/register", params={"url": link}, timeout=SECONDS
    )
    found = re.search(r'src="([^"]*/lti/register[^"]*)"', page.text)
    assert found, page.text
    return html.unescape(found[1]).removeprefix(TOOL)


def registered_key(canvas: SandboxServer) -> DeveloperKey:
    key = canvas.world.key_by_client_id(Registration.objects.get().client_id)
    assert key is not None
    return key


def switch_on(canvas: SandboxServer) -> DeveloperKey:
    """The administrator confirms the key; its public half is given by hand, because no web server runs here."""
    key = registered_key(canvas)
    key.jwks_url, key.public_jwk = "", signing_key().public_jwk
    browser(canvas, ADMIN_ID).post(f"{canvas.url}/accounts/developer_keys/{key.id}/switch", timeout=SECONDS)
    return key


def install(canvas: SandboxServer, client: Client) -> DeveloperKey:
    """The whole installation but the API key."""
    assert client.get(paste(canvas, new_link())).status_code == 200
    return switch_on(canvas)


def course_page(canvas: SandboxServer, client: Client, user_id: int, path: str) -> Any:
    """Open a page of the course that opens the tool, and go through the whole OIDC exchange."""
    session, course = browser(canvas, user_id), next(iter(canvas.world.courses))
    click = session.get(f"{canvas.url}/courses/{course}/{path}", timeout=SECONDS).text
    action = re.search(r'id="tool_form" action="([^"]+)"', click)
    assert action, click
    login = hidden(click.partition("tool_form")[2].partition("</form>")[0])
    begun = client.post(action[1].removeprefix(TOOL), login)
    answer = session.get(begun["Location"], timeout=SECONDS)
    return client.post("/lti/launch", urlencode(hidden(answer.text)), content_type=FORM)


def tool_id(canvas: SandboxServer) -> int:
    key = registered_key(canvas)
    return next(one.id for one in canvas.world.tools.values() if one.key_id == key.id)


def launch(canvas: SandboxServer, client: Client, user_id: int) -> Any:
    """Click on the registered tool in the course's navigation."""
    return course_page(canvas, client, user_id, f"external_tools/{tool_id(canvas)}")
