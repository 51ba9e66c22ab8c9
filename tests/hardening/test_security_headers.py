"""Headers beyond the crawl of test_who_may_see_what.py, which looks at those of every answer to everybody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lti_tool.models import Registration
from tests.hardening.headers import header_problems
from tests.hardening.two_schools import Schools, two_schools


@pytest.fixture
def schools(db: None) -> Iterator[Schools]:
    with two_schools() as found:
        yield found


def test_schools_do_not_see_each_others_address(schools: Schools) -> None:
    ours, theirs = (school.context.registration for school in (schools.ours, schools.theirs))
    assert isinstance(ours, Registration)
    page = schools.people["teacher"].ask("GET", "/course/")
    assert theirs.canvas_url not in page["Content-Security-Policy"]
    assert ours.canvas_url in page["Content-Security-Policy"]


def test_pages_that_break_or_do_not_exist_carry_them_too(schools: Schools) -> None:
    for where in ("/nowhere", "/course/alignments/99999999999999999999/", "/lti/", "/course/runs/0/"):
        answer = schools.people["without a session"].ask("GET", where)
        assert header_problems(where, answer, "'none'") == [], where
