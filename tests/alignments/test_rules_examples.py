"""Worked examples: a rule, what Canvas has, and what the cell should hold. Points are 100 unless said.

Outcomes 1 and 2 are measured 0 to 4 with mastery at 3, outcome 5 is 0 to 5 with mastery at 3.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from alignments.core.rules import decide
from canvas.values import GradingScheme
from tests.alignments.examples import CANVAS_DEFAULT, decided, definition, outcome, scheme

OUTCOMES = {key: outcome(key) for key in ("1", "2", "3")} | {"5": outcome("5", "5", "3")}
BOTH = {"1": "1", "2": "1"}
ONE_TO_TWO = {"1": "1", "2": "2"}
MIXED = {"1": "1", "5": "1"}

CUTOFF: dict[str, Any] = {"kind": "cutoff"}
SOME: dict[str, Any] = {"kind": "cutoff", "credit": "95%", "below": "50%"}
PROPORTIONAL: dict[str, Any] = {"kind": "proportional"}
LEVELS = [["1", "55%"], ["2", "70%"], ["3", "85%"], ["4", "100%"]]
TABLE: dict[str, Any] = {"kind": "table", "levels": LEVELS}
SLOPED: dict[str, Any] = {"kind": "table", "levels": LEVELS, "interpolate": True}
SCHEME: dict[str, Any] = {"kind": "scheme"}
MARZANO: dict[str, Any] = {
    "kind": "criteria",
    "grades": [
        {"credit": "100%", "all_at_least": "3"},
        {"credit": "85%", "none_below": "2", "mastered_at_least": 1},
        {"credit": "70%", "average_at_least": "50%"},
        {"credit": "40%"},
    ],
}


def criteria(*grades: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "criteria", "grades": list(grades)}


CUTOFF_ROWS = [
    (CUTOFF, None, {}, {"1": "3"}, "100"),
    (CUTOFF, None, {}, {"1": "2.99"}, "0"),
    (CUTOFF, None, {}, {"1": "2.9999999999999999999999999999"}, "0"),
    (CUTOFF, None, {}, {"1": "0"}, "0"),
    (CUTOFF, None, {}, {"1": "-1"}, "0"),
    (CUTOFF, None, {}, {"1": "5"}, "100"),
    (SOME, None, {}, {"1": "3.00"}, "95"),
    (SOME, None, {}, {"1": "2"}, "50"),
    ({**CUTOFF, "at": "2.8"}, None, {}, {"1": "2.80"}, "100"),
    ({**CUTOFF, "at": "2.8"}, None, {}, {"1": "2.79"}, "0"),
    ({**CUTOFF, "at": "70%"}, None, {}, {"1": "2.8"}, "100"),
    ({**CUTOFF, "at": "70%"}, None, {}, {"1": "2.79"}, "0"),
    ({**CUTOFF, "at": "0"}, None, {}, {"1": "-3"}, "100"),
    (CUTOFF, BOTH, {}, {"1": "2", "2": "4"}, "100"),
    (CUTOFF, BOTH, {}, {"1": "2", "2": "3.99"}, "0"),
    (CUTOFF, ONE_TO_TWO, {}, {"1": "4", "2": "2.5"}, "100"),
    (CUTOFF, ONE_TO_TWO, {}, {"1": "4", "2": "2.49"}, "0"),
    # Mastery is 3/4 and 3/5: the line of the mean is 27/40.
    (CUTOFF, MIXED, {}, {"1": "3", "5": "3"}, "100"),
    (CUTOFF, MIXED, {}, {"1": "2", "5": "4.25"}, "100"),
    (CUTOFF, MIXED, {}, {"1": "2", "5": "4.24"}, "0"),
    # The line is over the assessed outcomes only.
    (CUTOFF, MIXED, {}, {"5": "3"}, "100"),
    (CUTOFF, BOTH, {"combine": "min"}, {"1": "3", "2": "3"}, "100"),
    (CUTOFF, BOTH, {"combine": "min"}, {"1": "4", "2": "2.9"}, "0"),
    (CUTOFF, MIXED, {"combine": "min"}, {"1": "3", "5": "3"}, "100"),
    (CUTOFF, BOTH, {"combine": "max"}, {"1": "1", "2": "3"}, "100"),
    (CUTOFF, BOTH, {"combine": "max"}, {"1": "2.9", "2": "2.9"}, "0"),
    (CUTOFF, MIXED, {"combine": "max"}, {"1": "2.9", "5": "3"}, "100"),
    ({**CUTOFF, "at": "2"}, BOTH, {"combine": "min"}, {"1": "2", "2": "4"}, "100"),
    ({**CUTOFF, "at": "2"}, BOTH, {"combine": "max"}, {"1": "1.99", "2": "1"}, "0"),
    (CUTOFF, BOTH, {"combine": "share"}, {"1": "3", "2": "3"}, "100"),
    (CUTOFF, BOTH, {"combine": "share"}, {"1": "3", "2": "2"}, "0"),
    ({**CUTOFF, "at": "50%"}, BOTH, {"combine": "share"}, {"1": "3", "2": "2"}, "100"),
]
PROPORTIONAL_ROWS = [
    (PROPORTIONAL, None, {}, {"1": "3.5"}, "87.5"),
    (PROPORTIONAL, None, {}, {"1": "0"}, "0"),
    (PROPORTIONAL, None, {}, {"1": "-0.5"}, "0"),
    (PROPORTIONAL, None, {}, {"1": "4.4"}, "110"),
    (PROPORTIONAL, {"1": "1", "2": "1", "3": "1"}, {}, {"1": "4", "2": "0", "3": "0"}, "33.33"),
    (PROPORTIONAL, {"1": "1", "2": "1", "3": "1"}, {}, {"1": "4", "2": "4", "3": "0"}, "66.67"),
    (PROPORTIONAL, None, {"round": 0}, {"1": "2.5"}, "63"),
    (PROPORTIONAL, None, {"round": 1}, {"1": "2.5"}, "62.5"),
    (PROPORTIONAL, None, {"round": 4}, {"1": "2.33333"}, "58.3333"),
    (PROPORTIONAL, None, {"round": 2}, {"1": "2.0002"}, "50.01"),
    (PROPORTIONAL, BOTH, {"combine": "min"}, {"1": "1", "2": "3"}, "25"),
    (PROPORTIONAL, BOTH, {"combine": "max"}, {"1": "1", "2": "3"}, "75"),
    (PROPORTIONAL, ONE_TO_TWO, {"combine": "share"}, {"1": "3", "2": "2"}, "33.33"),
    (PROPORTIONAL, ONE_TO_TWO, {"combine": "share"}, {"1": "2", "2": "3"}, "66.67"),
    (PROPORTIONAL, ONE_TO_TWO, {"combine": "mean"}, {"1": "4", "2": "1"}, "50"),
    (PROPORTIONAL, BOTH, {}, {"1": "-4", "2": "4"}, "50"),
]
TABLE_ROWS = [
    (TABLE, None, {}, {"1": "0.99"}, "0"),
    (TABLE, None, {}, {"1": "1"}, "55"),
    (TABLE, None, {}, {"1": "2.99"}, "70"),
    (TABLE, None, {}, {"1": "3"}, "85"),
    (TABLE, None, {}, {"1": "9"}, "100"),
    (SLOPED, None, {}, {"1": "0"}, "0"),
    (SLOPED, None, {}, {"1": "0.5"}, "27.5"),
    (SLOPED, None, {}, {"1": "2.5"}, "77.5"),
    (SLOPED, None, {}, {"1": "3"}, "85"),
    (SLOPED, None, {}, {"1": "4.4"}, "100"),
    ({"kind": "table", "levels": [["0", "10%"], ["4", "100%"]], "interpolate": True}, None, {}, {"1": "0"}, "10"),
    ({"kind": "table", "levels": [["0%", "10%"], ["50%", "80%"]]}, MIXED, {}, {"1": "2", "5": "2.5"}, "80"),
    ({"kind": "table", "levels": [["50%", "80%"], ["100%", "100%"]]}, BOTH, {"combine": "share"},
     {"1": "3", "2": "1"}, "80"),
]  # fmt: skip
CRITERIA_ROWS = [
    (MARZANO, BOTH, {}, {"1": "3", "2": "3"}, "100"),
    (MARZANO, BOTH, {}, {"1": "4", "2": "2"}, "85"),
    (MARZANO, BOTH, {}, {"1": "4", "2": "1.9"}, "70"),
    (MARZANO, BOTH, {}, {"1": "2", "2": "1.9"}, "40"),
    (MARZANO, BOTH, {}, {"1": "4"}, "not_enough"),
    (MARZANO, BOTH, {"evidence": {"at_least": 1}}, {"1": "4"}, "85"),
    (MARZANO, BOTH, {"evidence": {"at_least": 1}}, {"1": "2"}, "70"),
    (criteria({"credit": "90%", "all_at_least": None}), MIXED, {}, {"1": "3", "5": "3"}, "90"),
    (criteria({"credit": "90%", "all_at_least": None}), MIXED, {}, {"1": "2.9", "5": "5"}, "0"),
    (criteria({"credit": "90%", "none_below": None}), MIXED, {"evidence": {"at_least": 1}}, {"5": "3"}, "90"),
    (criteria({"credit": "90%", "average_at_least": None}), MIXED, {}, {"1": "2", "5": "4.25"}, "90"),
    (criteria({"credit": "90%", "average_at_least": None}), MIXED, {}, {"1": "2", "5": "4.24"}, "0"),
    (criteria({"credit": "90%", "average_at_least": "2.5"}), ONE_TO_TWO, {}, {"1": "0.5", "2": "3.5"}, "90"),
    (criteria({"credit": "90%", "mastered_at_least": 0}), BOTH, {}, {"1": "0", "2": "0"}, "90"),
    (criteria({"credit": "90%", "mastered_at_least": 2}), BOTH, {}, {"1": "3", "2": "2"}, "0"),
    # `combine` plays no part.
    (
        criteria({"credit": "90%", "average_at_least": "50%"}),
        BOTH,
        {"combine": "min"},
        {"1": "4", "2": "0"},
        "90",
    ),
]
EVIDENCE_ROWS = [
    (CUTOFF, None, {}, {}, "not_enough"),
    (CUTOFF, None, {}, {"1": None}, "not_enough"),
    (CUTOFF, None, {"evidence": {"otherwise": "zero"}}, {}, "zeroed"),
    (CUTOFF, None, {"evidence": {"otherwise": "excuse"}}, {"1": None}, "excused"),
    (CUTOFF, None, {"evidence": {"otherwise": "clear"}}, {}, "cleared"),
    (CUTOFF, BOTH, {}, {"2": "4"}, "100"),
    (CUTOFF, BOTH, {"combine": "max"}, {"2": "4"}, "100"),
    (CUTOFF, BOTH, {"combine": "min"}, {"2": "4"}, "not_enough"),
    (CUTOFF, BOTH, {"combine": "share"}, {"2": "4"}, "not_enough"),
    (CUTOFF, BOTH, {"combine": "min", "evidence": {"at_least": 1}}, {"2": "4"}, "100"),
    (PROPORTIONAL, BOTH, {"evidence": {"at_least": 2}}, {"2": "4"}, "not_enough"),
    (PROPORTIONAL, BOTH, {"evidence": {"at_least": 2, "otherwise": "zero"}}, {"2": "4", "1": None}, "zeroed"),
    (PROPORTIONAL, ONE_TO_TWO, {}, {"1": "3"}, "75"),
]


@pytest.mark.parametrize(
    ("rule", "weights", "more", "scores", "expected"),
    [*CUTOFF_ROWS, *PROPORTIONAL_ROWS, *TABLE_ROWS, *CRITERIA_ROWS, *EVIDENCE_ROWS],
)
def test_example(
    rule: dict[str, Any], weights: dict[str, str] | None, more: dict[str, Any], scores: Any, expected: str
) -> None:
    assert decided(definition(rule, weights, **more), OUTCOMES, scores) == expected


@pytest.mark.parametrize(
    ("letters", "score", "expected"),
    [
        (CANVAS_DEFAULT, "4", "100"),
        (CANVAS_DEFAULT, "3.76", "100"),
        (CANVAS_DEFAULT, "3.7599999", "93"),
        (CANVAS_DEFAULT, "3.6", "93"),
        (CANVAS_DEFAULT, "3.59984", "89"),
        (CANVAS_DEFAULT, "3.36", "86"),
        (CANVAS_DEFAULT, "4.4", "100"),
        (CANVAS_DEFAULT, "2.4", "60"),
        (CANVAS_DEFAULT, "0", "0"),
        # Gaps below a point: minus 0.1, and never less than the letter's own bound.
        (scheme(("A", ".9"), ("B", ".895"), ("C", ".8945"), ("F", "0")), "3.58", "89.9"),
        (scheme(("A", ".9"), ("B", ".8995"), ("C", ".8"), ("F", "0")), "3.598", "89.95"),
        (scheme(("A", ".9"), ("B", ".89"), ("F", "0")), "3.56", "89"),
        # The lowest letter earns the level itself, also below every bound and when it is the only one.
        (scheme(("A", ".9"), ("Low", ".5")), "2.4", "60"),
        (scheme(("A", ".9"), ("Low", ".5")), "1", "25"),
        (scheme(("Only", "0")), "3", "75"),
        # Given in any order.
        (scheme(("F", "0"), ("A", ".5")), "2", "100"),
    ],
)  # fmt: skip
def test_scheme_example(letters: GradingScheme, score: str, expected: str) -> None:
    assert decided(definition(SCHEME), OUTCOMES, {"1": score}, letters=letters) == expected


@pytest.mark.parametrize(
    ("points", "places", "expected"),
    [("1", 2, "0.88"), ("10", 2, "8.75"), ("0.5", 4, "0.4375"), ("1000000", 0, "875000"), ("3", 1, "2.6")],
)
def test_the_share_is_of_the_points_and_rounded_half_up(points: str, places: int, expected: str) -> None:
    made = definition(PROPORTIONAL, round=places)
    assert decided(made, OUTCOMES, {"1": "3.5"}, points) == expected


def test_a_zero_for_too_little_evidence_is_a_score_and_the_others_are_none() -> None:
    for otherwise, score in (("zero", Decimal(0)), ("leave", None), ("excuse", None), ("clear", None)):
        made = definition(CUTOFF, None, evidence={"otherwise": otherwise}, target={"assignment": "9"})
        assert decide(made, OUTCOMES, {}, Decimal(10)).score == score
