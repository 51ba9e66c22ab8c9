"""`make demo ARGS=--check`: the main job over HTTP, as a teacher whose browser runs no scripts.

Launch, consent, alignments, preview, send; then the sandbox's gradebook is read back and every cell compared
with what the rules say (scripts/demo_oracle.py). A second preview must find nothing to change.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import requests

from scripts.canvas_reader import Canvas, cells_of, kept_of
from scripts.demo_oracle import Gradebook, Key, expected_cells
from scripts.processes import Problem, say
from scripts.webclient import NotFound, Page, Visitor

RUN_SECONDS = 300
COLUMN_POINTS = "4"


@dataclass(frozen=True)
class Access:
    """The API key of the demo, for a token of the check's own."""

    client_id: str
    secret: str


@dataclass
class Findings:
    """What the check saw; `wrong` lists cells that are not what the rules say."""

    scenario: str
    report: str
    calls: dict[str, int]
    second_calls: dict[str, int]
    second_sent: int
    before: dict[Key, str] = field(default_factory=dict)
    after: dict[Key, str] = field(default_factory=dict)
    expected: dict[Key, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @property
    def wrong(self) -> list[Key]:
        keys = self.expected.keys() | self.after.keys()
        return sorted(key for key in keys if self.after.get(key, "") != self.expected.get(key, ""))

    @property
    def changed(self) -> list[Key]:
        return sorted(key for key in self.after if self.after[key] != self.before.get(key, ""))

    @property
    def ok(self) -> bool:
        return not self.wrong and self.second_calls["write"] == 0 and self.second_sent == 0


class Teacher:
    """The teacher in the tool. `page` is what the browser shows."""

    def __init__(self, visitor: Visitor, page: Page) -> None:
        self.visitor = visitor
        self.page = page

    def follow(self, words: str) -> Page:
        return self._checked(self.visitor.open(self.page.link(words)))

    def submit(self, words: str, button: str = "", changes: dict[str, str | list[str]] | None = None) -> Page:
        return self._checked(self.visitor.submit(self.page, self.page.form(words), changes, button=button))

    def _checked(self, page: Page) -> Page:
        if page.status >= 400:
            raise Problem(f"{page.url} answered {page.status}: {page.text[:500]}")
        self.page = page
        return page

    def wait(self) -> Page:
        """Until the run on the page has done its present work."""
        deadline = time.monotonic() + RUN_SECONDS
        while 'id="working"' in self.page.html:
            if time.monotonic() > deadline:
                raise Problem(
                    f"{self.page.url} was still at work after {RUN_SECONDS} s: {self.page.text[:300]}"
                )
            time.sleep(0.2)
            self._checked(self.visitor.open(self.page.url))
        return self.page


def check(tool_url: str, canvas_url: str, scenario: str, access: Access, *, as_json: bool) -> int:
    """Do it, print what was found, and return the exit status."""
    try:
        findings = walk(tool_url, Canvas(canvas_url), scenario, access)
    except (NotFound, LookupError, requests.RequestException) as error:
        raise Problem(f"The check could not go on: {error}") from error
    print(json.dumps(as_object(findings), indent=None) if as_json else as_text(findings), flush=True)
    return 0 if findings.ok else 1


def walk(tool_url: str, canvas: Canvas, scenario: str, access: Access) -> Findings:
    """The teacher's way from the course to the grades, twice."""
    at_first = canvas.gradebook()
    teacher = launch(canvas)
    say("Launched as the teacher; connecting the Canvas account ...")
    connect(teacher, tool_url)
    say("Aligning outcomes with columns ...")
    align(teacher, tool_url)
    say("Previewing and sending ...")
    report, calls = counted(canvas, lambda: sync(teacher, tool_url))
    say("Previewing again: nothing should be left to change ...")
    second, second_calls = counted(canvas, lambda: preview(teacher, tool_url))
    found = Findings(scenario, report.heading, calls, second_calls, sendable(second))
    judge(teacher, tool_url, canvas, access, at_first, found)
    return found


def judge(
    teacher: Teacher, tool_url: str, canvas: Canvas, access: Access, at_first: dict[str, Any], found: Findings
) -> None:
    """Add what the cells hold now and what they should hold."""
    now = canvas.gradebook()
    columns = {str(one["name"]): str(one["id"]) for one in now["assignments"]}
    token = canvas.token(teacher.visitor, access.client_id, access.secret, f"{tool_url}/canvas/callback")
    found.before, found.after = cells_of(at_first), cells_of(now)
    book = Gradebook(
        {key: found.before.get(key, "") for key in found.after},
        kept_of(at_first),
        columns,
        {str(one["id"]): Decimal(one["points_possible"] or 0) for one in now["assignments"]},
        frozenset(str(one["id"]) for one in now["assignments"] if one["closed_period"]),
        canvas.has_ended(),
    )
    found.expected = expected_cells(
        exported(teacher, tool_url), canvas.evidence(token), canvas.active_students(), book
    )
    found.columns = {number: name for name, number in columns.items()}
    found.names = {str(user["id"]): str(user["sortable_name"]) for user in canvas.facts["users"]}


def launch(canvas: Canvas) -> Teacher:
    """Enter the course as its teacher and click the tool in the navigation."""
    visitor = Visitor()
    page = visitor.open(canvas.url)
    visitor.submit(page, page.form("act_as"), {"user_id": canvas.teacher()})
    page = visitor.open(f"{canvas.url}/courses/{canvas.course()}")
    page = visitor.open(page.link("external_tools"))
    teacher = Teacher(visitor, page)
    teacher.submit("/lti/login")
    while "/lti/" not in teacher.page.url or not teacher.page.links:
        teacher.submit("state")  # a page between, where scripts would have gone on
    return teacher


def connect(teacher: Teacher, tool_url: str) -> None:
    teacher.follow("/canvas/authorize")
    page = teacher.submit("authorize")
    if not page.url.startswith(tool_url):
        raise Problem(f"The consent ended at {page.url}: {page.text[:300]}")


def align(teacher: Teacher, tool_url: str) -> None:
    """A new column in proportion for the first outcome, and every pair the tool suggests."""
    teacher.page = teacher.visitor.open(f"{tool_url}/course/alignments/new/")
    form = teacher.page.form("label")
    outcomes = [value for value in offered_outcomes(teacher.page)]
    changes: dict[str, str | list[str]] = {
        "outcomes": outcomes[:1], "target": "column", "label": "Level in the first outcome",
        "points": COLUMN_POINTS, "rule": "proportional",
    }  # fmt: skip
    teacher.page = teacher.visitor.submit(teacher.page, form, changes, button="Save")
    if teacher.page.status >= 400:
        raise Problem(f"The alignment was not saved: {teacher.page.text[:800]}")
    teacher.page = teacher.visitor.open(f"{tool_url}/course/alignments/suggested/")
    if any(name == "pair" for form in teacher.page.forms for name, _ in form.fields):
        teacher.submit("pair")


def offered_outcomes(page: Page) -> list[str]:
    found = page.choices("outcomes")
    if not found:
        raise NotFound(f"no outcome to choose on {page.url}")
    return found


def sync(teacher: Teacher, tool_url: str) -> Page:
    return send(teacher, preview(teacher, tool_url))


def send(teacher: Teacher, page: Page) -> Page:
    """Send the preview that is on the page, if anything is to be sent; the report."""
    if not sendable(page):
        return page
    changes: dict[str, str | list[str]] = {"confirm_large": "yes"} if "confirm_large" in page.html else {}
    teacher.submit("/choices/", "Send", changes)
    return teacher.wait()


def preview(teacher: Teacher, tool_url: str) -> Page:
    teacher.page = teacher.visitor.open(f"{tool_url}/course/preview/")
    teacher.submit("/preview/start/")
    return teacher.wait()


def sendable(page: Page) -> int:
    """The number on the Send button."""
    for form in page.forms:
        for _, _, text in form.buttons:
            words = text.split()
            if len(words) == 3 and words[0] == "Send" and words[1].isdigit():
                return int(words[1])
    return 0


def exported(teacher: Teacher, tool_url: str) -> list[dict[str, Any]]:
    """The course's alignments as the tool writes them to a file."""
    page = teacher.visitor.open(f"{tool_url}/course/settings/")
    form = page.form("export")
    answer = teacher.visitor.submit(page, form)
    entries: list[dict[str, Any]] = json.loads(answer.html)["alignments"]
    return entries


def counted(canvas: Canvas, act: Callable[[], Page]) -> tuple[Page, dict[str, int]]:
    """What `act` ends at, and the calls Canvas answered meanwhile."""
    before = canvas.calls()
    page = act()
    return page, {name: count - before[name] for name, count in canvas.calls().items()}


def as_object(found: Findings) -> dict[str, Any]:
    return {
        "ok": found.ok,
        "scenario": found.scenario,
        "report": found.report,
        "requests": found.calls,
        "second": {"requests": found.second_calls, "send": found.second_sent},
        "cells": [
            {
                "assignment": key[0], "column": found.columns.get(key[0], ""), "user": key[1],
                "before": found.before.get(key) or None, "after": found.after.get(key) or None,
                "expected": found.expected.get(key) or None,
            }
            for key in sorted(found.expected.keys() | found.after.keys())
        ],
    }  # fmt: skip


def as_text(found: Findings) -> str:
    wrong = set(found.wrong)
    changed = sorted({key[0] for key in found.changed} | {key[0] for key in wrong})
    lines = ["", f"{found.report}", ""]
    for assignment in changed:
        lines.append(f"{found.columns.get(assignment, assignment)}")
        for key in sorted(key for key in found.after if key[0] == assignment):
            mark = "  <- should be " + (found.expected.get(key) or "empty") if key in wrong else ""
            name = found.names.get(key[1], key[1])
            lines.append(
                f"  {name:<28}{found.before.get(key) or '-':>8}  ->  {found.after[key] or '-':<8}{mark}"
            )
    lines += [
        "",
        f"Calls to Canvas: {found.calls['read']} to read, {found.calls['write']} to write; "
        f"a second time {found.second_calls['read']} and {found.second_calls['write']}.",
        f"{len(found.changed)} cells changed, {len(found.after) - len(found.changed)} stayed.",
        "Every cell is what the rules say." if found.ok else f"WRONG: {len(wrong)} cells, or a second sync.",
    ]
    return "\n".join(lines)
