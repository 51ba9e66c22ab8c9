"""The rule form in Canvas's frame: each kind of rule, the class as it changes, rules side by side."""

from __future__ import annotations

import os
import re
from pathlib import Path

import requests
from playwright.sync_api import Browser, FrameLocator, Page, Route, expect

from tests.journeys.conftest import Demo, consent, strict_context
from tests.journeys.test_accessibility import look
from tests.journeys.test_main_journey import TEACHER, act_as, connect, open_tool

KINDS = ["table", "proportional", "scheme", "criteria", "cutoff"]


def picture(page: Page, name: str) -> None:
    """A screenshot at both widths where somebody asked for them (`SCREENSHOTS`: a folder)."""
    folder = os.environ.get("SCREENSHOTS")
    for width in (390, 1280) if folder else ():
        # A frame of another site is drawn only as far as the window goes.
        page.set_viewport_size({"width": width, "height": 5000})
        page.wait_for_timeout(800)
        page.screenshot(path=str(Path(folder or ".") / f"{name}-{width}.png"))
    if folder:
        page.set_viewport_size({"width": 1280, "height": 900})


def new_alignment(page: Page, running: Demo) -> FrameLocator:
    """The empty form; the account is connected, and the suggested pairs are aligned, by whoever comes first."""
    act_as(page, running.canvas, TEACHER)
    frame = open_tool(page)
    expect(frame.get_by_role("heading", level=1)).to_have_text("Outcomes and columns")
    # The whole page is there once its script has run.
    expect(frame.locator("html.scripted")).to_be_visible()
    if frame.get_by_role("link", name="Connect Canvas").count():
        connect(page, frame)
        frame.get_by_role("link", name=re.compile("Review 5 suggested")).click()
        frame.get_by_role("button", name="Align the ticked pairs").click()
    frame.get_by_role("link", name="New alignment").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("New alignment")
    return frame


def test_every_kind_of_rule_with_the_class_beside_it(browser: Browser, small: Demo) -> None:
    found: list[str] = []
    with strict_context(browser, 1280) as context:
        page = context.new_page()
        frame = new_alignment(page, small)
        frame.locator("input[name=outcomes]").first.check()
        expect(frame.locator("#class svg.histogram")).to_be_visible()
        for kind in KINDS:
            frame.locator("#id_rule").focus()
            frame.locator("#id_rule").select_option(kind)
            expect(frame.locator(f"#id_rule option[value={kind}][selected]")).to_have_count(1)
            expect(frame.locator("#id_rule")).to_be_focused()
            expect(frame.locator("#class svg.histogram")).to_be_visible()
            found += look(page, kind)
            picture(page, kind)
        frame.get_by_label("Credit from there up, in percent").fill("93")
        expect(frame.locator("#class")).to_contain_text("0.93 of 1")
        frame.locator("#class-compare > summary").click()
        frame.get_by_role("button", name="Keep this rule to compare").click()
        expect(frame.locator("table.compare th[scope=col]")).to_have_count(3)
        frame.get_by_label("A usual rule to compare").select_option("table")
        frame.get_by_role("button", name="Add to compare").click()
        expect(frame.locator("table.compare th[scope=col]")).to_have_count(4)
        found += look(page, "side by side")
        picture(page, "side-by-side")
        frame.get_by_role("button", name="Use rule 3").click()
        expect(frame.locator("#id_level-0-at")).to_be_visible()
        frame.get_by_role("button", name="Add a level").click()
        expect(frame.locator("#id_level-4-at")).to_have_value("")
        frame.get_by_label("Column name").fill("Models by table")
        frame.locator("button.button-primary").click()
        expect(frame.locator("#id_level-4-at_error")).to_be_visible()
        found += look(page, "errors")
        frame.get_by_role("button", name="Remove the level from", exact=True).click()
        expect(frame.locator("#id_level-4-at")).to_have_count(0)
        frame.locator("button.button-primary").click()
        expect(frame.get_by_role("heading", level=1)).to_have_text("Outcomes and columns")
    assert found == []


