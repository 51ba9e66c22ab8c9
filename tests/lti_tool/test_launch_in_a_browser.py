"""Launches in Chromium, inside the pretend Canvas's frame on another site, with third-party cookies blocked:
by partitioned cookie, by platform storage where no cookie stays, in a tab of its own where neither works,
and without scripts.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Frame,
    Locator,
    Page,
    Playwright,
    Route,
    sync_playwright,
)
from pytest_django.live_server_helper import LiveServer

from lti_tool.models import LaunchSession
from lti_tool.registering import Platform, register
from sandbox.scenarios import build
from sandbox.scenarios.base import LTI_KEY_CLIENT, Options
from sandbox.server import SandboxServer
from scripts import chromium

pytestmark = pytest.mark.django_db(transaction=True)

WITHOUT_ADDRESS_SPACES = "--disable-features=LocalNetworkAccessChecks"
"""Answers given by a route have no address, and Chromium would not let them lead on to this machine."""
STUDENT_WORDS = "Your grades appear in"
PATIENCE_SECONDS = 90
"""For one step on a busy machine."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Playwright]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright waits in an event loop of this thread; the database is asked between those waits only.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield playwright


@pytest.fixture(scope="module")
def path() -> str:
    found = os.environ.get("CHROMIUM") or chromium.find()
    assert found, chromium.help_text()
    return found


@pytest.fixture(scope="module")
def browser(engine: Playwright, path: str) -> Iterator[Browser]:
    browser = engine.chromium.launch(
        executable_path=path,
        args=["--no-sandbox", WITHOUT_ADDRESS_SPACES],
        timeout=PATIENCE_SECONDS * 1000,
    )
    yield browser
    browser.close()


@contextmanager
def new_context(browser: Browser, **given: Any) -> Iterator[BrowserContext]:
    """A person's browser with our patience."""
    with browser.new_context(**given) as context:
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield context


@pytest.fixture
def tool(settings: Any) -> Iterator[str]:
    """The tool on 127.0.0.1, a site of its own."""
    server = LiveServer("127.0.0.1")
    settings.TOOL_URL = server.url
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    yield server.url
    server.stop()


@pytest.fixture
def canvas(tool: str) -> Iterator[SandboxServer]:
    """The pretend Canvas on localhost, registered with the tool."""
    with SandboxServer(build("small", Options(tool_url=tool))) as canvas:
        register(
            Platform(
                issuer="https://canvas.instructure.com",
                client_id=LTI_KEY_CLIENT,
                canvas_url=canvas.url,
                authorize_url=f"{canvas.url}/api/lti/authorize_redirect",
                token_url=f"{canvas.url}/login/oauth2/token",
                jwks_url=f"{canvas.url}/api/lti/security/jwks",
                allow_new_deployments=True,
            )
        )
        yield canvas


def open_tool(
    context: BrowserContext, canvas: SandboxServer, person: str = "Ada Lindqvist (student)"
) -> Page:
    """A person clicks the tool in the course's navigation."""
    page = context.new_page()
    page.goto(f"{canvas.url}/")
    page.get_by_label("Person").last.select_option(label=person)
    with page.expect_navigation():
        page.get_by_role("button", name="Act as this person").click()
    page.goto(f"{canvas.url}/courses/101")
    page.get_by_role("link", name="Mastery Gradebook", exact=True).click()
    return page


def without_cookies(context: BrowserContext, tool: str) -> None:
    """As in WebKit: inside a frame no cookie of the tool is kept or sent, not even a partitioned one."""

    def answer(route: Route) -> None:
        request, parts = route.request, urlsplit(route.request.url)
        if not _is_framed(route):
            route.continue_()
            return
        left_out = {"cookie", "accept-encoding", "connection"}
        headers = {name: value for name, value in request.all_headers().items() if name not in left_out}
        wire = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_SECONDS)
        wire.request(request.method, request.url.removeprefix(tool), request.post_data_buffer, headers)
        reply = wire.getresponse()
        kept = {
            name: value
            for name, value in reply.getheaders()
            if name.lower() not in ("set-cookie", "connection")
        }
        route.fulfill(status=reply.status, headers=kept, body=reply.read())
        wire.close()

    context.route(f"{tool}/**", answer)


