"""Every page of the tool in Canvas's frame: no violation that axe finds, at 1280 and at 390 px; and no address of
it holds what was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.journeys.conftest import Demo, consent, demo, strict_context
from tests.journeys.test_main_journey import TEACHER, act_as, connect, open_tool

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def by_people() -> Iterator[Demo]:
    with demo("graded-by-people") as running:
        yield running


def look(page: Page, name: str) -> list[str]:
    """What axe finds on the page in the frame, at each width, one line for each rule and page."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        frame = tool_frame(page)
        frame.evaluate(AXE)
        result: dict[str, Any] = frame.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [
            f"{name} at {width}: {one['id']}: {one['nodes'][0]['html'][:160]}" for one in result["violations"]
        ]
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    return found


def tool_frame(page: Page) -> Frame:
    """axe does not enter frames of another site: it is put into the tool's own."""
    frame = page.locator("iframe[name=tool_content]").element_handle().content_frame()
    assert frame is not None
    return frame


def test_no_page_has_a_violation_and_no_address_what_was_typed(browser: Browser, by_people: Demo) -> None:
    found: list[str] = []
    asked: list[str] = []
    with strict_context(browser, 1280) as context:
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        act_as(page, by_people.canvas, TEACHER)
        frame = open_tool(page)
        heading = frame.get_by_role("heading", level=1)

        def see(name: str, title: str) -> None:
            expect(heading).to_have_text(re.compile(title))
            found.extend(look(page, name))

        def go(link: str) -> None:
            frame.get_by_role("link", name=link, exact=True).click()

        see("home without an account", "Outcomes and columns")
        connect(page, frame)
        see("first steps", "Outcomes and columns")
        go("Preview")
        see("preview without alignments", "Preview changes")
        go("Outcomes and columns")
        frame.get_by_role("link", name=re.compile("Review 5 suggested")).click()
        see("suggested pairs", "Suggest|suggest|pairs")
        frame.get_by_role("button", name="Align the ticked pairs").click()
        see("outcomes", "Outcomes and columns")
        go("New alignment")
        see("alignment", "align")
        go("Settings")
        see("settings", "Settings")
        frame.get_by_role("link", name=re.compile("See what each letter is worth")).click()
        see("grading schemes", "Grading schemes")
        go("History")
        see("empty history", "History")
        go("Settings")
        go("Check that everything works")
        expect(frame.get_by_text(re.compile("Something needs a person|Everything works"))).to_be_visible()
        see("self-check", "Does everything work")
        go("Settings")
        go("Forget this course")
        see("forget this course", "Forget this course")
        go("Preview")
        see("before a preview", "Preview changes")
        frame.get_by_role("button", name="Preview changes").click()
        expect(heading).to_have_text("Preview: 14 grades would change, 2 need you.")
        for cell in frame.locator("details.why summary").all()[:4]:
            cell.click()
        see("preview", "Preview: 14 grades")
        frame.get_by_label("Student", exact=True).fill("Okafor")
        frame.get_by_label("Student", exact=True).press("Enter")
        expect(frame.get_by_role("link", name="Lindqvist, Ada")).to_have_count(0)
        frame.get_by_label(re.compile("Replace with")).first.check()
        expect(frame.get_by_role("button", name="Send 15 grades")).to_be_visible()
        frame.get_by_label(re.compile("Keep ")).first.check()
        expect(frame.get_by_role("button", name="Send 14 grades")).to_be_visible()
        frame.get_by_role("link", name="Okafor, Bilal").click()
        see("one student", "Okafor, Bilal")
        go("Back to the preview")
        frame.get_by_role("button", name=re.compile("Held")).click()
        expect(frame.get_by_role("button", name=re.compile("Held"), pressed=True)).to_be_visible()
        frame.get_by_role("button", name="Hide names").press("Enter")
        switch = frame.get_by_role("button", name="Hide names", pressed=True)
        expect(switch).to_be_focused()
        expect(frame.get_by_role("button", name=re.compile("Held"), pressed=True)).to_be_visible()
        see("names hidden", "Preview: 14 grades")
        expect(frame.locator("body")).not_to_contain_text("Okafor")
        see("held cells", "Preview: 14 grades")
        frame.get_by_role("button", name="Send 14 grades").click()
        see("report", "14 grades are in the gradebook.")
        go("History")
        see("history", "History")
    ours = [url for url in asked if url.startswith(by_people.tool)]
    assert any("/students/" in url for url in ours)
    # The number alone: by chance it is a part of a port or of a login's random letters.
    typed = re.compile(r"okafor|session_token|shown|(?<![\w-])1002(?![\w-])", re.IGNORECASE)
    assert not [url for url in ours if typed.search(url)]
    assert found == []


def test_an_administrators_page_has_no_violation(browser: Browser, by_people: Demo) -> None:
    """Grading schemes for the whole school: before an account is connected, with the form, and refused."""
    with strict_context(browser, 1280) as context:
        page = context.new_page()
        act_as(page, by_people.canvas, "Ada Admin (account admin)")
        frame = open_tool(page)
        frame.get_by_role("link", name="Grading schemes of the school").click()
        connects = frame.get_by_role("link", name="Connect Canvas")
        expect(connects).to_be_visible()
        found = look(page, "school without an account")
        consent(page, connects)
        makes = frame.get_by_role("button", name="Make the scheme in Canvas").last
        expect(makes).to_be_visible()
        found += look(page, "school")
        makes.click()
        expect(frame.locator(".error-summary")).to_be_visible()
        found += look(page, "school, refused")
    assert found == []
