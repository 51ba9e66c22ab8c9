"""The list of outcomes and columns, through the front door."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.alignments.classroom import classroom

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_teacher_sees_outcomes_by_group_with_their_class(client: Client) -> None:
    with classroom(client) as course:
        page = course.text("/course/")
    assert (
        page.index("Unit 1 Linear relationships")
        < page.index("1.1 Linear models")
        < page.index("Unit 2 Functions")
    )
    assert "0 to 4, mastery at 3" in page
    assert "4 of 6" in page


def test_without_a_connection_the_page_offers_to_connect_and_asks_canvas_nothing(client: Client) -> None:
    with classroom(client, connected=False) as course:
        page = course.text("/course/")
        assert not course.world.calls
    assert "/canvas/authorize" in page
    assert "Three steps" in page
