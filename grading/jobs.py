"""Background jobs on the same PostgreSQL: reading a preview, sending an approved plan, undo, and the sweeper.

A job's arguments are a run's id, nothing about a student. Deferring goes through Django's own connection,
so a job exists if and only if its run does. No status depends on one message: the sweeper finishes what a
dead worker left.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from canvas.models import CanvasAccount
from grading import runs, services
from grading.core.plan import Choices
from grading.models import Run
from lti_tool.models import Context

QUEUE = "grades"


@app.task(queue=QUEUE, name="grading.read_preview")
def read_preview(run_id: int) -> None:
    """Read and plan for a preview that a person began."""
    run = Run.objects.select_related("context__registration", "account").filter(pk=run_id).first()
    if run is not None:
        services.fill(run)


@app.task(queue=QUEUE, name="grading.send_run")
def send_run(run_id: int) -> None:
    """Send an approved plan, or finish one whose worker died."""
    services.apply(run_id)


@app.periodic(cron="* * * * *")
@app.task(queue=QUEUE, name="grading.sweep", queueing_lock="grading.sweep", pass_context=False)
def sweep(timestamp: int) -> None:
    """Once a minute: runs nobody has heard of for a while are finished by whoever is alive."""
    for run in runs.stale_runs(timezone.now()):
        services.apply(run.pk)


def begin_preview(context: Context, account: CanvasAccount, *, started_by: str) -> Run:
    """Open a run and have a worker read for it. Raises RunAlreadyOpen."""
    with transaction.atomic():
        run = services.begin(context, account, started_by=started_by)
        read_preview.defer(run_id=run.pk)
    return run


def approve_and_send(run: Run, *, by: str, digest: str, choices: Choices, confirm_large: bool) -> Run:
    """Approve the plan with this digest and have a worker send it. Raises NotApprovable."""
    with transaction.atomic():
        approved = services.approve(run, by=by, digest=digest, choices=choices, confirm_large=confirm_large)
        send_run.defer(run_id=run.pk)
    return approved
