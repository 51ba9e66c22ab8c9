"""Every fault of the file, with the entry and the field its error must name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alignments.core import jsonfile

GOOD: dict[str, Any] = {
    "name": "1.1 Lines",
    "outcomes": [{"id": "605"}],
    "rule": {"kind": "cutoff"},
    "target": {"column": {"label": "1.1 Lines", "points": "1"}},
}
TWO = {"outcomes": [{"id": "605"}, {"id": 606}]}
HERE = 'alignments[0] "1.1 Lines": '


def file_of(*entries: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"version": 1, "alignments": entries, **more}).encode()


def errors_of(data: bytes) -> list[str]:
    with pytest.raises(jsonfile.FileErrors) as caught:
        jsonfile.parse_file(data)
    return caught.value.lines


def rule(kind: str, **more: Any) -> dict[str, Any]:
    return {"rule": {"kind": kind, **more}}


def levels(*pairs: Any, **more: Any) -> dict[str, Any]:
    return rule("table", levels=list(pairs), **more)


def grades(*listed: Any) -> dict[str, Any]:
    return rule("criteria", grades=list(listed))


def column(**changes: Any) -> dict[str, Any]:
    return {"target": {"column": {"label": "1.1 Lines", "points": "1", **changes}}}


BAD_ENTRIES: list[tuple[dict[str, Any], str]] = [
    ({"outcomes": []}, "outcomes"),
    ({"outcomes": {"id": "605"}}, "outcomes"),
    ({"outcomes": ["605"]}, "outcomes[0]"),
    ({"outcomes": [{}]}, "outcomes[0].id"),
    ({"outcomes": [{"id": "0605"}]}, "outcomes[0].id"),
    ({"outcomes": [{"id": 0}]}, "outcomes[0].id"),
    ({"outcomes": [{"id": -5}]}, "outcomes[0].id"),
    ({"outcomes": [{"id": 605.0}]}, "outcomes[0].id"),
    ({"outcomes": [{"id": True}]}, "outcomes[0].id"),
    ({"outcomes": [{"id": "６０５"}]}, "outcomes[0].id"),
    ({"outcomes": [{"id": None}]}, "outcomes[0].id"),
    ({"outcomes": [{"id": "605"}, {"id": 605}]}, "outcomes[1].id"),
    ({"outcomes": [{"id": "605", "weight": 0}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": "-1"}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": "1e2"}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": "1,5"}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": " 1"}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": "1."}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": ".5"}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": "+1"}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": "1\n"}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": None}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": True}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": "50%"}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": "1" * 31}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": float("nan")}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weight": float("inf")}]}, "outcomes[0].weight"),
    ({"outcomes": [{"id": "605", "weigth": 1}]}, "outcomes[0].weigth"),
    ({"combine": "median"}, "combine"),
    ({"combine": None}, "combine"),
    ({"combine": ["mean"]}, "combine"),
    ({"overwrite": "never"}, "overwrite"),
    ({"direction": "down"}, "direction"),
    ({"round": 5}, "round"),
    ({"round": -1}, "round"),
    ({"round": 1.0}, "round"),
    ({"round": "2"}, "round"),
    ({"round": True}, "round"),
    ({"round": None}, "round"),
    ({"colour": "red"}, "colour"),
    ({"id": float("nan")}, "id"),
    ({"rule": None}, "rule"),
    ({"rule": "cutoff"}, "rule"),
    ({"rule": {}}, "rule.kind"),
    (rule("curve"), "rule.kind"),
    (rule("cutoff", interpolate=True), "rule.interpolate"),
    (rule("proportional", credit="100%"), "rule.credit"),
    (rule("cutoff", at="-1"), "rule.at"),
    (rule("cutoff", at="75 %"), "rule.at"),
    (rule("cutoff", at=True), "rule.at"),
    (rule("cutoff", at=1e-05), "rule.at"),
    (rule("cutoff", credit="100"), "rule.credit"),
    (rule("cutoff", credit=1), "rule.credit"),
    (rule("cutoff", credit=None), "rule.credit"),
    (rule("cutoff", credit="1000.01%"), "rule.credit"),
    (rule("cutoff", below="-5%"), "rule.below"),
    ({**rule("cutoff", at="3"), "combine": "share"}, "rule.at"),
    (rule("table"), "rule.levels"),
    (levels(), "rule.levels"),
    (rule("table", levels="high"), "rule.levels"),
    (levels(["1", "50%"], ["1.0", "80%"]), "rule.levels[1]"),
    (levels(["1", "50%"], ["3", "80%"], ["2", "90%"]), "rule.levels[2]"),
    (levels(["1", "50%"], ["75%", "80%"]), "rule.levels[1]"),
    (levels([None, "50%"]), "rule.levels[0]"),
    (levels(["1"]), "rule.levels[0]"),
    (levels(["1", "50%", "x"]), "rule.levels[0]"),
    (levels(["1", "50"]), "rule.levels[0]"),
    (levels(["1", "50%"], interpolate=1), "rule.interpolate"),
    (levels(["1", "50%"], at=None), "rule.at"),
    ({**levels(["1", "50%"], ["2", "80%"]), "combine": "share"}, "rule.levels[0]"),
    (rule("scheme", grading_standard_id="x"), "rule.grading_standard_id"),
    (rule("scheme", grading_standard_id=0), "rule.grading_standard_id"),
    (rule("criteria"), "rule.grades"),
    (grades(), "rule.grades"),
    (grades({"all_at_least": "3"}), "rule.grades[0].credit"),
    (grades({"credit": "90%"}, {"credit": "80%"}), "rule.grades[0]"),
    (grades({"credit": "90%", "mastered_at_least": 2}), "rule.grades[0].mastered_at_least"),
    (grades({"credit": "90%", "mastered_at_least": "1"}), "rule.grades[0].mastered_at_least"),
    (grades({"credit": "90%", "mastered_at_least": None}), "rule.grades[0].mastered_at_least"),
    (grades({"credit": "90%", "none_bellow": "1"}), "rule.grades[0].none_bellow"),
    (grades({"credit": "90%", "average_at_least": "x%"}), "rule.grades[0].average_at_least"),
    (grades("90%"), "rule.grades[0]"),
    ({"evidence": None}, "evidence"),
    ({"evidence": {"at_least": 2}}, "evidence.at_least"),
    ({"evidence": {"at_least": 0}}, "evidence.at_least"),
    ({"evidence": {"at_least": "1"}}, "evidence.at_least"),
    ({"evidence": {"at_least": 1.5}}, "evidence.at_least"),
    ({**TWO, "evidence": {"at_least": 3}}, "evidence.at_least"),
    ({"evidence": {"otherwise": "wait"}}, "evidence.otherwise"),
    ({"evidence": {"otherwise": "excuse"}}, "evidence.otherwise"),
    ({"evidence": {"at_most": 1}}, "evidence.at_most"),
    ({"target": {}}, "target"),
    ({"target": "9"}, "target"),
    ({"target": {"assignment": "9", "column": {"label": "x", "points": 1}}}, "target"),
    ({"target": {"assignment": "9.0"}}, "target.assignment"),
    ({"target": {"assignment": "9", "points": 1}}, "target.points"),
    ({"target": {"column": "x"}}, "target.column"),
    ({"target": {"column": {"points": 1}}}, "target.column.label"),
    ({"target": {"column": {"label": "x"}}}, "target.column.points"),
    (column(points=0), "target.column.points"),
    (column(points="0.00"), "target.column.points"),
    (column(label="  "), "target.column.label"),
    (column(label="x" * 256), "target.column.label"),
    (column(label=5), "target.column.label"),
    (column(label="a\u0000b"), "target.column.label"),
    (column(label="half \ud83d"), "target.column.label"),
]


@pytest.mark.parametrize(("changes", "path"), BAD_ENTRIES)
def test_one_fault_is_one_error_at_its_place(changes: dict[str, Any], path: str) -> None:
    [error] = errors_of(file_of(GOOD | changes))
    assert error.startswith(f"{HERE}{path}: ")
    assert error.endswith(".")


@pytest.mark.parametrize("name", ["", "   ", "x" * 256, 5, None, "a\u0000"])
def test_an_entry_without_a_usable_name_is_known_by_its_number(name: Any) -> None:
    [error] = errors_of(file_of(GOOD, GOOD | {"name": name, "target": {"assignment": 9}}))
    assert error.startswith("alignments[1]: name: ")


@pytest.mark.parametrize("key", ["outcomes", "rule", "target"])
def test_a_missing_part_is_named(key: str) -> None:
    entry = {name: value for name, value in GOOD.items() if name != key}
    assert errors_of(file_of(entry)) == [f"{HERE}{key}: is missing: add it."]


BAD_FILES: list[tuple[bytes, str]] = [
    (b"", "The file is empty"),
    (b"\xef\xbb\xbf", "The file is empty"),
    (b"[]", "must be an object"),
    (b"{", "Line 1, column 2: this is not JSON"),
    (b"{} {}", "Line 1, column 4: there is text after"),
    (b'{"version": 1, "alignments": [1,]}', "Line 1"),
    (b'{"version": 1, "alignments": []}', "alignments: is empty"),
    (b'{"version": 1, "alignments": {}}', "alignments: must be a list"),
    (b'{"version": 1, "alignments": [3]}', "alignments[0]: must be an object"),
    (b'{"version": 1}', "alignments: is missing"),
    ("é".encode("latin-1"), "The file is not UTF-8"),
    ('{"version": 1}'.encode("utf-16"), "The file is not UTF-8"),
    (b" " * 5_000_001, "The file is larger than 5,000,000 bytes"),
    (b"[" * 100_000, "The file is nested too deeply"),
    (file_of(GOOD, extra=1), "extra: "),
    (file_of(GOOD)[:-1] + b', "version": 1}', "version: is written twice"),
    (file_of(GOOD).replace(b'"name"', b'"name": "x", "name"'), f"{HERE}name: is written twice"),
    (file_of(GOOD).replace(b'"kind"', b'"kind": "cutoff", "kind"'), f"{HERE}rule.kind: is written twice"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "start"), BAD_FILES)
def test_a_bad_file_says_where(data: bytes, start: str) -> None:
    [error] = errors_of(data)
    assert error.startswith(start)


@pytest.mark.parametrize("version", ["true", "1.0", '"1"', "2", "null", "0", "1e0", "-1", "NaN"])
def test_the_version_is_the_integer_one(version: str) -> None:
    data = file_of(GOOD).replace(b'"version": 1', f'"version": {version}'.encode())
    [error] = errors_of(data)
    assert error.startswith("version: ")


def test_all_errors_are_listed_and_at_most_fifty() -> None:
    bad = GOOD | {"round": 9, "combine": "x", "target": {}}
    assert len(errors_of(file_of(bad))) == 3
    assert len(errors_of(file_of(*[bad] * 30))) == 50


@pytest.mark.parametrize("target", [GOOD["target"], {"assignment": 9}])
def test_a_target_is_fed_by_one_entry(target: Any) -> None:
    first, second = GOOD | {"target": target}, GOOD | {"target": target, "name": "Again"}
    [error] = errors_of(file_of(first, second))
    assert error.startswith('alignments[1] "Again": target: ')
    assert "alignments[0]" in error


def test_a_name_over_several_lines_stays_one_line() -> None:
    [error] = errors_of(file_of(GOOD | {"name": "1.4\n\x1bSlope", "round": 9}))
    assert error.startswith('alignments[0] "1.4 Slope": round: ')


def test_a_number_with_thousands_of_digits_is_only_an_error() -> None:
    data = file_of(GOOD).replace(b'"name"', b'"round": ' + b"1" * 5000 + b', "name"')
    [error] = errors_of(data)
    assert error.startswith(f"{HERE}round: ") and len(error) < 300


def test_points_beyond_what_canvas_can_hold_are_an_error() -> None:
    """Canvas answers with a double; the course would stop at its answer for ever."""
    [error] = errors_of(file_of(GOOD | {"target": {"column": {"label": "1", "points": "1" + "0" * 29}}}))
    assert error.startswith(f"{HERE}target.column.points: is larger than any grade in Canvas")
    jsonfile.parse_file(file_of(GOOD | {"target": {"column": {"label": "1", "points": "9" * 15}}}))


def test_other_numbers_have_up_to_thirty_digits() -> None:
    """interface 5.1: a weight or a line that nobody reaches is no error."""
    of_30 = "9" * 30
    outcomes = [{"id": 601, "weight": of_30}, {"id": 602}]
    [entry] = jsonfile.parse_file(
        file_of(GOOD | {"outcomes": outcomes, "rule": {"kind": "cutoff", "at": int(of_30), "credit": "60%"}})
    )
    assert str(entry.outcomes[0].weight) == of_30


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("[[NaN]]", f"{HERE}id: NaN is not JSON"),
        ('{"a": -Infinity}', f"{HERE}id: -Infinity is not JSON"),
        ('[{"a": 1, "a": 2}]', f"{HERE}id.a: is written twice"),
        ("[" * 700 + "NaN" + "]" * 700, f"{HERE}id: NaN is not JSON"),
    ],
)
def test_what_is_ignored_still_has_to_be_json(value: str, expected: str) -> None:
    [error] = errors_of(file_of(GOOD).replace(b'"name"', f'"id": {value}, "name"'.encode()))
    assert error.startswith(expected)
