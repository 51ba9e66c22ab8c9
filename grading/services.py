"""What the pages, the commands and the jobs may ask for: prepare, approve, apply, undo, and what to show.

`prepare` reads and plans; `approve` binds a person's choices to exactly that plan; `apply` sends it. No
transaction is ever open while Canvas is asked.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from alignments import services as alignments
from canvas.accounts import accounts_for_course
from canvas.models import CanvasAccount
from grading import journal, planning, runs, undoing
from grading.connection import Connection, Stopped, connect, stopped, stopped_by
from grading.core.plan import (
    DECISIONS,
    Choices,
    PlannedCell,
    Problem,
    count_decisions,
    count_reasons,
    is_partial,
)
from grading.models import OPEN_STATES, Run, RunState
from grading.planning import Prepared
from grading.reading import CourseReading, read_course
from grading.runs import Lease, LeaseLost, NotApprovable, RunAlreadyOpen
from grading.sending import Changed, Sender
from grading.undoing import NothingToUndo, Undone
from lti_tool.errors import PlatformError
from lti_tool.models import Context
from lti_tool.sealing import CannotUnseal

__all__ = [
    "Choices",
    "NotApprovable",
    "NothingToUndo",
    "Result",
    "RunAlreadyOpen",
    "Undone",
    "apply",
    "approve",
    "begin",
    "discard",
    "fill",
    "finish_stale",
    "open_run_of",
    "prepare",
    "request_stop",
    "sync",
    "undo",
]

log = logging.getLogger(__name__)

NOTHING = dict.fromkeys(DECISIONS, 0)
NO_CHOICES = Choices()


@dataclass(frozen=True, slots=True)
class Result:
    """A run with its cells as they were planned or ended; the cells live only as long as this value."""

    run: Run
    cells: tuple[PlannedCell, ...] = field(default=(), repr=False)


# Prepare


def prepare(context: Context, account: CanvasAccount, *, started_by: str) -> Run:
    """A preview for a person: reads, plans, seals. The run is READY then, or FINISHED with its `error`.
    Raises RunAlreadyOpen where a sync is under way."""
    run = begin(context, account, started_by=started_by)
    fill(run)
    run.refresh_from_db()
    return run


def begin(context: Context, account: CanvasAccount, *, started_by: str) -> Run:
    """The run of a preview, before anything is read: `fill` goes on, in this process or in a job."""
    return runs.open_run(context, account=account, started_by=started_by, now=timezone.now())


def fill(run: Run) -> None:
    """Read and plan for a run that `begin` opened."""
    lease = runs.reading_lease(run)
    if run.state != RunState.READING or run.account is None:
        return
    to = connect(run.context, run.account)
    try:
        with runs.pulse(run, lease.token):
            prepared, _ = _plan(to, approved_by_person=True)
        _store_plan(lease, to, prepared, RunState.READY)
    except LeaseLost:
        return
    except Stopped as end:
        _finish_stopped(lease, to, end)
    except Exception:
        _finish_stopped(lease, to, stopped("internal"))
        raise


def _plan(
    to: Connection, *, force_conflicts: bool = False, approved_by_person: bool = False
) -> tuple[Prepared, CourseReading]:
    """Read the course and plan it. Raises Stopped."""
    stored = alignments.stored(to.context)
    try:
        reading = read_course(to, stored)
    except PlatformError as error:
        raise stopped_by(error) from error
    prepared = planning.make(
        to.context,
        stored,
        reading,
        force_conflicts=force_conflicts,
        approved_by_person=approved_by_person,
    )
    planning.take_notes(to.context, stored, reading)
    if reading.course.concluded and reading.course.may_grade is not True and prepared.plan.to_send():
        raise stopped("concluded")
    return prepared, reading


def _store_plan(lease: Lease, to: Connection, prepared: Prepared, state: RunState) -> None:
    plan = prepared.plan
    lease.beat(
        timezone.now(),
        state=state,
        read_at=prepared.read_at,
        sealed_plan=planning.seal_plan(prepared),
        digest=plan.digest,
        progress={},
        **_summary(plan.cells, plan.problems),
        requests=to.counter.as_dict(),
    )


def _summary(cells: tuple[PlannedCell, ...], problems: tuple[Problem, ...]) -> dict[str, Any]:
    return {
        "counts": count_decisions(cells),
        "reasons": count_reasons(cells),
        "problems": [{"alignment": p.alignment, "code": p.code, "detail": p.detail} for p in problems],
    }


# Approve


def approve(
    run: Run,
    *,
    by: str,
    digest: str,
    choices: Choices = NO_CHOICES,
    confirm_large: bool = False,
    account: CanvasAccount | None = None,
) -> Run:
    """Bind a person's approval to the plan with this digest, choices included. `account` is theirs: it sends,
    so that nobody grades with the rights of whoever made the preview. Raises NotApprovable with a sentence:
    the plan is not the one that was shown, or changes so much that it must be confirmed."""
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        if locked.state != RunState.READY or locked.digest != digest:
            raise NotApprovable("This preview is no longer the current one. Preview again.")
        prepared = planning.open_plan(locked.sealed_plan)
        plan = prepared.plan.with_choices(choices)
        unsafe = plan.unsafe_reason()
        if unsafe and not confirm_large:
            raise NotApprovable(f"{unsafe} Confirm that this is right.")
        chosen = Prepared(plan, prepared.basis, prepared.read_at)
        now = timezone.now()
        fields = {
            "state": RunState.APPROVED,
            "approved_at": now,
            "approved_by": by,
            "account": account or locked.account,
            "heartbeat_at": now,
            "sealed_plan": planning.seal_plan(chosen),
            **_summary(plan.cells, plan.problems),
        }
        Run.objects.filter(pk=run.pk).update(**fields)
    run.refresh_from_db()
    return run


def discard(run: Run) -> None:
    """A preview nobody wants any more."""
    if run.state in {RunState.READING, RunState.READY}:
        runs.close(run, timezone.now(), outcome=runs.DISCARDED)


def request_stop(run: Run) -> None:
    """The run ends after the batch it is sending."""
    Run.objects.filter(pk=run.pk, state__in=OPEN_STATES).update(stop_requested=True)


def open_run_of(context: Context) -> Run | None:
    """The course's run under way or preview waiting, for anybody who teaches it."""
    return Run.objects.filter(context=context, state__in=OPEN_STATES).first()