def press(found: Locator) -> None:
    """Press it once the pointer on it is felt there. A frame of a process of its own feels it when it is drawn; until
    then the page around it does, and a press would be lost."""
    found.hover()
    until = time.monotonic() + PATIENCE_SECONDS
    while not found.evaluate("node => node.matches(':hover')"):
        assert time.monotonic() < until, "the pointer never came to it"
        found.hover()
    found.click()


def _is_framed(route: Route) -> bool:
    try:
        return route.request.frame.parent_frame is not None
    except Exception:  # Playwright has no frame yet for a new tab's first request
        return False


def tool_frame(page: Page) -> Frame:
    frame = page.frame(name="tool_content")
    assert frame is not None
    return frame


def complaints(page: Page) -> list[str]:
    """What the console says against the page's policy, from now on."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if "Policy" in message.text else None)
    return said


def test_a_partitioned_cookie_is_enough(browser: Browser, canvas: SandboxServer, tool: str) -> None:
    with new_context(browser) as context:
        page = open_tool(context, canvas)
        said = complaints(page)
        page.frame_locator("#tool_content").get_by_text(STUDENT_WORDS).wait_for()
        cookies = [cookie for cookie in context.cookies() if cookie["name"].startswith("lmg-")]
        assert {cookie.get("partitionKey") for cookie in cookies} == {"http://localhost"}
        page.reload()
        page.frame_locator("#tool_content").get_by_text(STUDENT_WORDS).wait_for()
        assert said == []


def test_a_teacher_lands_on_the_home_page_in_the_frame(
    browser: Browser, canvas: SandboxServer, tool: str
) -> None:
    with new_context(browser) as context:
        page = open_tool(context, canvas, "Maria Keller (teacher)")
        page.frame_locator("#tool_content").get_by_role("heading", name="Outcomes and columns").wait_for()
        press(page.frame_locator("#tool_content").get_by_role("button", name="Sign out"))
        page.frame_locator("#tool_content").get_by_role("heading", name="You are signed out").wait_for()
    assert LaunchSession.objects.count() == 0


def test_platform_storage_is_enough_where_no_cookie_stays(
    browser: Browser, canvas: SandboxServer, tool: str
) -> None:
    with new_context(browser) as context:
        without_cookies(context, tool)
        page = open_tool(context, canvas)
        page.frame_locator("#tool_content").get_by_text(STUDENT_WORDS).wait_for()
        assert not [cookie for cookie in context.cookies() if cookie["name"].startswith("lmg-")]


def test_a_tab_of_its_own_is_offered_where_nothing_stays_and_leads_to_the_course(
    browser: Browser, canvas: SandboxServer, tool: str
) -> None:
    with new_context(browser) as context:
        without_cookies(context, tool)
        context.route("**/forwarding.js", lambda route: route.abort())
        page = open_tool(context, canvas)
        with context.expect_page() as opened:
            press(page.frame_locator("#tool_content").get_by_role("link", name="Open in a new tab"))
        opened.value.get_by_text(STUDENT_WORDS).wait_for()
        assert opened.value.get_by_text("Algebra I").count() >= 1


def test_without_scripts_links_and_buttons_lead_on(
    browser: Browser, canvas: SandboxServer, tool: str
) -> None:
    with new_context(browser, java_script_enabled=False) as context:
        page = open_tool(context, canvas)
        page.locator("#tool_form button, button[form=tool_form]").first.click()
        frame = page.frame_locator("#tool_content")
        press(frame.get_by_role("link", name="Continue"))
        press(frame.locator("#form_post button, #form_post [type=submit]").first)
        frame.get_by_text(STUDENT_WORDS).wait_for()


@pytest.fixture(params=["allowed", "blocked"])
def third_party(
    request: pytest.FixtureRequest, engine: Playwright, path: str, tmp_path: Path
) -> Iterator[BrowserContext]:
    """A Chromium of its own whose third-party cookies are what the test is about."""
    (tmp_path / "Default").mkdir()
    allowed = {"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": False}}
    if request.param == "allowed":
        (tmp_path / "Default" / "Preferences").write_text(json.dumps(allowed))
    context = engine.chromium.launch_persistent_context(
        tmp_path, executable_path=path, headless=True, args=["--no-sandbox"], timeout=PATIENCE_SECONDS * 1000
    )
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    if request.param == "blocked":
        context.on("page", _block_third_party_cookies)
    yield context
    context.close()


def _block_third_party_cookies(page: Page) -> None:
    page.context.new_cdp_session(page).send(
        "Network.setCookieControls", {"enableThirdPartyCookieRestriction": True}
    )


def test_cookies_allowed_or_blocked_the_tool_opens_in_the_frame_and_in_a_tab(
    third_party: BrowserContext, canvas: SandboxServer, tool: str
) -> None:
    page = open_tool(third_party, canvas, "Maria Keller (teacher)")
    heading = page.frame_locator("#tool_content").get_by_role("heading", name="Outcomes and columns")
    heading.wait_for()
    tab = third_party.new_page()
    tab.goto(f"{canvas.url}/courses/101")
    tab.route("**/external_tools/*", _outside_the_frame)
    tab.get_by_role("link", name="Mastery Gradebook", exact=True).click()
    tab.get_by_role("heading", name="Outcomes and columns").wait_for()
    tab.wait_for_url("**/course/**")  # until then a reload would post the launch again
    tab.reload()
    tab.get_by_role("heading", name="Outcomes and columns").wait_for()


def _outside_the_frame(route: Route) -> None:
    """As a placement with windowTarget `_blank`: the login starts in the window itself."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace('target="tool_content"', 'target="_self"'))


