"""A second worker of the tool as a process of its own, which is killed or frozen at a chosen moment.

It is a fork of the soak's process with connections of its own, so it shares nothing with it but the database, the
pretend Canvas over its port, and how far the test's clock was moved. While it is frozen that is how long it was.
"""

from __future__ import annotations

import faulthandler
import itertools
import mmap
import os
import pickle
import select
import signal
import socket
import struct
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

import grading.delivery
import grading.fingerprints
import grading.looking_again
import grading.making
import grading.reading_back
import grading.runs
import grading.undoing
from grading.services import NothingToUndo, Result, RunAlreadyOpen, Undone
from lti_tool.http import Http
from scripts.processes import end_with_parent
from tests.hardening.processes import ended, fork
from tests.soak import weather
from tests.soak.invariants import Wrong

PATIENCE_SECONDS = 240.0
CUT_OFF_SECONDS = 8
"""After which PostgreSQL cuts off the other worker where it is frozen in a transaction: sooner than in earnest."""
KILLS: tuple[tuple[Any, str], ...] = (
    *weather.KILL_POINTS,
    (grading.fingerprints, "remember_as_found"),
    (grading.making, "stamp"),
    (grading.looking_again, "read_again"),
    (grading.runs, "take_lease"),
    (grading.runs.Lease, "beat"),
    (grading.runs.Lease, "finish"),
    (grading.undoing.Undoer, "_settle"),
)
"""Where a worker may be killed, besides its calls."""
FREEZES: tuple[tuple[Any, str, bool], ...] = (
    (grading.delivery.Delivery, "intend", False),
    (grading.delivery.Delivery, "intend", True),
    (grading.fingerprints, "remember_intentions", True),
    (grading.reading_back, "confirm", False),
    (grading.reading_back, "_settle", False),
    (grading.reading_back, "_settle", True),
    (grading.making, "stamp", False),
    (grading.making, "stamp", True),
    (grading.looking_again, "read_again", True),
    (grading.runs, "take_lease", True),
    (grading.runs.Lease, "beat", False),
    (grading.runs.Lease, "finish", False),
    (grading.undoing.Undoer, "_restore", False),
    (grading.undoing.Undoer, "_settle", False),
    (grading.undoing.Undoer, "_settle", True),
)
"""Where it may be frozen, before or after: neither between a look at its lease and what that look allows, where no
look could help, nor with a row of the database locked, which nobody could take over before it thaws."""


class Moved:
    """How far the test's clock was moved, in seconds, for every process that was forked since."""

    def __init__(self) -> None:
        self._bytes = mmap.mmap(-1, 8)

    def by(self, seconds: float) -> None:
        self._bytes[:] = struct.pack("d", self.far() + seconds)

    def far(self) -> float:
        return float(struct.unpack("d", self._bytes[:])[0])


@dataclass(frozen=True)
class Strike:
    """`by` which signal the worker is struck: at its n-th call, or when it comes to a point for the n-th time."""

    by: signal.Signals
    nth: int
    point: tuple[Any, str] | None = None
    after: bool = False

    def __str__(self) -> str:
        where = f"{self.point[0].__name__}.{self.point[1]}" if self.point else "call"
        return f"{self.by.name} {'after' if self.after else 'before'} {where} no. {self.nth}"


@dataclass
class Report:
    """What a worker that came to its end says of its work."""

    results: list[Result] = field(default_factory=list)
    undone: list[Undone] = field(default_factory=list)
    rests: int = 0
    hosts: dict[str, set[str]] = field(default_factory=dict)
    end: str = "done"
    """`busy`: another run is under way; `nothing` to undo."""
    fault: str = ""


