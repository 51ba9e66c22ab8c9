"""Rules and grades in words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from alignments.core import explain
from tests.alignments.examples import CANVAS_DEFAULT, definition, outcome, spaced

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
         "full credit if every outcome reaches mastery and the average reaches 3.5 of 4; "
         "85 % if none is below 2 of 4 and 1 or more are mastered; otherwise 40 %"),
    ],
)  # fmt: skip
def test_a_rule_in_words(rule: Any, weights: Any, more: Any, words: str) -> None:
    assert spaced(explain.rule_in_words(definition(rule, weights, **more), OUTCOMES)) == words


def test_no_line_breaks_between_a_number_and_its_percent_sign() -> None:
    made = definition({"kind": "cutoff", "at": "75%", "below": "50%"})
    words = explain.rule_in_words(made, OUTCOMES)
    assert words.count("%") == words.count("\N{NO-BREAK SPACE}%") == 2


def test_a_rule_has_words_before_canvas_was_read() -> None:
    assert explain.rule_in_words(definition({"kind": "cutoff"})) == "full credit at mastery"
    assert explain.rule_in_words(definition({"kind": "cutoff", "at": "3"})) == "full credit at 3 points"


def said(rule: Any, scores: dict[str, str | None], weights: Any = None, **more: Any) -> list[str]:
    given = {key: None if score is None else Decimal(score) for key, score in scores.items()}
    made = definition(rule, weights, **more)
    return [spaced(one) for one in explain.explain_cell(made, OUTCOMES, given, Decimal(1), CANVAS_DEFAULT)]


FOUR = [["1", "55%"], ["2", "70%"], ["3", "85%"], ["4", "100%"]]
TABLE = {"kind": "table", "levels": FOUR[1:]}
WAY = {"kind": "table", "levels": FOUR, "interpolate": True}
CRITERIA = {
    "kind": "criteria",
    "grades": [{"credit": "100%", "all_at_least": None}, {"credit": "85%", "none_below": "2"}],
}
MIXED = {"1": "1", "3": "2"}


def test_why_this_is_a_zero_point_eight_five() -> None:
    assert said(TABLE, {"1": "3.25"}) == [
        "1.1 Lines: 3.25 of 4, at mastery (3).",
        "Rule: 70 % from 2 of 4, 85 % from 3 of 4, 100 % from 4 of 4.",
        "The highest line reached is 3 of 4: 85 %.",
        "85 % of 1 point is 0.85.",
    ]


def test_a_mean_shows_its_parts_and_how_it_was_rounded() -> None:
    assert said({"kind": "proportional"}, {"1": "2", "2": "3"}, BOTH) == [
        "1.1 Lines: 2 of 4 (50 % of the scale), below mastery (3).",
        "1.2 Slope: 3 of 4 (75 % of the scale), at mastery (3).",
        "Average: (50 % + 75 %) ÷ 2 = 62.5 %.",
        "Rule: the average of 2 outcomes: in proportion to the level.",
        "62.5 % of 1 point is 0.625, rounded to 0.63.",
    ]


@pytest.mark.parametrize(
    ("rule", "scores", "weights", "more", "sentence"),
    [
        (TABLE, {"1": "1.99"}, None, {}, "The lowest line, 2 of 4, is not reached: no credit."),
        (WAY, {"1": "2.5"}, None, {}, "50 % of the way from 2 of 4 (70 %) to 3 of 4 (85 %): 77.5 %."),
        (WAY, {"1": "0.5"}, None, {}, "50 % of the way from 0 (0 %) to 1 of 4 (55 %): 27.5 %."),
        (WAY, {"1": "3"}, None, {}, "Exactly at 3 of 4: 85 %."),
        (WAY, {"1": "4.4"}, None, {}, "From 4 of 4 up it is full credit."),
        ({"kind": "cutoff"}, {"1": "2.99"}, None, {}, "3 of 4 is not reached: no credit."),
        ({"kind": "cutoff", "at": "70%"}, {"1": "2.8"}, None, {}, "70 % of the scale is reached: full credit."),
        ({"kind": "cutoff"}, {"1": "2", "2": "4"}, BOTH, {},
         "The average mastery level, 75 %, is reached: full credit."),
        ({"kind": "cutoff"}, {"1": "4", "2": "2.9"}, BOTH, {"combine": "min"},
         "Not every one of them is mastered: no credit."),
        ({"kind": "cutoff"}, {"1": "4", "2": "2.9"}, BOTH, {"combine": "max"},
         "One of them at least is mastered: full credit."),
        ({"kind": "cutoff", "at": "50%"}, {"1": "4", "2": "2"}, BOTH, {"combine": "share"}, "1 of 2 mastered: 50 %."),
        ({"kind": "proportional"}, {"1": "2", "3": "3"}, MIXED, {},
         "Average: (1 × 50 % + 2 × 75 %) ÷ 3 = about 66.67 %."),
        (TABLE, {"1": "3", "2": "4"}, BOTH, {},
         "Average: (75 % + 100 %) ÷ 2 = 87.5 %, which is 3.5 of 4."),
        ({"kind": "proportional"}, {"1": "2", "3": None}, MIXED, {}, "The one assessed counts: 50 %."),
        (CRITERIA, {"1": "4", "2": "2"}, BOTH, {}, "The first that is true: 85 % if none is below 2 of 4."),
        (CRITERIA, {"1": "4", "2": "1"}, BOTH, {}, "None of them is true: no credit."),
        ({"kind": "scheme"}, {"1": "3.6"}, None, {},
         "90 % is the letter A- in “Letters”: it counts from 90 %, and Canvas gives 93 % for it."),
        ({"kind": "scheme"}, {"1": "2"}, None, {},
         "50 % is the letter F in “Letters”, the lowest, which earns the level itself."),
    ],
)  # fmt: skip
def test_what_counts_is_said(rule: Any, scores: Any, weights: Any, more: Any, sentence: str) -> None:
    assert sentence in said(rule, scores, weights, **more)


def test_evidence_has_its_day() -> None:
    lines = explain.explain_cell(
        definition({"kind": "cutoff"}),
        OUTCOMES,
        {"1": Decimal(3)},
        Decimal(1),
        newest={"1": datetime(2026, 3, 2, tzinfo=UTC)},
    )
    assert lines[0] == "1.1 Lines: 3 of 4, at mastery (3). Newest evidence: 2 March 2026."


def test_an_outcome_without_mastery_level_says_nothing_of_mastery() -> None:
    first = said({"kind": "proportional"}, {"3": "2"}, {"3": "1"})[0]
    assert first == "1.3 Graphs: 2 of 4 (50 % of the scale)."


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
    assert lines[1:] == ["1.2 Slope: not assessed.", f"1 of 2 outcomes assessed, 2 needed: {words}."]
