"""Applying: an approved plan is sent by whoever gets the run's lease, first or after a worker that died."""

from __future__ import annotations

import logging

from django.utils import timezone

from alignments import services as alignments
from grading import planning, runs
from grading.connection import Connection, Stopped, connect, stopped
from grading.delivery import Delivery
from grading.endings import Result, finish, finish_changed, finish_stopped
from grading.looking_again import Changed
from grading.models import RunState
from grading.reading import CourseReading
from grading.runs import Lease, LeaseLost
from grading.sending import send
from lti_tool.models import Context
from lti_tool.sealing import CannotUnseal

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
"""Workers that a run may take with it: the next one ends it instead, and the others' courses go on."""


def apply(run_id: int) -> Result | None:
    """Send an approved run, or finish one whose worker died. None when there is nothing to do: it ended, or
    another worker has it."""
    lease = runs.take_lease(run_id, timezone.now())
    return deliver(lease, None) if lease else None


def deliver(lease: Lease, reading: CourseReading | None, to: Connection | None = None) -> Result | None:
    """Send the run's plan and end the run, whatever happens on the way. `reading` and `to` are given where the plan
    was made a moment ago in this process. None when another worker took the run over."""
    run = lease.run
    if run.account is None:
        end = stopped("no_account")
        return Result(lease.finish(timezone.now(), outcome="stopped", fields={"error": end.as_error()}))
    to = to or connect(run.context, run.account)
    try:
        return _deliver(lease, reading, to)
    except LeaseLost:
        return None


def _deliver(lease: Lease, reading: CourseReading | None, to: Connection) -> Result:
    """Raises LeaseLost, wherever it is noticed: also where the run would be ended for another reason."""
    run = lease.run
    try:
        prepared = planning.open_plan(run.sealed_plan)
    except CannotUnseal:
        return Result(finish_stopped(lease, to, stopped("internal")))
    to.fence.guard(lease.fence)
    on = Delivery(to, lease, prepared, alignments.stored(run.context), reading)
    if run.attempts > MOST_ATTEMPTS:
        return finish(lease, on, stopped("internal"))
    try:
        with runs.pulse(lease):
            send(on)
        return finish(lease, on, None)
    except LeaseLost:
        raise
    except Changed as change:
        return finish_changed(lease, to, prepared, str(change))
    except Stopped as end:
        return finish(lease, on, end)
    except Exception as error:
        # A fault of our own: what was written stays intended in the fingerprints, so nothing is lost.
        log.error("run %s ended by %s", run.pk, type(error).__name__)
        finish(lease, on, stopped("internal"))
        raise


def finish_stale(context: Context) -> None:
    """A run of this course whose process died is finished first, or ended where it had written nothing."""
    run = runs.left_behind(context)
    if run is None:
        return
    if run.state == RunState.READING:
        runs.close(run, timezone.now(), outcome=runs.DISCARDED)
    elif lease := runs.take_lease(run.pk, timezone.now(), left=True):
        deliver(lease, None)
