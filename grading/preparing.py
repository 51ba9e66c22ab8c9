"""Preparing: the course is read and planned, the plan is sealed, and a preview waits for a person."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Any

from django.utils import timezone

from alignments import services as alignments
from canvas.models import CanvasAccount
from grading import planning, runs
from grading.connection import Connection, Stopped, connect, stopped, stopped_by
from grading.endings import finish_stopped, summary
from grading.models import Run, RunState
from grading.planning import Prepared
from grading.reading import CourseReading, read_course
from grading.runs import Lease, LeaseLost
from lti_tool.errors import PlatformError
from lti_tool.models import Context


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
    with contextlib.suppress(LeaseLost):
        _fill(lease, connect(run.context, run.account))


def _fill(lease: Lease, to: Connection) -> None:
    """Raises LeaseLost, wherever it is noticed: also where the run would be ended for another reason."""
    try:
        with runs.pulse(lease, partial(how_far, to)):
            prepared, _ = plan_course(lease, to, approved_by_person=True)
        store_plan(lease, to, prepared, RunState.READY)
    except LeaseLost:
        raise
    except Stopped as end:
        finish_stopped(lease, to, end)
    except Exception:
        finish_stopped(lease, to, stopped("internal"))
        raise


def how_far(to: Connection) -> dict[str, Any]:
    """What is read now, for whoever waits: a stage and counts, nothing of a student."""
    stage = to.counter.stage
    return {"progress": {"phase": stage.name or "course", "done": stage.done, "total": stage.total}}


def plan_course(
    lease: Lease, to: Connection, *, force_conflicts: bool = False, approved_by_person: bool = False
) -> tuple[Prepared, CourseReading]:
    """Read the course and plan it. Raises Stopped, or LeaseLost where another worker does this by now."""
    stored = alignments.stored(to.context)
    try:
        reading = read_course(to, stored)
    except PlatformError as error:
        raise stopped_by(error) from error
    to.counter.reads("planning")
    prepared = planning.make(
        to.context,
        stored,
        reading,
        force_conflicts=force_conflicts,
        approved_by_person=approved_by_person,
    )
    if not lease.run.dry_run:
        # A dry run holds nobody off, so it has no lease to lose.
        lease.fence()
    planning.take_notes(to.context, stored, reading)
    if reading.course.workflow_state == "unpublished" and prepared.plan.cells:
        raise stopped("course_unpublished")
    if reading.course.concluded and reading.course.may_grade is not True and prepared.plan.to_send():
        raise stopped("concluded")
    return prepared, reading


def store_plan(lease: Lease, to: Connection, prepared: Prepared, state: RunState, **more: Any) -> None:
    """Seal the plan into its run and move the run on, in one step, with `more` fields. Raises LeaseLost."""
    plan = prepared.plan
    lease.beat(
        timezone.now(),
        state=state,
        read_at=prepared.read_at,
        sealed_plan=planning.seal_plan(prepared),
        digest=plan.digest,
        progress={},
        **summary(plan.cells, plan.problems),
        requests=to.counter.as_dict(),
        **more,
    )
