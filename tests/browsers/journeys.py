"""`make test-browsers`: the tool inside Canvas's frame in Firefox and in WebKitGTK, which passes no cookie there.

Not part of `make test`: these browsers are a quarter of a gigabyte that not every machine has.
"""

from __future__ import annotations

import pytest

from tests.browsers.conftest import Visitor

TEACHER = "Maria Keller (teacher)"
HOME = "Which outcome feeds which gradebook column"
COOKIELESS = ("webkit", "firefox without third-party cookies")


@pytest.fixture(autouse=True)
def at_the_start(visitor: Visitor) -> None:
    """One window, a teacher signed in to Canvas, platform storage on offer."""
    first, *others = visitor.windows()
    for window in others:
        visitor.turn_to(window)
        visitor.driver.command("CloseWindow")
    visitor.turn_to(first)
    visitor.out_of_frame()
    visitor.platform_storage("post_message_forwarding")
    visitor.act_as(TEACHER)


def test_from_the_launch_over_consent_to_a_preview(visitor: Visitor) -> None:
    visitor.open_tool()
    visitor.sees("Connect Canvas")
    assert visitor.cookies_reach_the_tool() is (visitor.name not in COOKIELESS)
    visitor.picture("launched")
    main, before = visitor.windows()[0], visitor.windows()
    visitor.press("a", "Connect Canvas")
    visitor.turn_to(visitor.new_window(before))
    visitor.sees("Authorize")
    visitor.picture("consent")
    visitor.press("button", "Authorize")
    visitor.turn_to(main)
    visitor.into_frame()
    visitor.press("a", "Review 5 suggested")
    visitor.press("button", "Align the ticked pairs")
    visitor.press("button", "Preview changes")
    visitor.sees("Preview: 18 grades would change.")
    visitor.picture("preview")


def test_back_and_forward_inside_the_frame_show_the_pages_again(visitor: Visitor) -> None:
    visitor.open_tool()
    visitor.sees(HOME)
    visitor.press("a", "History")
    visitor.sees("Every run of this course")
    visitor.driver.script("history.back()")
    visitor.into_frame()
    visitor.sees(HOME)
    visitor.driver.script("history.forward()")
    visitor.into_frame()
    visitor.sees("Every run of this course")


def test_a_reloaded_frame_shows_its_page_or_a_kind_one_with_one_button(visitor: Visitor) -> None:
    visitor.open_tool()
    visitor.sees(HOME)
    visitor.reload_frame()
    if visitor.name in COOKIELESS:
        visitor.sees("Open this tool from Canvas")
        visitor.picture("frame-reloaded")
        visitor.press("a", "Open the tool again")
        visitor.into_frame()
    visitor.sees(HOME)
    visitor.sees("Algebra I")


def test_reloading_canvas_and_going_back_open_the_tool_again_or_say_why_not(visitor: Visitor) -> None:
    visitor.open_tool()
    visitor.sees(HOME)
    visitor.out_of_frame()
    visitor.driver.command("Refresh")
    visitor.into_frame()
    visitor.sees(HOME)
    visitor.goto("/courses/101/gradebook")
    visitor.sees("Gradebook")
    visitor.driver.command("Back")
    visitor.into_frame()
    visitor.sees_one_of(HOME, "Open the tool again", "Go to Canvas", "Open in a new tab")
    visitor.picture("back")


def test_a_launch_used_already_says_so_with_one_button(visitor: Visitor) -> None:
    """Canvas accepts each launch once: its login asked for a second time ends in a page of ours, not in nothing."""
    visitor.goto("/courses/101")
    visitor.press("a", "Mastery Gradebook")
    visitor.into_frame()
    visitor.sees(HOME)
    visitor.out_of_frame()
    visitor.driver.script("document.getElementById('tool_form').submit()")
    visitor.into_frame()
    visitor.sees("This launch is over")
    visitor.picture("launch-over")
    visitor.press("a", "Go to Canvas")
    visitor.out_of_frame()
    visitor.sees("Dashboard")


def test_without_platform_storage_a_tab_of_its_own_leads_to_the_same_course(visitor: Visitor) -> None:
    visitor.platform_storage("")
    visitor.open_tool()
    if visitor.name not in COOKIELESS:
        visitor.sees(HOME)
        return
    visitor.sees("Open the tool in a tab of its own")
    visitor.picture("tab-offered")
    before = visitor.windows()
    visitor.press("a", "Open in a new tab")
    visitor.turn_to(visitor.new_window(before))
    visitor.sees(HOME)
    visitor.sees("Algebra I")
    visitor.press("a", "History")
    visitor.sees("Every run of this course")
    visitor.driver.command("Refresh")
    visitor.sees("Every run of this course")
    visitor.picture("tab")
