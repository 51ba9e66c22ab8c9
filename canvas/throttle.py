"""How many calls may be in flight now, from `X-Rate-Limit-Remaining` of every answer.

Canvas keeps one leaky bucket per access token (REST) or per developer key (LTI services): 600 units, 10 leak
away per second, 50 are reserved by each call under way. The bucket is shared with other workers and courses,
so what the last answer said is the only truth. canvas-lms: app/middleware/request_throttle.rb

Everybody on a bucket sees the same room at the same moment, so each takes of it one place at a time, while hardly
anybody else is there, and gives half of its places back as soon as it gets little: all workers together keep four
to eight calls in flight, of the eleven that an idle bucket bears. Nobody earns a place while not using all it has, and
who was away begins anew: else several that made a column each, call by call, would all send as many scores as they
may at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from lti_tool.errors import Throttled

MOST_IN_FLIGHT = 4
CAUTIOUS_IN_FLIGHT = 2
HIGH_WATER = 420
"""Units left from which one more may go at once: at most three calls are under way, and have cost a little."""
LOW_WATER = 300
"""Units left under which there are too many: more than six calls under way, or a bucket that fills."""
EMPTY_WATER = 60
"""Units left under which hardly a call has room: better wait until there are `REFILLED`."""
REFILLED = 100
LEAK_A_SECOND = 10
LONGEST_PAUSE_SECONDS = 45.0
AWAY_SECONDS = 5.0
"""Without a call for so long, what was heard of the bucket is old."""


class BucketPace:
    """Paces the calls of one bucket in this process. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._in_flight = 0
        self._in_a_row = 0
        self._allowance = CAUTIOUS_IN_FLIGHT
        self._most = 0
        """The most that were in flight since the allowance was last thought over."""
        self._ended_at = 0.0
        self._resume_at = 0.0

    @property
    def allowance(self) -> int:
        """How many calls may be in flight now."""
        return self._allowance

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a place, hold it for one call. Raises Throttled where the pause would be too long."""
        with self._changed:
            while (wait := self._wait()) != 0:
                if wait > LONGEST_PAUSE_SECONDS:
                    raise Throttled("Canvas asked for a pause.", wait_seconds=wait)
                self._changed.wait(wait if wait > 0 else None)
            if not self._in_flight and self._clock() - self._ended_at > AWAY_SECONDS:
                self._allowance, self._in_a_row = min(self._allowance, CAUTIOUS_IN_FLIGHT), 0
            self._in_flight += 1
            self._most = max(self._most, self._in_flight)
        try:
            yield
        finally:
            with self._changed:
                self._in_flight -= 1
                self._ended_at = self._clock()
                self._changed.notify_all()

    def _wait(self) -> float:
        """Seconds until the pause ends; -1 while only a free place is missing; 0 to go."""
        pause = self._resume_at - self._clock()
        if pause > 0:
            return pause
        return 0 if self._in_flight < self._allowance else -1

    def heard(self, remaining: Decimal | None) -> None:
        """Take in what an answer said of the bucket. Silence or nonsense: be cautious."""
        with self._changed:
            if remaining is None:
                self._allowance = min(self._allowance, CAUTIOUS_IN_FLIGHT)
            elif remaining < LOW_WATER:
                self._allowance = max(1, self._allowance // 2)
                self._in_a_row = 0
            elif remaining >= HIGH_WATER:
                self._grow()
            if remaining is not None and remaining < EMPTY_WATER:
                self._pause(float(REFILLED - remaining) / LEAK_A_SECOND)
            self._changed.notify_all()

    def _grow(self) -> None:
        """One more once every call under way has had such an answer, and all places were taken meanwhile."""
        self._in_a_row += 1
        if self._in_a_row >= self._allowance:
            if self._most >= self._allowance:
                self._allowance = min(MOST_IN_FLIGHT, self._allowance + 1)
            self._in_a_row, self._most = 0, self._in_flight

    def refused(self, wait_seconds: float) -> None:
        """Canvas refused a call: everybody on this bucket waits."""
        with self._changed:
            self._allowance, self._in_a_row = 1, 0
            self._pause(wait_seconds)

    def _pause(self, seconds: float) -> None:
        self._resume_at = max(self._resume_at, self._clock() + seconds)


_paces: dict[str, BucketPace] = {}
_paces_lock = threading.Lock()


def pace_of(bucket: str) -> BucketPace:
    """This process's pace for a bucket: `account:<id>` or `key:<registration id>`."""
    with _paces_lock:
        return _paces.setdefault(bucket, BucketPace())