def test_own_calculations_exceptions_and_schemes(browser: Browser, small: Demo) -> None:
    found: list[str] = []
    with strict_context(browser, 1280) as context:
        page = context.new_page()
        frame = new_alignment(page, small)
        for box in frame.locator("input[name=outcomes]").all()[:2]:
            box.check()
        frame.get_by_label("Column name").fill("By the newest work")
        frame.locator("#fold-score > summary").click()
        calculate = frame.get_by_label("Each outcome's score is")
        for method in ("power_law", "n_mastery", "weighted_average", "newest"):
            calculate.focus()
            calculate.select_option(method)
            expect(frame.locator(f"#id_calc option[value={method}][selected]")).to_have_count(1)
            expect(calculate).to_be_focused()
        expect(frame.locator("#class svg.histogram")).to_be_visible()
        frame.get_by_text("Order, how many results, what is left out").click()
        frame.get_by_role("button", name="Ignore an assignment").click()
        frame.get_by_label("Ignored assignment 1").select_option(index=2)
        frame.get_by_label("Why assignment 1 is ignored").fill("Fire drill")
        frame.get_by_label("Results are in the order of").select_option("due")
        expect(frame.locator("#set-score")).to_contain_text("in the order they were due")
        expect(frame.locator("#set-effect")).to_contain_text("would have a grade")
        frame.locator("#class-example-0 > summary").click()
        expect(frame.locator("#class-example-0")).to_contain_text("The results behind it")
        frame.locator("#class-compare > summary").click()
        frame.get_by_label("A usual rule to compare").select_option("from-canvas")
        frame.get_by_role("button", name="Add to compare").click()
        expect(frame.locator("table.compare th[scope=col]")).to_have_count(3)
        found += look(page, "calculation")
        picture(page, "calculation")
        frame.get_by_label("How many of the newest results").fill("0")
        frame.locator("#alignment-fields .form-actions .button-primary").click()
        expect(frame.locator("#id_calc-count-newest_error")).to_be_visible()
        found += look(page, "a wrong number")
        frame.get_by_label("How many of the newest results").fill("2")
        frame.locator("#alignment-fields .form-actions .button-primary").click()
        expect(frame.get_by_role("heading", level=1)).to_have_text("Outcomes and columns")
        frame.get_by_role("link", name=re.compile("By the newest work")).first.click()
        frame.get_by_role("link", name="Exceptions").click()
        expect(frame.get_by_role("heading", level=1)).to_contain_text("Exceptions")
        found += exceptions_of(page, frame)
        frame.get_by_role("link", name="Settings").click()
        frame.get_by_role("link", name=re.compile("See what each letter is worth")).click()
        expect(frame.get_by_role("heading", level=1)).to_have_text("Grading schemes")
        found += look(page, "schemes")
        picture(page, "schemes")
    assert found == []


