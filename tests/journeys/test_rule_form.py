"""The rule form in Canvas's frame: each kind of rule, the class as it changes, rules side by side."""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Demo, strict_context
from tests.journeys.test_accessibility import look
from tests.journeys.test_main_journey import TEACHER, act_as, connect, open_tool

KINDS = ["table", "proportional", "scheme", "criteria", "cutoff"]


def picture(page: Page, name: str) -> None:
    """A screenshot at both widths where somebody asked for them (`SCREENSHOTS`: a folder)."""
    folder = os.environ.get("SCREENSHOTS")
    for width in (390, 1280) if folder else ():
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=str(Path(folder or ".") / f"{name}-{width}.png"), full_page=True)


def test_every_kind_of_rule_with_the_class_beside_it(browser: Browser, small: Demo) -> None:
    found: list[str] = []
    with strict_context(browser, 1280) as context:
        page = context.new_page()
        act_as(page, small.canvas, TEACHER)
        frame = open_tool(page)
        connect(page, frame)
        frame.get_by_role("link", name=re.compile("Review 5 suggested")).click()
        frame.get_by_role("button", name="Align the ticked pairs").click()
        frame.get_by_role("link", name="New alignment").click()
        frame.locator("input[name=outcomes]").first.check()
        expect(frame.locator("#class svg.histogram")).to_be_visible(timeout=15_000)
        for kind in KINDS:
            frame.locator("#id_rule").focus()
            frame.locator("#id_rule").select_option(kind)
            expect(frame.locator(f"#id_rule option[value={kind}][selected]")).to_have_count(1, timeout=15_000)
            expect(frame.locator("#id_rule")).to_be_focused()
            expect(frame.locator("#class svg.histogram")).to_be_visible(timeout=15_000)
            found += look(page, kind)
            picture(page, kind)
        frame.get_by_label("Credit from there up, in percent").fill("93")
        expect(frame.locator("#class")).to_contain_text("0.93 of 1", timeout=15_000)
        frame.get_by_role("button", name="Keep this rule to compare").click()
        expect(frame.locator("table.compare th[scope=col]")).to_have_count(3, timeout=15_000)
        frame.get_by_label("A usual rule to compare").select_option("table")
        frame.get_by_role("button", name="Add to compare").click()
        expect(frame.locator("table.compare th[scope=col]")).to_have_count(4, timeout=15_000)
        found += look(page, "side by side")
        picture(page, "side-by-side")
        frame.get_by_role("button", name="Use rule 3").click()
        expect(frame.locator("#id_level-0-at")).to_be_visible(timeout=15_000)
        frame.get_by_role("button", name="Add a level").click()
        expect(frame.locator("#id_level-4-at")).to_have_value("", timeout=15_000)
        frame.get_by_label("Column name").fill("Models by table")
        frame.locator("button.button-primary").click()
        expect(frame.locator("#id_level-4-at_error")).to_be_visible(timeout=15_000)
        found += look(page, "errors")
        frame.get_by_role("button", name="Remove the level from", exact=True).click()
        expect(frame.locator("#id_level-4-at")).to_have_count(0, timeout=15_000)
        frame.locator("button.button-primary").click()
        expect(frame.get_by_role("heading", level=1)).to_have_text("Outcomes and columns", timeout=15_000)
    assert found == []
