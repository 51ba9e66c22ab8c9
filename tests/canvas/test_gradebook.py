"""Reading cells and grading in bulk."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from canvas.chunks import pages_of, split_without_waste
from canvas.counting import CallCounter
from canvas.rest import CLEAR, EXCUSE, Rest, plain
from canvas.values import Progress
from lti_tool.errors import Incomplete, MaybeSent, Refused
from tests.canvas.conftest import Waits
from tests.plugins.local_server import Answer, LocalServer, Seen

SUBMISSIONS = "/api/v1/courses/101/students/submissions"
BULK = "/api/v1/courses/101/assignments/7/submissions/update_grades"


def row(assignment: object, user: object, **changes: Any) -> dict[str, Any]:
    return {"assignment_id": assignment, "user_id": user, "entered_score": 1.5, "excused": None} | changes


def asked(seen: Seen) -> Answer:
    rows = [row(int(one), user) for one in seen.query["assignment_ids[]"] for user in range(1, 4)]
    return Answer(rows, headers={"Link": '<x>; rel="current"'})


def test_a_cell_is_what_grading_needs(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", SUBMISSIONS] = Answer(
        [
            row(
                7, 1, grader_id=-12, graded_at="2026-02-11T21:08:04Z", workflow_state="graded", posted_at=None
            ),
            row("8", "2", entered_score=None, excused=True, grader_id=None),
        ]
    )
    cells = rest.cells("101", ["7", "8"])
    first, second = cells["7", "1"], cells["8", "2"]
    assert first.entered_score == Decimal("1.5")
    assert first.grader_id == "-12"
    assert first.graded_at == datetime(2026, 2, 11, 21, 8, 4, tzinfo=UTC)
    assert (first.excused, first.posted) == (False, False)
    assert (second.excused, second.is_empty) == (True, False)
    assert server.seen[0].query["student_ids[]"] == ["all"]


def test_bookmarks_are_followed_to_the_letter(server: LocalServer, rest: Rest) -> None:
    def answer(seen: Seen) -> Answer:
        if "page" not in seen.query:
            link = f'<{server.url}{SUBMISSIONS}?page=bookmark:WyJAbCQ&per_page=100>; rel="next"'
            return Answer([row(7, 1)], headers={"Link": link})
        assert seen.query["page"] == ["bookmark:WyJAbCQ"]
        return Answer([row(7, 2)])

    server.routes["GET", SUBMISSIONS] = answer
    assert set(rest.cells("101", ["7"])) == {("7", "1"), ("7", "2")}


def test_many_columns_are_read_in_short_addresses(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", SUBMISSIONS] = asked
    ids = [str(21070000000000000 + number) for number in range(120)]
    assert len(rest.cells("101", ids)) == 360
    assert len(server.seen) > 1
    for seen in server.seen:
        assert sum(len(value) + 24 for values in seen.query.values() for value in values) < 2000


def test_given_students_are_asked_for_by_hundreds(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", SUBMISSIONS] = Answer([row(7, 1), row(7, 99)])
    assert set(rest.cells("101", ["7"], ["1"])) == {("7", "1")}
    assert server.seen[0].query["student_ids[]"] == ["1"]
    assert rest.cells("101", ["7"], []) == {}


def test_another_columns_cells_are_not_taken(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", SUBMISSIONS] = Answer([row(9, 1)])
    with pytest.raises(Incomplete):
        rest.cells("101", ["7"])


def test_an_unpublished_column_is_named(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", SUBMISSIONS] = Answer({"error": "invalid assignment ids requested"}, 403)
    with pytest.raises(Refused) as caught:
        rest.cells("101", ["7"])
    assert caught.value.code == "unpublished"


@pytest.mark.parametrize(
    "change", [{"entered_score": "1"}, {"user_id": None}, {"excused": "no"}, {"graded_at": "x"}]
)
def test_a_malformed_cell_decides_nothing(server: LocalServer, rest: Rest, change: dict[str, Any]) -> None:
    server.routes["GET", SUBMISSIONS] = Answer([row(7, 1, **change)])
    with pytest.raises(Incomplete):
        rest.cells("101", ["7"])


@pytest.mark.parametrize("key", ["entered_score", "excused"])
def test_a_cell_that_leaves_out_its_grade_is_no_empty_cell(server: LocalServer, rest: Rest, key: str) -> None:
    cell = row(7, 1, graded_at="2026-11-29T10:00:00Z")
    del cell[key]
    server.routes["GET", SUBMISSIONS] = Answer([cell])
    with pytest.raises(Incomplete) as caught:
        rest.cells("101", ["7"])
    assert caught.value.code == "wrong_shape"


@pytest.mark.parametrize(
    ("columns", "students"), [(20, 150), (20, 137), (3, 250), (40, 1000), (1, 99), (2, 50)]
)
def test_parallel_parts_cost_no_extra_page(columns: int, students: int) -> None:
    ids = [str(number) for number in range(columns)]
    parts = split_without_waste(ids, students)
    assert [one for part in parts for one in part] == ids
    assert sum(pages_of(len(part) * students) for part in parts) == pages_of(columns * students)


def test_grades_go_out_as_plain_text(server: LocalServer, rest: Rest, counter: CallCounter) -> None:
    server.routes["POST", BULK] = Answer({"id": 3, "workflow_state": "queued", "url": "x", "message": None})
    grades = {"1": plain(Decimal("1E-7")), "2": EXCUSE, "3": CLEAR}
    progress = rest.post_grades("101", "7", grades)
    assert server.seen[0].json() == {
        "grade_data": {"1": {"posted_grade": "0.0000001"}, "2": {"excuse": True}, "3": {"posted_grade": ""}}
    }
    assert (progress.id, progress.is_over) == ("3", False)
    assert (counter.read, counter.write) == (0, 1)


@pytest.mark.parametrize("text", ["1e-05", "N/A", "1,5", " 3", "3.", "NaN", "85%"])
def test_what_canvas_would_take_for_no_grade_is_never_sent(
    server: LocalServer, rest: Rest, text: str
) -> None:
    with pytest.raises(ValueError, match="plain decimal"):
        rest.post_grades("101", "7", {"1": text})
    assert server.seen == []


@pytest.mark.parametrize(
    ("score", "text"), [("10", "10"), ("0.850", "0.85"), ("-1", "-1"), ("0E+3", "0"), ("1E+2", "100")]
)
def test_scores_as_text(score: str, text: str) -> None:
    assert plain(Decimal(score)) == text


def test_a_refused_column_does_not_cost_the_account(server: LocalServer, rest: Rest) -> None:
    body = {"status": "unauthorized", "errors": [{"message": "user not authorized to perform that action"}]}
    server.routes["POST", BULK] = [Answer(body, 401), Answer(body, 403)]
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            rest.post_grades("101", "7", {"1": "1"})
        assert caught.value.code == "may_not_grade"


def test_a_lost_answer_to_a_write_is_not_sent_again(server: LocalServer, rest: Rest) -> None:
    server.routes["POST", BULK] = Answer(b"", 502)
    with pytest.raises(MaybeSent):
        rest.post_grades("101", "7", {"1": "1"})
    assert len(server.seen) == 1


def test_a_job_is_followed_until_it_is_over(server: LocalServer, rest: Rest) -> None:
    states = ["running", "running", "failed"]
    server.routes["GET", "/api/v1/progress/3"] = [
        Answer({"id": 3, "workflow_state": state, "url": "2024", "message": "m"}) for state in states
    ]
    waits = Waits()
    over = rest.wait_for(Progress("3", "", "queued"), sleep=waits)
    assert over.workflow_state == "failed"
    assert waits == sorted(waits)
    assert waits[0] == 0.1


def test_a_job_that_never_ends_is_left(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", "/api/v1/progress/3"] = Answer({"id": 3, "workflow_state": "running"})
    waits = Waits()
    assert not rest.wait_for(Progress("3", "", "queued"), seconds=30, sleep=waits).is_over
    assert 30 <= sum(waits) < 40


def test_one_student_who_left_does_not_hide_the_others(server: LocalServer, rest: Rest) -> None:
    def answer(seen: Seen) -> Answer:
        if seen.query["student_ids[]"] == ["all"]:
            return Answer([row(7, 1), row(7, 2)])
        return Answer({"errors": [{"message": "user not authorized to perform that action"}]}, 403)

    server.routes["GET", SUBMISSIONS] = answer
    assert set(rest.cells("101", ["7"], ["1", "99"])) == {("7", "1")}
