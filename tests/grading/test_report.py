"""The report of a run: every reason once, who acts first, and words a colleague would use."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from django.template.loader import render_to_string

from alignments.services import stored
from grading.openings import page_of
from grading.report_pages import report
from grading.services import Result, sync
from tests.grading.desk import plain
from tests.grading.school import School, entry

SCORES = "*/line_items/{}/scores"
ANSWERS = {
    "Superseded": (400, "Provided timestamp of 1 before last updated timestamp of 2"),
    "Future": (400, "Provided submitted_at timestamp of 1 in the future"),
    "Lacking": (400, "timestamp is missing"),
    "Gone": (404, ""),
    "Foreign": (412, "Tool does not have permission to view line_item"),
    "Other link": (412, "The specified LTI link ID is not associated with the line item"),
    "Leaver": (422, "User not found in course or is not a student"),
    "Attempts": (422, "The maximum number of allowed attempts has been reached for this submission"),
    "Points moved": (422, "cannot be zero if line item's maximum is not zero"),
    "Unpublished": (422, "cannot be changed at this time: This assignment is still unpublished"),
    "Closed": (422, "This assignment is in a closed grading period for this student"),
    "Odd": (422, "something nobody has seen before"),
}


def body_of(text: str) -> str:
    return json.dumps({"errors": {"type": "unprocessable_entity", "message": text}}) if text else ""


def page(school: School, result: Result) -> str:
    names = {one.id: one.name for one in stored(school.context)}
    shown = report(result.run, names)
    filled = page_of(school.context, here="history", run=result.run, report=shown, by="you")
    html = render_to_string("grading/report.html", filled)
    if folder := os.environ.get("REPORT_PAGES"):
        static = Path(__file__).resolve().parents[2] / "static"
        Path(folder, f"report-{len(result.run.reasons)}.html").write_text(
            html.replace("/static/", f"{static.as_uri()}/")
        )
    return plain(html)


def add_work(school: School, name: str, **more: object) -> dict[str, object]:
    work = school.world.add_assignment(school.course.id, name, Decimal(1), **more)
    return entry(601, work.id, name=name)


def trouble_in_every_column(school: School) -> None:
    """Columns of our own that exist, and others' assignments; then each goes wrong in its own way."""
    fine = add_work(school, "Fine")
    blocked = [
        add_work(school, "Group essay", group_category_id=5),
        add_work(school, "Essay, not graded", grading_type="not_graded"),
        add_work(school, "Draft", published=False),
    ]
    people = [add_work(school, name) for name in ("Typed", "Emptied", "Excused", "Evidence")]
    broken = entry(999_999, "Broken")
    ours = [entry(601, name, name=name) for name in ANSWERS]
    school.align(*people, *[entry(602, name, name=name) for name in ANSWERS])
    sync(school.context, confirm_large=True)
    for item in school.world.line_items.values():
        status, text = ANSWERS[item.label]
        path = SCORES.format(item.id)
        school.world.faults.add(
            "reply", method="POST", path=path, count=None, status=status, body=body_of(text)
        )
    school.edit("Typed", 1001, "0.25")
    school.edit("Emptied", 1002, "")
    school.excuse("Excused", 1003)
    school.align(fine, *people, *blocked, broken, *ours, replace=True)


def test_twenty_reasons_read_like_a_colleague_wrote_them(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grading.writing.ROUNDS", 1)
    monkeypatch.setattr("grading.writers.time.sleep", lambda seconds: None)
    trouble_in_every_column(school)
    result = sync(school.context, confirm_large=True)
    assert result.run.outcome == "partial"
    said = page(school, result)
    assert len(result.run.reasons) >= 18, result.run.reasons
    order = [
        said.index(title)
        for title in ("What you can put right", "For whoever runs this tool", "In the gradebook")
    ]
    assert order == sorted(order)
    for sentence in (
        "Take as many as you like, then preview and send again: only what is still missing is sent.",
        'Publish the assignment "Draft" and send again.',
        "A person gave this grade. It stays unless you choose to replace it.",
        "Tell this tool's operator",
    ):
        assert sentence in said, sentence
    assert said.count("Choose another target.") <= 6 and "Alignment 1" not in said
    # Nobody is named, and no reason is given twice.
    assert "Lindqvist" not in said and "1001" not in said


def test_one_reason_for_everything_is_said_once(school: School) -> None:
    school.align(*[entry(601, name, name=name) for name in ("One", "Two", "Three", "Four")])
    school.course.workflow_state = "claimed"
    result = sync(school.context)
    said = page(school, result)
    assert (result.run.outcome, school.writes()) == ("stopped", 0)
    assert said.count("This course is unpublished") == 1 and said.count("Publish it and send again.") == 1
    assert "What you can put right" not in said


def test_one_reason_of_every_column_is_said_once_with_their_names(school: School) -> None:
    works = [add_work(school, name) for name in ("One", "Two")]
    school.align(*works)
    body = '{"status":"unauthorized","errors":[{"message":"user not authorized to perform that action"}]}'
    school.world.faults.add("reply", method="POST", path="*/update_grades", count=None, status=403, body=body)
    said = page(school, sync(school.context))
    assert said.count("does not let the connected account grade this assignment") == 1
    assert "8 cells in One, Two" in said and "Nothing was sent" in said
