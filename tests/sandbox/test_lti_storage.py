"""Platform storage and the other postMessages (lti.md 10) and the fresh gradebook, in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, sync_playwright

from scripts import chromium
from tests.sandbox.school import COURSE, STUDENT, TEACHER, TOOL, School, open_school

ASK = """([frame, message, origin]) => new Promise((resolve, reject) => {
  const target = frame ? window.parent.frames[frame] : window.parent;
  const timer = setTimeout(() => reject(new Error("no answer")), 60000);
  window.addEventListener("message", (event) => {
    if (event.origin !== origin || event.data.message_id !== message.message_id) return;
    clearTimeout(timer);
    resolve(event.data);
  });
  target.postMessage(message, origin);
})"""
FORWARDING = "post_message_forwarding"
PATIENCE_SECONDS = 90
"""For one step on a busy machine."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or chromium.find()
    assert path, chromium.help_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--test-third-party-cookie-phaseout"],
            timeout=PATIENCE_SECONDS * 1000,
        )
        yield browser
        browser.close()


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


def teachers_page(school: School, browser: Browser) -> Page:
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE_SECONDS * 1000)
    page.goto(f"{school.url}/")
    page.select_option("#person", str(TEACHER))
    with page.expect_navigation():
        page.click("text=Act as this person")
    return page


def tool_frame(school: School, browser: Browser) -> Frame:
    """The tool's page after a launch that a person clicked, inside the platform's page."""
    page = teachers_page(school, browser)
    page.goto(f"{school.url}/courses/{COURSE}/external_tools/{TOOL}")
    page.frame_locator("#tool_content").get_by_text("The tool is open").wait_for()
    frame = page.frame(name="tool_content")
    assert frame is not None and frame.url.startswith(school.tool.url)
    return frame


def ask(school: School, frame: Frame, subject: str, where: str = FORWARDING, **fields: Any) -> dict[str, Any]:
    message = {"subject": subject, "message_id": "m1", **fields}
    answer: dict[str, Any] = frame.evaluate(ASK, [where, message, school.url])
    return answer


def test_storage_through_the_forwarding_frame(school: School, browser: Browser) -> None:
    frame = tool_frame(school, browser)
    stored = ask(school, frame, "lti.put_data", key="state_1", value="abc")
    assert stored == {
        "subject": "lti.put_data.response",
        "message_id": "m1",
        "key": "state_1",
        "value": "abc",
    }
    assert ask(school, frame, "lti.get_data", key="state_1")["value"] == "abc"
    assert "value" not in ask(school, frame, "lti.put_data", key="state_1", value="")
    assert ask(school, frame, "lti.get_data", key="state_1")["value"] is None


def test_storage_errors(school: School, browser: Browser) -> None:
    frame = tool_frame(school, browser)
    missing = ask(school, frame, "lti.put_data", value="abc")
    assert missing["error"] == {"code": "bad_request", "message": "Missing required 'key' field"}
    full = ask(school, frame, "lti.put_data", key="k", value="x" * 4096)
    assert full["error"]["code"] == "storage_exhaustion"
    unknown = ask(school, frame, "lti.nonsense", where="")
    assert unknown["error"]["code"] == "unsupported_subject"


def test_capabilities_and_resize(school: School, browser: Browser) -> None:
    frame = tool_frame(school, browser)
    told = ask(school, frame, "lti.capabilities", where="")["supported_messages"]
    framed = {row["subject"] for row in told if row.get("frame") == FORWARDING}
    assert framed == {"lti.put_data", "lti.get_data"}
    ask(school, frame, "lti.frameResize", where="", height=1234)
    box = frame.page.locator("#tool_content").bounding_box()
    assert box is not None and box["height"] == 1234


def test_the_gradebook_keeps_itself_fresh(school: School, browser: Browser) -> None:
    item = school.add_item("Quiz", 10)
    page = teachers_page(school, browser)
    page.goto(f"{school.url}/courses/{COURSE}/gradebook")
    cell = page.locator(f'td[data-user="{STUDENT}"][data-assignment="{item.assignment_id}"]')
    cell.locator("a").focus()
    school.score(item, 5, 10)
    cell.get_by_text("tool").wait_for()
    assert cell.locator("a").evaluate("link => link === document.activeElement")
