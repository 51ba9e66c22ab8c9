"""Own calculations against worked tables: Canvas's methods give Canvas's numbers, the others what is written."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from alignments.core import calculations
from alignments.core.calculations import calculate, canvas_calculation, on_scale
from canvas.outcomes import parse_outcome
from canvas.shapes import Fields
from canvas.values import Outcome
from tests.alignments.evidence import SKILL, START, calculation, raw, results, scored
from tests.alignments.examples import outcome

SAMPLES = Path(__file__).parents[1] / "contract" / "rollups"

CANVAS_TABLE: list[tuple[str, dict[str, Any], str, str | None]] = [
    # canvas/rest.md 12, test vectors 21 to 28
    ("average", {}, "0", "0"),
    ("n_mastery", {"count": 3}, "3 4", None),
    ("n_mastery", {"count": 2}, "3 4 1", "3.5"),
    ("standard_decaying_average", {"percent": "65%"}, "2 3 4", "3.53"),
    ("weighted_average", {"percent": "65%"}, "2 3 4", "3.48"),
    ("standard_decaying_average", {}, "1 2 3 4 5", "4.47"),
    ("weighted_average", {}, "1 2 3 4 5", "4.13"),
    ("average", {}, "2.675", "2.68"),
    ("average", {}, "-2.675", "-2.68"),
    ("average", {}, "3 3.33", "3.17"),
    ("latest", {}, "4 1 3", "3"),
    ("highest", {}, "2 3.5 3", "3.5"),
    ("n_mastery", {"count": 3}, "2 3 4 3.5", "3.5"),
    ("n_mastery", {"count": 3}, "3 2 2 3", None),
]
OWN_TABLE: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("latest_and_highest", {}, "4 1 3", "3.5"),
    ("mode", {}, "2 3 3 4", "3"),
    ("mode", {}, "4 2 2 4 1", "4"),
    ("newest", {"count": 3}, "1 1 2 3 3", "8/3"),
    ("newest", {"count": 3}, "2 3", "5/2"),
    ("newest", {"count": 1}, "4 1", "1"),
    # Published examples of the power law: 1.90 and 3.07 (mrmathman.com, "Power failure").
    ("power_law", {}, "3 3 1 3", "1.8995336071"),
    ("power_law", {}, "3 3 1 3 4 4", "3.0671212706"),
    ("power_law", {}, "1 2 3 4", "4"),
    ("power_law", {}, "2.5", "2.5"),
    ("power_law", {}, "2 3", "3"),
    ("power_law", {}, "3 3 3", "3"),
    ("power_law", {}, "0 0", "0"),
    ("power_law", {}, "0 0.4", "0.2"),
    ("power_law", {}, "0 3 3 3", "4"),
    ("power_law", {}, "4.4 4.4", "4.4"),
    ("streak", {"count": 3}, "3 3 2 4 3 3", "3"),
    ("streak", {"count": 3}, "4 4 4 1 1", "4"),
    ("streak", {"count": 2}, "3 2 3 2", "2"),
    ("streak", {"count": 3}, "4 4", None),
    ("average", {"at_least": 3}, "4 4", None),
    ("average", {"at_least": 2}, "4 4", "4"),
    ("average", {"drop_lowest": 1}, "1 3 4", "3.5"),
    ("average", {"drop_lowest": 9}, "1 3 4", "4"),
    ("latest", {"drop_lowest": 1}, "1 4 1", "1"),
    ("average", {"at_least": 3, "drop_lowest": 1}, "1 3 4", "3.5"),
    ("average", {"ignore_assignments": ["900"]}, "1 3 4", "3.5"),
    ("average", {"ignore_assignments": ["900", 901], "at_least": 2}, "1 3 4", None),
]  # fmt: skip


@pytest.mark.parametrize(("method", "more", "scores", "expected"), CANVAS_TABLE + OWN_TABLE)
def test_a_worked_example(method: str, more: dict[str, Any], scores: str, expected: str | None) -> None:
    found = scored(method, scores.split(), **more)
    assert found == (None if expected is None else Fraction(expected))


# README.md of canvas/rollups: the results used, oldest to newest, "score/possible" where the row was other
README: dict[str, dict[tuple[str, str], str]] = {
    "01_small_course": {
        ("2001", "501"): "2 3 4", ("2002", "501"): "3", ("2003", "501"): "0 1",
        ("2001", "502"): "2 3.5 3", ("2002", "502"): "4",
        ("2001", "503"): "1 3", ("2003", "503"): "0",
        ("2001", "504"): "3 2 4", ("2002", "504"): "3 3.33",
    },
    "03_null_scores": {("2203", "521"): "3 2 4 3.5"},
    "07_account_proficiency_scale": {
        ("2601", "561"): "3/5 5/5", ("2601", "562"): "4/5", ("2602", "561"): "3.5/5",
    },
}  # fmt: skip


def sample(name: str) -> tuple[dict[str, Outcome], dict[tuple[str, str], Decimal | None]]:
    """The sample's outcomes, and its scores by student and outcome."""
    body = json.loads((SAMPLES / f"{name}.json").read_text(), parse_float=Decimal)
    outcomes = {str(one["id"]): parse_outcome(Fields(one, "")) for one in body["linked"]["outcomes"]}
    scores = {
        (row["links"]["user"], entry["links"]["outcome"]): entry["score"]
        for row in body["rollups"]
        for entry in row["scores"]
    }
    return outcomes, scores


