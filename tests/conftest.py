"""For all tests in this process: a second try comes at once (what Canvas itself asks to wait for is waited for), and
a lease is not asked for again from threads, which see nothing of a test's own transaction. Other processes that tests
start know neither. No test finds another's jobs. Keys are made once, and properties look at the same examples in every
run: a bug found by luck would refuse work that has nothing to do with it. `--hypothesis-profile=wandering` looks at
others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any

import jwt.algorithms
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from grading import runs
from lti_tool import http, keys
from lti_tool.errors import PlatformError, Throttled

# A busy machine is slow, not wrong: properties have no deadline of their own (each test has pytest's).
unhurried: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("steady", derandomize=True, **unhurried)
settings.register_profile("wandering", **unhurried)
settings.load_profile("steady")


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


@cache
def _made_once(number: int, public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent, key_size)


@pytest.fixture(autouse=True)
def keys_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first key of a test is that of every other test, the second another one, and so on: making one takes a tenth
    of a second, and so does opening its PEM."""
    number = itertools.count()

    def next_key(public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        return _made_once(next(number), public_exponent, key_size)

    monkeypatch.setattr(keys, "rsa", SimpleNamespace(generate_private_key=next_key))
    monkeypatch.setattr(jwt.algorithms, "load_pem_private_key", _opened_once)


_opened_once = lru_cache(maxsize=64)(jwt.algorithms.load_pem_private_key)
