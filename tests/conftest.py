"""For all tests in this process: a second try comes at once (what Canvas itself asks to wait for is waited for), and
a lease is not asked for again from threads, which see nothing of a test's own transaction. Other processes that tests
start know neither. No test finds another's jobs. Keys are made once, and properties look at the same examples in every
run: a bug found by luck would refuse work that has nothing to do with it. `--hypothesis-profile=wandering` looks at
others."""

from __future__ import annotations

import itertools
from functools import cache, lru_cache
from math import inf
from types import SimpleNamespace
from typing import Any

import jwt.algorithms
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import IntegrityError, OperationalError, connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings

from grading import runs
from lti_tool import http, keys, platform_keys
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
def platforms_may_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their key sets come from a thread of this process, which is no faster than the machine."""
    monkeypatch.setattr(platform_keys, "ASK_TIMEOUT", (60.0, 60.0))
    monkeypatch.setattr(platform_keys, "ASK_SECONDS", 90.0)


@pytest.fixture(autouse=True)
def a_lease_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SURE_SECONDS", inf)


def _emptied(case: TransactionTestCase) -> None:
    """What a test committed goes in one round trip, procrastinate's rows with Django's: `flush` takes ten times as
    long, knows only Django's, and makes its content types anew each time."""
    tables = {*connection.introspection.django_table_names(include_views=False), *QUEUE} - KEPT
    for tries_left in (2, 1, 0):
        try:
            with connection.cursor() as cursor:
                cursor.execute("; ".join(f'DELETE FROM "{table}"' for table in sorted(tables)))
            return
        except (IntegrityError, OperationalError):
            # A request that a page began before its browser was closed may be under way in the tool's server: its locks
            # against ours, or a row of its own in a table that was empty already.
            if not tries_left:
                raise


QUEUE = ("procrastinate_periodic_defers", "procrastinate_events", "procrastinate_jobs")
KEPT = {"django_content_type", "django_migrations"}
TransactionTestCase._fixture_teardown = _emptied


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
