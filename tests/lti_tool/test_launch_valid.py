"""Good launches: the valid instructor and student messages of the certification list, and Canvas's own habits."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from lti_tool import claims as c
from lti_tool.models import Context, LaunchSession
from tests.people import GONE, MEMBERSHIP, TestPlatform, launch, launch_as, new_platform

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform() -> TestPlatform:
    return new_platform()


def test_a_student_reaches_a_calm_page_of_their_own(client: Client) -> None:
    opened = launch_as(client, role="student")
    assert opened.session.role == "student"
    assert "Your grades appear in" in opened.response.content.decode()
    assert Context.objects.count() == LaunchSession.objects.count() == 1
