"""What the demo's check believes, by hand."""

from decimal import Decimal

import pytest

from scripts.demo_oracle import Evidence, Skill, expected_cells, expected_grade, plain

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


def test_cells_without_evidence_or_with_a_grade_stay() -> None:
    entry = {"target": {"assignment": "9"}, "outcomes": [{"id": "605"}], "rule": AT_MASTERY}
    evidence = Evidence({"605": LINEAR}, {("1", "605"): Decimal(4), ("2", "605"): Decimal(4)})
    before = {("9", "1"): "", ("9", "2"): "7", ("9", "3"): "", ("8", "1"): "EX"}
    after = expected_cells([entry], evidence, {"1", "2", "3"}, before, {}, {"9": Decimal(10)})
    assert after == before | {("9", "1"): "10"}


def test_grades_are_plain() -> None:
    assert [plain("1.00"), plain("100"), plain("EX"), plain("")] == ["1", "100", "EX", ""]
