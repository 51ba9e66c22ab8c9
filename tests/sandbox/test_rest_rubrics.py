"""Rows 87 to 96 of the REST table: a score reaches an outcome through a rubric row."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox import records as r
from tests.sandbox.rest_client import Canvas


@pytest.fixture
def outcome(canvas: Canvas) -> r.Outcome:
    return canvas.outcome("latest")


def holder(canvas: Canvas, *outcomes: r.Outcome, for_grading: bool = False) -> r.Assignment:
    """An assignment with a rubric of one criterion for each outcome."""
    work = canvas.assignment(4)
    criteria = [r.Criterion(f"_{one.id}", one.title, Decimal(4), one.id) for one in outcomes]
    rubric = r.Rubric(canvas.world.new_id(), canvas.course.id, "Rubric", criteria, [work.id], for_grading)
    canvas.world.rubrics[rubric.id] = rubric
    return work


def assess(canvas: Canvas, work: r.Assignment, points: dict[str, Any], **more: Any) -> requests.Response:
    rows = {key: {"points": value} for key, value in points.items()}
    return canvas.put(work, 1006, rubric_assessment=rows, **more)


def score(canvas: Canvas, outcome: r.Outcome) -> tuple[Any, Any] | None:
    entry = canvas.score(outcome, 1006)
    return None if entry is None else (entry["score"], entry["count"])


def test_rows_87_89_a_second_write_updates_the_one_result(canvas: Canvas, outcome: r.Outcome) -> None:
    work = holder(canvas, outcome)
    assert assess(canvas, work, {f"_{outcome.id}": "3.08"}).status_code == 200
    assert score(canvas, outcome) == (3.08, 1)
    assess(canvas, work, {f"_{outcome.id}": "2.9"})
    assert score(canvas, outcome) == (2.9, 1)
    assert canvas.cell(work, 1006)["score"] is None


def test_row_88_used_for_grading(canvas: Canvas, outcome: r.Outcome) -> None:
    work = holder(canvas, outcome, for_grading=True)
    assess(canvas, work, {f"_{outcome.id}": "3.08"})
    assert canvas.cell(work, 1006)["score"] == 3.08


def test_row_90_capped_at_the_criterion(canvas: Canvas, outcome: r.Outcome) -> None:
    assess(canvas, holder(canvas, outcome), {f"_{outcome.id}": 5})
    assert score(canvas, outcome) == (4.0, 1)


def test_row_91_empty_points_take_the_result_away(canvas: Canvas, outcome: r.Outcome) -> None:
    work = holder(canvas, outcome)
    assess(canvas, work, {f"_{outcome.id}": "3"})
    assess(canvas, work, {f"_{outcome.id}": ""})
    assert score(canvas, outcome) is None


def test_row_92_an_unknown_criterion(canvas: Canvas, outcome: r.Outcome) -> None:
    answer = assess(canvas, holder(canvas, outcome), {"nope": "3"})
    assert (answer.status_code, answer.json()) == (400, {"message": "invalid rubric_assessment"})


def test_row_93_an_unknown_criterion_in_bulk_clears(canvas: Canvas, outcome: r.Outcome) -> None:
    work = holder(canvas, outcome, for_grading=True)
    canvas.bulk(work, {1006: {"posted_grade": "3"}})
    job = canvas.bulk(work, {1006: {"rubric_assessment": {"nope": {"points": "3"}}}})
    assert job["workflow_state"] == "completed"
    assert canvas.cell(work, 1006)["score"] is None


def test_row_94_rows_not_sent_are_gone(canvas: Canvas, outcome: r.Outcome) -> None:
    other = canvas.outcome("latest")
    work = holder(canvas, outcome, other, for_grading=True)
    assess(canvas, work, {f"_{outcome.id}": "3", f"_{other.id}": "2"})
    assess(canvas, work, {f"_{outcome.id}": "4"})
    assert canvas.cell(work, 1006)["score"] == 4.0
    assert (score(canvas, outcome), score(canvas, other)) == ((4.0, 1), (2.0, 1))


def test_row_95_the_rubric_comes_after_the_posted_grade(canvas: Canvas, outcome: r.Outcome) -> None:
    work = holder(canvas, outcome, for_grading=True)
    answer = assess(canvas, work, {f"_{outcome.id}": "3"}, submission={"posted_grade": "8"})
    assert answer.json()["score"] == 3.0


def test_row_96_rollups_lag(canvas: Canvas, outcome: r.Outcome) -> None:
    canvas.world.job_delay = 60
    assess(canvas, holder(canvas, outcome), {f"_{outcome.id}": "3"})
    assert score(canvas, outcome) is None
    canvas.world.run_jobs(everything=True)
    assert score(canvas, outcome) == (3.0, 1)
