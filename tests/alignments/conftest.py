"""A course that was launched once, and another teacher's course beside it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lti_tool.http import shared_http
from lti_tool.models import Context, Deployment, Registration


@pytest.fixture(autouse=True)
def unhurried_canvas(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Canvas that is down is asked again at once: what the page says then is the same."""
    monkeypatch.setattr(shared_http(), "_sleep", lambda seconds: None)


def make_course(
    context_id: str, client_id: str = "10000000000001", canvas_url: str = "http://localhost:1"
) -> Context:
    """A launched course of one registration (made with the first)."""
    registration, _ = Registration.objects.get_or_create(
        issuer="https://canvas.instructure.com",
        client_id=client_id,
        canvas_url=canvas_url,
        defaults={"sealed_fingerprint_key": "sealed"},
    )
    deployment, _ = Deployment.objects.get_or_create(registration=registration, deployment_id="7:abc")
    return Context.objects.create(
        registration=registration,
        deployment=deployment,
        context_id=context_id,
        last_launch_at=datetime(2026, 2, 1, tzinfo=UTC),
    )


@pytest.fixture
def course(db: None) -> Context:
    return make_course("course-one")


@pytest.fixture
def other_course(db: None) -> Context:
    return make_course("course-two")
