"""Every fault of a calculation in the file, with the field its error must name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.alignments.test_jsonfile_errors import GOOD, HERE, errors_of, file_of

IGNORE = "ignore_assignments"
BAD: list[tuple[Any, str]] = [
    (None, ""),
    ("average", ""),
    ([], ""),
    ({}, "method"),
    ({"method": None}, "method"),
    ({"method": ["mode"]}, "method"),
    ({"method": "median"}, "method"),
    ({"method": "Average"}, "method"),
    ({"method": "decaying_average"}, "method"),
    ({"method": "average", "kind": "x"}, "kind"),
    ({"method": "average", "percent": "65%"}, "percent"),
    ({"method": "highest", "count": 3}, "count"),
    ({"method": "newest"}, "count"),
    ({"method": "newest", "count": 0}, "count"),
    ({"method": "newest", "count": 101}, "count"),
    ({"method": "newest", "count": "3"}, "count"),
    ({"method": "newest", "count": 3.0}, "count"),
    ({"method": "newest", "count": True}, "count"),
    ({"method": "newest", "count": None}, "count"),
    ({"method": "newest", "count": 3, "percent": "65%"}, "percent"),
    ({"method": "n_mastery", "count": 11}, "count"),
    ({"method": "streak", "count": -1}, "count"),
    ({"method": "streak", "count": float("nan")}, "count"),
    ({"method": "weighted_average", "percent": "0%"}, "percent"),
    ({"method": "weighted_average", "percent": "100%"}, "percent"),
    ({"method": "weighted_average", "percent": "1001%"}, "percent"),
    ({"method": "weighted_average", "percent": "65"}, "percent"),
    ({"method": "weighted_average", "percent": 65}, "percent"),
    ({"method": "weighted_average", "percent": 1e-05}, "percent"),
    ({"method": "weighted_average", "percent": "6,5%"}, "percent"),
    ({"method": "weighted_average", "percent": None}, "percent"),
    ({"method": "mode", "order": "date"}, "order"),
    ({"method": "mode", "order": None}, "order"),
    ({"method": "mode", "at_least": 0}, "at_least"),
    ({"method": "mode", "at_least": 101}, "at_least"),
    ({"method": "mode", "at_least": "2"}, "at_least"),
    ({"method": "mode", "drop_lowest": -1}, "drop_lowest"),
    ({"method": "mode", "drop_lowest": 101}, "drop_lowest"),
    ({"method": "mode", "drop_lowest": 1.5}, "drop_lowest"),
    ({"method": "mode", IGNORE: []}, IGNORE),
    ({"method": "mode", IGNORE: "91"}, IGNORE),
    ({"method": "mode", IGNORE: None}, IGNORE),
    ({"method": "mode", IGNORE: ["x"]}, f"{IGNORE}[0]"),
    ({"method": "mode", IGNORE: ["91", "091"]}, f"{IGNORE}[1]"),
    ({"method": "mode", IGNORE: ["91", 91]}, f"{IGNORE}[1]"),
    ({"method": "mode", IGNORE: ["91", {"id": "91"}]}, f"{IGNORE}[1]"),
    ({"method": "mode", IGNORE: [{}]}, f"{IGNORE}[0].id"),
    ({"method": "mode", IGNORE: [{"reason": "Fire drill"}]}, f"{IGNORE}[0].id"),
    ({"method": "mode", IGNORE: [{"id": "91", "reason": " "}]}, f"{IGNORE}[0].reason"),
    ({"method": "mode", IGNORE: [{"id": "91", "reason": None}]}, f"{IGNORE}[0].reason"),
    ({"method": "mode", IGNORE: [{"id": "91", "reason": "x" * 256}]}, f"{IGNORE}[0].reason"),
    ({"method": "mode", IGNORE: [{"id": "91", "why": "x"}]}, f"{IGNORE}[0].why"),
]


@pytest.mark.parametrize(("calculation", "path"), BAD)
def test_one_fault_is_one_error_at_its_place(calculation: Any, path: str) -> None:
    [error] = errors_of(file_of(GOOD | {"calculation": calculation}))
    assert error.startswith(f"{HERE}calculation.{path}: " if path else f"{HERE}calculation: ")
    assert error.endswith(".")


def test_a_repeated_key_is_an_error() -> None:
    data = file_of(GOOD | {"calculation": {"method": "mode"}})
    [error] = errors_of(data.replace(b'"method"', b'"method": "mode", "method"'))
    assert error.startswith(f"{HERE}calculation.method: is written twice")


def test_canvas_s_inside_name_of_the_weighted_average_is_explained() -> None:
    [error] = errors_of(file_of(GOOD | {"calculation": {"method": "decaying_average"}}))
    assert "write weighted_average" in error and "standard_decaying_average" in error
