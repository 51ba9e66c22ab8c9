"""An alignment that cannot be worked out says which outcome is in the way."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from alignments.core import rules
from canvas.values import GradingScheme
from tests.alignments.examples import CANVAS_DEFAULT, definition, outcome

NO_MASTERY = outcome("6", "4", None, "1.4 Slope")
OUTCOMES = {key: outcome(key) for key in ("1", "2")} | {
    "5": outcome("5", "5", "3", "1.2 Tables"),
    "6": NO_MASTERY,
    "7": outcome("7", None, "3", "1.5 Graphs"),
    "8": outcome("8", "0", "3", "1.6 Zero"),
}
MIXED = {"1": "1", "5": "1"}
WITHOUT = {"1": "1", "6": "1"}


def criteria(**condition: Any) -> dict[str, Any]:
    return {"kind": "criteria", "grades": [{"credit": "90%", **condition}]}


@pytest.mark.parametrize(
    ("rule", "weights", "combine", "named"),
    [
        ({"kind": "proportional"}, {"611": "1"}, "mean", "Outcome 611 is no longer in this course."),
        (
            {"kind": "proportional"},
            {"1": "1", "611": "1"},
            "mean",
            "Outcome 611 is no longer in this course.",
        ),
        ({"kind": "proportional"}, {"7": "1"}, "mean", '"1.5 Graphs" has no scale'),
        ({"kind": "proportional"}, {"8": "1"}, "mean", '"1.6 Zero" has no scale'),
        (criteria(mastered_at_least=1), {"7": "1"}, "mean", '"1.5 Graphs" has no scale'),
        ({"kind": "cutoff"}, WITHOUT, "mean", '"1.4 Slope" has no mastery level'),
        ({"kind": "cutoff"}, WITHOUT, "min", '"1.4 Slope" has no mastery level'),
        ({"kind": "cutoff", "at": "50%"}, WITHOUT, "share", '"1.4 Slope" has no mastery level'),
        ({"kind": "proportional"}, WITHOUT, "share", '"1.4 Slope" has no mastery level'),
        (criteria(all_at_least=None), WITHOUT, "mean", '"1.4 Slope" has no mastery level'),
        (criteria(none_below=None), WITHOUT, "mean", '"1.4 Slope" has no mastery level'),
        (criteria(average_at_least=None), WITHOUT, "mean", '"1.4 Slope" has no mastery level'),
        (criteria(mastered_at_least=1), WITHOUT, "mean", '"1.4 Slope" has no mastery level'),
        ({"kind": "cutoff", "at": "3"}, MIXED, "mean", '"1.2 Tables" have different scales (4 and 5'),
        ({"kind": "table", "levels": [["1", "5%"]]}, MIXED, "max", '"1.2 Tables" have different scales'),
        (criteria(all_at_least="3"), MIXED, "share", '"1.2 Tables" have different scales'),
        (criteria(average_at_least="3"), MIXED, "mean", '"1.2 Tables" have different scales'),
        (
            {"kind": "scheme", "grading_standard_id": 7},
            {"1": "1"},
            "mean",
            "no grading scheme 7 in this course or its account: it is gone, or one of the school",
        ),
        ({"kind": "scheme"}, {"1": "1"}, "mean", "no grading scheme"),
    ],
)
def test_what_breaks_an_alignment(rule: Any, weights: dict[str, str], combine: str, named: str) -> None:
    broken = rules.check(definition(rule, weights, combine=combine), OUTCOMES, None)
    assert broken is not None and named in broken and broken.endswith(".")


@pytest.mark.parametrize(
    ("rule", "weights", "combine"),
    [
        ({"kind": "cutoff", "at": "3"}, {"1": "1", "6": "1"}, "mean"),
        ({"kind": "cutoff", "at": "75%"}, MIXED, "min"),
        ({"kind": "cutoff"}, MIXED, "mean"),
        ({"kind": "proportional"}, {"5": "1", "6": "1"}, "mean"),
        (criteria(mastered_at_least=1), MIXED, "share"),
        (criteria(all_at_least="50%"), {"5": "1", "6": "1"}, "share"),
    ],
)
def test_what_does_not(rule: Any, weights: dict[str, str], combine: str) -> None:
    assert rules.check(definition(rule, weights, combine=combine), OUTCOMES, None) is None


def test_a_scheme_needs_letters() -> None:
    made = definition({"kind": "scheme"})
    assert rules.check(made, OUTCOMES, CANVAS_DEFAULT) is None
    assert (
        rules.check(made, OUTCOMES, GradingScheme("7", "Empty", ()))
        == 'Grading scheme "Empty" has no letters.'
    )


def test_a_broken_alignment_decides_nothing() -> None:
    with pytest.raises(ValueError, match="611"):
        rules.decide(definition({"kind": "proportional"}, {"611": "1"}), OUTCOMES, {}, Decimal(1))
