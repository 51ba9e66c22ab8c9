"""Alignments that calculate otherwise than Canvas: imported, planned and sent through the front door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from alignments import services as alignments
from alignments.core.calculations import calculate, canvas_calculation, on_scale
from alignments.core.calculationwords import Evidence, how_canvas_differs
from alignments.core.numbers import plain
from canvas import throttle
from grading import services
from grading.connection import Connection, connect
from sandbox import records as r
from sandbox.scenarios import NAMES, build
from sandbox.scenarios.base import TEACHER_ID
from sandbox.server import SandboxServer
from tests.grading.school import School, connect_account, entry, open_school
from tests.grading.test_commands import as_json

RESULTS = "url:GET|/api/v1/courses/:course_id/outcome_results"
SCENARIOS = [name for name in NAMES if name not in ("large", "huge", "global-ids")]
GRADE = {"rule": {"kind": "proportional"}, "points": "4"}
"""A grade that is the score itself, on a scale of 4."""


@pytest.fixture(autouse=True)
def unpaced() -> Iterator[None]:
    throttle._paces.clear()
    yield


def calculated(method: str, **more: Any) -> dict[str, Any]:
    return {**GRADE, "calculation": {"method": method, **more}}


def evidence_of(to: Connection) -> Iterator[tuple[Any, Any, list[Any]]]:
    """Every outcome, student score and results, as the tool reads them from the port."""
    evidence = to.rest.evidence(to.course_id)
    there = to.rest.assignments(to.course_id)
    rows = [
        row
        for part in to.rest.results_of(to.course_id, sorted(evidence.outcomes), len(evidence.rollups))
        for row in part
        if row.assignment_id is None or row.assignment_id in there
    ]
    for user, rollup in evidence.rollups.items():
        for key, score in rollup.scores.items():
            skill = evidence.outcomes[key]
            mine = [on_scale(row, skill) for row in rows if (row.user_id, row.outcome_id) == (user, key)]
            yield skill, score, mine


@pytest.mark.django_db
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_canvas_s_methods_worked_out_here_are_canvas_s_rollups(scenario: str) -> None:
    compared = 0
    with SandboxServer(build(scenario)) as server:
        school = open_school(server)
        stored = {str(one.outcome_id) for one in school.world.stored_rollups}
        for skill, score, mine in evidence_of(connect(school.context, school.account)):
            method = canvas_calculation(skill)
            assert method is not None
            if mine or skill.id not in stored:
                assert calculate(method, skill, mine) == score, (skill.title, mine)
                compared += 1
    assert compared or scenario == "nobody-assessed"


def test_the_mean_of_the_newest_two_is_graded(school: School) -> None:
    """Outcome 601 of the small course has a decaying average; its results are 2, 3, 4 for the first student."""
    school.align(entry(601, "Models", **calculated("newest", count=2)))
    code, told = as_json(school, "sync", "--cells")
    assert (code, told["status"]) == (0, "done")
    assert told["cells"][0]["to"] == "3.5"
    assert school.cell("Models", 1001) == "3.5"


def test_without_a_calculation_no_result_is_asked_for(school: School) -> None:
    school.align(entry(601, "Models"))
    _, before = as_json(school, "sync", "--dry-run")
    assert not any("outcome_results" in call.path for call in school.world.calls.all("GET"))
    school.align(entry(601, "Models", **calculated("latest")), entry(602, "Two", **calculated("latest")))
    _, after = as_json(school, "sync", "--dry-run")
    assert after["requests"]["read"] == before["requests"]["read"] + 1


def test_a_second_sync_changes_nothing_and_a_rescored_work_updates(school: School) -> None:
    school.align(entry(601, "Models", **calculated("highest")))
    services.sync(school.context)
    assert services.sync(school.context).run.counts["unchanged"] == 4
    school.assess(1003, 601, "4")
    services.sync(school.context)
    assert school.cell("Models", 1003) == "4"


def test_too_few_results_are_too_little_evidence(school: School) -> None:
    school.align(
        entry(601, "Models", evidence={"otherwise": "zero"}, **calculated("average", at_least=3)),
    )
    _, told = as_json(school, "sync", "--cells")
    given = {cell["user"]: (cell["to"], cell["reason"]) for cell in told["cells"]}
    assert given["1001"] == ("3", "graded")
    assert given["1006"] == ("0", "zeroed")


def test_an_ignored_assignment_and_one_that_was_deleted_do_not_count(school: School) -> None:
    ticket, second = school.assignment("Exit ticket"), school.assignment("Project 2")
    school.align(entry(601, "Models", **calculated("average", ignore_assignments=[ticket.id])))
    with school.world.lock:
        second.deleted = True
    services.sync(school.context)
    assert school.cell("Models", 1001) == "2"


def test_the_order_of_assessment_is_read_where_it_is_chosen(school: School) -> None:
    """Project 1 was graded again last: by assessment it is the newest work."""
    school.edit("Exit ticket", 1001, "18")
    school.edit("Project 2", 1001, "18")
    school.edit("Project 1", 1001, "18")
    school.align(
        entry(601, "By submission", **calculated("latest")),
        entry(601, "By assessment", **calculated("latest", order="assessed")),
    )
    services.sync(school.context)
    assert (school.cell("By submission", 1001), school.cell("By assessment", 1001)) == ("4", "2")


def test_the_order_of_due_dates_is_each_student_s_own(school: School) -> None:
    """Project 1 was due last, but for one student, who had to hand it in first; results 2, 3, 4 by submission."""
    first, ticket, second = (school.assignment(name) for name in ("Project 1", "Exit ticket", "Project 2"))
    with school.world.lock:
        now = school.world.now()
        first.due_at, ticket.due_at, second.due_at = now, now - timedelta(days=9), now - timedelta(days=5)
        first.due_for = {1003: now - timedelta(days=20)}
    school.align(entry(601, "By due date", **calculated("latest", order="due")))
    _, told = as_json(school, "sync", "--cells")
    given = {cell["user"]: cell["to"] for cell in told["cells"]}
    scores = {
        (each.user_id, each.assignment_id): plain(each.score or Decimal(0))
        for each in school.world.results.values()
        if each.outcome_id == 601
    }
    assert given["1001"] == scores[1001, first.id] == "2"
    assert given["1003"] == scores[1003, second.id]


def test_an_account_without_the_permission_holds_only_these_alignments(school: School) -> None:
    with school.world.lock:
        for token in school.world.tokens.values():
            token.scopes = [name for name in token.scopes if name != RESULTS]
    one, two = school.align(entry(601, "Own", **calculated("latest")), entry(602, "Canvas's", **GRADE))
    code, told = as_json(school, "sync")
    assert (code, told["status"]) == (0, "partial")
    assert told["reasons"]["graded"] == 4
    [problem] = told["problems"]
    assert (problem["alignment"], problem["code"]) == (one.pk, "broken_alignment")
    assert "Connect your Canvas account again" in problem["detail"]


def test_another_account_with_the_permission_is_taken(school: School) -> None:
    with school.world.lock:
        for token in school.world.tokens.values():
            token.scopes = [name for name in token.scopes if name != RESULTS]
    connect_account(school.server, school.context, TEACHER_ID + 1)
    school.align(entry(601, "Own", **calculated("latest")))
    assert services.sync(school.context).run.outcome == "done"


def test_a_score_in_canvas_without_results_is_never_not_assessed(school: School) -> None:
    with school.world.lock:
        stored = r.StoredRollup(school.course.id, 1006, 601, Decimal(3))
        school.world.stored_rollups.append(stored)
    school.align(
        entry(601, "Own", evidence={"otherwise": "zero"}, **calculated("latest")),
        entry(602, "Canvas's", **GRADE),
    )
    _, told = as_json(school, "sync")
    assert told["reasons"] == {"broken_alignment": 6, "graded": 4, "no_evidence": 2}
    assert "does not list the results" in told["problems"][0]["detail"]


def test_a_malformed_result_plans_nothing(school: School) -> None:
    school.align(entry(601, "Own", **calculated("latest")), entry(602, "Canvas's", **GRADE))
    broken = (
        '{"outcome_results": [{"id": 1, "score": "4", "links": {"user": "1", "learning_outcome": "601"}}]}'
    )
    school.world.faults.add("reply", path="*/outcome_results", status=200, body=broken, count=None)
    code, told = as_json(school, "sync")
    assert (code, told["status"], told["error"]["code"]) == (1, "stopped", "wrong_shape")
    assert school.writes() == 0


def test_a_preview_holds_for_its_calculation_only(school: School) -> None:
    school.align(entry(601, "Models", **calculated("latest")))
    first = services.prepare(school.context, school.account, started_by="x")
    school.align(entry(601, "Models", **calculated("latest", ignore_assignments=["999"])))
    second = services.prepare(school.context, school.account, started_by="x")
    assert first.counts == second.counts and first.digest != second.digest


def test_an_export_keeps_the_calculation(school: School) -> None:
    [one] = school.align(entry(601, "Models", **calculated("streak", count=3)))
    exported: Any = alignments.export_alignments(school.context)
    assert exported["alignments"][0]["calculation"]["count"] == 3
    assert one.definition["calculation"]["method"] == "streak"


def test_a_school_without_the_new_decaying_average_is_told(school: School) -> None:
    with school.world.lock:
        for account in school.world.accounts.values():
            account.features.discard("outcomes_new_decaying_average_calculation")
    found = list(evidence_of(connect(school.context, school.account)))
    skill = next(one for one, _, _ in found if one.calculation_method == "standard_decaying_average")
    students = [Evidence(score, mine) for one, score, mine in found if one.id == skill.id]
    assert "older way" in (how_canvas_differs(skill, students) or "")
