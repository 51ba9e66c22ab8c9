"""For all tests in this process: a second try comes at once (what Canvas itself asks to wait for is waited for), and
a lease is not asked for again from threads, which see nothing of a test's own transaction. Other processes that tests
start know neither. And no test finds another's jobs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from grading import runs
from lti_tool import http
from lti_tool.errors import PlatformError, Throttled


@pytest.fixture(autouse=True)
def quick_second_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    real = http._pause_before_retry

    def quick(error: PlatformError, method: str, attempt: int) -> float | None:
        pause = real(error, method, attempt)
        return pause if pause is None or isinstance(error, Throttled) else pause / 20

    monkeypatch.setattr(http, "_pause_before_retry", quick)


@pytest.fixture(autouse=True)
def a_lease_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SURE_SECONDS", 60.0)


@pytest.fixture(autouse=True)
def an_empty_queue(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Django empties its own tables after a test that committed, and procrastinate's are not Django's."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction")):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            for table in ("procrastinate_periodic_defers", "procrastinate_events", "procrastinate_jobs"):
                cursor.execute(f"DELETE FROM {table}")
