"""Firefox and WebKitGTK, each with a demo of its own, and a person's few moves in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from scripts import browsers
from tests.browsers.webdriver import ELEMENT, CommandFailed, Driver, firefox, webkit
from tests.journeys.conftest import ROOT, Demo, demo

PICTURES = ROOT / "var" / "browsers"
PATIENCE_SECONDS = 60.0
FIREFOX = {
    "firefox": {},
    "firefox without third-party cookies": {"network.cookie.cookieBehavior": 1},
}
"""By name: what differs from its default, in which each site has its own cookies in each other site's frames."""


@dataclass
class Visitor:
    """A person at a browser with a demo in front of them."""

    name: str
    driver: Driver
    demo: Demo
    framed: bool = False

    def goto(self, path: str) -> None:
        """A page of Canvas, whole."""
        self.driver.command("Navigate", url=f"{self.demo.canvas}{path}")

    def act_as(self, who: str) -> None:
        self.goto("/")
        self.driver.script(
            "for (const option of document.querySelector('select[name=user_id]').options)"
            " option.selected = option.text === arguments[0];",
            who,
        )
        self.press("button", "Switch")
        self.sees("Acting as")

    def open_tool(self) -> None:
        """A click on the tool in the course's navigation; we are in its frame afterwards."""
        self.goto("/courses/101")
        self.press("a", "Mastery Gradebook")
        self.into_frame()

    def into_frame(self) -> None:
        self.out_of_frame()
        self._wait(self._entered, "the tool's frame")
        self.framed = True

    def _entered(self) -> str:
        """A frame that is found may be of the page that is going away: then this is refused and tried again."""
        frames = self.driver.elements("//iframe[@name='tool_content']")
        if frames:
            self.driver.command("SwitchToFrame", id={ELEMENT: frames[0]})
        return "entered" if frames else ""

    def reload_frame(self) -> None:
        """The tool's frame alone, as a browser's menu offers it; in the new page afterwards."""
        self.driver.script("window.old = true; setTimeout(() => location.reload(), 1)")
        time.sleep(0.5)
        self.into_frame()
        self._wait(lambda: self.driver.script("return window.old ? '' : 'new'"), "the page loaded anew")

    def out_of_frame(self) -> None:
        self.driver.command("SwitchToFrame", id=None)
        self.framed = False

    def press(self, tag: str, words: str) -> None:
        self.driver.command("ElementClick", id=self.found(f"//{tag}[contains(normalize-space(), '{words}')]"))

    def sees(self, words: str) -> None:
        """Wait for the words on the page or frame we are in."""
        self.sees_one_of(words)

    def sees_one_of(self, *choices: str) -> str:
        text = self.driver.text
        return self._wait(
            lambda: next((each for each in choices if each in text()), ""), " or ".join(choices)
        )

    def found(self, xpath: str) -> str:
        return self._wait(lambda: next(iter(self.driver.elements(xpath)), ""), xpath)

    def new_window(self, before: list[str]) -> str:
        return self._wait(lambda: next(iter(set(self.windows()) - set(before)), ""), "a new window")

    def windows(self) -> list[str]:
        return list(self.driver.command("GetWindowHandles"))

    def turn_to(self, window: str) -> None:
        self.framed = False
        self.driver.command("SwitchToWindow", handle=window)

    def picture(self, name: str) -> None:
        """The whole window as it looks, into var/browsers/."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        framed = self.framed
        self.out_of_frame()
        self.driver.screenshot(PICTURES / f"{self.name.replace(' ', '-')}-{name}.png")
        if framed:
            self.into_frame()

    def cookies_reach_the_tool(self) -> bool:
        """Whether this frame's own requests carry the visit's cookie."""
        self.driver.script(
            "window.probed = 0; fetch('/course/').then(answer => { window.probed = answer.status; });"
        )
        return self._wait(lambda: str(self.driver.script("return window.probed") or ""), "an answer") == "200"

    def platform_storage(self, target: str) -> None:
        """Whether Canvas offers it: the frame's name, or "" as in Canvas's mobile apps."""
        said = {"platform": {"storage_target": target}}
        assert requests.post(f"{self.demo.canvas}/_sandbox/settings", json=said, timeout=10).ok

    def _back_into_frame(self) -> None:
        """Where Canvas's page was loaded anew its frame is another one."""
        if self.framed:
            with suppress(CommandFailed):
                self.driver.command("SwitchToFrame", id=None)
                self._entered()

    def _wait(self, look: Callable[[], str], what: str) -> str:
        until, said = time.monotonic() + PATIENCE_SECONDS, ""
        while time.monotonic() < until:
            try:
                if seen := look():
                    return seen
            except CommandFailed as failed:  # a page that is going away has no elements
                said = str(failed)
                self._back_into_frame()
            time.sleep(0.1)
        self.picture("failed")
        raise AssertionError(f"{self.name}: never saw {what}. {said}\n{self.driver.text()[:500]}")


@pytest.fixture(scope="module", params=[*FIREFOX, "webkit"])
def visitor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    found, name = browsers.find(), str(request.param)
    assert not found.missing, browsers.help_text(found.missing)
    folder = Path(tmp_path_factory.mktemp("profile"))
    opened = (
        webkit(found.webkit_driver, found.webkit_browser, found.display, folder)
        if name == "webkit"
        else firefox(found.firefox, folder, FIREFOX[name])
    )
    with demo("small") as running, opened as driver:
        yield Visitor(name, driver, running)
