"""For all tests in this process: a second try comes at once (what Canvas itself asks to wait for is waited for), and
a lease is not asked for again from threads, which see nothing of a test's own transaction. Other processes that tests
start know neither."""

from __future__ import annotations

import pytest

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