class Gate:
    """Calls under way in this process, so that it can be frozen with nothing between its fence and the wire."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way, self._closed = 0, False
        self._own = threading.local()

    @property
    def is_mine(self) -> bool:
        """Whether this thread is in a call: it has asked its fence already, or is about to."""
        return bool(getattr(self._own, "passing", False))

    @contextmanager
    def passing(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._under_way += 1
        self._own.passing = True
        try:
            yield
        finally:
            self._own.passing = False
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    @contextmanager
    def closed(self) -> Iterator[None]:
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._under_way == self.is_mine)
        try:
            yield
        finally:
            with self._changed:
                self._closed = False
                self._changed.notify_all()


def _cut_off_soon(connection: BaseDatabaseWrapper, **given: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = %s", [f"{CUT_OFF_SECONDS}s"])


class Worker:
    """The other process, seen from here. Use it as a context: it never outlives that."""

    def __init__(
        self, work: Callable[[Report], None], strike: Strike | None, mode: str, clock: Any, moved: Moved
    ) -> None:
        self._clock, self._moved, self._strike, self._mode = clock, moved, strike, mode
        self._here, there = socket.socketpair()
        self.is_over = False
        self.pid = fork(lambda: self._live(there, work))
        there.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *given: object) -> None:
        if not self.is_over:
            os.kill(self.pid, signal.SIGKILL)
            ended(self.pid)
        self._here.close()

    # Here

    def go(self) -> None:
        """It has its connection to the database and waits for this word."""
        assert self._here.recv(1) == b"r"
        self._here.sendall(b"g")

    def freezes(self) -> bool:
        """Wait until it is frozen; False where it has ended, or is about to."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            if select.select([self._here], [], [], 0)[0]:
                return False
            found, status = os.waitpid(self.pid, os.WUNTRACED | os.WNOHANG)
            if found:
                self.is_over = not os.WIFSTOPPED(status)
                return not self.is_over
            time.sleep(0.002)
        raise Wrong("the other worker neither ended nor stopped")

    @contextmanager
    def patience(self) -> Iterator[None]:
        """While it is frozen: what goes on without it is not held up by what it holds."""
        tired = threading.Event()

        def end() -> None:
            tired.set()
            faulthandler.dump_traceback()
            os.kill(self.pid, signal.SIGKILL)

        timer = threading.Timer(PATIENCE_SECONDS, end)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            if tired.is_set():
                raise Wrong("F50: a frozen worker held up the other")

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def report(self) -> Report | None:
        """Wait for its end. None where it was killed, which is no fault of its own."""
        until, said = time.monotonic() + PATIENCE_SECONDS, bytearray()
        while True:
            if not select.select([self._here], [], [], max(0.0, until - time.monotonic()))[0]:
                raise Wrong("the other worker does not end")
            try:
                piece = self._here.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                break
            said += piece
        if not self.is_over:
            self.is_over = True
            ended(self.pid)
        return pickle.loads(bytes(said)) if said else None

    # There

    def _live(self, there: socket.socket, work: Callable[[Report], None]) -> None:
        self._here.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        end_with_parent()
        weather.killer.revive()
        weather.outside.forget()
        weather.outside.worker = self._mode
        self._follow_the_clock()
        connection_created.connect(_cut_off_soon)
        connection.ensure_connection()
        if self._strike:
            self._expect(self._strike)
        report = Report()
        there.sendall(b"r")
        there.recv(1)
        try:
            work(report)
        except RunAlreadyOpen:
            report.end = "busy"
        except NothingToUndo:
            report.end = "nothing"
        except BaseException:
            report.fault = traceback.format_exc()
        report.rests, report.hosts = weather.outside.rests, weather.outside.hosts
        there.sendall(pickle.dumps(report))
        there.close()

    def _follow_the_clock(self) -> None:
        """Every clock of this process goes on with the test's, from now on; after a freeze, all at once."""
        began, real, once = self._moved.far(), time.monotonic, Http._once
        self._seen = began
        time.monotonic = lambda: real() + self._moved.far() - began

        def in_time(http: Http, *given: Any) -> Any:
            self._catch_up()
            return once(http, *given)

        Http._once = in_time

    def _catch_up(self) -> None:
        far = self._moved.far()
        self._clock.shift(timedelta(seconds=far - self._seen))
        self._seen = far

    def _expect(self, strike: Strike) -> None:
        gate = Gate()
        once = Http._once

        def passed(*given: Any) -> Any:
            with gate.passing():
                return once(*given)

        Http._once = passed
        where, name = strike.point or (Http, "_once")
        setattr(where, name, self._watched(getattr(where, name), strike, gate))

    def _watched(self, real: Callable[..., Any], strike: Strike, gate: Gate) -> Callable[..., Any]:
        numbers = itertools.count(1)

        def call(*given: Any, **more: Any) -> Any:
            now = next(numbers) == strike.nth
            if now and not strike.after:
                self._hit(strike, gate)
            try:
                return real(*given, **more)
            finally:
                if now and strike.after:
                    self._hit(strike, gate)

        return call

    def _hit(self, strike: Strike, gate: Gate) -> None:
        if strike.by == signal.SIGKILL:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(PATIENCE_SECONDS)
        with gate.closed():
            # To this thread: it goes no step further before it is continued.
            signal.pthread_kill(threading.get_ident(), strike.by)
            self._catch_up()
