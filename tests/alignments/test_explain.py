"""Rules and grades in words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from alignments.core import explain
from tests.alignments.examples import CANVAS_DEFAULT, definition, outcome

LINES = outcome("1", title="1.1 Lines")
SLOPE = outcome("2", title="1.2 Slope")
OUTCOMES = {"1": LINES, "2": SLOPE, "3": outcome("3", "4", None, "1.3 Graphs")}
BOTH = {"1": "1", "2": "1"}


@pytest.mark.parametrize(
    ("rule", "weights", "more", "words"),
    [
        ({"kind": "cutoff"}, None, {}, "full credit at 3 of 4"),
        ({"kind": "cutoff", "at": "2.80", "credit": "95%", "below": "50%"}, None, {}, "95 % at 2.8 of 4, 50 % below"),
        ({"kind": "cutoff", "at": "75%"}, None, {}, "full credit at 75 % of the scale"),
        ({"kind": "cutoff"}, BOTH, {},
         "the average of 2 outcomes: full credit where the average mastery level is reached"),
        ({"kind": "cutoff"}, BOTH, {"combine": "min"},
         "the lowest of 2 outcomes: full credit when every one is mastered"),
        ({"kind": "cutoff"}, BOTH, {"combine": "max"},
         "the highest of 2 outcomes: full credit when any is mastered"),
        ({"kind": "proportional"}, None, {}, "in proportion to the level"),
        ({"kind": "proportional"}, BOTH, {"combine": "share"},
         "the share mastered of 2 outcomes: in proportion to the level"),
        ({"kind": "table", "levels": [["1", "55%"], ["3", "85%"]]}, None, {}, "55 % from 1 of 4, 85 % from 3 of 4"),
        ({"kind": "table", "levels": [["50%", "80%"]], "interpolate": True}, None, {},
         "80 % from 50 % of the scale, in between in proportion"),
        ({"kind": "scheme"}, None, {}, "what the letter of the grading scheme is worth"),
        ({"kind": "criteria", "grades": [
            {"credit": "100%", "all_at_least": None, "average_at_least": "3.5"},
            {"credit": "85%", "none_below": "2", "mastered_at_least": 1},
            {"credit": "40%"}]}, BOTH, {},
         "full credit if every outcome is at least at mastery and the average is at least at 3.5 of 4; "
         "85 % if none is below 2 of 4 and 1 or more are mastered; otherwise 40 %"),
    ],
)  # fmt: skip
def test_a_rule_in_words(rule: Any, weights: Any, more: Any, words: str) -> None:
    assert explain.rule_in_words(definition(rule, weights, **more), OUTCOMES) == words


def test_a_rule_has_words_before_canvas_was_read() -> None:
    assert explain.rule_in_words(definition({"kind": "cutoff"})) == "full credit at mastery"
    assert explain.rule_in_words(definition({"kind": "cutoff", "at": "3"})) == "full credit at 3 points"


def said(rule: Any, scores: dict[str, str | None], weights: Any = None, **more: Any) -> list[str]:
    given = {key: None if score is None else Decimal(score) for key, score in scores.items()}
    made = definition(rule, weights, **more)
    return explain.explain_cell(made, OUTCOMES, given, Decimal(1), CANVAS_DEFAULT)


def test_why_this_is_a_zero_point_eight_five() -> None:
    table = {"kind": "table", "levels": [["2", "70%"], ["3", "85%"], ["4", "100%"]]}
    assert said(table, {"1": "3.25"}) == [
        "1.1 Lines: 3.25 of 4, 81.25 % of the scale; mastered (mastery is 3).",
        "Rule: 70 % from 2 of 4, 85 % from 3 of 4, 100 % from 4 of 4.",
        "85 % of 1 point is 0.85.",
    ]


def test_a_mean_shows_its_parts() -> None:
    assert said({"kind": "proportional"}, {"1": "2", "2": "3"}, BOTH) == [
        "1.1 Lines: 2 of 4, 50 % of the scale; not mastered (mastery is 3).",
        "1.2 Slope: 3 of 4, 75 % of the scale; mastered (mastery is 3).",
        "On average: 62.5 %.",
        "Rule: the average of 2 outcomes: in proportion to the level.",
        "62.5 % of 1 point is 0.63.",
    ]


def test_an_outcome_without_mastery_level_says_nothing_of_mastery() -> None:
    assert (
        said({"kind": "proportional"}, {"3": "2"}, {"3": "1"})[0] == "1.3 Graphs: 2 of 4, 50 % of the scale."
    )


def test_a_letter_is_named() -> None:
    assert said({"kind": "scheme"}, {"1": "3.6"})[-2:] == [
        "That is the letter A-, which counts from 90 %.",
        "93 % of 1 point is 0.93.",
    ]


@pytest.mark.parametrize(
    ("otherwise", "words"),
    [
        ("leave", "the cell is left as it is"),
        ("zero", "the grade is 0"),
        ("excuse", "the student is excused"),
        ("clear", "the cell is emptied"),
    ],
)
def test_too_little_evidence_says_what_happens(otherwise: str, words: str) -> None:
    lines = said({"kind": "cutoff"}, {"1": "3"}, BOTH, evidence={"at_least": 2, "otherwise": otherwise})
    assert lines[1:] == ["1.2 Slope: not assessed.", f"1 of 2 assessed, 2 needed: {words}."]


def test_why_three_of_four_is_not_a_percentage() -> None:
    points, share = definition({"kind": "cutoff", "at": "3"}), definition({"kind": "cutoff", "at": "75%"})
    sentence = explain.why_not_the_percentage(points, OUTCOMES)
    assert sentence is not None and sentence.startswith("3 of 4 is this scale's mastery level")
    assert explain.why_not_the_percentage(share, OUTCOMES) is None
    assert explain.why_not_the_percentage(points, {}) is None
