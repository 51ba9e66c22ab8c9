"""What the demo's check believes, by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest

from scripts.demo_oracle import Evidence, Gradebook, Skill, expected_cells, expected_grade, plain

LINEAR = Skill("1.1", top=Decimal(4), mastery=Decimal(3))
AT_MASTERY = {"kind": "cutoff", "at": None}
IN_PROPORTION = {"kind": "proportional"}


@pytest.mark.parametrize(
    ("rule", "score", "points", "grade"),
    [
        (AT_MASTERY, "3", "10", "10"),
        (AT_MASTERY, "2.99", "10", "0"),
        (IN_PROPORTION, "2.615", "4", "2.62"),
        (IN_PROPORTION, "5", "4", "5"),
    ],
)
def test_a_grade(rule: dict[str, object], score: str, points: str, grade: str) -> None:
    assert expected_grade(rule, LINEAR, Decimal(score), Decimal(points)) == Decimal(grade)


ENTRY = {"target": {"assignment": "9"}, "outcomes": [{"id": "605"}], "rule": AT_MASTERY}
NEW = {
    "target": {"column": {"label": "New", "points": "2"}},
    "outcomes": [{"id": "605"}],
    "rule": IN_PROPORTION,
}
EVIDENCE = Evidence({"605": LINEAR}, {("1", "605"): Decimal(4), ("2", "605"): Decimal(4)})
BOOK = Gradebook(
    {("9", "1"): "", ("9", "2"): "7", ("9", "3"): "", ("8", "1"): "EX"},
    frozenset({("9", "2"), ("8", "1")}),
    {"Essay": "9"},
    {"9": Decimal(10)},
)


def test_cells_without_evidence_or_with_a_grade_stay() -> None:
    assert expected_cells([ENTRY], EVIDENCE, {"1", "2", "3"}, BOOK) == {**BOOK.cells, ("9", "1"): "10"}


def test_a_grade_nobody_gave_counts_as_empty() -> None:
    book = replace(BOOK, kept=frozenset())
    assert expected_cells([ENTRY], EVIDENCE, {"2"}, book)["9", "2"] == "10"


def test_nothing_is_written_to_a_closed_period_or_an_ended_course() -> None:
    for book in (replace(BOOK, closed=frozenset({"9"})), replace(BOOK, ended=True)):
        assert expected_cells([ENTRY], EVIDENCE, {"1", "2", "3"}, book) == BOOK.cells


def test_a_column_that_was_never_made_is_missed() -> None:
    assert expected_cells([NEW], EVIDENCE, {"1"}, BOOK)["New", "1"] == "2"
    assert expected_cells([NEW], EVIDENCE, {"3"}, BOOK) == BOOK.cells


def test_grades_are_plain() -> None:
    assert [plain("1.00"), plain("100"), plain("EX"), plain("")] == ["1", "100", "EX", ""]
