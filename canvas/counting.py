"""How many calls a run made. One counter may be shared by several clients and threads."""

from __future__ import annotations

import threading


class CallCounter:
    """`read` and `write` count what was sent, `retried` how many of those repeated an earlier one,
    `throttled` how often Canvas asked for a pause."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.read = 0
        self.write = 0
        self.retried = 0
        self.throttled = 0

    def sent(self, method: str) -> None:
        with self._lock:
            if method in ("GET", "HEAD"):
                self.read += 1
            else:
                self.write += 1

    def tried_again(self) -> None:
        with self._lock:
            self.retried += 1

    def was_throttled(self) -> None:
        with self._lock:
            self.throttled += 1

    def as_dict(self) -> dict[str, int]:
        return {"read": self.read, "write": self.write, "retried": self.retried, "throttled": self.throttled}
