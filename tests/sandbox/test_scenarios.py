"""What every scenario promises, and what the named ones are about."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import records as r
from sandbox.scenarios import NAMES, UnknownScenario, build
from sandbox.scenarios.base import Options
from tests.sandbox.rest_client import TEACHER, Canvas

Open = Callable[..., Canvas]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_course_has_its_people_keys_tool_and_columns(name: str) -> None:
    world = build(name)
    (course,) = world.courses.values()
    kinds = {one.type for one in world.course_enrollments(course.id)}
    assert {r.TEACHER, r.TA, r.DESIGNER, r.OBSERVER, r.STUDENT} <= kinds
    assert {key.kind for key in world.keys.values()} == {"lti", "api"}
    (tool,) = world.tools.values()
    assert tool.deployment_id == f"{tool.id}:{course.lti_context_id}"
    titles = {outcome.title for outcome in world.outcomes.values()}
    named = [
        one for one in world.course_assignments(course.id) if one.points_possible == 1 and one.name in titles
    ]
    assert len(named) >= 1
    assert any(user.account_admin for user in world.users.values())


def test_the_tool_is_called_what_it_calls_itself() -> None:
    told = json.loads((Path(__file__).parents[2] / "lti_config.json").read_text())
    (tool,) = build("small").tools.values()
    assert tool.name == told["title"] == told["extensions"][0]["settings"]["text"]


def test_a_scenario_is_the_same_each_time() -> None:
    one, other = build("small"), build("small")
    assert one.users == other.users
    assert one.results == other.results


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(UnknownScenario):
        build("nowhere")


def test_the_tools_addresses_go_into_the_keys() -> None:
    world = build("small", Options("https://tool.example/", "7", "8", "secret"))
    lti, api = (next(key for key in world.keys.values() if key.kind == kind) for kind in ("lti", "api"))
    assert (lti.client_id, lti.redirect_uris) == ("7", ["https://tool.example/lti/launch"])
    assert (api.client_id, api.secret, api.redirect_uris) == (
        "8",
        "secret",
        ["https://tool.example/canvas/callback"],
    )


@pytest.mark.parametrize(("name", "students", "outcomes"), [("large", 250, 12), ("huge", 1000, 40)])
def test_big_courses(name: str, students: int, outcomes: int) -> None:
    world = build(name)
    enrolled = {one.user_id for one in world.enrollments.values() if one.type == r.STUDENT}
    assert (len(enrolled), len(world.outcomes)) == (students, outcomes)


def test_nobody_assessed(open_canvas: Open) -> None:
    rows = open_canvas("nobody-assessed").rollups().json()["rollups"]
    assert [row["scores"] for row in rows] == [[]] * 6


def test_seed_003(open_canvas: Open) -> None:
    body = (
        open_canvas("seed-003").rollups(include=["outcomes", "users"], per_page=100, sort_by="student").json()
    )
    row = body["rollups"][0]
    assert row["links"] == {"user": "642", "section": "515", "status": "active"}
    assert next(one for one in row["scores"] if one["links"]["outcome"] == "605") == {
        "score": 3.5, "title": "Assignment 010 (LO=3)", "submitted_at": "2026-02-11T21:08:04Z", "count": 1,
        "hide_points": False, "links": {"outcome": "605"},
    }  # fmt: skip
    assert body["linked"]["users"][0]["login_id"] == "teststudent001@example.com"
    current = [one for one in body["linked"]["outcomes"] if one["title"] == "Current Score"]
    assert [one["calculation_method"] for one in current] == ["latest"]
    assert body["meta"]["pagination"]["count"] == 5


def columns(canvas: Canvas) -> list[r.Assignment]:
    return [one for one in canvas.world.course_assignments(101) if one.name[:2] in ("1.", "2.")]


def test_graded_by_people(open_canvas: Open) -> None:
    canvas = open_canvas("graded-by-people")
    first, second = columns(canvas)[:2]
    assert [canvas.cell(first, user)["grade"] for user in (1001, 1002, 1003)] == ["1", "0.5", None]
    assert canvas.cell(first, 1001)["grader_id"] == TEACHER
    assert canvas.cell(second, 1004)["grader_id"] < 0


def test_excused_and_late(open_canvas: Open) -> None:
    canvas = open_canvas("excused-and-late")
    first, late, hidden, closed, missing = columns(canvas)
    assert canvas.cell(first, 1001)["excused"] is True
    assert (canvas.cell(late, 1001)["score"], canvas.cell(late, 1001)["entered_score"]) == (7.5, 8.5)
    assert (hidden.post_manually, closed.closed_period) == (True, True)
    assert canvas.cell(missing, 1001)["grader_id"] is None
    assert canvas.cell(missing, 1001)["workflow_state"] == "graded"


def test_unpublished(open_canvas: Open) -> None:
    canvas = open_canvas("unpublished")
    assert [one.published for one in columns(canvas)] == [False, False, True, True, True]
