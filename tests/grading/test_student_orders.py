"""A student's page names the results in the order the alignment counts them in, each at that moment."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from tests.grading.desk import desk, plain
from tests.grading.test_views_student import previewed

pytestmark = pytest.mark.django_db(transaction=True)


def test_results_by_due_date_with_the_student_s_own(client: Client) -> None:
    """Project 1, the first to be handed in, is due last: its 2 is the newest result."""
    with desk(client) as at:
        world = at.room.world
        first = next(one for one in world.assignments.values() if one.name == "Project 1")
        with world.lock:
            first.due_for = {1001: world.now() + timedelta(days=30)}
        previewed(at, 601, calculation={"method": "latest", "order": "due"})
        page = plain(at.room.text(f"{at.address}students/1/"))
        zone = next(iter(world.courses.values())).time_zone
        day = first.due_for[1001].astimezone(ZoneInfo(zone))
    assert f"{day.day} {day:%B %Y}: 2 of 4. The newest result, in the order they were due: 2 of 4." in page
    assert "Results came in since" not in page
