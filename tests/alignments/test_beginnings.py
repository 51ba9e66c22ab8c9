"""Suggested pairs, columns for all, what is left out."""

from __future__ import annotations

from decimal import Decimal

import pytest

from alignments import beginnings, services
from alignments.core import suggest
from canvas.values import Assignment, Outcome
from lti_tool.models import Context
from tests.alignments.examples import outcome


def named(*titles: str) -> list[Outcome]:
    return [outcome(str(index), title=title) for index, title in enumerate(titles, 1)]


def assignments(*names: str) -> list[Assignment]:
    return [Assignment(str(index), name, Decimal(10)) for index, name in enumerate(names, 101)]


def pairs(outcomes: list[Outcome], offered: list[Assignment]) -> list[tuple[str, str, str]]:
    return [(one.outcome_id, one.assignment_id, one.because) for one in suggest.suggest(outcomes, offered)]


@pytest.mark.parametrize(
    ("title", "name", "because"),
    [
        ("1.1 Linear models", "1.1 Linear models", "number and name"),
        ("1.1 Linear models", "Quiz 1.1: Linear Models", "number and name"),
        ("1.1 Linear models", "LO 1.1 retake", "number"),
        ("1.1 Linear models", "1.1", "number"),
        ("Linear models", "linear models", "name"),
        ("Linear models", "Linear modells", "name"),
        ("1.1 Linear models", "Linear models", "name"),
    ],
)
def test_alike(title: str, name: str, because: str) -> None:
    assert pairs(named(title), assignments(name)) == [("1", "101", because)]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("1.1 Linear models", "1.2 Linear models"),
        ("1.1 Linear models", "1.10 Linear models"),
        ("1.1 Linear models", "11 Linear models"),
        ("Linear models", "Essay"),
        ("Linear models", "2 Essay"),
    ],
)
def test_not_alike(title: str, name: str) -> None:
    assert pairs(named(title), assignments(name)) == []


def test_every_outcome_and_assignment_is_suggested_once_and_the_best_first() -> None:
    offered = assignments("1.1 Practice", "1.1 Linear models", "1.2 Slope")
    assert pairs(named("1.2 Slope", "1.1 Linear models"), offered) == [
        ("1", "103", "number and name"),
        ("2", "102", "number and name"),
    ]


def test_two_equally_likely_assignments_are_no_suggestion() -> None:
    assert pairs(named("1.1 Linear models"), assignments("1.1 Linear models", "1.1 Linear models")) == []


def test_the_synthetic_outcome_is_known_by_title_and_method() -> None:
    real = Outcome("1", "Current Score", Decimal(4), Decimal(3), calculation_method="highest")
    made = Outcome("2", "current score ", Decimal(4), Decimal(3), calculation_method="latest")
    assert (suggest.is_synthetic(real), suggest.is_synthetic(made)) == (False, True)


def test_outcomes_are_left_out_by_choice_by_keyword_and_as_synthetic(course: Context) -> None:
    listed = [*named("1.1 Lines", "Class ATTENDANCE", "1.2 Slope"),
              Outcome("9", "Current Score", Decimal(4), Decimal(3), calculation_method="latest")]  # fmt: skip
    beginnings.exclude(course, "3")
    found = beginnings.exclusions(course, listed)
    assert {key: one.kind for key, one in found.items()} == {"2": "keyword", "3": "choice", "9": "synthetic"}
    assert [found[key].sentence for key in ("2", "3", "9")] == [
        'Left out because its title holds "attendance".',
        "Left out by choice.",
        "Left out because it is an average of the other outcomes.",
    ]
    beginnings.include(course, "3")
    beginnings.set_keywords(course, ["slope", " slope", ""])
    assert set(beginnings.exclusions(course, listed)) == {"3", "9"}


def test_accepted_suggestions_are_alignments_with_the_points_seen(course: Context) -> None:
    outcomes, offered = named("1.1 Lines", "1.2 Slope"), assignments("1.1 Lines", "1.2 Slope")
    assert len(beginnings.suggestions(course, outcomes, offered)) == 2
    [made] = beginnings.accept(course, [(outcomes[0], offered[0])])
    assert (made.name, made.target.assignment_id, made.expected_points) == ("1.1 Lines", "101", Decimal(10))
    assert [one.outcome_id for one in beginnings.suggestions(course, outcomes, offered)] == ["2"]


def test_accepting_is_all_or_nothing(course: Context) -> None:
    outcomes, offered = named("1.1 Lines", "1.2 Slope"), assignments("1.1 Lines")
    with pytest.raises(services.TargetInUse):
        beginnings.accept(course, [(outcomes[0], offered[0]), (outcomes[1], offered[0])])
    assert services.stored(course) == []


def test_columns_for_all_are_told_apart_and_made_once(course: Context) -> None:
    outcomes = named("Lines", "Lines", "Attendance", "x" * 255, "x" * 255)
    made = beginnings.make_columns(course, outcomes)
    assert [one.target.label for one in made] == ["Lines", "Lines (2)", "x" * 255, "x" * 251 + " (2)"]
    assert beginnings.make_columns(course, outcomes) == []
