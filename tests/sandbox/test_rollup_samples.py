"""The courses of the rollup samples: from raw results the sandbox computes the samples' numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.rest_client import Canvas

Entry = tuple[float | None, int, str | None, str | None]
Row = tuple[str, str, str, dict[str, Entry]]

# (user, section, status, outcome -> (score, count, title, submitted_at)), in the order of the answer.
SAMPLES: dict[str, list[Row]] = {
    "rollups-01": [
        (
            "2001",
            "701",
            "active",
            {
                "501": (3.53, 3, "Project 3", "2026-02-11T21:08:04Z"),
                "502": (3.5, 3, "Project 1", "2026-01-20T15:00:00Z"),
                "503": (3.0, 2, "Project 2", "2026-02-01T09:30:12Z"),
                "504": (3.0, 3, "Exit ticket", "2026-02-10T10:00:00Z"),
            },
        ),
        (
            "2002",
            "701",
            "active",
            {
                "501": (3.0, 1, "Project 1", "2026-01-19T23:59:10Z"),
                "502": (4.0, 1, "Project 1", "2026-01-19T23:59:10Z"),
                "504": (3.17, 2, "Project 3", "2026-02-11T20:00:00Z"),
            },
        ),
        (
            "2003",
            "701",
            "active",
            {
                "501": (0.65, 2, "Project 2", "2026-02-01T08:00:00Z"),
                "503": (0.0, 1, "Project 2", "2026-02-01T08:00:00Z"),
            },
        ),
    ],
    "rollups-02": [
        (
            "2101",
            "711",
            "active",
            {
                "511": (4.0, 2, "Essay 2", "2026-03-02T12:00:00Z"),
                "512": (3.25, 2, "Essay 2", "2026-03-02T12:00:00Z"),
            },
        ),
        (
            "2102",
            "711",
            "active",
            {
                "511": (2.0, 1, "Essay 1", "2026-03-01T12:00:00Z"),
                "512": (None, 1, "Essay 1", "2026-03-01T12:00:00Z"),
            },
        ),
        (
            "2103",
            "711",
            "active",
            {
                "511": (2.5, 2, "Essay 2", "2026-03-02T12:00:00Z"),
                "512": (None, 2, "Essay 2", "2026-03-02T12:00:00Z"),
            },
        ),
        (
            "2104",
            "711",
            "active",
            {
                "511": (3.0, 1, "Essay 1", "2026-03-01T12:00:00Z"),
                "512": (3.33, 3, "Essay 3", "2026-03-03T12:00:00Z"),
            },
        ),
        ("2105", "711", "active", {}),
    ],
    "rollups-03": [
        (
            "2201",
            "721",
            "active",
            {
                "521": (None, 2, "Lab 2", "2026-01-15T10:00:00Z"),
                "522": (3.0, 1, "Lab 1", "2026-01-10T10:00:00Z"),
            },
        ),
        ("2202", "721", "active", {"521": (None, 3, "Lab 3", "2026-01-22T10:00:00Z")}),
        ("2203", "721", "active", {"521": (3.5, 4, "Lab 4", "2026-01-29T10:00:00Z")}),
        ("2204", "721", "active", {}),
    ],
    "rollups-04": [
        ("2301", "731", "active", {"531": (2.0, 1, "Quiz", "2026-02-02T08:00:00Z")}),
        ("2302", "731", "active", {}),
    ],
    "rollups-05": [
        ("2401", "741", "active", {"541": (3.5, 2, "Safety check", "2026-01-12T14:20:00Z")}),
        ("2401", "742", "active", {"541": (3.5, 2, "Safety check", "2026-01-12T14:20:00Z")}),
        ("2402", "741", "active", {"541": (2.0, 1, "Safety check", "2026-01-12T14:25:00Z")}),
        ("2403", "742", "active", {}),
        ("2403", "743", "inactive", {}),
    ],
    "rollups-06": [
        ("2501", "751", "active", {"551": (3.0, 1, "Debate 1", "2026-02-03T09:00:00Z")}),
        ("2502", "751", "completed", {"551": (4.0, 1, "Debate 1", "2026-02-03T09:00:00Z")}),
        ("2503", "751", "inactive", {"551": (1.0, 1, "Debate 1", "2026-02-03T09:00:00Z")}),
        ("2504", "751", "invited", {}),
        ("2505", "751", "rejected", {}),
        ("2506", "751", "active", {}),
    ],
    "rollups-07": [
        (
            "2601",
            "761",
            "active",
            {
                "561": (3.44, 2, "Unit 2", "2026-03-10T13:00:00Z"),
                "562": (3.2, 1, "Unit 1", "2026-02-10T13:00:00Z"),
            },
        ),
        ("2602", "761", "active", {"561": (2.8, 1, "Unit 1", "2026-02-10T13:05:00Z")}),
    ],
    "rollups-08": [
        (
            "2701",
            "771",
            "active",
            {
                "571": (3.5, 1, "Task 1", "2026-02-11T21:08:04Z"),
                "572": (2.65, 2, "Task 2", "2026-02-18T21:08:04Z"),
                "579": (3.08, 1, "Current Score", "2026-02-19T06:00:03Z"),
            },
        ),
        (
            "2702",
            "771",
            "active",
            {
                "571": (4.0, 1, "Task 1", "2026-02-11T21:08:04Z"),
                "572": (4.0, 2, "Task 2", "2026-02-18T21:08:04Z"),
                "579": (4.0, 1, "Current Score", "2026-02-19T06:00:03Z"),
            },
        ),
        (
            "2703",
            "771",
            "active",
            {
                "571": (1.0, 1, "Task 1", "2026-02-11T21:08:04Z"),
                "572": (2.0, 2, "Task 2", "2026-02-18T21:08:04Z"),
            },
        ),
    ],
    "rollups-09": [
        (
            "2801",
            "781",
            "active",
            {
                "581": (0.83, 6, "Week 6", "2026-02-20T16:00:00Z"),
                "582": (4.4, 3, "Capstone", "2026-02-21T16:00:00Z"),
                "583": (3.0, 1, "Capstone", "2026-02-21T16:00:00Z"),
                "584": (3.0, 0, None, None),
            },
        ),
        (
            "2802",
            "781",
            "active",
            {
                "581": (1.0, 6, "Week 6", "2026-02-20T16:00:00Z"),
                "582": (2.0, 1, "Capstone", "2026-02-21T16:00:00Z"),
            },
        ),
    ],
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_computing_gives_the_samples_numbers(open_canvas: Callable[..., Canvas], name: str) -> None:
    sort = {} if name == "rollups-01" else {"sort_by": "student"}
    body = open_canvas(name).rollups(per_page=100, **sort).json()
    assert [as_row(row) for row in body["rollups"]] == SAMPLES[name]


def as_row(row: dict[str, object]) -> Row:
    """One rollup as a row of the table; hidden points are looked at below."""
    links: dict[str, str] = row["links"]
    scores: list[dict[str, object]] = row["scores"]
    found = {
        score["links"]["outcome"]: (score["score"], score["count"], score["title"], score["submitted_at"])
        for score in scores
    }
    return links["user"], links["section"], links["status"], found


def test_sample_02_pages_of_three(open_canvas: Callable[..., Canvas]) -> None:
    canvas = open_canvas("rollups-02")
    first = canvas.rollups(per_page=3, sort_by="student").json()
    second = canvas.rollups(per_page=3, sort_by="student", page=2).json()
    unsorted = canvas.rollups(per_page=3, page=2, include=["users"]).json()
    assert [len(body["rollups"]) for body in (first, second, unsorted)] == [3, 2, 5]
    assert [user["id"] for user in unsorted["linked"]["users"]] == ["2104", "2105"]
    assert "next" in first["meta"]["pagination"]
    assert "next" not in second["meta"]["pagination"]


def test_sample_07_carries_the_accounts_scale(open_canvas: Callable[..., Canvas]) -> None:
    linked = open_canvas("rollups-07").rollups(include=["outcomes"]).json()["linked"]["outcomes"]
    assert [one["calculation_method"] for one in linked] == ["decaying_average", "decaying_average"]
    assert [one["can_edit"] for one in linked] == [False, True]


def test_sample_09_hidden_points_and_same_titles(open_canvas: Callable[..., Canvas]) -> None:
    body = open_canvas("rollups-09").rollups(include=["outcomes"]).json()
    scores = {one["links"]["outcome"]: one["hide_points"] for one in body["rollups"][0]["scores"]}
    assert scores == {"581": False, "582": False, "583": True, "584": False}
    assert [one["mastery_points"] for one in body["linked"]["outcomes"]] == [0.9, 3, 3, 3]


def test_sample_11_the_courses_median(open_canvas: Callable[..., Canvas]) -> None:
    body = open_canvas("rollups-11").rollups(aggregate="course", aggregate_stat="median").json()
    rows = {one["links"]["outcome"]: (one["score"], one["count"]) for one in body["rollups"][0]["scores"]}
    assert rows == {"501": (3.0, 3), "502": (3.75, 2), "503": (1.5, 2), "504": (3.085, 2)}
    assert body["rollups"][0]["links"] == {"course": "101"}
