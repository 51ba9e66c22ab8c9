"""The main job as a teacher does it, in Canvas's frame, with third-party cookies blocked."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.journeys.conftest import Demo, consent, demo, held, strict_context

TEACHER = "Maria Keller (teacher)"
COURSE = "Algebra I"
TOOL = "Mastery Gradebook"
IS_DRAWN = """() => new Promise((done) => {
  requestAnimationFrame(() => done(true));
  setTimeout(() => done(false), 1000);
})"""


@pytest.fixture
def fresh() -> Iterator[Demo]:
    with demo("small") as running:
        yield running


def act_as(page: Page, canvas: str, who: str) -> None:
    page.goto(f"{canvas}/")
    page.get_by_label("Acting as").select_option(label=who)
    page.get_by_role("button", name="Switch").click()
    # The page that answers says so itself; the one that is left has the same links.
    expect(page.locator("#act-as option[selected]")).to_have_text(who)


def open_tool(page: Page) -> FrameLocator:
    page.get_by_role("link", name=COURSE).first.click()
    page.get_by_role("link", name=TOOL, exact=True).click()
    return page.frame_locator("iframe[name=tool_content]")


def connect(page: Page, frame: FrameLocator) -> None:
    """Consent in a window of its own; the page goes on by itself afterwards."""
    consent(page, frame.get_by_role("link", name="Connect Canvas").first)
    expect(frame.get_by_role("link", name=re.compile("Review 5 suggested"))).to_be_visible()


def gradebook(canvas: str) -> dict[tuple[str, int], str | None]:
    """What the sandbox's gradebook holds, by column name and student."""
    course = requests.get(f"{canvas}/_sandbox/world", timeout=60).json()["courses"][0]["id"]
    book = requests.get(f"{canvas}/_sandbox/courses/{course}/gradebook", timeout=60).json()
    names = {column["id"]: column["name"] for column in book["assignments"]}
    return {(names[cell["assignment_id"]], cell["user_id"]): cell["entered_score"] for cell in book["cells"]}


def test_from_launch_to_gradebook_on_a_phone(browser: Browser, fresh: Demo) -> None:
    before = gradebook(fresh.canvas)
    with strict_context(browser, 390) as context:
        page = context.new_page()
        act_as(page, fresh.canvas, TEACHER)
        with held(page, "/static/canvas/connect"):
            frame = open_tool(page)
            expect(frame.get_by_role("link", name="Connect Canvas")).to_be_visible()
            assert not frame.locator("body").evaluate(IS_DRAWN), "what does nothing yet can be pressed"
        connect(page, frame)
        frame.get_by_role("link", name=re.compile("Review 5 suggested")).click()
        frame.get_by_role("button", name="Align the ticked pairs").click()
        frame.get_by_role("button", name="Preview changes").click()
        expect(frame.get_by_role("heading", level=1)).to_have_text("Preview: 18 grades would change.")
        assert gradebook(fresh.canvas) == before
        frame.get_by_role("button", name="Send 18 grades").click()
        expect(frame.get_by_role("heading", level=1)).to_have_text("18 grades are in the gradebook.")
        after = gradebook(fresh.canvas)
        changed = {key: after[key] for key in after if after[key] != before[key]}
        assert len(changed) == 18 and set(changed.values()) <= {"0", "1", "0.0", "1.0"}
        assert_no_sideways_scrolling(page, frame)
        frame.get_by_role("button", name="Undo this run").click()
        expect(frame.get_by_role("heading", level=1)).to_have_text("Undo of run 1: 18 cells were put back.")
        assert gradebook(fresh.canvas) == before
        # Reading, preview, sending and report have one address: going back is one step for them all.
        for heading in ("History", "18 grades are in the gradebook.", "Outcomes and columns"):
            frame.locator("body").evaluate("() => history.back()")
            expect(frame.get_by_role("heading", level=1)).to_have_text(heading)


def assert_no_sideways_scrolling(page: Page, frame: FrameLocator) -> None:
    """Wide tables scroll inside their own region; the page never does."""
    body = frame.locator("body")
    assert body.evaluate("body => document.documentElement.scrollWidth <= window.innerWidth")


def test_the_same_with_the_keyboard_alone_while_a_second_teacher_looks(browser: Browser, fresh: Demo) -> None:
    with strict_context(browser, 1280) as context, strict_context(browser, 1280) as second:
        page = context.new_page()
        act_as(page, fresh.canvas, TEACHER)
        frame = open_tool(page)
        connect(page, frame)
        press(page, frame, "link", "Review 5 suggested")
        press(page, frame, "button", "Align the ticked pairs")
        press(page, frame, "button", "Preview changes")
        expect(frame.get_by_role("heading", level=1)).to_have_text("Preview: 18 grades would change.")
        cell = frame.locator("details.why summary").first
        tab_to(page, cell)
        page.keyboard.press("Enter")
        hold = frame.get_by_label("Hold this one back").first
        expect(hold).to_be_visible()
        tab_to(page, hold)
        page.keyboard.press("Space")
        expect(frame.get_by_role("button", name="Send 17 grades")).to_be_visible()
        other = second.new_page()
        act_as(other, fresh.canvas, "Jonas Brandt (TA)")
        theirs = open_tool(other)
        theirs.get_by_role("link", name="Preview", exact=True).click()
        expect(theirs.get_by_role("button", name="Send 17 grades")).to_be_visible()
        press(page, frame, "button", "Send 17 grades")
        expect(frame.get_by_role("heading", level=1)).to_have_text("17 grades are in the gradebook.")


def press(page: Page, frame: FrameLocator, role: str, name: str) -> None:
    """Walk to a control with Tab and press Enter."""
    found = frame.get_by_role(role, name=re.compile(re.escape(name)))
    expect(found.first).to_be_visible()
    tab_to(page, found.first)
    page.keyboard.press("Enter")


def tab_to(page: Page, found: object) -> None:
    """Press Tab until the control has the focus; a control the keyboard cannot reach fails."""
    for _ in range(120):
        if found.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not reach this control")
