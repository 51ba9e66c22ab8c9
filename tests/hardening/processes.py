"""Workers as processes of their own that can be killed and frozen: forks of the test's process."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from canvas import throttle
from lti_tool.http import shared_http

_inherited: list[Any] = []
PATIENCE_SECONDS = 120.0


def fork(work: Callable[[], object]) -> int:
    """`work` in another process, with its own connections; its id. It ends with 0, or with 1 after an exception."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for each in connections.all():
            # Closing them here would end the parent's sessions.
            _inherited.append(each.connection)
            each.connection = None
        _inherited.append(dict(DatabaseWrapper._connection_pools))
        DatabaseWrapper._connection_pools.clear()
        shared_http.cache_clear()
        throttle._paces.clear()
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """Wait for the end of a process: its exit code, or minus the signal that ended it."""
    return _waited(pid, 0, lambda status: os.waitstatus_to_exitcode(status))


def frozen(pid: int) -> None:
    """Wait until a process has stopped itself."""
    assert _waited(pid, os.WUNTRACED, lambda status: os.WIFSTOPPED(status) and 1), "it ended instead"


def thaw(pid: int) -> int:
    os.kill(pid, signal.SIGCONT)
    return ended(pid)


def _waited(pid: int, options: int, meaning: Callable[[int], int]) -> int:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        found, status = os.waitpid(pid, options | os.WNOHANG)
        if found:
            return meaning(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("the process neither ended nor stopped")


def struck(
    monkeypatch: pytest.MonkeyPatch, point: str, *, after: bool, by: signal.Signals, nth: int = 1
) -> None:
    """The process that comes to `point` (`package.module:Class.function`) for the `nth` time sends itself `by`."""
    module, _, name = point.partition(":")
    target: Any = __import__(module, fromlist=["_"])
    *path, last = name.split(".")
    for part in path:
        target = getattr(target, part)
    # Drawn from a count: of threads that come at the same time, one is the `nth`, not two and not none.
    original, here, calls = getattr(target, last), os.getpid(), itertools.count(1)

    def strike() -> None:
        if next(calls) == nth and os.getpid() != here:
            # To this very thread, which does not come back from the call: any other might take a moment to be told.
            signal.pthread_kill(threading.get_ident(), by)

    def instead(*given: Any, **more: Any) -> Any:
        if not after:
            strike()
        result = original(*given, **more)
        if after:
            strike()
        return result

    monkeypatch.setattr(target, last, instead)
