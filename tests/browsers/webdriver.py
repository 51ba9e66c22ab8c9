"""The W3C WebDriver commands the journeys need, spoken to Firefox (Marionette) and to WebKitGTK (its driver) as Debian
ships them: no download of a driver, no further package.

Firefox: length-prefixed JSON over a socket, https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
WebKitGTK: JSON over HTTP, https://www.w3.org/TR/webdriver2/
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.plugins.ports import free_port

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
START_SECONDS = 30.0
PATHS = {
    "Navigate": ("POST", "url"),
    "GetCurrentURL": ("GET", "url"),
    "GetTitle": ("GET", "title"),
    "Refresh": ("POST", "refresh"),
    "Back": ("POST", "back"),
    "FindElements": ("POST", "elements"),
    "ElementClick": ("POST", "element/{id}/click"),
    "GetElementText": ("GET", "element/{id}/text"),
    "IsElementDisplayed": ("GET", "element/{id}/displayed"),
    "SwitchToFrame": ("POST", "frame"),
    "SwitchToWindow": ("POST", "window"),
    "GetWindowHandles": ("GET", "window/handles"),
    "CloseWindow": ("DELETE", "window"),
    "GetCookies": ("GET", "cookie"),
    "ExecuteScript": ("POST", "execute/sync"),
    "TakeScreenshot": ("GET", "screenshot"),
}
"""By Marionette's name of a command: how the HTTP protocol says it."""


class CommandFailed(Exception):
    """The browser refused a command; the message is its own word for why."""


class Driver(ABC):
    """One browser with one session. Elements are the ids the browser gives."""

    @abstractmethod
    def command(self, name: str, **given: Any) -> Any:
        """Send one command. Raises CommandFailed."""

    def elements(self, xpath: str) -> list[str]:
        """Those that are visible."""
        found = [each[ELEMENT] for each in self.command("FindElements", using="xpath", value=xpath)]
        return [each for each in found if self.command("IsElementDisplayed", id=each)]

    def text(self) -> str:
        """All words of the page or frame that we are in; "" for a blank one."""
        return str(self.script("return document.body ? document.body.innerText : ''") or "")

    def script(self, code: str, *args: Any) -> Any:
        return self.command("ExecuteScript", script=code, args=list(args))

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.command("TakeScreenshot")))


class Marionette(Driver):
    """Firefox over its own automation port."""

    def __init__(self, port: int) -> None:
        self._socket = _connected(port)
        self._buffer = b""
        self._number = 0
        self._read()
        self.command("NewSession", acceptInsecureCerts=True)

    def command(self, name: str, **given: Any) -> Any:
        if name == "SwitchToFrame" and given.get("id") is not None:
            given = {"element": given["id"][ELEMENT]}
        self._number += 1
        packed = json.dumps([0, self._number, f"WebDriver:{name}", given]).encode()
        self._socket.sendall(str(len(packed)).encode() + b":" + packed)
        _, _, error, result = self._read()
        if error:
            raise CommandFailed(f"{name}: {error['error']}: {error['message']}")
        return result["value"] if isinstance(result, dict) and set(result) == {"value"} else result

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> Any:
        while b":" not in self._buffer:
            self._receive()
        length, _, self._buffer = self._buffer.partition(b":")
        while len(self._buffer) < int(length):
            self._receive()
        message, self._buffer = self._buffer[: int(length)], self._buffer[int(length) :]
        return json.loads(message)

    def _receive(self) -> None:
        more = self._socket.recv(1 << 16)
        if not more:
            raise CommandFailed("Firefox has gone.")
        self._buffer += more


class OverHttp(Driver):
    """WebKitGTK through WebKitWebDriver."""

    def __init__(self, port: int, capabilities: Mapping[str, Any]) -> None:
        self._http = requests.Session()
        self._http.trust_env = False
        self._address = f"http://127.0.0.1:{port}/session"
        _connected(port).close()
        asked = {"capabilities": {"alwaysMatch": capabilities}}
        started = self._ask("POST", self._address, asked)
        self._address = f"{self._address}/{started['sessionId']}"

    def command(self, name: str, **given: Any) -> Any:
        method, path = PATHS[name]
        address = f"{self._address}/{path.format(**given)}"
        return self._ask(method, address, given if method == "POST" else None)

    def quit(self) -> None:
        self._http.delete(self._address, timeout=20)
        self._http.close()

    def _ask(self, method: str, address: str, body: Any) -> Any:
        answer = self._http.request(method, address, json=body, timeout=60).json()["value"]
        if isinstance(answer, dict) and "error" in answer:
            raise CommandFailed(f"{address.rsplit('/', 1)[-1]}: {answer['error']}: {answer.get('message')}")
        return answer


def _connected(port: int) -> socket.socket:
    """A connection as soon as the program listens."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@contextmanager
def firefox(path: str, folder: Path, preferences: Mapping[str, Any]) -> Iterator[Driver]:
    """A headless Firefox with a profile of its own."""
    port = free_port()
    usual = {
        "marionette.port": port,
        "browser.shell.checkDefaultBrowser": False,
        "datareporting.policy.dataSubmissionEnabled": False,
        "toolkit.telemetry.reportingpolicy.firstRun": False,
        "browser.startup.homepage_override.mstone": "ignore",
        "app.normandy.enabled": False,
        "services.settings.server": "data:,",
        "dom.disable_open_during_load": False,
    }
    lines = [
        f"user_pref({json.dumps(name)}, {json.dumps(value)});"
        for name, value in (usual | preferences).items()
    ]
    (folder / "user.js").write_text("\n".join(lines))
    command = [path, "--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    with _running(command, os.environ | {"HOME": str(folder), "MOZ_HEADLESS_WIDTH": "1280"}):
        driver = Marionette(port)
        try:
            yield driver
        finally:
            driver.close()


@contextmanager
def webkit(driver: str, browser: str, display: str, folder: Path) -> Iterator[Driver]:
    """MiniBrowser, WebKitGTK's own, on a display that nobody sees."""
    port, screen = free_port(), f":{90 + os.getpid() % 100}"
    environment = os.environ | {
        "DISPLAY": screen,
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
        "LIBGL_ALWAYS_SOFTWARE": "1",
    }
    options = {"webkitgtk:browserOptions": {"binary": browser, "args": ["--automation"]}}
    with (
        _running([display, screen, "-screen", "0", "1280x1000x24", "-nolisten", "tcp"], environment),
        _running([driver, f"--port={port}"], environment),
    ):
        _until(lambda: Path(f"/tmp/.X11-unix/X{screen[1:]}").exists(), "the display")
        found = OverHttp(port, options)
        try:
            yield found
        finally:
            found.quit()


@contextmanager
def _running(command: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        command, env=dict(environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until(ready: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + START_SECONDS
    while not ready():
        assert time.monotonic() < until, f"{what} did not start"
        time.sleep(0.05)
