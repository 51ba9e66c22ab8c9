"""A grading scheme made by REST: bounds from 0 to 100 become fractions, and what Canvas will not take."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox.records import GradingStandard
from tests.sandbox.rest_client import OBSERVER, TEACHER, Canvas

ADDRESS = "./grading_standards"
LETTERS = [("A", 90), ("B", 80.555), ("F", 0)]


@pytest.fixture
def canvas() -> Iterator[Canvas]:
    with Canvas() as running:
        yield running


def body(levels: list[tuple[str, Any]], **more: Any) -> dict[str, Any]:
    entries = [{"name": name, "value": value} for name, value in levels]
    return {"title": "Mine", "grading_scheme_entry": entries} | more


def test_a_percentage_scheme_is_stored_as_fractions_and_listed(canvas: Canvas) -> None:
    made = canvas.call("POST", ADDRESS, json=body(LETTERS)).json()
    assert [(one["name"], one["value"], one["calculated_value"]) for one in made["grading_scheme"]] == [
        ("A", 0.9, 90),
        ("B", 0.8056, 80.56),
        ("F", 0, 0),
    ]
    assert (made["points_based"], made["scaling_factor"], made["context_type"]) == (False, 1, "Course")
    assert canvas.call("GET", ADDRESS).json() == [made]


def test_a_scheme_in_points_compares_with_points(canvas: Canvas) -> None:
    made = canvas.call("POST", ADDRESS, json=body(LETTERS, points_based=True, scaling_factor=4)).json()
    assert [one["calculated_value"] for one in made["grading_scheme"]] == [3.6, 3.2224, 0]
    assert made["scaling_factor"] == 4


def test_a_form_as_the_documentation_writes_it(canvas: Canvas) -> None:
    pairs = [("title", "Mine"), ("points_based", "false"), ("scaling_factor", "1.0")]
    for name, value in LETTERS:
        pairs += [("grading_scheme_entry[][name]", name), ("grading_scheme_entry[][value]", str(value))]
    answer = canvas.call("POST", ADDRESS, data=pairs)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert [one["name"] for one in made["grading_scheme"]] == ["A", "B", "F"]


@pytest.mark.parametrize(
    ("levels", "more", "text"),
    [
        ([("A", 90), ("F", 10)], {}, "grading schemes must have 0% for the lowest grade"),
        ([("A", 90), ("B", 90), ("F", 0)], {}, "grading scheme cannot contain duplicate values"),
        ([("A", 90), ("F", -1)], {}, "grading scheme values cannot be negative"),
        ([("A" * 256, 90), ("F", 0)], {}, "a grading scheme name is too long"),
        (LETTERS, {"scaling_factor": 4}, "must be 1 if scheme points_based is false"),
        (LETTERS, {"title": ""}, "title is missing"),
        ([], {}, "grading_scheme_entry is missing"),
    ],
)
def test_what_canvas_will_not_take(
    canvas: Canvas, levels: list[tuple[str, Any]], more: dict[str, Any], text: str
) -> None:
    answer = canvas.call("POST", ADDRESS, json=body(levels, **more))
    assert answer.status_code == 400
    assert text in answer.text
    assert canvas.call("GET", ADDRESS).json() == []


def test_only_who_may_grade_makes_one(canvas: Canvas) -> None:
    assert canvas.call("POST", ADDRESS, who=OBSERVER, json=body(LETTERS)).status_code in (401, 403)
    unscoped = [scope for scope in canvas.key.scopes if "POST" not in scope]
    token = canvas.token(TEACHER, unscoped)
    canvas.key.enforce_scopes = True
    answer = canvas.http.post(
        f"{canvas.url}/api/v1/courses/{canvas.course.id}/grading_standards",
        json=body(LETTERS),
        headers={"Authorization": f"Bearer {token.token}"},
    )
    assert answer.status_code == 401


def test_the_scheme_in_force_is_the_courses_else_its_accounts_else_canvas_own(canvas: Canvas) -> None:
    def told() -> list[Any]:
        found: list[Any] = canvas.get("courses/101", **{"include[]": "grading_scheme"}).json()[
            "grading_scheme"
        ]
        return found

    world, account = canvas.world, canvas.world.accounts[canvas.course.account_id]
    assert told()[0] == ["A", 0.94] and "grading_scheme" not in canvas.get("courses/101").json()
    for number, kind, letter in ((801, "Account", "Pass"), (802, "Course", "Good")):
        steps = [(letter, Decimal("0.5")), ("No", Decimal(0))]
        world.grading_standards[number] = GradingStandard(number, kind, 1, letter, steps)
    account.grading_standard_id = 801
    assert told() == [["Pass", 0.5], ["No", 0]]
    canvas.course.grading_standard_id = 802
    assert told() == [["Good", 0.5], ["No", 0]]
