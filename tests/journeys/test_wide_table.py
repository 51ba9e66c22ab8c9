"""The preview's table by keyboard: whatever has the focus is seen, also where the first column stays in place."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Demo, strict_context
from tests.journeys.test_accessibility import WIDTHS, tool_frame
from tests.journeys.test_main_journey import TEACHER, act_as, connect, open_tool

COVERED = """() => {
  const at = document.activeElement, box = at.getBoundingClientRect();
  if (!at.closest("#cells tbody td")) return "";
  const seen = document.elementFromPoint(box.left + Math.min(box.width, 24) / 2, box.top + box.height / 2);
  return seen && (at.contains(seen) || seen.contains(at)) ? "" : at.outerHTML.slice(0, 120);
}"""
WALK = ["Tab"] * 60 + ["Shift+Tab"] * 60


def covered(page: Page) -> list[str]:
    """What the keyboard reaches while it lies under the table's header or first column."""
    found, frame = [], tool_frame(page)
    frame.evaluate("document.getElementById('cells').focus()")
    for key in WALK:
        page.keyboard.press(key)
        if hidden := frame.evaluate(COVERED):
            found.append(f"{key}: {hidden}")
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_the_focus_is_never_under_the_first_column(browser: Browser, small: Demo, width: int) -> None:
    with strict_context(browser, width) as context:
        page = context.new_page()
        act_as(page, small.canvas, TEACHER)
        frame = open_tool(page)
        heading = frame.get_by_role("heading", level=1)
        expect(heading).to_have_text("Outcomes and columns")
        # The whole page is there once its script has run.
        expect(frame.locator("html.scripted")).to_be_visible()
        if frame.get_by_role("link", name="Connect Canvas").count():
            connect(page, frame)
            frame.get_by_role("link", name="Review 5 suggested pairs").click()
            frame.get_by_role("button", name="Align the ticked pairs").click()
            frame.get_by_role("button", name="Preview changes").click()
        else:
            frame.get_by_role("link", name="Preview", exact=True).click()
        expect(heading).to_have_text("Preview: 18 grades would change.")
        page.set_viewport_size({"width": width, "height": 1600})
        assert covered(page) == []
