"""How often one network address may knock in a minute, counted in this process and kept nowhere.

A login, a launch that is no good and a consent write next to nothing, so this only keeps one busy or hostile address
from taking everybody's turn. docs/decisions/0040 says which doors have a limit and which have none.
"""

from __future__ import annotations

import threading
import time
from collections import Counter

from django.conf import settings
from django.http import HttpRequest

WINDOW_SECONDS = 60
MOST_ADDRESSES = 20_000
"""Further ones of the same minute are not counted: the table must not be what a flood fills."""
DOORS = {"login": 1, "launch": 2, "consent": 2}
"""Where it is counted, and how many requests one person's way through may take: our own page may send a launch once
more, and a consent leads through here twice. So nobody who was let in at the first is stopped at the second."""


class PerMinute:
    """Calls by address in the minute that runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._seen: Counter[str] = Counter()

    def is_too_many(self, address: str, most: int) -> bool:
        """Count one more call; whether it is beyond `most`. 0: no limit."""
        minute = int(time.time() // WINDOW_SECONDS)
        with self._lock:
            if minute != self._minute:
                self._minute, self._seen = minute, Counter()
            if address in self._seen or len(self._seen) < MOST_ADDRESSES:
                self._seen[address] += 1
            return 0 < most < self._seen[address]


_counts = {door: PerMinute() for door in DOORS}


def too_many(request: HttpRequest, door: str) -> bool:
    """Whether more people than LOGINS_PER_MINUTE came to this door (one of DOORS) from this address in this minute."""
    return _counts[door].is_too_many(address_of(request), DOORS[door] * settings.LOGINS_PER_MINUTE)


def address_of(request: HttpRequest) -> str:
    """Who our own reverse proxy says it talks to: it puts that last. Without a proxy, who talks to us."""
    said = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return (said or str(request.META.get("REMOTE_ADDR", "")))[:64]
