"""Composed rollup answers through a real HTTP server into values; then every way an answer can be broken."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from canvas.counting import CallCounter
from canvas.rest import Rest
from lti_tool.errors import AccessLost, Incomplete, PlatformError, Throttled
from tests.plugins.local_server import Answer, LocalServer, Seen

SAMPLES = Path(__file__).parents[1] / "contract" / "rollups"
PATH = "/api/v1/courses/101/outcome_rollups"
LINKS = "/api/v1/courses/101/outcome_group_links"
GROUPS = "/api/v1/courses/101/outcome_groups"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def serve(server: LocalServer, *pages: Any) -> None:
    """Pages linked by Link headers; whatever `next` stood in a sample's meta is not ours to follow."""
    answers: dict[int, Answer] = {}
    for number, page in enumerate(pages):
        links = f'<{server.url}{PATH}?page={number + 1}&per_page=100>; rel="current"'
        if number + 1 < len(pages):
            links += f', <{server.url}{PATH}?page=bookmark:WyJAbCQ{number + 1}>; rel="next"'
        if isinstance(page, dict):
            for part in ("next", "last", "prev", "first", "current"):
                page.get("meta", {}).get("pagination", {}).pop(part, None)
        answers[number] = Answer(page, headers={"Link": links})

    def answer(seen: Seen) -> Answer:
        page = seen.query.get("page", ["0"])[0]
        return answers[int(page.removeprefix("bookmark:WyJAbCQ"))]

    server.routes["GET", PATH] = answer
    server.routes.setdefault(("GET", LINKS), Answer([]))
    server.routes.setdefault(("GET", GROUPS), Answer([]))


def test_a_small_course(server: LocalServer, rest: Rest) -> None:
    serve(server, sample("01_small_course"))
    evidence = rest.evidence("101")
    assert evidence.rollups["2001"].scores == {
        "501": Decimal("3.53"),
        "502": Decimal("3.5"),
        "503": Decimal("3"),
        "504": Decimal("3"),
    }
    assert evidence.rollups["2003"].scores["503"] == 0
    assert set(evidence.outcomes) == {"501", "502", "503", "504", "505"}
    query = server.calls("GET", PATH)[0].query
    assert query["sort_by"] == ["student"]
    assert query["per_page"] == ["100"]
    assert query["include[]"] == ["outcomes", "users", "outcome_groups", "outcome_links", "outcome_paths"]


def test_two_pages(server: LocalServer, rest: Rest, counter: CallCounter) -> None:
    serve(server, sample("02_multipage_sorted_page1"), sample("02_multipage_sorted_page2"))
    evidence = rest.evidence("101")
    assert len(evidence.rollups) == 5
    assert evidence.rollups["2105"].scores == {}
    assert evidence.rollups["2102"].scores["512"] is None
    assert counter.read == len(server.seen)


def test_a_missing_second_page_is_noticed(server: LocalServer, rest: Rest) -> None:
    serve(server, sample("02_multipage_sorted_page1"))
    with pytest.raises(Incomplete) as caught:
        rest.evidence("101")
    assert caught.value.code == "students_missing"


def test_pages_that_each_hold_everybody_count_nobody_twice(server: LocalServer, rest: Rest) -> None:
    everybody = sample("02c_multipage_UNSORTED_page2_quirk")
    serve(server, copy.deepcopy(everybody), everybody)
    assert len(rest.evidence("101").rollups) == 5


def test_no_score_yet_is_none(server: LocalServer, rest: Rest) -> None:
    serve(server, sample("03_null_scores"))
    rollups = rest.evidence("101").rollups
    scores = [score for rollup in rollups.values() for score in rollup.scores.values()]
    assert None in scores
    assert Decimal("3.5") in rollups["2203"].scores.values()


def test_outcomes_never_assessed_and_a_student_without_evidence(server: LocalServer, rest: Rest) -> None:
    serve(server, sample("04_missing_outcomes"))
    evidence = rest.evidence("101")
    assert evidence.rollups["2302"].scores == {}
    assert len(evidence.outcomes) > len(evidence.rollups["2301"].scores)


@pytest.mark.parametrize("name", ["05_multi_section_student", "10_string_ids_accept_header"])
def test_two_sections_are_one_student(server: LocalServer, rest: Rest, name: str) -> None:
    serve(server, sample(name))
    evidence = rest.evidence("101")
    assert len(evidence.rollups) == 3
    assert all(isinstance(key, str) and outcome.id == key for key, outcome in evidence.outcomes.items())


