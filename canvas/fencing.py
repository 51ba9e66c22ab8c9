"""The fence before every write to Canvas: it turns back who has lost the right to write, and what waited too long.

A call may wait for its turn, for a pause that Canvas asked for, or for a new token: only the moment before it leaves
tells how long ago its cell was looked at.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf

from lti_tool.errors import Outdated


class Fence:
    """Nobody is held back until `guard` is given the question that a run's lease answers."""

    def __init__(self) -> None:
        self._ask: Callable[[], None] | None = None
        self._own = threading.local()

    def guard(self, ask: Callable[[], None]) -> None:
        """From now on `ask` is called before each write; it raises where nothing may be written."""
        self._ask = ask

    @contextmanager
    def until(self, moment: float) -> Iterator[None]:
        """What this thread writes meanwhile leaves until `moment` of `time.monotonic`, or not at all: Outdated."""
        self._own.moment = moment
        try:
            yield
        finally:
            self._own.moment = inf

    def __call__(self) -> None:
        if self._ask is not None:
            self._ask()
        if time.monotonic() > getattr(self._own, "moment", inf):
            raise Outdated
