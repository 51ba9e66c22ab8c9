"""Writes whose answer cannot be read, and columns that vanish while a sync is at work (interface 4, 5.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from canvas.gradebook import GradebookCalls
from canvas.values import Progress
from grading import reading
from grading.services import sync
from tests.grading.school import School, entry

ESSAY = "1.1 Linear models"
RIGHT = {1001: "1", 1002: "1", 1003: "0", 1004: "1"}


def both_ways(school: School) -> None:
    school.align(entry(601, "Models"), entry(601, school.assignment(ESSAY).id))


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "*/line_items"), ("POST", "*/submissions/update_grades"), ("GET", "*/progress/*")],
)
def test_an_answer_to_a_write_that_is_no_json_ends_nothing(school: School, method: str, path: str) -> None:
    both_ways(school)
    school.world.faults.add("reply", method=method, path=path, status=200, body="<html>Busy</html>")
    result = sync(school.context)
    assert result.run.outcome == "done", (result.run.error, result.run.problems)
    assert school.column("Models") == school.column(ESSAY) == RIGHT
    assert len(school.world.line_items) == 1


def test_an_assignment_unpublished_during_its_job_stops_no_other_column(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_ways(school)
    wait_for = GradebookCalls.wait_for

    def meanwhile(self: GradebookCalls, progress: Progress, **kwargs: Any) -> Progress:
        school.assignment(ESSAY).published = False
        return wait_for(self, progress, **kwargs)

    monkeypatch.setattr(GradebookCalls, "wait_for", meanwhile)
    result = sync(school.context)
    assert (result.run.outcome, result.run.error) == ("partial", None)
    assert result.run.reasons["unpublished"] == 4
    assert school.column("Models") == RIGHT
    [problem] = result.run.problems
    assert problem["detail"] == f'Publish the assignment "{ESSAY}" and send again.'


def teacher_unpublishes(school: School, before: Callable[..., Any]) -> Callable[..., Any]:
    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        school.assignment(ESSAY).published = False
        return before(*args, **kwargs)

    return meanwhile


def test_an_assignment_unpublished_while_the_course_is_read_is_blocked(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_ways(school)
    monkeypatch.setattr(reading, "read_schemes", teacher_unpublishes(school, reading.read_schemes))
    result = sync(school.context)
    assert (result.run.outcome, result.run.reasons["column_blocked"]) == ("partial", 6)
    assert school.column("Models") == RIGHT


def test_a_column_that_goes_between_plan_and_first_write_changes_the_plan(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_ways(school)
    earlier = GradebookCalls.cells

    def second_time(self: GradebookCalls, *args: Any, **kwargs: Any) -> Any:
        if len(args) > 2:
            school.assignment(ESSAY).published = False
        return earlier(self, *args, **kwargs)

    monkeypatch.setattr(GradebookCalls, "cells", second_time)
    result = sync(school.context)
    assert result.run.outcome == "changed"
    assert school.writes() == 0
