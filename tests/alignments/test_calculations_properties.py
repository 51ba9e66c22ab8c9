"""What holds for every calculation and every row of results."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alignments.core import calculationwords
from alignments.core.calculations import Result, calculate, on_scale
from alignments.core.definition import Calculation
from tests.alignments import strategies as some
from tests.alignments.evidence import SKILL, calculation, raw

TOP, MASTERY = SKILL.points_possible or Decimal(0), SKILL.mastery_points or Decimal(0)
scores = st.decimals(min_value=0, max_value=5, places=2).map(str)


@st.composite
def evidence(draw: st.DrawFn) -> list[Result]:
    """Up to eight results, some at the same second, some of one assignment."""
    listed = draw(st.lists(st.tuples(scores, st.integers(0, 3)), min_size=1, max_size=8))
    return [
        on_scale(raw(score, day, id=str(number), assignment_id=str(900 + day)), SKILL)
        for number, (score, day) in enumerate(listed, 1)
    ]


any_calculation = some.calculations()
counted = st.builds(lambda one: Calculation(one.method, one.percent, one.count), some.calculations())


@given(any_calculation, evidence(), st.randoms(use_true_random=False))
def test_the_order_in_which_results_come_changes_nothing(
    how: Calculation, listed: list[Result], shuffler: random.Random
) -> None:
    mixed = [*listed]
    shuffler.shuffle(mixed)
    assert calculate(how, SKILL, mixed) == calculate(how, SKILL, listed)


@given(counted, evidence())
def test_no_score_is_below_the_lowest_or_above_the_highest_result(
    how: Calculation, listed: list[Result]
) -> None:
    """The power law may go beyond the best result, up to the top of the scale, and below the lowest."""
    found = calculate(how, SKILL, listed)
    values = [one.score for one in listed]
    if found is None:
        assert how.method in {"n_mastery", "streak"}
    elif how.method == "power_law":
        assert 0 <= found <= max(*values, TOP)
    else:
        assert min(values) <= found <= max(values)


@given(counted, scores, st.integers(1, 8))
def test_equal_results_give_that_score(how: Calculation, score: str, times: int) -> None:
    listed = [on_scale(raw(score, day), SKILL) for day in range(times)]
    found = calculate(how, SKILL, listed)
    assert found is None or found == Decimal(score)


@given(evidence(), st.integers(1, 5))
def test_a_streak_is_mastery_exactly_when_so_many_in_a_row_were(listed: list[Result], length: int) -> None:
    ordered = sorted(listed, key=lambda one: (one.at, len(one.id), one.id))
    row = longest = 0
    for one in ordered:
        row = row + 1 if one.score >= MASTERY else 0
        longest = max(longest, row)
    found = calculate(calculation("streak", count=length), SKILL, listed)
    assert (found is not None and found >= MASTERY) == (longest >= length)


@given(any_calculation, evidence())
def test_more_results_needed_than_there_are_is_not_assessed(how: Calculation, listed: list[Result]) -> None:
    left = [one for one in listed if one.assignment_id not in how.ignore_assignments]
    if len(left) < how.at_least:
        assert calculate(how, SKILL, listed) is None


@given(st.sampled_from(["average", "highest"]), evidence(), st.integers(0, 9))
def test_dropping_the_lowest_never_lowers_and_never_takes_everything(
    method: Any, listed: list[Result], drop: int
) -> None:
    with_all = calculate(Calculation(method), SKILL, listed)
    found = calculate(Calculation(method, drop_lowest=drop), SKILL, listed)
    assert found is not None and with_all is not None
    assert found >= with_all


@given(any_calculation, evidence())
def test_every_calculation_has_words(how: Calculation, listed: list[Result]) -> None:
    said = calculationwords.results_in_words(how, SKILL, listed)
    assert len(said) == len(listed) + 1
    assert all(one.endswith(".") for one in said)