def exceptions_of(page: Page, frame: FrameLocator) -> list[str]:
    """The exceptions page by keyboard and click: a table for one student, an outcome left out for another."""
    frame.get_by_label("For", exact=True).select_option(label="Lindqvist, Ada")
    kind = frame.get_by_label("What counts instead")
    kind.focus()
    kind.select_option("criteria")
    expect(frame.locator("#id_grade-0-credit")).to_be_visible()
    found = look(page, "criteria of an exception")
    picture(page, "exception-criteria")
    kind.select_option("table")
    expect(frame.locator("#id_level-3-credit")).to_be_visible()
    expect(kind).to_be_focused()
    frame.get_by_role("button", name="Add a level").click()
    expect(frame.locator("#id_level-4-at")).to_have_value("")
    frame.get_by_role("button", name="Save the exception").click()
    expect(frame.locator("#id_level-4-at_error")).to_be_visible()
    found += look(page, "a wrong exception")
    frame.get_by_role("button", name="Remove the level from", exact=True).click()
    expect(frame.locator("#id_level-4-at")).to_have_count(0)
    frame.get_by_role("button", name="Save the exception").click()
    expect(frame.locator("tbody th")).to_have_text("Lindqvist, Ada")
    frame.get_by_label("For", exact=True).select_option(label="Okafor, Bilal")
    frame.get_by_label("What counts instead").select_option("left_out")
    frame.get_by_role("group", name="Outcomes not assessed for them").get_by_role("checkbox").first.check()
    frame.get_by_role("button", name="Save the exception").click()
    expect(frame.locator("tbody th")).to_have_count(2)
    found += look(page, "exceptions")
    picture(page, "exceptions")
    frame.get_by_label("For", exact=True).select_option(label="Okafor, Bilal")
    kind.select_option("cutoff")
    credit = frame.get_by_label("Credit from there up, in percent")
    credit.fill("87.5")
    frame.get_by_role("button", name="Hide names").click()
    expect(frame.locator("tbody th").first).to_contain_text("Student")
    expect(credit).to_have_value("87.5")
    expect(frame.locator("#who option:checked")).to_have_text(re.compile(r"Student \d"))
    expect(frame.get_by_role("button", name="Hide names", pressed=True)).to_be_focused()
    expect(frame.locator("body")).not_to_contain_text("Lindqvist")
    frame.get_by_role("button", name="Change the exception for Student 1").click()
    expect(frame.locator("#id_level-3-credit")).to_be_visible()
    return found


def test_a_late_answer_shows_no_class_of_the_rule_before(browser: Browser, small: Demo) -> None:
    """The class is asked for, the rule is changed meanwhile, and the first answer comes last."""
    with strict_context(browser, 1280) as context:
        page = context.new_page()
        frame = new_alignment(page, small)
        frame.locator("input[name=outcomes]").first.check()
        expect(frame.locator("#class svg.histogram")).to_be_visible()
        asked, late, given_up = re.compile("/alignments/class/"), list[Route](), list[str]()
        page.route(asked, lambda route: late.append(route))
        page.on("requestfailed", lambda request: given_up.append(request.url))
        with page.expect_request(asked):
            frame.get_by_label("Credit from there up, in percent").fill("50")
        frame.locator("#id_rule").select_option("proportional")
        expect(frame.locator("#id_rule option[value=proportional][selected]")).to_have_count(1)
        of_the_rule = frame.locator("#class p[role=status]").inner_text()
        for route in late:
            # Given up by now, else it would be answered here and shown over the class of the rule.
            route.continue_()
        page.wait_for_timeout(1_500)
        assert [asked.search(url) is not None for url in given_up] == [True]
        assert frame.locator("#class p[role=status]").inner_text() == of_the_rule


def test_connecting_again_in_the_form_loses_nothing_typed(browser: Browser, small: Demo) -> None:
    """An account that may not read single results: the panel asks for it, and the class comes without a reload."""
    refused = {
        "kind": "reply", "path": "*/outcome_results", "status": 401, "count": None,
        "body": '{"errors": [{"message": "Insufficient scopes on access token."}]}',
    }  # fmt: skip
    with strict_context(browser, 1280) as context:
        page = context.new_page()
        frame = new_alignment(page, small)
        frame.get_by_label("Column name").fill("Typed before connecting")
        frame.locator("input[name=outcomes]").first.check()
        expect(frame.locator("#class svg.histogram")).to_be_visible()
        requests.post(f"{small.canvas}/_sandbox/faults", json=refused, timeout=60).raise_for_status()
        frame.locator("#fold-score > summary").click()
        frame.get_by_label("Each outcome's score is").select_option("latest")
        again = frame.locator("#class").get_by_role("link", name="Connect Canvas again")
        expect(again).to_be_visible()
        found = look(page, "connect again")
        picture(page, "connect-again")
        requests.delete(f"{small.canvas}/_sandbox/faults", timeout=60).raise_for_status()
        consent(page, again)
        expect(frame.locator("#class svg.histogram")).to_be_visible()
        expect(frame.get_by_label("Column name")).to_have_value("Typed before connecting")
        expect(frame.locator("#id_calc option[value=latest][selected]")).to_have_count(1)
    assert found == []
