"""Exceptions of a file: read strictly, written whole; and what is left of an alignment without some outcomes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from alignments.core.definition import Criteria, Cutoff, LeftOut, Proportional, SectionException
from alignments.core.exceptions import Instead, applying_to, check_instead, fitting, renamed, with_rule
from alignments.core.jsonfile import parse_definition, to_json
from alignments.core.rules import decide
from alignments.exceptionforms import in_words
from tests.alignments.examples import definition, outcome
from tests.alignments.test_jsonfile_errors import GOOD, HERE, errors_of, file_of

TWO = {"outcomes": [{"id": "605"}, {"id": "606", "weight": 3}]}
SECTIONS: list[tuple[list[Any], str]] = [
    ([], "sections"),
    ([{"section": "7"}], "sections[0]"),
    ([{"section": "7", "rule": {"kind": "cutoff"}, "not_assessed": True}], "sections[0]"),
    ([{"section": "7", "not_assessed": False}], "sections[0].not_assessed"),
    ([{"section": "7", "not_assessed": "605"}], "sections[0].not_assessed"),
    ([{"section": "7", "not_assessed": []}], "sections[0].not_assessed"),
    ([{"section": "7", "not_assessed": ["x"]}], "sections[0].not_assessed[0]"),
    ([{"section": "7", "not_assessed": ["605", 605]}], "sections[0].not_assessed[1]"),
    ([{"section": "7", "not_assessed": ["999"]}], "sections[0].not_assessed[0]"),
    ([{"section": "7", "not_assessed": ["605", "606"]}], "sections[0].not_assessed"),
    ([{"section": "7", "not_assessed": ["605"], "rule": {"kind": "scheme"}}], "sections[0].rule.kind"),
    ([{"section": "7", "not_assessed": ["605"], "why": "x"}], "sections[0].why"),
    ([{"section": "7", "not_assessed": True}, {"section": 7, "not_assessed": True}], "sections[1].section"),
]


@pytest.mark.parametrize(("sections", "field"), SECTIONS)
def test_each_fault_names_its_field(sections: list[Any], field: str) -> None:
    errors = errors_of(file_of(GOOD | TWO | {"sections": sections}))
    assert any(error.startswith(f"{HERE}{field}: ") for error in errors), errors


@pytest.mark.parametrize("rule", [None, LeftOut(("606",)), LeftOut(("605",), Proportional()), Cutoff()])
def test_each_kind_of_exception_is_written_as_it_is_read(rule: Any) -> None:
    made = parse_definition(GOOD | TWO)
    made = fitted(made, SectionException("7", rule))
    assert parse_definition(to_json(made)) == made
    assert made.sections[0].rule == rule


def fitted(made: Any, *sections: SectionException) -> Any:
    return replace(made, sections=fitting(sections, made.outcome_ids))


def test_an_outcome_left_out_counts_neither_as_reached_nor_as_missing() -> None:
    known = {one: outcome(one) for one in ("1", "2", "3")}
    made = definition({"kind": "cutoff"}, {"1": "1", "2": "1", "3": "1"}, combine="min")
    scores = {"1": Decimal(4), "2": Decimal(3)}
    assert decide(made, known, scores, Decimal(1)).kind == "not_enough"
    without = with_rule(made, LeftOut(("3",)))
    assert without.evidence.at_least == 2
    assert decide(without, known, scores, Decimal(1)).score == 1
    assert with_rule(made, LeftOut(("3",), Proportional())).rule == Proportional()


def test_no_more_outcomes_must_be_mastered_than_are_left() -> None:
    made = definition(
        {"kind": "criteria", "grades": [{"credit": "100%", "mastered_at_least": 3}]},
        {"1": "1", "2": "1", "3": "1"},
    )
    rule = with_rule(made, LeftOut(("1",))).rule
    assert isinstance(rule, Criteria) and rule.grades[0].mastered_at_least == 2


def test_without_any_outcome_left_nothing_is_assessed() -> None:
    made = definition({"kind": "cutoff"}, {"1": "1", "2": "1"})
    everything = LeftOut(("1", "2"))
    assert applying_to("7", (), made, {"7": everything}) == Instead(None, "student")
    assert with_rule(made, everything).outcomes == made.outcomes
    assert in_words(made, everything) == "not assessed"


def test_what_is_left_out_follows_the_alignments_outcomes() -> None:
    listed = [
        SectionException("1", LeftOut(("605", "606"))),
        SectionException("2", LeftOut(("606",))),
        SectionException("3", LeftOut(("606",), Cutoff())),
        SectionException("4", None),
    ]
    assert fitting(listed, ["605", "607"]) == (
        SectionException("1", LeftOut(("605",))),
        SectionException("3", Cutoff()),
        SectionException("4", None),
    )
    assert fitting(listed, ["605"])[0] == SectionException("1", None)
    assert renamed(LeftOut(("605", "606")), "606", "9") == LeftOut(("605", "9"))
    assert renamed(Cutoff(), "606", "9") == Cutoff()


def test_a_rule_in_points_with_a_share_is_found_inside_too() -> None:
    made = definition({"kind": "cutoff"}, {"1": "1", "2": "1"}, combine="share")
    own = parse_definition(GOOD | {"rule": {"kind": "cutoff", "at": 2}}).rule
    assert check_instead(made, LeftOut(("1",), own)) is not None
    assert check_instead(made, LeftOut(("1",))) is None
