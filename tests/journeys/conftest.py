"""The whole product as `make demo` starts it, and a Chromium that lets no third-party cookie through."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from scripts import chromium

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Demo:
    """A running demo: where Canvas and the tool are, and the settings of the tool's commands."""

    canvas: str
    tool: str
    folder: Path
    environment: dict[str, str]
    registration_link: str = ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
        assert process.wait(40) in (0, 130)
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
            executable_path=path, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield found
        found.close()


@contextmanager
def strict_context(browser: Browser, width: int) -> Iterator[BrowserContext]:
    """A browser of this width whose pages are told to block third-party cookies."""
    context = browser.new_context(viewport={"width": width, "height": 900})
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
