"""The school's usual set-up taken over in Canvas's frame, and the course saved as a template of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

from playwright.sync_api import Browser, expect

from scripts.demo import LTI_CLIENT_ID
from tests.journeys.conftest import ROOT, Demo, strict_context
from tests.journeys.test_accessibility import look
from tests.journeys.test_main_journey import TEACHER, act_as, connect, open_tool
from tests.journeys.test_rule_form import picture


def entry(title: str, **more: Any) -> dict[str, Any]:
    return {
        "outcomes": [{"title": title, "scale": {"points": "4", "mastery": "3"}}],
        "rule": {"kind": "cutoff"},
        "target": {"column": {"label": f"{title} mastered", "points": "1"}},
        **more,
    }


SCHOOL = {
    "version": 1,
    "template": "School",
    "alignments": [
        entry("1.1 Linear models", target={"assignment": {"name": "1.1 Linear models", "points": "1"}}),
        entry("1.2 SYSTEMS of equations"),
        entry("1.4 Sequences"),
        entry("2.2 Uses technology", rule={"kind": "scheme", "scheme": {"title": "Letters of the school"}},
              target={"assignment": {"name": "Portfolio", "points": "20"}}, sections_left_out=2,
              evidence={"at_least": 1, "otherwise": "excuse"},
              calculation={"method": "highest", "ignore_assignments": [{"name": "Exit ticket 9"}]}),
        entry("1.3 Communicates reasoning", rule={"kind": "cutoff", "at": "4"},
              outcomes=[{"title": "1.3 Communicates reasoning", "scale": {"points": "5", "mastery": "3"}}]),
    ],
}  # fmt: skip


def set_default(demo: Demo) -> None:
    """As an administrator does it, with the file on standard input."""
    command = [
        sys.executable,
        "manage.py",
        "set_default_template",
        "--client-id",
        LTI_CLIENT_ID,
        "--file",
        "-",
    ]
    environment = os.environ | demo.environment
    subprocess.run(command, cwd=ROOT, env=environment, input=json.dumps(SCHOOL), text=True, check=True)


def test_the_usual_set_up_and_a_template_of_ones_own(browser: Browser, small: Demo) -> None:
    found: list[str] = []
    with strict_context(browser, 1280) as context:
        page = context.new_page()
        act_as(page, small.canvas, TEACHER)
        frame = open_tool(page)
        connect(page, frame)
        set_default(small)
        heading = frame.get_by_role("heading", level=1)

        def see(name: str) -> None:
            found.extend(look(page, name))
            picture(page, name)

        frame.get_by_role("link", name="Outcomes and columns").click()
        expect(frame.get_by_text("Your school’s usual set-up: 5 alignments.")).to_be_visible()
        see("start-with-set-up")
        frame.get_by_role("link", name=re.compile("Review your school")).click()
        expect(heading).to_have_text("Template “School”")
        assert [box.is_checked() for box in frame.locator("input[name=entry]").all()] == [
            True, True, False, True, False
        ]  # fmt: skip
        frame.get_by_role("checkbox", name=re.compile("1.4 Sequences")).check()
        frame.get_by_role("button", name="Make the ticked alignments").click()
        expect(frame.get_by_text("Choose what is open here")).to_be_visible()
        see("template-review-open")
        frame.get_by_label("Outcome: 1.4 Sequences").select_option(label="2.1 Models with functions")
        frame.get_by_role("button", name="Make the ticked alignments").click()
        expect(frame.get_by_text("The ticked alignments of the template are saved.")).to_be_visible()
        frame.get_by_role("link", name="Settings", exact=True).click()
        frame.get_by_role("link", name=re.compile("Save these alignments")).click()
        frame.get_by_role("link", name="Save 4 alignments as a template").click()
        expect(heading).to_have_text("Save as a template")
        see("template-save")
        frame.get_by_label("Name of the template").fill("Algebra, mastery out of 4")
        frame.get_by_role("button", name="Save 4 alignments").click()
        expect(frame.get_by_text("The template is saved.")).to_be_visible()
        frame.get_by_text("Rename or delete").click()
        see("templates")
        frame.get_by_role("link", name="Delete this template").click()
        expect(heading).to_have_text(re.compile("Delete the template"))
        frame.get_by_role("link", name="Keep it").click()
        with page.expect_download() as download:
            frame.get_by_role("button", name="Download Algebra").click()
        assert json.loads(download.value.path().read_text())["template"] == "Algebra, mastery out of 4"
    assert found == []
