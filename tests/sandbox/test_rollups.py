"""The calculation methods by themselves, against the documented numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.rollups import Scale, calculate, ruby_round, shown_title


def scale(method: str, number: int | None = None) -> Scale:
    return Scale(Decimal(4), Decimal(3), [], method, number, of_account=False)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(2.675, 2.68), (1.005, 1.01), (-0.125, -0.13), (3.165, 3.17), (2.674, 2.67), (0.0, 0.0)],
)
def test_rounding_is_half_away_from_zero_of_the_shortest_decimal(value: float, rounded: float) -> None:
    assert ruby_round(value) == rounded


def test_the_two_decaying_averages_differ() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0]
    fold = calculate(values, scale("standard_decaying_average", 65))
    weighted = calculate(values, scale("standard_decaying_average", 65), new_decaying=False)
    assert fold is not None
    assert weighted is not None
    assert (ruby_round(fold), ruby_round(weighted)) == (4.47, 4.13)


@pytest.mark.parametrize(
    ("values", "needed", "expected"),
    [([3, 4], 3, None), ([3, 2, 3], 3, None), ([2, 3, 4, 3.5], 3, 3.5), ([3.0], 1, 3.0)],
)
def test_number_of_times(values: list[float], needed: int, expected: float | None) -> None:
    assert calculate(values, scale("n_mastery", needed)) == expected


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("Ada Lindqvist, Project 1", "Project 1"),
        ("Ada, Lab 2, part B", "Lab 2"),
        ("Lindqvist, Ada, Essay", "Ada"),
        ("Essay", None),
    ],
)
def test_titles(stored: str, shown: str | None) -> None:
    assert shown_title(stored) == shown