def test_students_of_every_enrolment_state_are_read(server: LocalServer, rest: Rest) -> None:
    answer = sample("06_inactive_concluded")
    serve(server, answer)
    rows = {row["links"]["user"]: row["links"]["status"] for row in answer["rollups"]}
    assert set(rows.values()) >= {"active", "completed", "inactive", "invited", "rejected"}
    assert set(rest.evidence("101").rollups) == set(rows)


def test_an_account_scale_replaces_the_outcomes_own(server: LocalServer, rest: Rest) -> None:
    serve(server, sample("07_account_proficiency_scale"))
    for outcome in rest.evidence("101").outcomes.values():
        assert outcome.points_possible == 4
        assert [rating.mastery for rating in outcome.ratings].count(True) == 1
        assert all(rating.color for rating in outcome.ratings)


def test_the_synthetic_outcome_is_an_outcome_like_others(server: LocalServer, rest: Rest) -> None:
    serve(server, sample("08_current_score_outcome"))
    evidence = rest.evidence("101")
    assert evidence.outcomes["579"].title == "Current Score"
    assert "579" not in evidence.rollups["2703"].scores


def test_little_meta_stored_rollups_and_scores_above_the_top(server: LocalServer, rest: Rest) -> None:
    serve(server, sample("09_attendance_outcome"))
    scores = [s for rollup in rest.evidence("101").rollups.values() for s in rollup.scores.values()]
    assert Decimal("4.4") in scores
    assert Decimal("3.0") in scores


def test_a_rollup_of_the_whole_course_is_no_students(server: LocalServer, rest: Rest) -> None:
    serve(server, sample("11_aggregate_course_median"))
    with pytest.raises(Incomplete):
        rest.evidence("101")


def test_stripped_includes_are_read_separately(server: LocalServer, rest: Rest) -> None:
    page = sample("01_small_course")
    outcomes = page.pop("linked")["outcomes"]
    server.routes["GET", LINKS] = Answer([{"outcome_group": {"id": 9}, "outcome": one} for one in outcomes])
    server.routes["GET", GROUPS] = Answer(
        [
            {"id": 1, "title": "Course"},
            {"id": 8, "title": "Strand", "parent_outcome_group": {"id": 1}},
            {"id": 9, "title": "Unit 1", "parent_outcome_group": {"id": 8}},
        ]
    )
    serve(server, page)
    outcomes_read = rest.evidence("101").outcomes
    assert set(outcomes_read) == {"501", "502", "503", "504", "505"}
    assert outcomes_read["501"].group_path == ("Strand", "Unit 1")
    assert server.calls("GET", LINKS)[0].query["outcome_style"] == ["full"]


def test_only_what_is_missing_is_read_separately(server: LocalServer, rest: Rest) -> None:
    page = sample("01_small_course")
    ids = [outcome["id"] for outcome in page["linked"]["outcomes"]]
    page["linked"]["outcome_links"] = [{"outcome_group": {"id": "3"}, "outcome": {"id": one}} for one in ids]
    page["linked"]["outcome_paths"] = [{"id": one, "parts": [{"name": "Unit"}, {"name": "x"}]} for one in ids]
    serve(server, page)
    outcome = rest.evidence("101").outcomes["501"]
    assert (outcome.group_path, outcome.group_id) == (("Unit",), "3")
    assert len(server.seen) == 1


def test_groups_that_may_not_be_read_are_left_out(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", LINKS] = Answer(
        {"errors": [{"message": "Insufficient scopes on access token."}]}, 401
    )
    serve(server, sample("01_small_course"))
    assert rest.evidence("101").outcomes["501"].group_path == ()


def test_outcomes_that_may_not_be_read_stop_everything(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", LINKS] = Answer(
        {"errors": [{"message": "Insufficient scopes on access token."}]}, 401
    )
    page = sample("01_small_course")
    del page["linked"]
    serve(server, page)
    with pytest.raises(AccessLost) as caught:
        rest.evidence("101")
    assert caught.value.code == "scope_missing"


def broken(**changes: Any) -> Any:
    page = sample("01_small_course")
    page["rollups"][0]["scores"][0].update(changes)
    return page


