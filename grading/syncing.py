"""The command's way: plan and send in one go, with the newest connected account that may still grade."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from django.utils import timezone

from canvas.accounts import accounts_for_course
from grading import runs
from grading.applying import deliver, finish_stale
from grading.connection import Connection, Stopped, connect, stopped
from grading.endings import Result, finish_plan, finish_stopped
from grading.models import Run, RunState
from grading.planning import Prepared
from grading.preparing import how_far, plan_course, store_plan
from grading.reading import CourseReading
from grading.runs import Lease, LeaseLost, RunAlreadyOpen
from lti_tool.models import Context

TRY_NEXT_ACCOUNT = {
    "no_permission",
    "revoked",
    "token_expired",
    "access_lost",
    "scope_missing",
    "cannot_unseal",
}
"""Reasons that concern one person's account; another person's may still do."""


@dataclass(frozen=True, slots=True)
class Only:
    """A part of the class, by Canvas ids; everybody where both are empty."""

    students: frozenset[str] = frozenset()
    sections: frozenset[str] = frozenset()

    def of(self, prepared: Prepared, reading: CourseReading) -> Prepared:
        """The plan for this part."""
        if not self.students and not self.sections:
            return prepared
        inside = {user for user, one in reading.students.items() if one.active_section_ids & self.sections}
        return replace(prepared, plan=prepared.plan.only(inside | self.students))


EVERYBODY = Only()


def sync(
    context: Context,
    *,
    dry_run: bool = False,
    force_conflicts: bool = False,
    confirm_large: bool = False,
    only: Only = EVERYBODY,
) -> Result:
    """Plan and send now, with the newest connected account that may still grade. Raises RunAlreadyOpen."""
    if not dry_run:
        finish_stale(context)
    start = runs.dry_run if dry_run else runs.open_run
    run = start(context, account=None, started_by=runs.COMMAND, now=timezone.now())
    asked = _Asked(force_conflicts=force_conflicts, confirm_large=confirm_large, only=only)
    try:
        return _sync(context, Lease(run, run.lease), asked)
    except LeaseLost:
        # This process was frozen for so long while it read that another one, whose run this is, took its place.
        raise RunAlreadyOpen(Run.objects.filter(context=context)[0]) from None


@dataclass(frozen=True, slots=True)
class _Asked:
    force_conflicts: bool
    confirm_large: bool
    only: Only


def _sync(context: Context, lease: Lease, asked: _Asked) -> Result:
    last, to = stopped("no_account"), None
    for account in accounts_for_course(context):
        to = connect(context, account)
        try:
            with runs.pulse(lease, partial(how_far, to)):
                prepared, reading = plan_course(lease, to, force_conflicts=asked.force_conflicts)
        except Stopped as end:
            last = end
            if end.code not in TRY_NEXT_ACCOUNT:
                break
        else:
            mine = asked.only.of(prepared, reading)
            return _sync_with(lease, to, mine, reading, confirm_large=asked.confirm_large)
    return Result(finish_stopped(lease, to, last))


def _sync_with(
    lease: Lease, to: Connection, prepared: Prepared, reading: CourseReading, *, confirm_large: bool
) -> Result:
    """Go on with a plan made by an account that may grade."""
    plan, run = prepared.plan, lease.run
    unsafe = plan.unsafe_reason()
    end = stopped("large_change", f"{unsafe} Look at the preview and confirm it.") if unsafe else None
    if run.dry_run or (end and not confirm_large):
        return finish_plan(lease, to, prepared, None if confirm_large else end)
    store_plan(
        lease,
        to,
        prepared,
        RunState.APPROVED,
        account=to.account,
        approved_at=timezone.now(),
        approved_by=runs.COMMAND,
    )
    taken = runs.take_lease(run.pk, timezone.now())
    result = deliver(taken, reading, to) if taken else None
    if result is None:
        # Another worker has it: what becomes of each cell is known there only.
        run.refresh_from_db()
        return Result(run)
    return result
