"""What every answer carries, whoever asks: who may frame it, what it may load, that nobody keeps a copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from lti_tool.headers import frame_origins
from lti_tool.models import Registration
from tests.hardening.test_who_may_see_what import NO_VISIT, OTHER_VISITORS, STAFF, STRANGERS, crawl, listed
from tests.hardening.two_schools import Schools, two_schools

KEPT = {"lti:jwks": "public, max-age=300"}
IN_A_WINDOW = {"canvas:authorize", "canvas:callback"}
NEVER_FRAMED = {"healthz", "readyz", "metrics"} | IN_A_WINDOW


@pytest.fixture
def schools(db: None) -> Iterator[Schools]:
    with two_schools() as found:
        yield found


def directives(answer: Any) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer["Content-Security-Policy"].split(";"))
    return {name: values for name, _, values in parts}


def problems(name: str, answer: Any, frame: str) -> list[str]:
    policy = directives(answer)
    fixed = {"default-src": "'none'", "base-uri": "'none'", "connect-src": "'self'", "style-src": "'self'"}
    wrong = [each for each, value in fixed.items() if policy.get(each) != value]
    if policy["frame-ancestors"] != frame:
        wrong.append(f"frame-ancestors {policy['frame-ancestors']} not {frame}")
    if "unsafe" in answer["Content-Security-Policy"] or "*" in answer["Content-Security-Policy"]:
        wrong.append("unsafe")
    if not re.fullmatch(r"'self' 'nonce-[A-Za-z0-9_-]{20,}'", policy["script-src"]):
        wrong.append("script-src")
    if (KEPT.get(name, "no-store") if answer.status_code == 200 else "no-store") not in answer.get(
        "Cache-Control", ""
    ):
        wrong.append("kept")
    if answer.get("X-Content-Type-Options") != "nosniff" or answer.get("Referrer-Policy") != "same-origin":
        wrong.append("sniffed")
    return wrong


@pytest.mark.parametrize("people", [STAFF, OTHER_VISITORS + NO_VISIT, STRANGERS])
def test_every_answer_carries_them(schools: Schools, people: tuple[str, ...]) -> None:
    wrong = []
    for name, _, person, method, answer in crawl(schools, people):
        school = schools.people[person].school
        has_visit = person in STAFF + OTHER_VISITORS + STRANGERS
        # A method that no view takes is answered, without a page, before the view could say who frames it.
        shown = name not in NEVER_FRAMED or (name in IN_A_WINDOW and answer.status_code == 405)
        framed = has_visit and school is not None and shown
        registration = school.context.registration if framed and school else None
        frame = " ".join(frame_origins(registration)) if registration else "'none'"
        if name == "lti:register" and answer.status_code == 403:
            frame = "https: http:"  # whose frame it is is not known yet, and the page has nothing to press
        # Logins and launches are Canvas's own requests: their answers are framed by whom the message names.
        if found := problems(name, answer, frame):
            wrong.append((name, person, method, answer.status_code, found))
    assert not wrong, listed(wrong)


def test_schools_do_not_see_each_others_address(schools: Schools) -> None:
    ours, theirs = (school.context.registration for school in (schools.ours, schools.theirs))
    assert isinstance(ours, Registration)
    page = schools.people["teacher"].ask("GET", "/course/")
    assert theirs.canvas_url not in page["Content-Security-Policy"]
    assert ours.canvas_url in page["Content-Security-Policy"]


def test_pages_that_break_or_do_not_exist_carry_them_too(schools: Schools) -> None:
    for where in ("/nowhere", "/course/alignments/99999999999999999999/", "/lti/", "/course/runs/0/"):
        answer = schools.people["without a session"].ask("GET", where)
        assert problems(where, answer, "'none'") == [], where
