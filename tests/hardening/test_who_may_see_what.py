"""Every address × every person × every method: what may be seen, what is refused, that refusals write nothing, and the
headers of every answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hardening.addresses import FROM_CANVAS, METHODS, TABLE, Row, address, routes
from tests.hardening.headers import header_problems, right_frame
from tests.hardening.two_schools import MARK, Person, Schools, content, two_schools, undone

STAFF = ("teacher", "ta")
OTHER_VISITORS = ("student", "observer", "designer", "test_student", "admin")
NO_VISIT = ("nobody", "signed out", "expired", "without a session", "with a guessed token")
ASK_EVERYTHING = ("teacher", "student", "nobody", "teacher of another course", "teacher of another school")
REFUSALS = (400, 401, 403, 404, 415)
STRANGERS = ("teacher of another course", "teacher of another school")


@pytest.fixture
def schools(db: None) -> Iterator[Schools]:
    with two_schools() as found:
        yield found


def expected(row: Row, name: str, person: str, method: str) -> set[int]:
    """The statuses that are right for this person; a set only where a stranger's own course decides."""
    if method not in row.methods():
        return {405}
    own = {"GET": row.get, "POST": row.post, "HEAD": row.head}[method]
    assert own is not None
    if row.for_whom == "teachers" and person == "ta":
        return {403}
    if row.for_whom == "anybody" or name == "canvas:callback" or person in STAFF:
        return {own}
    if person in NO_VISIT:
        return {401}
    if person == "admin" and row.for_whom == "staff and admins":
        return {own}
    if person in OTHER_VISITORS:
        return {own} if row.for_whom == "visitors" else {403}
    if row.names in ("alignment", "picked", "own template") or (
        row.names == "run" and person == STRANGERS[0]
    ):
        return {404}
    if row.names == "template" and person == STRANGERS[1]:
        return {404}
    return {200, 302, 409, 422}


def crawl(schools: Schools, people: tuple[str, ...]) -> Iterator[tuple[str, Row, str, str, Any]]:
    """Each request once and its answer; what it wrote stays until the next one is asked for. Methods that no view
    takes are refused before anybody is looked at, so a few people ask with them."""
    for name, taken in routes():
        for person in people:
            for method in METHODS if person in ASK_EVERYTHING else [*TABLE[name].methods(), "DELETE"]:
                where = address(name, taken, schools.numbers())
                with undone(schools):
                    answer = schools.people[person].ask(method, where, TABLE[name].data)
                    yield name, TABLE[name], person, method, answer


def wrote(row: Row, method: str, answer: Any, before: dict[str, str]) -> bool:
    """Whether a refused request left anything behind. Methods that no view takes are not looked into."""
    return method in row.methods() and answer.status_code in REFUSALS and content() != before


def test_every_address_has_its_row() -> None:
    assert {name for name, _ in routes()} == set(TABLE)


def amiss(schools: Schools, name: str, row: Row, person: str, method: str, answer: Any) -> list[Any]:
    """What is wrong with one answer: its status, another's texts, its headers."""
    wrong: list[Any] = []
    if answer.status_code not in expected(row, name, person, method):
        wrong.append(answer.status_code)
    if person not in STAFF and MARK in answer.content.decode():
        wrong.append("leaks")
    frame = right_frame(name, schools.people[person], person not in NO_VISIT, answer.status_code)
    return wrong + header_problems(name, answer, frame)


def all_amiss(schools: Schools, people: tuple[str, ...]) -> str:
    """Crawl as these people; the first lines of what was wrong, or nothing."""
    before, wrong = content(), []
    for name, row, person, method, answer in crawl(schools, people):
        found = amiss(schools, name, row, person, method, answer)
        # The staff of the course may write, and a teacher's other course is their own.
        if person not in STAFF + STRANGERS[:1] and wrote(row, method, answer, before):
            found.append("wrote")
        if found:
            wrong.append((name, person, method, found))
    return listed(wrong)


def test_the_courses_own_staff(schools: Schools) -> None:
    assert not all_amiss(schools, STAFF)


@pytest.mark.timeout(400)  # some thousand requests: on a busy machine more than the usual two minutes
def test_everybody_else_is_refused_and_writes_nothing(schools: Schools) -> None:
    assert not all_amiss(schools, OTHER_VISITORS + NO_VISIT)


def test_other_teachers_see_and_change_only_their_own(schools: Schools) -> None:
    calls = len(schools.ours.world.calls.all("GET"))
    assert not all_amiss(schools, STRANGERS[1:])
    assert len(schools.ours.world.calls.all("GET")) == calls


def test_a_teachers_other_course_has_none_of_this_ones(schools: Schools) -> None:
    assert not all_amiss(schools, STRANGERS[:1])


def test_what_is_not_theirs_looks_like_what_is_not_there(schools: Schools) -> None:
    """The same status and the same words, so that nobody learns which numbers exist."""
    for name, taken in routes():
        if not TABLE[name].names:
            continue
        stranger = schools.people[STRANGERS[TABLE[name].names == "template"]]
        numbers = schools.numbers()
        nowhere = dict.fromkeys(numbers, 987_654)
        method = "GET" if TABLE[name].get else "POST"
        theirs = stranger.ask(method, address(name, taken, numbers))
        nothing = stranger.ask(method, address(name, taken, nowhere))
        assert theirs.status_code == nothing.status_code == 404, name
        assert neutral(theirs) == neutral(nothing), name


def listed(wrong: list[Any]) -> str:
    return "\n".join(map(str, wrong[:40]))


def neutral(answer: Any) -> str:
    """A page without what differs at every request: the nonce and the address that was asked for."""
    text = re.sub(r'nonce="[^"]*"', "", answer.content.decode())
    return re.sub(r'(data-address|name="back" value)="[^"]*"', "", text)


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_ORIGIN": "https://evil.test"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site", "HTTP_ORIGIN": "http://127.0.0.1:8000"},
    ],
)
def test_no_change_comes_from_another_site(schools: Schools, headers: dict[str, str]) -> None:
    teacher, before = schools.people["teacher"], content()
    for name, where in changing(schools):
        in_header = teacher.ask("POST", where, TABLE[name].data, **headers)
        in_field = Person("form", client=teacher.client).ask(
            "POST", where, {"session_token": teacher.token}, **headers
        )
        assert (in_header.status_code, in_field.status_code) == (403, 403), name
    assert content() == before


def test_a_cookie_alone_changes_nothing(schools: Schools) -> None:
    only_cookies, before = Person("cookies", client=schools.people["teacher"].client), content()
    assert only_cookies.ask("GET", "/course/").status_code == 200
    for name, where in changing(schools):
        assert only_cookies.ask("POST", where, TABLE[name].data).status_code == 401, name
        token_in_address = f"{where}?session_token={schools.people['teacher'].token}"
        assert only_cookies.ask("POST", token_in_address, TABLE[name].data).status_code == 401, name
    assert content() == before


def test_reading_changes_nothing(schools: Schools) -> None:
    """A link or an image on another site can make a browser GET with cookies. Only a consent may begin by it."""
    before, teacher = content(), schools.people["teacher"]
    for name, taken in routes():
        if TABLE[name].get and name != "canvas:authorize":
            teacher.ask("GET", address(name, taken, schools.numbers()))
            assert content() == before, name


def changing(schools: Schools) -> Iterator[tuple[str, str]]:
    """The routes that take a post from our own pages."""
    for name, taken in routes():
        if TABLE[name].post and name not in FROM_CANVAS:
            yield name, address(name, taken, schools.numbers())
