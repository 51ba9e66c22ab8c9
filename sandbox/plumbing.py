"""What stands between the network and the rules: the call log, faults on demand, and the throttle."""

from __future__ import annotations

import fnmatch
import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

FAULT_KINDS = (
    "slow",  # wait `seconds`, then answer as usual
    "error_before",  # `status` (500) and nothing done
    "error_after",  # done, then `status` (500)
    "drop_before",  # connection cut, nothing done
    "drop_after",  # done, then the connection is cut without an answer
    "truncate",  # done, and the answer is cut after `size` bytes
    "throttled",  # refused as the throttle does
    "expired",  # the bearer token counts as expired
    "revoked",  # the bearer token counts as revoked, with the newer wording
    "reply",  # `status`, `body`, `headers` instead of the answer, nothing done
)


@dataclass
class Fault:
    """One fault on demand, for requests whose method and path match; used ``count`` times (None: for ever)."""

    kind: str
    method: str = "*"
    path: str = "*"
    count: int | None = 1
    skip: int = 0
    seconds: float = 0.0
    status: int = 500
    size: int = 100
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    hits: int = 0

    def matches(self, method: str, path: str) -> bool:
        return fnmatch.fnmatchcase(method, self.method) and fnmatch.fnmatchcase(path, self.path)


class Faults:
    """The faults switch: rules tried in the order they were added; the first that fits is used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.rules: list[Fault] = []

    def add(self, kind: str, **options: object) -> Fault:
        """Add a fault, for example ``add("error_after", method="POST", path="*/scores", count=2)``."""
        if kind not in FAULT_KINDS:
            raise ValueError(f"unknown fault {kind!r}; one of {', '.join(FAULT_KINDS)}")
        fault = Fault(kind, **options)  # type: ignore[arg-type]  # options are Fault's own fields
        with self._lock:
            self.rules.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self.rules.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault this request meets, counted as used."""
        with self._lock:
            for fault in list(self.rules):
                if not fault.matches(method, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.hits += 1
                if fault.count is not None and fault.hits >= fault.count:
                    self.rules.remove(fault)
                return fault
        return None


@dataclass(frozen=True)
class Call:
    """One request as it was answered; ``status`` 0 means the connection was cut."""

    at: datetime
    method: str
    path: str
    query: str
    status: int
    milliseconds: float
    identity: str
    fault: str = ""


class CallLog:
    """Every call, newest last, bounded."""

    def __init__(self, limit: int = 50_000) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=limit)

    def add(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)

    def all(self, method: str = "*", path: str = "*") -> list[Call]:
        with self._lock:
            calls = list(self._calls)
        return [
            call
            for call in calls
            if fnmatch.fnmatchcase(call.method, method) and fnmatch.fnmatchcase(call.path, path)
        ]

    def count(self, method: str = "*", path: str = "*") -> int:
        return len(self.all(method, path))

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()


@dataclass
class _Bucket:
    level: float = 0.0
    touched: float = 0.0
    in_flight: int = 0


class Throttle:
    """Canvas's leaky bucket (app/middleware/request_throttle.rb).

    A request is refused when the level with its own up-front cost reaches ``mark``. Costs are in
    units of seconds of work; levels leak by ``outflow`` a second of real time.
    """

    def __init__(self) -> None:
        self.enabled = True
        self.mark = 600.0
        self.maximum = 800.0
        self.outflow = 10.0
        self.up_front = 50.0
        self.token_cost = 200.0
        self.status = 403
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}

    def enter(self, identity: str) -> bool:
        """Reserve the up-front cost; False when the caller has to wait."""
        with self._lock:
            bucket = self._leak(identity)
            reserved = bucket.level + self.up_front * (bucket.in_flight + 1)
            if self.enabled and reserved >= self.mark:
                return False
            bucket.in_flight += 1
            return True

    def leave(self, identity: str, cost: float) -> float:
        """Give the reserve back, charge the real cost; what remains until the mark."""
        with self._lock:
            bucket = self._leak(identity)
            bucket.in_flight -= 1
            bucket.level = min(self.maximum, bucket.level + cost)
            return self.mark - min(self.maximum, bucket.level + self.up_front * bucket.in_flight)

    def fill(self, identity: str, level: float = 600.0) -> None:
        """Set a bucket's level, as if a noisy neighbour had used it."""
        with self._lock:
            self._leak(identity).level = level

    def reset(self) -> None:
        with self._lock:
            self._buckets.clear()

    def identities(self) -> dict[str, float]:
        with self._lock:
            return {identity: self._leak(identity).level for identity in self._buckets}

    def _leak(self, identity: str) -> _Bucket:
        now = time.monotonic()
        bucket = self._buckets.setdefault(identity, _Bucket(touched=now))
        bucket.level = max(0.0, bucket.level - self.outflow * (now - bucket.touched))
        bucket.touched = now
        return bucket

    def refusal(self) -> tuple[int, str]:
        """Status and text of a refusal."""
        return self.status, f"{self.status} Forbidden (Rate Limit Exceeded)\n"

    @staticmethod
    def show(number: float) -> str:
        """A header's float text, as Ruby prints it (``600.0``)."""
        return repr(float(number)) if math.isfinite(number) else "0.0"
