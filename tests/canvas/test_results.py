"""Raw results through a real HTTP server into values, and every way the answer can be broken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from canvas.counting import CallCounter
from canvas.rest import Rest
from canvas.values import OutcomeResult
from lti_tool.errors import AccessLost, Incomplete, PlatformError
from tests.plugins.local_server import Answer, LocalServer, Seen

PATH = "/api/v1/courses/101/outcome_results"


def row(number: int | None = 1, outcome: str = "501", **changes: Any) -> dict[str, Any]:
    links = {
        "user": "2001",
        "learning_outcome": outcome,
        "alignment": "rubric_5",
        "assignment": "assignment_9",
        **changes.pop("links", {}),
    }
    return {
        "id": number,
        "score": 4.0,
        "mastery": True,
        "possible": 5.0,
        "percent": 0.8,
        "hide_points": False,
        "hidden": False,
        "submitted_or_assessed_at": "2026-02-11T21:08:04Z",
        "links": links,
        **changes,
    }


def serve(server: LocalServer, *pages: Sequence[dict[str, Any]]) -> None:
    def answer(seen: Seen) -> Answer:
        number = int(seen.query.get("page", ["0"])[0])
        links = f'<{server.url}{PATH}?page={number}>; rel="current"'
        if number + 1 < len(pages):
            links += f', <{server.url}{PATH}?page={number + 1}>; rel="next"'
        return Answer({"outcome_results": list(pages[number])}, headers={"Link": links})

    server.routes["GET", PATH] = answer


def read(rest: Rest, *outcome_ids: str, students: int = 3) -> list[OutcomeResult]:
    return [one for part in rest.results_of("101", outcome_ids or ("501",), students) for one in part]


def test_a_result(server: LocalServer, rest: Rest) -> None:
    serve(server, [row()])
    assert read(rest) == [
        OutcomeResult(
            id="1",
            user_id="2001",
            outcome_id="501",
            score=Decimal(4),
            at=datetime(2026, 2, 11, 21, 8, 4, tzinfo=UTC),
            possible=Decimal(5),
            percent=Decimal("0.8"),
            assignment_id="9",
        )
    ]
    query = server.calls("GET", PATH)[0].query
    assert query == {"outcome_ids[]": ["501"], "per_page": ["100"]}


def test_pages_are_followed_and_a_result_on_two_of_them_counts_once(server: LocalServer, rest: Rest) -> None:
    serve(server, [row(1), row(2)], [row(2), row(3)])
    assert [one.id for one in read(rest)] == ["1", "2", "3"]


@pytest.mark.parametrize("changes", [{"hidden": True}, {"score": None}])
def test_what_canvas_leaves_out_of_rollups_is_left_out(
    server: LocalServer, rest: Rest, changes: dict[str, Any]
) -> None:
    serve(server, [row(**changes), row(2)])
    assert [one.id for one in read(rest)] == ["2"]


def test_a_question_bank_is_a_quiz_and_no_assignment_is_none(server: LocalServer, rest: Rest) -> None:
    bank, live = row(links={"alignment": "assessment_question_bank_3"}), row(None, links={"assignment": None})
    serve(server, [bank, live, live])
    assert [(one.id, one.assignment_id, one.is_quiz) for one in read(rest)] == [
        ("1", "9", True),
        ("", None, False),
        ("", None, False),
    ]


def test_many_outcomes_are_asked_for_in_short_addresses(
    server: LocalServer, rest: Rest, counter: CallCounter
) -> None:
    ids = [str(10**15 + number) for number in range(200)]
    serve(server, [])
    assert read(rest, *ids) == []
    asked = [call.query["outcome_ids[]"] for call in server.calls("GET", PATH)]
    assert sorted(one for part in asked for one in part) == ids
    assert all(len(part) < 60 for part in asked) and counter.read == len(asked)


def test_a_big_class_is_read_a_few_outcomes_at_a_time(server: LocalServer, rest: Rest) -> None:
    serve(server, [])
    read(rest, *map(str, range(501, 509)), students=500)
    assert [len(call.query["outcome_ids[]"]) for call in server.calls("GET", PATH)] == [2, 2, 2, 2]


def test_a_result_that_changes_between_pages_is_read_once_more(server: LocalServer, rest: Rest) -> None:
    serve(server, [row(1)], [row(1, score=1.0)])
    with pytest.raises(Incomplete) as caught:
        read(rest)
    assert caught.value.code == "changed_while_reading"
    assert len(server.calls("GET", PATH)) == 4


BROKEN: list[Any] = [
    row(score="4"),
    row(score=True),
    row(submitted_or_assessed_at=None),
    row(submitted_or_assessed_at="yesterday"),
    row(links={"user": None}),
    row(links={"learning_outcome": None}),
    row(links={"learning_outcome": "777"}),
    row(percent="0.8"),
    row(links={"assignment": 9}),
    {key: value for key, value in row().items() if key != "score"},
    {key: value for key, value in row().items() if key != "links"},
    "row",
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_malformed_result_is_incomplete(server: LocalServer, rest: Rest, broken: Any) -> None:
    serve(server, [row(1), broken])
    with pytest.raises(Incomplete):
        read(rest)


@pytest.mark.parametrize(
    "answer",
    [
        Answer({}),
        Answer([]),
        Answer({"outcome_results": None}),
        Answer(b"{"),
        Answer({"outcome_results": [row(number) for number in range(100)]}),
        Answer({"outcome_results": [row()]}, cut=20),
    ],
)
def test_an_answer_that_is_not_whole_is_never_a_shorter_list(
    server: LocalServer, rest: Rest, answer: Answer
) -> None:
    server.routes["GET", PATH] = answer
    with pytest.raises(PlatformError):
        read(rest)


def test_an_account_without_the_permission(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", PATH] = Answer(
        {"errors": [{"message": "Insufficient scopes on access token."}]}, 401
    )
    with pytest.raises(AccessLost) as caught:
        read(rest)
    assert caught.value.code == "scope_missing"
