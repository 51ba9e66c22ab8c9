"""Run rows: one open run per course, who may write for it, and how it ends. No HTTP here.

A run is written by whoever holds its lease. Every step renews the heartbeat with a conditional update, so a
worker that was frozen and replaced finds that its lease is gone before it can write anything more.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models import Max, Q
from django.utils import timezone

from canvas.models import CanvasAccount
from grading.models import OPEN_STATES, Run, RunState
from lti_tool.models import Context

log = logging.getLogger(__name__)

STALE_AFTER = timedelta(seconds=60)
HELD_SECONDS = 10.0
"""How long a run waits for its lock before it begins all the same."""
PULSE_SECONDS = 0.5
SILENCE_SECONDS = 2.0
SURE_SECONDS = 1.5
"""How long a lease is certainly still held after it was last seen to be: nobody takes one over that was heard of
within `SILENCE_SECONDS`."""
LOOK_SECONDS = 0.25
DISCARDED = "discarded"
COMMAND = "command"
"""What starts a run that plans and sends in one process."""

_ALIVE = 0x6C6D67
"""Class of the PostgreSQL advisory locks that say that the process of a run lives. PostgreSQL lets go of one
the moment that process is gone, however it ended."""


class RunAlreadyOpen(Exception):
    """Another run of this course is under way."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"Run {run.number} of this course is under way.")
        self.run = run


class LeaseLost(Exception):
    """Another worker took this run over, or it was ended: stop without writing."""


class NotApprovable(Exception):
    """The run is not (or no longer) the preview that was shown. The message says what to do."""


def open_run(
    context: Context,
    *,
    account: CanvasAccount | None,
    started_by: str,
    now: datetime,
    undo_of: Run | None = None,
) -> Run:
    """Make the course's one open run. A preview nobody sent gives way; a busy run raises RunAlreadyOpen."""
    with transaction.atomic():
        Context.objects.select_for_update().get(pk=context.pk)
        busy = Run.objects.filter(context=context, state__in=OPEN_STATES).first()
        if busy is not None:
            _give_way(busy, now)
        return _create(context, account, started_by, now, state=RunState.READING, undo_of=undo_of)


def dry_run(context: Context, *, account: CanvasAccount | None, started_by: str, now: datetime) -> Run:
    """A run that only plans. It is never open, so it disturbs no preview and no sync."""
    with transaction.atomic():
        Context.objects.select_for_update().get(pk=context.pk)
        return _create(context, account, started_by, now, state=RunState.FINISHED, dry_run=True)


def _create(
    context: Context,
    account: CanvasAccount | None,
    started_by: str,
    now: datetime,
    *,
    state: RunState,
    dry_run: bool = False,
    undo_of: Run | None = None,
) -> Run:
    last = Run.objects.filter(context=context).aggregate(last=Max("number"))["last"] or 0
    return Run.objects.create(
        context=context,
        number=last + 1,
        state=state,
        dry_run=dry_run,
        started_by=started_by,
        account=account,
        started_at=now,
        heartbeat_at=now,
        finished_at=now if state == RunState.FINISHED else None,
        outcome="stopped" if state == RunState.FINISHED else "",
        undo_of=undo_of,
        lease=secrets.token_hex(16) if state == RunState.READING else "",
    )


def _give_way(busy: Run, now: datetime) -> None:
    is_stale = busy.heartbeat_at is None or now - busy.heartbeat_at > STALE_AFTER
    gives_way = busy.state == RunState.READY or (busy.state == RunState.READING and is_stale)
    if not gives_way or not close(busy, now, outcome=DISCARDED):
        raise RunAlreadyOpen(busy)


def close(run: Run, now: datetime, *, outcome: str) -> bool:
    """End a run that wrote nothing. False where it has gone on meanwhile, approved by somebody or sent: then it may
    have written, and stays."""
    still = Run.objects.filter(pk=run.pk, state__in=[RunState.READING, RunState.READY])
    ended = still.update(
        state=RunState.FINISHED, outcome=outcome, finished_at=now, sealed_plan="", lease="", progress={}
    )
    return bool(ended)


def stale_runs(now: datetime) -> list[Run]:
    """Approved or sending runs whose worker has not been heard of."""
    return list(
        Run.objects.filter(
            Q(heartbeat_at__lt=now - STALE_AFTER) | Q(heartbeat_at=None),
            state__in=[RunState.APPROVED, RunState.SENDING],
        )
    )


def left_behind(context: Context) -> Run | None:
    """The course's open run when the process that had it is gone: it has not been heard of for long, or nothing
    says that anybody is at work. Waits up to `SILENCE_SECONDS` to be sure of that."""
    until = time.monotonic() + SILENCE_SECONDS
    first = run = _busy(context)
    while run is not None and run == first:
        if run.heartbeat_at is None or timezone.now() - run.heartbeat_at > STALE_AFTER:
            return run
        # A run that a person approved waits for a worker, which is no sign of death.
        waits = run.state == RunState.APPROVED and run.started_by != COMMAND
        if waits or _is_alive(run) or run.heartbeat_at != first.heartbeat_at:
            return None
        if time.monotonic() > until:
            return run
        time.sleep(LOOK_SECONDS)
        run = _busy(context)
    return None


