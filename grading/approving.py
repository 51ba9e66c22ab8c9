"""Approving: a person's word on exactly the plan they saw, and the ways not to send it after all."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from canvas.models import CanvasAccount
from grading import planning, runs
from grading.core.plan import Choices
from grading.endings import summary
from grading.models import OPEN_STATES, Run, RunState
from grading.planning import Prepared
from grading.runs import NotApprovable
from lti_tool.models import Context

NO_CHOICES = Choices()


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
            **summary(plan.cells, plan.problems),
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
