"""Grading schemes: listed with what letters earn, and one made of the teacher's own levels."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alignments.core.templatejson import parse_template
from alignments.template_services import keep_for_school
from canvas import accounts, oauth
from sandbox.oauth.provider import new_token
from tests.alignments.classroom import classroom

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/course/schemes/"
LETTERS = {
    "title": "My levels",
    "unit": "points",
    "top": "4",
    "letter-0-name": "Exceeds",
    "letter-0-bound": "3.5",
    "letter-1-name": "Meets",
    "letter-1-bound": "2.5",
    "letter-2-name": "Not yet",
    "letter-2-bound": "0",
}


def test_schemes_are_listed_with_bounds_and_what_letters_earn(client: Client) -> None:
    with classroom(client, scenario="account-scales") as course:
        page = course.text(PAGE)
    assert "School letters" in page
    assert "Default Canvas Grading Scheme" in page
    row = re.search(r'<th scope="row">B</th>(.*?)</tr>', page)
    assert row is not None
    assert re.findall(r">([^<]+)</td>", row[1]) == ["80 %", "89 %", "0.8", "80 %"]


def test_a_scheme_is_made_in_the_course_of_the_teachers_levels(client: Client) -> None:
    with classroom(client) as course:
        assert course.post(PAGE, LETTERS)["Location"] == "/course/schemes/?done=made"
        [made] = course.world.grading_standards.values()
        assert [(name, str(bound)) for name, bound in made.scheme] == [
            ("Exceeds", "0.8750"),
            ("Meets", "0.6250"),
            ("Not yet", "0.0000"),
        ]
        assert (made.points_based, made.scaling_factor) == (True, Decimal(4))
        assert "3.5 points" in course.text(PAGE)


def test_the_form_starts_from_the_outcomes_own_levels(client: Client) -> None:
    with classroom(client) as course:
        page = course.text(PAGE, outcome="601")
    bounds = re.findall(r'name="letter-\d+-bound" value="([^"]*)"', page)
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] == "0"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"letter-2-bound": "1"}, "The lowest letter must start at 0. Set its bound to 0."),
        ({"letter-1-bound": "3.5"}, "Two letters have the same bound."),
        ({"letter-1-name": "3"}, "A number as a letter would be mistaken for points by Canvas"),
        ({"letter-1-bound": "-1"}, "Type a number such as 1 or 0.85."),
        ({"title": " "}, "Give the scheme a name of 1 to 255 letters."),
        ({"top": ""}, "Type how many points the full scale is worth, such as 4."),
    ],
)
def test_what_canvas_would_refuse_is_told_before_it_is_asked(
    client: Client, changes: dict[str, Any], sentence: str
) -> None:
    with classroom(client) as course:
        response = course.post(PAGE, LETTERS | changes)
        assert response.status_code == 422
        assert sentence in response.content.decode()
        assert 'value="Exceeds"' in response.content.decode()
        assert not course.world.grading_standards


SCHOOL = "/course/schemes/school/"


def as_admin(course: Any) -> None:
    """The school's administrator, connected for what an administrator is asked for."""
    key = next(key for key in course.world.keys.values() if key.kind == "api")
    names = accounts.names_to_ask(course.opened.session)
    assert names == [name for name, _ in accounts.SCHOOL_SCOPES]
    token = new_token(course.world, key, 15, names)
    ends = timezone.now() + timedelta(hours=1)
    grant = oauth.Grant(token.token, token.refresh_token, ends)
    oauth.store_grant(course.opened.platform.registration, grant, "15", names, timezone.now())


def test_an_administrator_makes_a_scheme_for_the_whole_school(client: Client) -> None:
    with classroom(client, role="admin", user=15, connected=False) as course:
        assert "Connect Canvas" in course.text(SCHOOL)
        as_admin(course)
        page = course.text(SCHOOL)
        [account] = re.findall(r'<option value="(\d+)"[^>]*>the whole school', page)
        answer = course.post(SCHOOL, LETTERS | {"account": account})
        assert answer["Location"] == f"{SCHOOL}?done=made", answer.content.decode()
        [made] = course.world.grading_standards.values()
        assert (made.context_type, made.context_id, made.title) == ("Account", int(account), "My levels")
        assert "My levels" in course.text(SCHOOL)
        asked = {call.path for call in course.world.calls.all("GET")}
        assert not any("rollups" in path or "submissions" in path or "enrollments" in path for path in asked)


TEMPLATE = b"""{"version": 1, "template": "Algebra", "alignments": [{"outcomes": [{"title": "1.1"}],
    "rule": {"kind": "cutoff"}, "target": {"column": {"label": "1.1", "points": "1"}}}]}"""


def test_an_administrator_chooses_the_set_up_that_new_courses_are_offered(client: Client) -> None:
    """Without an account in Canvas: templates are the tool's own. A teacher and another school's template: refused."""
    with classroom(client, role="admin", user=15, connected=False) as course:
        assert "There is no template yet." in course.text(SCHOOL)
        mine = keep_for_school(course.opened.context.deployment, parse_template(TEMPLATE))
        for chosen, is_default in [(str(mine.pk), True), ("31337", True), ("none", False)]:
            answer = course.post(f"{SCHOOL}set-up/", {"template": chosen})
            assert answer.status_code == (422 if chosen == "31337" else 302)
            mine.refresh_from_db()
            assert mine.is_default is is_default
        assert "Algebra (1 alignment)" in course.text(SCHOOL)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"account": "999"}, "Choose the account"),
        ({"letter-2-bound": "1"}, "The lowest letter must start at 0."),
    ],
)
def test_a_schools_scheme_is_refused_in_words(client: Client, changes: Any, sentence: str) -> None:
    with classroom(client, role="admin", user=15, connected=False) as course:
        as_admin(course)
        answer = course.post(SCHOOL, LETTERS | {"account": "1"} | changes)
        assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
        assert not course.world.grading_standards


def test_who_is_no_administrator_in_canvas_is_told_so(client: Client) -> None:
    """The launch says admin of some account; Canvas itself decides about this one."""
    with classroom(client, role="admin", user=15, connected=False) as course:
        as_admin(course)
        course.world.users[15].account_admin = False
        answer = course.post(SCHOOL, LETTERS | {"account": "1"})
        assert answer.status_code in {200, 422}
        assert "Canvas" in answer.content.decode()
        assert not course.world.grading_standards


def test_a_teacher_is_shown_to_the_courses_own_schemes(client: Client) -> None:
    with classroom(client) as course:
        page = course.text(SCHOOL)
        assert "This page is for administrators." in page and 'href="/course/schemes/"' in page
        assert course.post(SCHOOL, LETTERS | {"account": "1"}).status_code == 422
        assert not course.world.grading_standards
