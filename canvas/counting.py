"""How many calls a run made, and how far it is with what it reads. One counter may be shared by several clients and
threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Stage:
    """What is read now, and how much of it has come: `total` is 0 where Canvas does not say how much there is."""

    name: str = ""
    done: int = 0
    total: int = 0


class CallCounter:
    """`read` and `write` count what was sent, `retried` how many of those repeated an earlier one,
    `throttled` how often Canvas asked for a pause."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.read = 0
        self.write = 0
        self.retried = 0
        self.throttled = 0
        self.stage = Stage()

    def sent(self, method: str) -> None:
        with self._lock:
            if method in ("GET", "HEAD"):
                self.read += 1
            else:
                self.write += 1

    def tried_again(self, times: int = 1) -> None:
        with self._lock:
            self.retried += times

    def was_throttled(self) -> None:
        with self._lock:
            self.throttled += 1

    def reads(self, name: str, done: int = 0, total: int = 0) -> None:
        """This is read now, and so much of it has come."""
        with self._lock:
            self.stage = Stage(name, done, total)

    def came(self, rows: int) -> None:
        """So many more rows of what is read now."""
        with self._lock:
            self.stage = replace(self.stage, done=self.stage.done + rows)

    def as_dict(self) -> dict[str, int]:
        return {"read": self.read, "write": self.write, "retried": self.retried, "throttled": self.throttled}
