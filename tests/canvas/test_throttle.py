"""Pacing: never more in flight than the bucket bears, silence is caution, a pause is everybody's."""

from __future__ import annotations

import threading
from contextlib import ExitStack
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
        (["420"] * 5 + ["419", "300", "299", "299"], [2, 3, 3, 3, 4, 4, 4, 2, 1]),
        (["600", "350", "600"], [2, 2, 3]),
        ([None, "-20"], [2, 1]),
    ],
)
def test_the_header_decides_how_many_at_once(said: list[str | None], allowances: list[int]) -> None:
    """One more at a time while there is room and all is used, half of them once there is little."""
    pace = BucketPace(clock=lambda: 0.0)
    found = []
    for remaining in said:
        hear(pace, pace.allowance, remaining)
        found.append(pace.allowance)
    assert found == allowances


def hear(pace: BucketPace, calls: int, *answers: str | None) -> None:
    """The answers to the first of so many calls that are in flight at once."""
    with ExitStack() as turns:
        for _ in range(calls):
            turns.enter_context(pace.turn())
        for remaining in answers:
            pace.heard(None if remaining is None else Decimal(remaining))


def test_alone_on_a_bucket_a_worker_gets_all_its_places() -> None:
    """By its own calls only: what three of them leave, less a little for what they cost, is room for a fourth."""
    pace = BucketPace(clock=lambda: 0.0)
    for _ in range(20):
        hear(pace, pace.allowance, str(600 - 50 * pace.allowance - 5))
    assert pace.allowance == 4


def test_who_sends_one_call_after_the_other_earns_no_more_places() -> None:
    """Four workers that made their columns must not all begin to send scores four at a time."""
    pace = BucketPace(clock=lambda: 0.0)
    for _ in range(50):
        hear(pace, 1, "600")
    assert pace.allowance == 2
    hear(pace, 2, "600", "600", "600", "600")
    assert pace.allowance == 3


def test_who_was_away_begins_anew() -> None:
    now = [0.0]
    pace = BucketPace(clock=lambda: now[0])
    for _ in range(9):
        hear(pace, pace.allowance, "600")
    now[0] = 4.0
    hear(pace, 1)
    assert pace.allowance == 4
    now[0] = 10.0
    hear(pace, 1)
    assert pace.allowance == 2


def test_workers_that_share_a_bucket_settle_below_its_end() -> None:
    """Round by round, everybody sends as many calls as allowed; the bucket takes eleven at once."""
    workers = [BucketPace(clock=lambda: 0.0) for _ in range(4)]
    totals = []
    for _ in range(60):
        calls = [worker for worker in workers for _ in range(worker.allowance)]
        totals.append(len(calls))
        with ExitStack() as turns:
            for worker in calls:
                turns.enter_context(worker.turn())
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
    """The first of many waits for a second one, however slow the machine; more than four would be seen as well."""
    lock, now, most, together = threading.Lock(), [0], [0], threading.Event()

    def answer(seen: Seen) -> Answer:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        if now[0] > 1:
            together.set()
        together.wait(0.0 if seen.path.endswith("sections") else 30.0)
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
