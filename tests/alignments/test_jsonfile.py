"""What a good file means: defaults, both ways to write a number, and the whole form it is written back in."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from alignments.core import jsonfile
from alignments.core.definition import AssignmentTarget, Cutoff, MasteryLine, Scheme, WeightedOutcome
from tests.alignments.examples import definition, entry

SMALLEST = {"outcomes": [{"id": 605}], "rule": {"kind": "cutoff"}, "target": {"assignment": 9}}


def parsed(*entries: dict[str, Any]) -> tuple[Any, ...]:
    return jsonfile.parse_file(json.dumps({"version": 1, "alignments": entries}).encode())


def test_the_smallest_entry_gets_every_default() -> None:
    assert jsonfile.to_json(parsed(SMALLEST)[0]) == {
        "name": "Outcome 605",
        "outcomes": [{"id": "605", "weight": "1"}],
        "combine": "mean",
        "rule": {"kind": "cutoff", "at": None, "credit": "100%", "below": "0%"},
        "evidence": {"at_least": 1, "otherwise": "leave"},
        "target": {"assignment": "9"},
        "overwrite": "ours",
        "direction": "both",
        "round": 2,
    }


@pytest.mark.parametrize(
    ("rule", "combine", "expected"),
    [
        ({"kind": "cutoff"}, "mean", 1),
        ({"kind": "cutoff"}, "max", 1),
        ({"kind": "cutoff"}, "min", 3),
        ({"kind": "proportional"}, "share", 3),
        ({"kind": "criteria", "grades": [{"credit": "1%"}]}, "mean", 3),
        ({"kind": "criteria", "grades": [{"credit": "1%"}]}, "max", 3),
    ],
)
def test_the_usual_evidence_depends_on_the_rule(rule: Any, combine: str, expected: int) -> None:
    made = definition(rule, {"1": "1", "2": "1", "3": "1"}, combine=combine)
    assert made.evidence.at_least == expected


def test_numbers_may_be_json_numbers_or_their_digits() -> None:
    data = json.dumps({"version": 1, "alignments": [entry({"kind": "cutoff", "at": "2.50"})]})
    quoted = jsonfile.parse_file(data.encode())
    assert jsonfile.parse_file(data.replace('"2.50"', "2.50").encode()) == quoted
    assert jsonfile.to_json(quoted[0])["rule"] == {
        "kind": "cutoff", "at": "2.5", "credit": "100%", "below": "0%",
    }  # fmt: skip


def test_thirty_digits_stay_exact() -> None:
    weight = "123456789012345.678901234567891"
    made = parsed({**SMALLEST, "outcomes": [{"id": 1, "weight": weight}]})[0]
    assert made.outcomes == (WeightedOutcome("1", Decimal(weight)),)
    assert jsonfile.to_json(made)["outcomes"] == [{"id": "1", "weight": weight}]


def test_a_bom_and_ids_are_ignored() -> None:
    data = (
        b"\xef\xbb\xbf" + json.dumps({"version": 1, "alignments": [{**SMALLEST, "id": {"any": []}}]}).encode()
    )
    assert jsonfile.parse_file(data)[0].target == AssignmentTarget("9")


def test_null_is_a_line_and_the_target_s_scheme() -> None:
    assert definition({"kind": "cutoff", "at": None}).rule == Cutoff(MasteryLine())
    assert definition({"kind": "scheme", "grading_standard_id": None}).rule == Scheme(None)
    assert definition({"kind": "scheme", "grading_standard_id": 7}).rule == Scheme("7")


def test_zero_and_a_thousand_percent_are_percentages() -> None:
    rule = {"kind": "cutoff", "at": "0%", "credit": "1000%", "below": "0.5%"}
    assert jsonfile.to_json(definition(rule))["rule"] == rule


def test_points_lines_go_with_share_in_criteria() -> None:
    rule = {"kind": "criteria", "grades": [{"credit": "1%", "all_at_least": "3"}]}
    assert definition(rule, combine="share").combine == "share"


def test_a_name_that_only_stands_in_is_not_a_name() -> None:
    assert parsed({**SMALLEST, "name": "Outcome 605"})[0].name == ""
    assert parsed({**SMALLEST, "name": "Outcome 6"})[0].name == "Outcome 6"


def test_a_form_s_errors_carry_the_field_alone() -> None:
    with pytest.raises(jsonfile.FileErrors) as caught:
        jsonfile.parse_definition({**SMALLEST, "round": 7})
    [problem] = caught.value.problems
    assert (problem.entry, problem.path) == ("", "round")


def test_a_calculation_is_written_whole_and_only_where_there_is_one() -> None:
    made = definition(
        {"kind": "cutoff"},
        calculation={"method": "newest", "count": 3, "ignore_assignments": [91, "92"]},
    )
    assert jsonfile.to_json(made)["calculation"] == {
        "method": "newest",
        "count": 3,
        "order": "submitted",
        "at_least": 1,
        "drop_lowest": 0,
        "ignore_assignments": ["91", "92"],
    }
    assert "calculation" not in jsonfile.to_json(definition({"kind": "cutoff"}))


def test_a_decaying_calculation_weighs_the_newest_as_canvas_does_unless_told() -> None:
    made = definition({"kind": "cutoff"}, calculation={"method": "weighted_average"})
    written = jsonfile.to_json(made)["calculation"]
    assert isinstance(written, dict) and written["percent"] == "65%"