def test_nobody_else_frames_a_page_of_a_visit(browser: Browser, canvas: SandboxServer, tool: str) -> None:
    """B108: the browser shows nothing of it inside a page of another site."""
    with new_context(browser) as context:
        page = open_tool(context, canvas, "Maria Keller (teacher)")
        page.frame_locator("#tool_content").get_by_role("heading", name="Outcomes and columns").wait_for()
        other = context.new_page()
        framing = f'<h1>Evil</h1><iframe name="victim" src="{tool}/course/"></iframe>'
        other.route(
            "http://evil.test/**", lambda route: route.fulfill(body=framing, content_type="text/html")
        )
        with other.expect_console_message(lambda message: "frame-ancestors" in message.text):
            other.goto("http://evil.test/")
        [victim] = [frame for frame in other.frames if frame.parent_frame]
        victim.wait_for_url("chrome-error://**")


def test_messages_of_other_origins_are_no_answer(browser: Browser, canvas: SandboxServer, tool: str) -> None:
    """B109: with the right subject and key, from the platform's page but not its authorize origin, or unasked."""
    with new_context(browser) as context:
        without_cookies(context, tool)
        context.route(
            "**/forwarding.js", lambda route: route.fulfill(body=FORGER, content_type="text/javascript")
        )
        page = open_tool(context, canvas)
        page.frame_locator("#tool_content").get_by_role("link", name="Open in a new tab").wait_for()
    assert LaunchSession.objects.count() == 0


FORGER = """window.addEventListener("message", (event) => {
  const said = event.data;
  if (!said || !said.subject) return;
  event.source.postMessage({ subject: `${said.subject}.response`, key: said.key, value: said.value,
    message_id: "guessed" }, event.origin);
  const frame = document.createElement("iframe");
  frame.srcdoc = `<script>parent.parent.frames["tool_content"].postMessage(${JSON.stringify({
    ...said, subject: said.subject + ".response" })}, "*")</` + `script>`;
  frame.sandbox = "allow-scripts";
  document.body.append(frame);
});"""
"""Answers with a made-up message id, and rightly from an origin that is not the platform's."""