# Apply


def apply(run_id: int) -> Result | None:
    """Send an approved run, or finish one whose worker died. None when there is nothing to do: it ended, or
    another worker has it."""
    lease = runs.take_lease(run_id, timezone.now())
    return _send(lease, None) if lease else None


def _send(lease: Lease, reading: CourseReading | None, to: Connection | None = None) -> Result | None:
    run = lease.run
    if run.account is None:
        end = stopped("no_account")
        return Result(lease.finish(timezone.now(), outcome="stopped", fields={"error": end.as_error()}))
    to = to or connect(run.context, run.account)
    try:
        prepared = planning.open_plan(run.sealed_plan)
    except CannotUnseal:
        return Result(_finish_stopped(lease, to, stopped("internal")))
    sender = Sender(to, lease, prepared, alignments.stored(run.context), reading)
    try:
        with runs.pulse(run, lease.token):
            sender.run()
        return _finish(lease, to, sender, None)
    except LeaseLost:
        return None
    except Changed as change:
        return _finish_changed(lease, to, prepared, str(change))
    except Stopped as end:
        return _finish(lease, to, sender, end)
    except Exception as error:
        # A fault of our own: what was written stays intended in the fingerprints, so nothing is lost.
        log.error("run %s ended by %s", run.pk, type(error).__name__)
        _finish(lease, to, sender, stopped("internal"))
        raise


def _finish(lease: Lease, to: Connection, sender: Sender, end: Stopped | None) -> Result:
    """Count, keep the undo journal, and end the run."""
    plan = sender.prepared.plan
    cells = sender.ledger.final(plan.cells)
    problems = (*plan.problems, *sender.ledger.problems())
    outcome = "stopped" if end else ("partial" if any(map(is_partial, cells)) else "done")
    fields = {
        **_summary(cells, problems),
        "requests": to.counter.as_dict(),
        "error": end.as_error() if end else None,
    }
    with transaction.atomic():
        journal.keep(lease.run, sender)
        run = lease.finish(timezone.now(), outcome=outcome, fields=fields)
    return Result(run, cells)