def _busy(context: Context) -> Run | None:
    busy = [RunState.READING, RunState.APPROVED, RunState.SENDING]
    return Run.objects.filter(context=context, state__in=busy).first()


def _is_alive(run: Run) -> bool:
    """Whether a process holds the lock of this run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [_ALIVE, run.pk % 2**31],
        )
        return cursor.fetchone() is not None


def stale_readings(now: datetime) -> list[Run]:
    """Previews and undos whose worker has not been heard of."""
    silent = Run.objects.filter(heartbeat_at__lt=now - STALE_AFTER, state=RunState.READING)
    return list(silent.select_related("undo_of__context", "account"))


@dataclass
class Lease:
    """The right to write for a run. `was_broken_off`: a worker before us had begun to send."""

    run: Run
    token: str
    was_broken_off: bool = False
    stop_requested: bool = False
    is_switched_off: bool = False
    """Whether the operator has switched the school's registration off meanwhile."""
    seen_at: float = field(default_factory=time.monotonic)
    """When it was last certain that the run is ours."""

    def fence(self) -> None:
        """Before each write: a process that was frozen, or lost its database, looks whether another took the run
        over meanwhile. Raises LeaseLost."""
        if time.monotonic() - self.seen_at > SURE_SECONDS:
            self.beat(timezone.now())

    def renew(self, now: datetime, **fields: Any) -> bool:
        """Say that we are alive and store `fields`, if the run is still ours."""
        held = Run.objects.filter(pk=self.run.pk, lease=self.token, state__in=OPEN_STATES)
        asked_at = time.monotonic()
        if not held.update(heartbeat_at=now, **fields):
            return False
        self.seen_at = asked_at
        return True

    def beat(self, now: datetime, **fields: Any) -> None:
        """The same, and see whether somebody asked to stop. Raises LeaseLost when the run is no longer ours."""
        if not self.renew(now, **fields):
            raise LeaseLost
        asked = Run.objects.values_list("stop_requested", "context__registration__is_active")
        self.stop_requested, is_on = asked.get(pk=self.run.pk)
        self.is_switched_off = not is_on

    def finish(self, now: datetime, *, outcome: str, fields: Mapping[str, Any]) -> Run:
        """End the run: its sealed plan goes, its counts stay."""
        done = {
            "state": RunState.FINISHED,
            "outcome": outcome,
            "finished_at": now,
            "sealed_plan": "",
            "lease": "",
        }
        held = Run.objects.filter(pk=self.run.pk, lease=self.token)
        if not held.update(**{**fields, **done}):
            raise LeaseLost
        self.run.refresh_from_db()
        return self.run


def _nothing_more() -> dict[str, Any]:
    return {}


@contextmanager
def pulse(lease: Lease, says: Callable[[], dict[str, Any]] = _nothing_more) -> Iterator[None]:
    """Hold the run's lock and keep its heartbeat going, from a thread, while this process waits for Canvas. A
    process that is killed loses the lock at once, one that is frozen falls silent; whoever took the lease over
    is not disturbed. Where the database goes away for a moment, lock and heartbeat are taken up again after it;
    until then `Lease.fence` asks before every write. What `says` gives is stored with every heartbeat."""
    held, done = threading.Event(), threading.Event()

    def keep_alive() -> None:
        while not done.is_set():
            try:
                _pulse(lease, held, done, says)
            except DatabaseError:
                log.warning("run %s lost its database for a moment", lease.run.pk)
                done.wait(PULSE_SECONDS)
            finally:
                held.set()
                connection.close()

    thread = threading.Thread(target=keep_alive, name=f"pulse of run {lease.run.pk}", daemon=True)
    thread.start()
    held.wait(HELD_SECONDS)
    try:
        yield
    finally:
        done.set()
        thread.join()


def _pulse(
    lease: Lease, held: threading.Event, done: threading.Event, says: Callable[[], dict[str, Any]]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_ALIVE, lease.run.pk % 2**31])
        held.set()
        while not done.wait(PULSE_SECONDS):
            lease.renew(timezone.now(), **says())
        cursor.execute("SELECT pg_advisory_unlock_all()")


def take_lease(run_id: int, now: datetime, *, left: bool = False) -> Lease | None:
    """The lease of an approved run, or of one whose worker died; None when there is nothing to do.
    `left`: the caller knows by `left_behind` that nobody is at work, so no heartbeat is waited for."""
    token = secrets.token_hex(16)
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id).first()
        if run is None or run.state not in {RunState.APPROVED, RunState.SENDING}:
            return None
        is_stale = run.heartbeat_at is None or now - run.heartbeat_at > STALE_AFTER
        if run.state == RunState.SENDING and not (is_stale or left):
            return None
        broken_off = run.state == RunState.SENDING
        run.state, run.lease, run.heartbeat_at = RunState.SENDING, token, now
        run.attempts += 1
        run.save(update_fields=["state", "lease", "heartbeat_at", "attempts"])
    return Lease(run, token, was_broken_off=broken_off)


def reading_lease(run: Run) -> Lease:
    """The lease of a run this process has just opened."""
    return Lease(run, run.lease)
