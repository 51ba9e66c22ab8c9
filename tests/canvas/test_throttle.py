"""Pacing: never more in flight than the bucket bears, silence is caution, a pause is everybody's."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest

from canvas.rest import Rest
from canvas.throttle import BucketPace, pace_of
from lti_tool.errors import Throttled
from tests.plugins.local_server import Answer, LocalServer, Seen


@pytest.mark.parametrize(
    ("said", "allowances"),
    [
        (["600"] * 9, [2, 3, 3, 3, 4, 4, 4, 4, 4]),
        (["450"] * 5 + ["449", "300", "299", "299"], [2, 3, 3, 3, 4, 4, 4, 2, 1]),
        (["600", "350", "600"], [2, 2, 3]),
        ([None, "-20", "-20"], [2, 1, 1]),
    ],
)
def test_the_header_decides_how_many_at_once(said: list[str | None], allowances: list[int]) -> None:
    """One more at a time while there is room, half of them once there is little."""
    pace = BucketPace(clock=lambda: 0.0)
    found = []
    for remaining in said:
        pace.heard(None if remaining is None else Decimal(remaining))
        found.append(pace.allowance)
    assert found == allowances


def test_workers_that_share_a_bucket_settle_below_its_end() -> None:
    """Round by round, everybody sends as many calls as allowed; the bucket takes eleven at once."""
    workers = [BucketPace(clock=lambda: 0.0) for _ in range(4)]
    totals = []
    for _ in range(60):
        calls = [worker for worker in workers for _ in range(worker.allowance)]
        totals.append(len(calls))
        for place, worker in enumerate(calls):
            worker.heard(Decimal(600 - 50 * (len(calls) - 1 - place % 2)))
    assert max(totals) <= 11 and min(totals) >= 4


def test_an_almost_empty_bucket_is_left_to_refill() -> None:
    now = [0.0]
    pace = BucketPace(clock=lambda: now[0])
    pace.heard(Decimal(0))
    now[0] = 10.0
    with pace.turn():
        pass


def test_a_pause_beyond_patience_is_an_error_not_a_hang() -> None:
    pace = BucketPace(clock=lambda: 0.0)
    pace.refused(300)
    with pytest.raises(Throttled) as caught, pace.turn():
        pass
    assert caught.value.wait_seconds == 300


def test_no_more_in_flight_than_allowed(server: LocalServer, rest: Rest) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def answer(seen: Seen) -> Answer:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.05)
        with lock:
            now[0] -= 1
        return Answer([], headers={"X-Rate-Limit-Remaining": "590.5"})

    server.routes["GET", "/api/v1/courses/101/students/submissions"] = answer
    server.routes["GET", "/api/v1/courses/101/sections"] = answer
    rest.sections("101")
    rest.cells("101", [str(number) for number in range(800)])
    assert 2 <= most[0] <= 4


def test_nonsense_in_the_header_is_silence(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", "/api/v1/courses/101/sections"] = Answer(
        [], headers={"X-Rate-Limit-Remaining": "abc"}
    )
    rest.sections("101")
    assert pace_of(f"account:{rest.account.pk}").allowance == 2
