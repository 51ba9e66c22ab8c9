"""The fence before every write to Canvas: whoever has lost the right to write is turned back there."""

from __future__ import annotations

from collections.abc import Callable


class Fence:
    """Nobody is held back until `guard` is given the question that a run's lease answers."""

    def __init__(self) -> None:
        self._ask: Callable[[], None] | None = None

    def guard(self, ask: Callable[[], None]) -> None:
        """From now on `ask` is called before each write; it raises where nothing may be written."""
        self._ask = ask

    def __call__(self) -> None:
        if self._ask is not None:
            self._ask()