@pytest.mark.parametrize("name", list(README))
def test_a_rollup_of_canvas_from_its_results(name: str) -> None:
    outcomes, rollups = sample(name)
    for (user, outcome_id), listed in README[name].items():
        skill = outcomes[outcome_id]
        pairs = [(*one.split("/"), str(skill.points_possible))[:2] for one in listed.split()]
        given = [on_scale(raw(score, day, of), skill) for day, (score, of) in enumerate(pairs)]
        method = canvas_calculation(skill)
        assert method is not None
        assert calculate(method, skill, given) == rollups[user, outcome_id], (user, outcome_id)


def test_a_rubric_row_out_of_five_counts_on_the_outcome_s_four() -> None:
    assert scored("highest", ["4"]) == 4
    assert calculate(calculation("highest"), SKILL, results("4", out_of="5")) == Fraction("3.2")


def test_a_third_is_a_third_though_canvas_stores_a_float() -> None:
    skill = outcome("1", top="3", mastery="2")
    kept = [on_scale(raw("2", day, "3"), skill) for day in range(2)]
    assert [one.score for one in kept] == [2, 2]
    assert calculate(calculation("n_mastery", count=2), skill, kept) == 2


def test_a_share_rescaled_by_canvas_is_taken_as_it_is() -> None:
    assert on_scale(raw("4", percent=Decimal("0.75")), SKILL).score == 3
    assert on_scale(raw("3.5", percent=None), SKILL).score == Fraction("3.5")


def test_submitted_decides_though_assessed_later_unless_chosen() -> None:
    """Test vector 27: a resubmission that was handed in earlier and assessed later."""
    early, late = raw("4", 0), raw("1", 5)
    assert calculate(calculation("latest"), SKILL, [on_scale(early, SKILL), on_scale(late, SKILL)]) == 1
    assessed = [on_scale(early, SKILL, START + timedelta(days=9)), on_scale(late, SKILL)]
    assert calculate(calculation("latest"), SKILL, assessed) == 4


def test_work_that_counts_at_the_same_moment_goes_by_when_it_was_handed_in() -> None:
    """Due on one day; the ids say otherwise."""
    due = START + timedelta(days=9)
    first, then = on_scale(raw("1", 1, id="9"), SKILL, due), on_scale(raw("4", 2, id="3"), SKILL, due)
    assert calculate(calculation("latest", order="due"), SKILL, [then, first]) == 4


def test_results_of_the_same_second_go_by_their_id() -> None:
    first = on_scale(raw("1", id="9"), SKILL)
    second = on_scale(raw("4", id="10"), SKILL)
    assert calculate(calculation("latest"), SKILL, [second, first]) == 4


def quiz(*banks: tuple[str, str], later: str | None = None) -> list[calculations.Result]:
    """One classic quiz's results, a question bank each, and perhaps another work after it."""
    given = [
        on_scale(raw(score, out_of=of, id=str(number), assignment_id="50", is_quiz=True), SKILL)
        for number, (score, of) in enumerate(banks, 1)
    ]
    return [*given, on_scale(raw(later, 3), SKILL)] if later else given


def test_a_quiz_s_banks_are_averaged_by_points_where_canvas_does_so() -> None:
    banks = quiz(("3", "12"), ("4", "4"))
    assert calculate(calculation("latest"), SKILL, banks) == Fraction("1.75")
    assert calculate(calculation("highest"), SKILL, banks) == 4
    twice = quiz(("3", "12"), ("4", "4"), later="4")
    assert calculate(calculation("average"), SKILL, twice) == Fraction("2.5")


def test_a_quiz_is_one_result_in_a_calculation_of_our_own() -> None:
    given = quiz(("3", "12"), ("4", "4"), later="4")
    assert calculate(calculation("newest", count=2), SKILL, given) == Fraction("2.875")
    assert calculate(calculation("streak", count=3), SKILL, given) is None
