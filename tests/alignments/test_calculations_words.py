"""Calculations in words, and where the school's Canvas computes otherwise."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from alignments.core import explain
from alignments.core.calculationwords import (
    Evidence,
    calculation_in_words,
    how_canvas_differs,
    results_in_words,
)
from canvas.values import Rating
from tests.alignments.evidence import SKILL, calculation, results
from tests.alignments.examples import definition, outcome, spaced

DECAYING = replace(outcome("1"), calculation_method="standard_decaying_average", calculation_int=65)


@pytest.mark.parametrize(
    ("method", "more", "words"),
    [
        ("average", {}, "the mean of all results"),
        ("average", {"drop_lowest": 1}, "the mean of all results, without the lowest"),
        ("newest", {"count": 3}, "the mean of the 3 newest results"),
        ("newest", {"count": 1}, "the newest result"),
        ("latest", {"order": "assessed"}, "the newest result, in the order they were assessed"),
        ("weighted_average", {"percent": "70%"},
         "the newest result counted 70 %, the mean of the earlier ones the rest"),
        ("standard_decaying_average", {}, "the decaying average (each newer result counts 65 %)"),
        ("n_mastery", {"count": 3}, "the mean of the results at mastery, once there are 3"),
        ("streak", {"count": 3}, "the highest level held 3 times in a row"),
        ("power_law", {"at_least": 3}, "Marzano's power law over all results, from 3 results on"),
        ("mode", {"ignore_assignments": ["9"], "drop_lowest": 2},
         "the most frequent result (of several, the highest), without the 2 lowest, 1 assignment ignored"),
    ],
)  # fmt: skip
def test_a_calculation_in_words(method: str, more: dict[str, Any], words: str) -> None:
    assert spaced(calculation_in_words(calculation(method, **more))) == words


def test_the_rule_names_the_calculation() -> None:
    made = definition({"kind": "proportional"}, calculation={"method": "newest", "count": 3})
    assert explain.rule_in_words(made) == (
        "in proportion to the level; the score is the mean of the 3 newest results"
    )


def test_a_calculated_score_is_explained_to_two_decimals_and_graded_exactly() -> None:
    made = definition({"kind": "proportional"}, calculation={"method": "newest", "count": 3})
    explained = explain.explain_cell(made, {"1": SKILL}, {"1": Fraction(8, 3)}, Decimal(100))
    said = [spaced(one) for one in explained]
    assert said[0] == "Skill 1: about 2.67 of 4 (66.67 % of the scale), below mastery (3)."
    assert said[-1] == "About 66.67 % of 100 points is about 66.6667, rounded to 66.67."


def test_the_results_behind_a_score() -> None:
    how = calculation("newest", count=2, ignore_assignments=["902"])
    assert results_in_words(how, SKILL, results("1", "3", "4", "2")) == [
        "1 February 2026: 1 of 4.",
        "2 February 2026: 3 of 4.",
        "3 February 2026: 4 of 4, ignored.",
        "4 February 2026: 2 of 4.",
        "The mean of the 2 newest results, 1 assignment ignored: (3 + 2) ÷ 2. That is 2.5 of 4.",
    ]


@pytest.mark.parametrize(
    ("method", "arithmetic"),
    [
        ("average", "(2 + 3 + 4) ÷ 3. That is 3 of 4."),
        ("standard_decaying_average",
         "35 % of 2 + 65 % of 3 = 2.65; 35 % of 2.65 + 65 % of 4 = 3.5275. That is 3.53 of 4."),
        ("weighted_average", "35 % of 2.5 + 65 % of 4 = 3.475. That is 3.48 of 4."),
        ("highest", "4 of 4."),
    ],
)  # fmt: skip
def test_an_average_is_worked_out_with_pencil_and_paper(method: str, arithmetic: str) -> None:
    said = results_in_words(calculation(method), SKILL, results("2", "3", "4"))[-1]
    assert spaced(said).endswith(f": {arithmetic}")


def test_a_reason_to_ignore_is_told_with_its_result() -> None:
    how = calculation("latest", ignore_assignments=["901", {"id": "902", "reason": "Fire drill"}])
    said = results_in_words(how, SKILL, results("1", "3", "4"))
    assert said[1:3] == [
        "2 February 2026: 3 of 4, ignored.",
        "3 February 2026: 4 of 4, ignored (Fire drill).",
    ]
    assert said[3] == "The newest result, 2 assignments ignored: 1 of 4."


def test_the_order_is_said_where_it_is_not_the_usual_one() -> None:
    assert calculation_in_words(calculation("latest", order="due")) == (
        "the newest result, in the order they were due"
    )


def in_canvas(score: str | None, *listed: str) -> Evidence:
    return Evidence(None if score is None else Decimal(score), results(*listed))


def test_an_account_without_the_new_decaying_average_is_recognised() -> None:
    told = how_canvas_differs(DECAYING, [in_canvas("4.13", "1", "2", "3", "4", "5"), in_canvas("3", "3")])
    assert told is not None and "older way" in told
    assert how_canvas_differs(DECAYING, [in_canvas("4.47", "1", "2", "3", "4", "5")]) is None


def test_a_number_nobody_can_explain_is_counted() -> None:
    told = how_canvas_differs(DECAYING, [in_canvas("1.11", "2", "3", "4"), in_canvas("3", "3")])
    assert told is not None and told.startswith("For 1 of 2 students")


def test_the_account_s_own_scale_is_named() -> None:
    shared = replace(
        SKILL, calculation_method="latest", ratings=(Rating("Mastery", Decimal(3), "0B874B", True),)
    )
    told = how_canvas_differs(shared, [in_canvas("3", "4", "3")])
    assert told is not None and "(the newest result)" in told


def test_nothing_to_compare_says_nothing() -> None:
    assert how_canvas_differs(DECAYING, [Evidence(Decimal(3), [])]) is None
