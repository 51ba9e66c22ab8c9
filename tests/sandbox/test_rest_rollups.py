"""Rows 1 to 40 of the REST table: outcome rollups over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox import records as r
from tests.sandbox.rest_client import NOON, OBSERVER, STRANGER, Canvas

Open = Callable[..., Canvas]
BOTH = ["outcomes", "users"]


def entries(body: dict[str, Any], user: int) -> dict[str, Any]:
    row = next(row for row in body["rollups"] if row["links"]["user"] == str(user))
    return {score["links"]["outcome"]: score for score in row["scores"]}


def test_row_1_no_parameters(open_canvas: Open) -> None:
    body = open_canvas("rollups-01").rollups().json()
    assert len(body["rollups"]) == 3
    assert "linked" not in body
    assert body["meta"]["pagination"]["per_page"] == 10


@pytest.mark.parametrize("includes", [BOTH, "outcomes,users"])
def test_rows_2_3_includes_as_array_or_text(open_canvas: Open, includes: Any) -> None:
    linked = open_canvas("rollups-01").rollups(include=includes).json()["linked"]
    assert linked["outcomes"][0]["id"] == 501
    assert linked["users"][0]["id"] == "2001"


def test_row_3_comma_text_is_lost_under_a_scoped_key_without_includes(open_canvas: Open) -> None:
    canvas = open_canvas("rollups-01")
    canvas.key.allow_includes = False
    assert "linked" not in canvas.rollups(include="outcomes,users").json()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"include": ["bogus"]}, "invalid include: bogus"),
        ({"include": ["users"], "aggregate": "course"}, "can't include users unless aggregate is not set"),
        ({"include": ["courses"]}, "can't include courses unless aggregate is 'course'"),
        ({"aggregate": "section"}, "invalid aggregate parameter value"),
        ({"aggregate": "course", "aggregate_stat": "mode"}, "invalid aggregate_stat parameter value"),
        ({"sort_by": "name"}, "invalid sort_by parameter value"),
        ({"sort_by": "outcome"}, "missing required sort_outcome_id parameter value"),
        ({"sort_by": "outcome", "sort_outcome_id": "x1"}, "invalid sort_outcome_id parameter value"),
        ({"sort_by": "student", "sort_order": "up"}, "invalid sort_order parameter value"),
        ({"section_id": 741, "user_ids": [2401]}, "cannot specify both user_ids and section_id"),
        ({"section_id": 9}, "invalid section id"),
        ({"user_ids": [11]}, "can only include id's of users in the outcome context"),
        ({"outcome_ids": [999]}, "can only include id's of outcomes in the outcome context"),
        (
            {"outcome_ids": [541], "outcome_group_id": 1},
            "can't filter by both outcome_ids and outcome_group_id",
        ),
        ({"outcome_group_id": 1}, "can only include an outcome group id in the outcome context"),
    ],
)
def test_rows_4_5_14_15_16_refused_parameters(
    open_canvas: Open, params: dict[str, Any], message: str
) -> None:
    answer = open_canvas("rollups-05").rollups(**params)
    assert answer.status_code == 400
    assert answer.json() == {"status": "bad_request", "message": message}


def test_row_6_every_unsorted_page_carries_everybody(open_canvas: Open) -> None:
    canvas = open_canvas("large")
    pages = [canvas.rollups(per_page=100, page=page, include=["users"]).json() for page in (1, 2, 3)]
    assert [len(page["rollups"]) for page in pages] == [250, 250, 250]
    assert [len(page["linked"]["users"]) for page in pages] == [100, 100, 50]


def test_rows_7_8_sorted_pages_do_not_overlap_and_end_empty(open_canvas: Open) -> None:
    canvas = open_canvas("large")
    pages = [canvas.rollups(per_page=100, page=page, sort_by="student").json() for page in (1, 2, 3, 4)]
    users = [row["links"]["user"] for page in pages for row in page["rollups"]]
    assert [len(page["rollups"]) for page in pages] == [100, 100, 50, 0]
    assert len(set(users)) == 250
    assert pages[0]["meta"]["pagination"]["count"] == 250


def test_row_9_an_unsorted_page_past_the_end_has_everybody(open_canvas: Open) -> None:
    answer = open_canvas("rollups-01").rollups(page=99)
    assert answer.status_code == 200
    assert len(answer.json()["rollups"]) == 3


@pytest.mark.parametrize(("asked", "got"), [("500", 100), ("0", 1), ("7", 7)])
def test_rows_10_11_per_page_is_clamped(open_canvas: Open, asked: str, got: int) -> None:
    body = open_canvas("rollups-01").rollups(per_page=asked).json()
    assert body["meta"]["pagination"]["per_page"] == got


def test_row_12_two_sections_two_rows(open_canvas: Open) -> None:
    body = open_canvas("rollups-05").rollups().json()
    rows = [row for row in body["rollups"] if row["links"]["user"] == "2401"]
    assert [row["links"]["section"] for row in rows] == ["741", "742"]
    assert rows[0]["scores"] == rows[1]["scores"]


def test_row_13_section_filter(open_canvas: Open) -> None:
    body = open_canvas("rollups-05").rollups(section_id=742).json()
    assert {row["links"]["section"] for row in body["rollups"]} == {"742"}
    assert {row["links"]["user"] for row in body["rollups"]} == {"2401", "2403"}


def test_row_17_missing_user_rollups(open_canvas: Open) -> None:
    body = open_canvas("rollups-04").rollups(exclude=["missing_user_rollups"]).json()
    assert [row["links"]["user"] for row in body["rollups"]] == ["2301"]
    assert body["meta"]["pagination"]["count"] == 1


def test_row_18_inactive_in_one_section_only_stays(open_canvas: Open) -> None:
    body = open_canvas("rollups-05").rollups(exclude=["inactive_enrollments"]).json()
    assert "2403" in {row["links"]["user"] for row in body["rollups"]}


def test_row_18_all_enrolments_excluded_goes(open_canvas: Open) -> None:
    excluded = ["inactive_enrollments", "concluded_enrollments"]
    body = open_canvas("rollups-06").rollups(exclude=excluded).json()
    assert [row["links"]["user"] for row in body["rollups"]] == ["2501", "2504", "2505", "2506"]


def test_row_19_unknown_exclude_is_ignored(open_canvas: Open) -> None:
    answer = open_canvas("rollups-01").rollups(exclude=["nonsense"])
    assert (answer.status_code, len(answer.json()["rollups"])) == (200, 3)


def test_rows_20_21_not_assessed_is_absent_and_zero_is_a_score(open_canvas: Open) -> None:
    body = open_canvas("rollups-01").rollups(include=["outcomes"]).json()
    assert 505 in {outcome["id"] for outcome in body["linked"]["outcomes"]}
    assert "505" not in entries(body, 2001)
    assert entries(body, 2003)["503"]["score"] == 0.0


@pytest.mark.parametrize(
    ("row", "method", "number", "scores", "expected"),
    [
        (22, "n_mastery", 3, ["3", "4"], None),
        (23, "n_mastery", 2, ["3", "4", "1"], 3.5),
        (24, "standard_decaying_average", 65, ["2", "3", "4"], 3.53),
        (25, "decaying_average", 65, ["1", "2", "3", "4", "5"], 4.13),
        (25, "weighted_average", 65, ["1", "2", "3", "4", "5"], 4.13),
        (25, "decaying_average", 65, ["2.5"], 2.5),
        (28, "average", None, ["2.67", "2.68"], 2.68),
        (28, "latest", None, ["4", "1.005"], 1.01),
        (0, None, None, ["1", "3", "2"], 3.0),
    ],
)
def test_rows_22_to_28_methods(
    canvas: Canvas,
    row: int,
    method: str | None,
    number: int | None,
    scores: list[str],
    expected: float | None,
) -> None:
    outcome = canvas.outcome(method, number)
    canvas.results(outcome, 1006, scores)
    entry = canvas.score(outcome, 1006)
    assert entry is not None, row
    assert (entry["score"], entry["count"]) == (expected, len(scores))
    assert entry["hide_points"] is (None if expected is None else False)


def test_row_24_without_the_feature_the_weighted_formula(canvas: Canvas) -> None:
    canvas.world.accounts[1].features.discard(r.NEW_DECAYING)
    outcome = canvas.outcome("standard_decaying_average", 65)
    canvas.results(outcome, 1006, ["2", "3", "4"])
    assert (canvas.score(outcome, 1006) or {})["score"] == 3.48


def test_row_26_a_row_out_of_five_on_a_scale_of_four(canvas: Canvas) -> None:
    outcome = canvas.outcome("highest")
    canvas.results(outcome, 1006, ["4"], out_of="5")
    assert (canvas.score(outcome, 1006) or {})["score"] == 3.2


def test_row_27_the_submitted_time_decides_not_the_assessment(canvas: Canvas) -> None:
    outcome = canvas.outcome("latest")
    older, _ = canvas.results(outcome, 1006, ["1", "4"])
    older.assessed_at = NOON
    assert (canvas.score(outcome, 1006) or {})["score"] == 4.0


def test_row_29_account_scales_replace_the_outcomes_own(open_canvas: Open) -> None:
    canvas = open_canvas("rollups-07")
    canvas.world.accounts[1].proficiency.method = "highest"
    canvas.world.accounts[1].proficiency.method_int = None
    outcome = canvas.rollups(include=["outcomes"]).json()["linked"]["outcomes"][1]
    assert outcome["calculation_method"] == "highest"
    assert outcome["calculation_int"] is None
    assert outcome["ratings"][1] == {
        "points": 3.0,
        "mastery": True,
        "description": "Mastery",
        "color": "0B874B",
    }


def test_row_30_hidden_results_never_count(canvas: Canvas) -> None:
    outcome = canvas.outcome("highest")
    canvas.results(outcome, 1006, ["4"], hidden=True)
    assert canvas.score(outcome, 1006) is None
    raw = canvas.get("./outcome_results", **{"outcome_ids[]": outcome.id})
    shown = canvas.get("./outcome_results", **{"outcome_ids[]": outcome.id, "include_hidden": "true"})
    assert (len(raw.json()["outcome_results"]), len(shown.json()["outcome_results"])) == (0, 1)


def test_row_31_unposted_results_are_the_graders_alone(canvas: Canvas) -> None:
    outcome = canvas.outcome("highest")
    canvas.results(outcome, 1006, ["4"], assignment=canvas.assignment(post_manually=True))
    assert canvas.score(outcome, 1006) is not None
    assert canvas.score(outcome, 1006, who=1006) is None


def test_rows_32_33_34_students_read_themselves_only(canvas: Canvas) -> None:
    none, own, other = (
        canvas.rollups(1001),
        canvas.rollups(1001, user_ids=[1001]),
        canvas.rollups(1001, user_ids=[1002]),
    )
    assert (none.status_code, none.json()["message"]) == (
        403,
        "users not specified and no access to all grades",
    )
    assert [row["links"]["user"] for row in own.json()["rollups"]] == ["1001"]
    assert (other.status_code, other.json()["message"]) == (
        403, "not authorized to read grades for specified users"
    )  # fmt: skip


def test_row_34_observers_read_the_observed_and_strangers_nothing(canvas: Canvas) -> None:
    assert canvas.rollups(OBSERVER, user_ids=[1001]).status_code == 200
    assert canvas.rollups(OBSERVER, user_ids=[1002]).status_code == 403
    assert canvas.rollups(1001, user_ids=[STRANGER]).json()["message"] == "specified users not enrolled"
    assert canvas.rollups(STRANGER, sort_by="nonsense").status_code == 403


def test_row_35_a_title_is_cut_at_its_comma(canvas: Canvas) -> None:
    outcome, work = canvas.outcome("highest"), canvas.assignment()
    work.name = "Lab 2, part B"
    canvas.results(outcome, 1006, ["4"], assignment=work)
    assert (canvas.score(outcome, 1006) or {})["title"] == "Lab 2"


def test_row_36_the_test_student_has_a_row(open_canvas: Open) -> None:
    body = open_canvas("rollups-06").rollups().json()
    assert "2506" in {row["links"]["user"] for row in body["rollups"]}


def test_row_37_median_is_not_rounded(open_canvas: Open) -> None:
    body = open_canvas("rollups-11").rollups(aggregate="course", aggregate_stat="median").json()
    scores = {score["links"]["outcome"]: score["score"] for score in body["rollups"][0]["scores"]}
    assert scores["504"] == 3.085
    assert "meta" not in body


def test_row_38_string_ids(open_canvas: Open) -> None:
    canvas = open_canvas("rollups-10")
    accept = {"Accept": "application/json+canvas-string-ids"}
    body = canvas.call("GET", "./outcome_rollups", params={"include[]": "outcomes"}, headers=accept).json()
    assert body["linked"]["outcomes"][0]["id"] == "541"


def test_row_39_includes_of_a_scoped_key_are_stripped_silently(open_canvas: Open) -> None:
    canvas = open_canvas("rollups-01")
    canvas.key.allow_includes = False
    answer = canvas.rollups(include=BOTH)
    assert answer.status_code == 200
    assert "linked" not in answer.json()


def test_row_40_new_quizzes_are_up_to_five_minutes_old(canvas: Canvas) -> None:
    outcome = canvas.outcome("highest")
    canvas.course.features.add("outcome_service_results_to_canvas")
    canvas.results(outcome, 1006, ["2"], kind="new_quiz")
    first = canvas.score(outcome, 1006)
    canvas.results(outcome, 1006, ["4"], kind="new_quiz")
    stale = canvas.score(outcome, 1006)
    canvas.world.advance(timedelta(minutes=6))
    fresh = canvas.score(outcome, 1006)
    assert [(entry or {})["score"] for entry in (first, stale, fresh)] == [2.0, 2.0, 4.0]


def test_classic_quiz_results_are_averaged_by_points_under_latest_only(canvas: Canvas) -> None:
    latest, highest, work = canvas.outcome("latest"), canvas.outcome("highest"), canvas.assignment()
    for outcome in (latest, highest):
        first, second = canvas.results(outcome, 1006, ["1", "4"], kind="quiz", assignment=work)
        first.possible, first.percent = Decimal(12), Decimal("0.25")
        second.possible, second.percent = Decimal(4), Decimal(1)
    assert (canvas.score(latest, 1006) or {})["score"] == 1.75
    assert (canvas.score(highest, 1006) or {})["score"] == 4.0


def test_a_quiz_result_without_percent_breaks_the_request(canvas: Canvas) -> None:
    outcome = canvas.outcome("average")
    (result,) = canvas.results(outcome, 1006, ["1"], kind="quiz")
    result.percent = None
    answer = canvas.rollups()
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["error_code"] == "internal_server_error"


def test_sorted_by_an_outcome_those_without_it_come_last(open_canvas: Open) -> None:
    canvas = open_canvas("rollups-01")
    body = canvas.rollups(sort_by="outcome", sort_outcome_id=503, sort_order="desc").json()
    assert [row["links"]["user"] for row in body["rollups"]] == ["2001", "2003", "2002"]


def test_contributing_scores_and_paths(canvas: Canvas) -> None:
    body = canvas.rollups(contributing_scores="true", include=["outcome_paths", "outcomes.alignments"]).json()
    contributing = entries(body, 1001)["601"]["links"]["contributing_scores"]
    assert [row["score"] for row in contributing] == [2.0, 3.0, 4.0]
    path = next(path for path in body["linked"]["outcome_paths"] if path["id"] == 601)
    assert [part["name"] for part in path["parts"]] == ["Unit 1 Linear relationships", "1.1 Linear models"]
    assert body["linked"]["outcomes.alignments"]