def _finish_changed(lease: Lease, to: Connection, prepared: Prepared, why: str) -> Result:
    fields = {
        "requests": to.counter.as_dict(),
        "error": {"code": "changed", "who": "teacher", "detail": why},
    }
    return Result(lease.finish(timezone.now(), outcome="changed", fields=fields), prepared.plan.cells)


def _finish_stopped(lease: Lease, to: Connection | None, end: Stopped) -> Run:
    fields = {"counts": NOTHING, "error": end.as_error(), "requests": to.counter.as_dict() if to else {}}
    return lease.finish(timezone.now(), outcome="stopped", fields=fields)


# The command's way: plan and send in one go


def sync(
    context: Context, *, dry_run: bool = False, force_conflicts: bool = False, confirm_large: bool = False
) -> Result:
    """Plan and send now, with the newest connected account that may still grade. Raises RunAlreadyOpen."""
    finish_stale(context)
    start = runs.dry_run if dry_run else runs.open_run
    run = start(context, account=None, started_by="command", now=timezone.now())
    lease = Lease(run, run.lease)
    last, to = stopped("no_account"), None
    for account in accounts_for_course(context):
        to = connect(context, account)
        try:
            with runs.pulse(run, lease.token):
                prepared, reading = _plan(to, force_conflicts=force_conflicts)
        except Stopped as end:
            last = end
            if end.code not in TRY_NEXT_ACCOUNT:
                break
        else:
            return _sync_with(lease, to, prepared, reading, confirm_large=confirm_large)
    return Result(_finish_stopped(lease, to, last))


def _sync_with(
    lease: Lease, to: Connection, prepared: Prepared, reading: CourseReading, *, confirm_large: bool
) -> Result:
    """Go on with a plan made by an account that may grade."""
    plan, run = prepared.plan, lease.run
    unsafe = plan.unsafe_reason()
    end = stopped("large_change", f"{unsafe} Look at the preview and confirm it.") if unsafe else None
    if run.dry_run or (end and not confirm_large):
        return _finish_plan(lease, to, prepared, None if confirm_large else end)
    _store_plan(lease, to, prepared, RunState.APPROVED)
    Run.objects.filter(pk=run.pk).update(
        account=to.account, approved_at=timezone.now(), approved_by="command"
    )
    taken = runs.take_lease(run.pk, timezone.now())
    result = _send(taken, reading, to) if taken else None
    if result is None:
        run.refresh_from_db()
        return Result(run, plan.cells)
    return result


def _finish_plan(lease: Lease, to: Connection, prepared: Prepared, end: Stopped | None) -> Result:
    """End a run that sends nothing: a dry run, or one that the guard stops."""
    plan = prepared.plan
    fields = {
        **_summary(plan.cells, plan.problems),
        "account": to.account,
        "read_at": prepared.read_at,
        "digest": plan.digest,
        "requests": to.counter.as_dict(),
        "error": end.as_error() if end else None,
    }
    outcome = "stopped" if end else plan.status
    return Result(lease.finish(timezone.now(), outcome=outcome, fields=fields), plan.cells)


TRY_NEXT_ACCOUNT = {
    "no_permission",
    "revoked",
    "token_expired",
    "access_lost",
    "scope_missing",
    "cannot_unseal",
}
"""Reasons that concern one person's account; another person's may still do."""


def finish_stale(context: Context) -> None:
    """A run of this course whose process died is finished first, or ended where it had written nothing."""
    run = runs.left_behind(context)
    if run is None:
        return
    if run.state == RunState.READING:
        runs.close(run, timezone.now(), outcome=runs.DISCARDED)
    elif lease := runs.take_lease(run.pk, timezone.now(), left=True):
        _send(lease, None)


# Undo


def undo(
    context: Context, *, started_by: str, account: CanvasAccount | None = None, run: Run | None = None
) -> Undone:
    """Take back the newest run that wrote and is not undone, as `account`, else as any that may still grade;
    with `run`, only if that is the one. Raises NothingToUndo or RunAlreadyOpen."""
    finish_stale(context)
    return undoing.undo(context, started_by=started_by, account=account, wanted=run)
