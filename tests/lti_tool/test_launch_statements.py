"""How much a launch asks of the database: every statement is a round trip, BEGIN and COMMIT too. No times."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lti_tool import sessions
from tests.people import launch, new_platform

# Transactions of their own, as the web server's requests have them.
pytestmark = pytest.mark.django_db(transaction=True)

MOST = {"student": 5, "teacher": 7}
"""Login and launch of a known course; the teacher's first page is left out. PyLTI1p3's Django example: 12."""


@pytest.mark.parametrize("role", MOST)
def test_login_and_launch_ask_little(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    platform = new_platform()
    if role == "teacher":
        settings.LANDING_PATHS = {}
    launch(client, platform, role=role)
    # What is over is deleted once a minute, which may be over right now.
    monkeypatch.setattr(sessions, "_tidied", [timezone.now()])
    with CaptureQueriesContext(connection) as asked:
        assert launch(client, platform, role=role).status_code == 200
    spoken = [each["sql"] for each in asked]
    assert len(spoken) <= MOST[role], "\n".join(spoken)
