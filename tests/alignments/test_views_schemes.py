"""Grading schemes: listed with what letters earn, and one made of the teacher's own levels."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

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
    assert re.findall(r">([^<]+)</td>", row[1]) == ["80 %", "0.8", "80 %", "89 %"]


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
