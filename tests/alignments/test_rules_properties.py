"""What must hold for every class and every rule, and a second implementation to differ from."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alignments.core import explain, jsonfile, rules
from alignments.core.definition import (
    ColumnTarget,
    Criteria,
    Cutoff,
    Definition,
    Evidence,
    MasteryLine,
    Proportional,
    Scheme,
    ShareLine,
    Table,
    WeightedOutcome,
)
from alignments.core.numbers import plain, rounded
from tests.alignments import strategies as some
from tests.alignments.examples import CANVAS_DEFAULT, outcome

IDS = ("1", "2", "3")
SCALES = {key: outcome(key) for key in IDS}
scores = some.meeting | st.none() | some.numbers
classes = st.fixed_dictionaries(dict.fromkeys(IDS, scores))
weights = st.sampled_from(["1", "0.5", "3", "0.333", "2.5"]).map(Decimal)
combines = st.sampled_from(["mean", "min", "max", "share"])


@st.composite
def falling_criteria(draw: st.DrawFn) -> Criteria:
    """Better grades first: whoever meets a condition still does with a higher score."""
    made = draw(some.criteria(len(IDS)))
    credits = sorted((grade.credit for grade in made.grades), reverse=True)
    return Criteria(
        tuple(replace(one, credit=credit) for one, credit in zip(made.grades, credits, strict=True))
    )


@st.composite
def monotone(draw: st.DrawFn) -> Definition:
    """Rules that promise more for more: credits rise with the lines."""
    combine = draw(combines)
    low, high = sorted([draw(some.percents), draw(some.percents)])
    lines = some.share_lines if combine == "share" else some.share_lines | some.points_lines
    rule = draw(
        st.one_of(
            st.builds(Cutoff, st.just(MasteryLine()) | lines, st.just(high), st.just(low)),
            st.just(Proportional()),
            some.tables(some.share_lines, rising=True),
            some.tables(some.points_lines if combine != "share" else some.share_lines, rising=True),
            st.just(Scheme()),
            falling_criteria(),
        )
    )
    return made(rule, combine, [draw(weights) for _ in IDS])


def made(
    rule: Any, combine: Any = "mean", listed: list[Decimal] | None = None, places: int = 2
) -> Definition:
    outcomes = tuple(map(WeightedOutcome, IDS, listed or [Decimal(1)] * 3))
    return Definition("x", outcomes, rule, ColumnTarget("x", Decimal(7)), Evidence(1), combine, round=places)


def grade(definition: Definition, given_scores: Any, points: Decimal = Decimal(7)) -> Decimal | None:
    return rules.decide(definition, SCALES, given_scores, points, CANVAS_DEFAULT).score


@given(monotone(), classes, st.sampled_from(IDS), some.numbers)
@settings(max_examples=300)
def test_raising_a_score_never_lowers_a_grade(
    definition: Definition, given_scores: Any, which: str, by: Decimal
) -> None:
    before, old = grade(definition, given_scores), given_scores[which]
    if before is None or old is None:
        return
    after = grade(definition, given_scores | {which: old + by})
    assert after is not None and after >= before


@given(some.definitions(), st.data())
def test_the_order_of_outcomes_changes_nothing(definition: Definition, data: st.DataObject) -> None:
    scales = {key: outcome(key) for key in definition.outcome_ids}
    given_scores = {key: data.draw(scores) for key in definition.outcome_ids}
    shuffled = data.draw(st.permutations(definition.outcomes))
    other = jsonfile.parse_definition(
        jsonfile.to_json(definition)
        | {"outcomes": [{"id": o.outcome_id, "weight": plain(o.weight)} for o in shuffled]}
    )
    first = rules.decide(definition, scales, given_scores, Decimal(7), CANVAS_DEFAULT)
    assert rules.decide(other, scales, given_scores, Decimal(7), CANVAS_DEFAULT) == first


@given(some.definitions(), st.data())
def test_a_student_s_grade_does_not_depend_on_who_came_before(
    definition: Definition, data: st.DataObject
) -> None:
    scales = {key: outcome(key) for key in definition.outcome_ids}
    students = [{key: data.draw(scores) for key in definition.outcome_ids} for _ in range(4)]
    together = rules.Decider(definition, scales, Decimal(7), CANVAS_DEFAULT)
    assert [together.wanted(one) for one in students] == [
        rules.decide(definition, scales, one, Decimal(7), CANVAS_DEFAULT) for one in students
    ]


@given(some.definitions())
def test_the_file_gives_back_what_was_written(definition: Definition) -> None:
    file = {"version": 1, "alignments": [{"id": 3, **jsonfile.to_json(definition)}]}
    assert jsonfile.parse_file(json.dumps(file).encode()) == (definition,)
    assert jsonfile.parse_definition(jsonfile.to_json(definition)) == definition


@given(some.definitions(), st.data())
def test_every_rule_and_every_cell_has_words(definition: Definition, data: st.DataObject) -> None:
    scales = {key: outcome(key) for key in definition.outcome_ids}
    given_scores = {key: data.draw(scores) for key in definition.outcome_ids}
    wanted = rules.decide(definition, scales, given_scores, Decimal(7), CANVAS_DEFAULT)
    said = explain.explain_cell(definition, scales, given_scores, Decimal(7), CANVAS_DEFAULT)
    assert explain.rule_in_words(definition) and all(said)
    if wanted.kind == "graded" and wanted.score is not None:
        assert said[-1].endswith((f" is {plain(wanted.score)}.", f" rounded to {plain(wanted.score)}."))


@given(st.fractions(min_value=0, max_value=10**6), st.integers(0, 4))
def test_rounding_is_half_up(value: Fraction, places: int) -> None:
    assert rounded(value, places) == Decimal(math.floor(value * 10**places + Fraction(1, 2))).scaleb(-places)


# A second implementation, of other stuff: decimals with 200 digits instead of fractions, one formula a rule.


def second_opinion(definition: Definition, given_scores: Any, points: Decimal) -> Decimal | None:
    with localcontext() as context:
        context.prec = 200
        seen = [
            (one.weight, max(given_scores[one.outcome_id], Decimal(0)))
            for one in definition.outcomes
            if given_scores[one.outcome_id] is not None
        ]
        if not seen:
            return None
        share = _second_share(definition, seen, *_second_level(definition.combine, seen))
        return (share / 100 * points).quantize(Decimal(1).scaleb(-definition.round), ROUND_HALF_UP)


def _second_level(combine: str, seen: list[tuple[Decimal, Decimal]]) -> tuple[Decimal, bool]:
    """On the scale 0 to 4 (times the weights' sum, so that nothing is divided), and mastered."""
    total = sum(weight for weight, _ in seen)
    if combine == "mean":
        level = sum(weight * score for weight, score in seen)
        return level, level >= 3 * total
    if combine == "share":
        level = 4 * sum((weight for weight, score in seen if score >= 3), Decimal(0))
        return level, level == 4 * total
    level = (min if combine == "min" else max)(score for _, score in seen) * total
    return level, level >= 3 * total


def _second_share(
    definition: Definition, seen: list[tuple[Decimal, Decimal]], level: Decimal, mastered: bool
) -> Decimal:
    """A percentage. `level` and every line are multiplied by the weights' sum."""
    rule, total = definition.rule, sum((weight for weight, _ in seen), Decimal(0))

    def line(at: Any) -> Decimal:
        return (at.percent.number / 25 if isinstance(at, ShareLine) else at.points) * total

    if isinstance(rule, Cutoff):
        reached = mastered if isinstance(rule.at, MasteryLine) else level >= line(rule.at)
        return (rule.credit if reached else rule.below).number
    if isinstance(rule, Table):
        return _second_table(
            [(line(one.at), one.credit.number) for one in rule.levels], level, rule.interpolate
        )
    return level * 25 / total


def _second_table(steps: list[tuple[Decimal, Decimal]], level: Decimal, interpolate: bool) -> Decimal:
    reached = [step for step in steps if step[0] <= level]
    following = [step for step in steps if step[0] > level]
    if not interpolate:
        return reached[-1][1] if reached else Decimal(0)
    if not following:
        return reached[-1][1]
    (low, start), (high, end) = (reached[-1] if reached else (Decimal(0), Decimal(0))), following[0]
    return (start * (high - level) + end * (level - low)) / (high - low)


@st.composite
def compared(draw: st.DrawFn) -> Definition:
    combine = draw(combines)
    lines = some.share_lines if combine == "share" else some.share_lines | some.points_lines
    rule = draw(
        st.builds(Cutoff, st.just(MasteryLine()) | lines, some.percents, some.percents)
        | st.just(Proportional())
        | some.tables(some.share_lines)
        | (some.tables(some.points_lines) if combine != "share" else st.just(Proportional()))
    )
    return made(rule, combine, [draw(weights) for _ in IDS], draw(st.integers(0, 4)))


@given(compared(), classes, some.numbers)
@settings(max_examples=400)
def test_two_implementations_agree(definition: Definition, given_scores: Any, points: Decimal) -> None:
    assert not isinstance(definition.rule, Criteria)
    assert grade(definition, given_scores, points) == second_opinion(definition, given_scores, points)
