"""The whole product as `make demo` starts it, and a Chromium that lets no third-party cookie through."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Route,
    expect,
    sync_playwright,
)

from scripts import chromium
from tests.plugins.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
FRAMES_IN_ONE_PROCESS = "--disable-site-isolation-trials"
"""Chromium asks what it has drawn last where a press belongs. While a frame's new page of another process is not drawn
yet, the press goes to the page around it and does nothing: one in four where another tab lay in front, under load. In
one process the page itself is asked. Third-party cookies are blocked as before; frames with a process of their own are
in tests/lti_tool/test_launch_in_a_browser.py."""

PATIENCE_SECONDS = 120
"""For one step on a busy machine; on a quiet one a step takes less than one second."""
TEST_SECONDS = 1_200
"""For a whole test, the start of its demo included: alone 25 seconds, beside other work and on a slow machine several
minutes."""

expect.set_options(timeout=PATIENCE_SECONDS * 1000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pytest hands over the tests of every folder; these are the ones that start the whole product."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@dataclass(frozen=True)
class Demo:
    """A running demo: where Canvas and the tool are, and the settings of the tool's commands."""

    canvas: str
    tool: str
    folder: Path
    environment: dict[str, str]
    registration_link: str = ""


@contextmanager
def demo(scenario: str) -> Iterator[Demo]:
    """Start it as a person would, stop it as Ctrl-C would."""
    command = [
        sys.executable, "-m", "scripts.demo", "--json", "--scenario", scenario,
        "--port", str(free_port()), "--canvas-port", str(free_port()),
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        found = json.loads(next(line for line in lines if line.startswith("{")))
        settings = Path(found["environment"]).read_text().splitlines()
        environment = dict(line.replace("'", "").split("=", 1) for line in settings)
        yield Demo(
            found["canvas"],
            found["tool"],
            Path(found["environment"]).parent,
            environment,
            found["registration_link"],
        )
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(TEST_SECONDS) in (0, 130)
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="module")
def small() -> Iterator[Demo]:
    with demo("small") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or chromium.find()
    assert path, chromium.help_text()
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-background-networking", FRAMES_IN_ONE_PROCESS],
            timeout=PATIENCE_SECONDS * 1000,
        )
        yield found
        found.close()


@contextmanager
def strict_context(browser: Browser, width: int) -> Iterator[BrowserContext]:
    """A browser of this width whose pages are told to block third-party cookies."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    context.on(
        "page",
        lambda page: context.new_cdp_session(page).send(
            "Network.setCookieControls", {"enableThirdPartyCookieRestriction": True}
        ),
    )
    try:
        yield context
    finally:
        context.close()


@contextmanager
def held(page: Page, script: str) -> Iterator[None]:
    """A script, named by the start of its address' path, that comes only when this ends: as on a slow line."""
    address = re.compile(f"{re.escape(script)}[.\\w]*\\.js")
    waiting: list[Route] = []
    is_over = False
    page.route(address, lambda route: route.continue_() if is_over else waiting.append(route))
    yield
    until = time.monotonic() + PATIENCE_SECONDS
    while not waiting and time.monotonic() < until:
        # The page may be there a moment before it is told here what it asks for.
        page.wait_for_timeout(50)
    assert waiting, f"nobody asked for {script}"
    is_over = True
    for route in waiting:
        route.continue_()
    page.unroute(address)


def consent(page: Page, link: Locator) -> None:
    """Press "Connect Canvas" and consent in the window that it opens. That lies in front and closes itself a moment
    later: nobody presses what is behind it, and no press waits for a page that goes away meanwhile."""
    with page.expect_popup() as popup:
        link.click()
    with popup.value.expect_event("close"):
        popup.value.get_by_role("button", name="Authorize").click(no_wait_after=True)
