"""The fault matrix, F47: one process works for two schools by turns whose every Canvas id is the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from grading import services
from lti_tool.http import Http, host_of
from tests.grading.school import School
from tests.hardening.two_schools import Schools, two_schools

COLUMN = "Second column"


@pytest.fixture
def schools(db: None) -> Iterator[Schools]:
    with two_schools() as found:
        yield found


def test_f47_nothing_of_one_school_is_used_for_the_other(
    schools: Schools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every token goes to the school it is of, every grade into the gradebook of its own evidence, and a cell that a
    person took over in one is the tool's in the other all the same."""
    hosts: dict[str, set[str]] = {}
    send = Http._send

    def noted(http: Http, request: Any, *given: Any) -> Any:
        if token := request.headers.get("Authorization"):
            hosts.setdefault(token, set()).add(host_of(request.url))
        return send(http, request, *given)

    monkeypatch.setattr(Http, "_send", noted)
    ours, theirs = schools.ours, schools.theirs
    before = ours.column(COLUMN)
    assert before == theirs.column(COLUMN)
    user = next(user for user, grade in before.items() if grade == "0")
    ours.edit(COLUMN, user, "0.37")
    for days in (60, 61, 62):
        theirs.assess(user, 602, "4", days=days)
    for school in (ours, theirs, ours, theirs):
        run = services.sync(school.context, confirm_large=True).run
        assert run.outcome == "done", run.error
        assert run.reasons.get("graded_by_person", 0) == (school is ours)
    assert ours.column(COLUMN) == {**before, user: "0.37"}
    assert theirs.column(COLUMN) == {**before, user: "1"}
    assert len(hosts) >= 4 and all(len(each) == 1 for each in hosts.values())
    assert {host for each in hosts.values() for host in each} == {address(ours), address(theirs)}


def address(school: School) -> str:
    return host_of(school.server.url)