@pytest.mark.parametrize(
    "page",
    [
        broken(score="3.5"),
        broken(score=True),
        broken(score={}),
        broken(score=1e300),
        broken(links={}),
        broken(links={"outcome": None}),
        b"<html>Log in</html>",
        b'{"rollups": [',
        b'{"rollups": [{"scores": [{"score": NaN, "links": {"outcome": "1"}}], "links": {"user": "1"}}]}',
        [],
        {},
        {"rollups": None},
        {"rollups": {"a": 1}},
        {"rollups": ["x"]},
        {"rollups": [{"scores": []}]},
    ],
)
def test_a_broken_answer_decides_nothing(server: LocalServer, rest: Rest, page: Any) -> None:
    serve(server, page)
    with pytest.raises(Incomplete):
        rest.evidence("101")


def test_two_rows_that_differ_are_read_once_more(server: LocalServer, rest: Rest) -> None:
    twice = sample("01_small_course")
    other = copy.deepcopy(twice["rollups"][0])
    other["scores"][0]["score"] = 1
    twice["rollups"].append(other)
    serve(server, twice)
    with pytest.raises(Incomplete) as caught:
        rest.evidence("101")
    assert caught.value.code == "changed_while_reading"
    assert len(server.calls("GET", PATH)) == 2


def test_odd_numbers_pass_exactly(server: LocalServer, rest: Rest) -> None:
    serve(server, broken(score=-0.1))
    assert rest.evidence("101").rollups["2001"].scores["501"] == Decimal("-0.1")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(b"", 429, {"Retry-After": "99"}), Throttled),
        (Answer(b"403 Forbidden (Rate Limit Exceeded)\n", 403, {"Retry-After": "99"}), Throttled),
        (Answer({"errors": [{"message": "user not authorized to perform that action"}]}, 403), AccessLost),
        (Answer({}, headers={"Link": '<https://evil.test/x>; rel="next"'}), Incomplete),
        (Answer({}, 302, {"Location": "https://evil.test/login"}), Incomplete),
    ],
)
def test_other_answers_decide_nothing_either(
    server: LocalServer, rest: Rest, answer: Answer, error: type[PlatformError]
) -> None:
    server.routes["GET", PATH] = answer
    with pytest.raises(PlatformError) as caught:
        rest.evidence("101")
    assert type(caught.value) is error


def test_pages_in_a_circle_end(server: LocalServer, rest: Rest) -> None:
    here = f'<{server.url}{PATH}?page=1>; rel="next"'
    server.routes["GET", PATH] = Answer(sample("01_small_course"), headers={"Link": here})
    with pytest.raises(Incomplete) as caught:
        rest.evidence("101")
    assert caught.value.code == "endless_list"


@pytest.mark.parametrize("link", [None, "", "nonsense", '<https://canvas.test/x>; rel="up"'])
def test_a_full_page_without_word_of_others_is_not_the_last(
    server: LocalServer, rest: Rest, link: str | None
) -> None:
    rows = [{"scores": [], "links": {"user": str(number)}} for number in range(100)]
    headers = {} if link is None else {"Link": link}
    server.routes["GET", PATH] = Answer({"rollups": rows, "linked": {"outcomes": []}}, headers=headers)
    with pytest.raises(Incomplete) as caught:
        rest.evidence("101")
    assert caught.value.code == "no_paging"


@pytest.mark.parametrize(
    ("current", "last", "is_whole"),
    [("1", "2", False), ("2", "10", False), ("2", "2", True), ("bookmark:WyJh", "", True), ("1", "1", True)],
)
def test_a_page_before_the_last_must_name_the_next(
    server: LocalServer, rest: Rest, current: str, last: str, is_whole: bool
) -> None:
    """Something in between took the `next` out of the `Link` header."""
    links = [f'<{server.url}{PATH}?page={current}&per_page=100>; rel="current"']
    links += [f'<{server.url}{PATH}?page={last}&per_page=100>; rel="last"'] if last else []
    server.routes["GET", PATH] = Answer(
        {"rollups": [], "linked": {"outcomes": []}}, headers={"Link": ", ".join(links)}
    )
    if is_whole:
        rest.evidence("101")
        return
    with pytest.raises(Incomplete) as caught:
        rest.evidence("101")
    assert caught.value.code == "no_paging"


def test_no_name_or_score_stands_in_an_error(server: LocalServer, rest: Rest) -> None:
    serve(server, broken(score="Ada Lovelace 3.5"))
    with pytest.raises(Incomplete) as caught:
        rest.evidence("101")
    assert "Ada" not in repr(caught.value)
