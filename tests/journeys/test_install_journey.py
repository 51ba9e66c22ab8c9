"""An administrator installs the tool from one pasted link; a teacher then makes an assignment with it. All in
Canvas's frame, with third-party cookies blocked."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from tests.journeys.conftest import Demo, consent, demo, held, strict_context
from tests.journeys.test_accessibility import look
from tests.journeys.test_main_journey import COURSE, TEACHER, act_as

ADMIN = "Ada Admin (account admin)"
TOOL = "Mastery Gradebook"


@pytest.fixture
def fresh() -> Iterator[Demo]:
    with demo("small") as running:
        yield running


def paste_link(page: Page, link: str) -> FrameLocator:
    page.get_by_role("link", name="Keys", exact=True).click()
    page.get_by_label("Registration link").fill(link)
    page.get_by_role("button", name="Continue").click()
    return page.frame_locator("iframe#registration")


def make_api_key(page: Page, canvas: str, redirect_uri: str) -> tuple[str, str]:
    """In another tab, as the install page says; its number and its key."""
    page.goto(f"{canvas}/accounts/developer_keys")
    rows = page.get_by_role("row")
    before = rows.count()
    page.get_by_label("Redirect URIs").fill(redirect_uri)
    page.get_by_role("button", name="Save").click()
    # The page that is left shows keys as well.
    expect(rows).to_have_count(before + 1)
    row = rows.last
    row.get_by_text("Show Key").click()
    number, secret = row.locator("code").all_inner_texts()
    return number, secret


def install(context: BrowserContext, page: Page, fresh: Demo) -> None:
    frame = paste_link(page, fresh.registration_link)
    expect(frame.get_by_text("The tool is registered with your Canvas.")).to_be_visible()
    other = context.new_page()
    number, secret = make_api_key(other, fresh.canvas, frame.locator("#redirect-uri").inner_text())
    # It lies in front: nobody presses what is behind it.
    other.close()
    page.bring_to_front()
    frame.get_by_label("Number of the key").fill(number)
    frame.get_by_label("The key", exact=True).fill(secret)
    close = frame.get_by_role("button", name="Close and go on in Canvas")
    with held(page, "/static/canvas/install"):
        frame.get_by_role("button", name="Store the API key").click()
        expect(frame.get_by_text("The API key is stored, encrypted.")).to_be_visible()
        expect(close).to_be_disabled()
    close.click()
    expect(page).to_have_url(f"{fresh.canvas}/accounts/developer_keys")
    page.get_by_role("button", name=re.compile(f"Switch on {TOOL}")).click()
    expect(page.get_by_text(f"{TOOL} is on.")).to_be_visible()


def pick(page: Page) -> None:
    """From the assignment form to the saved assignment, which opens the tool."""
    page.get_by_role("link", name=COURSE).first.click()
    page.get_by_role("link", name="Assignments", exact=True).click()
    # The demo's own key is of the same name; the one just registered is the account's, which stands last.
    page.locator("main").get_by_role("link", name=TOOL).last.click()
    frame = page.frame_locator("iframe[name=tool_content]")
    expect(frame.get_by_role("heading", level=1)).to_have_text("Outcomes for this assignment")
    consent(page, frame.get_by_role("link", name="Connect Canvas").first)
    boxes = frame.get_by_role("checkbox")
    expect(boxes.first).to_be_visible()
    assert not look(page, "picking outcomes")
    boxes.first.check()
    frame.get_by_label("Points").fill("4")
    frame.get_by_role("button", name="Use the ticked outcomes").click()
    frame.get_by_role("button", name="Save and publish").click()


def test_from_the_pasted_link_to_an_aligned_assignment(browser: Browser, fresh: Demo) -> None:
    with strict_context(browser, 1280) as context:
        page = context.new_page()
        act_as(page, fresh.canvas, ADMIN)
        install(context, page, fresh)
        act_as(page, fresh.canvas, TEACHER)
        pick(page)
        frame = page.frame_locator("iframe[name=tool_content]")
        expect(frame.get_by_role("button", name=re.compile("Save"))).to_be_visible()
        frame.get_by_role("link", name="Outcomes and columns").first.click()
        expect(frame.get_by_text("full credit at").first).to_be_visible()
