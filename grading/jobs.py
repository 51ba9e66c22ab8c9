"""Background jobs. Each may run twice or be cut off at any point: what is done is in the run's row, never in
the message, so a lost or repeated message changes nothing.
"""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from procrastinate import RetryStrategy, exceptions, jobs
from procrastinate.contrib.django import app

from canvas import noticehandlers
from canvas.models import CanvasAccount, ConsentState, ServiceToken
from grading import runs, services
from grading.applying import MOST_ATTEMPTS
from grading.core.plan import Choices
from grading.fairness import lane_of, turn_of, waiting_runs
from grading.models import Fingerprint, Run, RunState, UndoJournal
from lti_tool.models import Context, LaunchSession, Ticket, UsedNonce
from lti_tool.sessions import IDLE, TOTAL

log = logging.getLogger(__name__)

QUEUE = "grades"
NONCE_LIFE = timedelta(days=1)
JOB_LIFE = timedelta(days=7)
PREVIEW_LIFE = timedelta(days=7)
KEEP_AFTER_END = timedelta(days=30)
KEEP_WITHOUT_VISIT = timedelta(days=365)
DEAD_AFTER_SECONDS = 20
"""How long a worker may be silent; it says every 5 s that it lives (the command `worker`)."""

# What pages call


def start_preview(context: Context, account: CanvasAccount, *, started_by: str) -> Run:
    """Open a run and have a worker read and plan it. Raises RunAlreadyOpen."""
    with transaction.atomic():
        run = services.begin(context, account, started_by=started_by)
        prepare_run.configure(priority=turn_of(context), lock=lane_of(context)).defer(run_id=run.pk)
    return run


def approve_and_send(
    run: Run,
    *,
    by: str,
    digest: str,
    choices: Choices = services.NO_CHOICES,
    confirm_large: bool = False,
    account: CanvasAccount | None = None,
) -> Run:
    """Approve the plan with this digest and have a worker send it as `account`. Raises NotApprovable."""
    with transaction.atomic():
        approved = services.approve(
            run, by=by, digest=digest, choices=choices, confirm_large=confirm_large, account=account
        )
        context = approved.context
        send_run.configure(priority=turn_of(context), lock=lane_of(context)).defer(run_id=approved.pk)
    return approved


def start_undo(run: Run, account: CanvasAccount, *, started_by: str) -> None:
    """Have a worker take back this run, as `account`. Asked twice, it is taken back once."""
    undo_run.configure(priority=turn_of(run.context), lock=lane_of(run.context)).defer(
        run_id=run.pk, started_by=started_by, account_id=account.pk
    )


# What workers do


@app.task(queue=QUEUE, name="grading.prepare_run")
def prepare_run(run_id: int) -> None:
    """Read and plan for a run that was opened."""
    run = Run.objects.select_related("context__registration", "context__deployment", "account").get(pk=run_id)
    services.fill(run)


@app.task(queue=QUEUE, name="grading.send_run", retry=RetryStrategy(max_attempts=3, wait=5))
def send_run(run_id: int) -> None:
    """Send an approved run, or go on with one whose worker died."""
    services.apply(run_id)


@app.task(queue=QUEUE, name="grading.undo_run")
def undo_run(run_id: int, started_by: str, account_id: int) -> None:
    """Take back one run, if it is still the newest that wrote."""
    run = Run.objects.select_related("context__registration", "context__deployment").get(pk=run_id)
    try:
        account = CanvasAccount.objects.select_related("registration").get(pk=account_id)
        services.undo(run.context, started_by=started_by, account=account, run=run)
    except (services.NothingToUndo, services.RunAlreadyOpen, CanvasAccount.DoesNotExist) as reason:
        log.info("undo of run %s not done: %s", run_id, type(reason).__name__)


@app.periodic(cron="* * * * * */20")
@app.task(queue=QUEUE, name="grading.sweep", queueing_lock="grading.sweep", pass_context=False)
def sweep(timestamp: int) -> None:
    """Runs and undos whose worker died go on in another one; previews whose reader died end."""
    now = timezone.now()
    queued = waiting_runs()
    for run in runs.stale_runs(now):
        if run.pk not in queued:
            log.warning("run %s was left by its worker", run.pk)
            _defer_once(run)
    for run in runs.stale_readings(now):
        if run.pk not in queued and runs.close(run, now, outcome=runs.DISCARDED):
            _undo_again(run)


def _undo_again(run: Run) -> None:
    """An undo whose worker died goes on as a new one, as the same person: what it put back is recognised. What three
    workers did not survive is left to people, who can ask for it once more."""
    if run.undo_of is None or run.account is None:
        return
    dead = Run.objects.filter(undo_of=run.undo_of, outcome=runs.DISCARDED).count()
    if dead < MOST_ATTEMPTS:
        log.warning("undo %s was left by its worker", run.pk)
        start_undo(run.undo_of, run.account, started_by=run.started_by)


def _defer_once(run: Run) -> None:
    """A job for the run unless one waits already. Its own savepoint: the refusal is a database error."""
    try:
        with transaction.atomic():
            send_run.configure(
                queueing_lock=f"send-{run.pk}", priority=turn_of(run.context), lock=lane_of(run.context)
            ).defer(run_id=run.pk)
    except exceptions.AlreadyEnqueued:
        return


@app.periodic(cron="17 3 * * *")
@app.task(queue=QUEUE, name="grading.clean_up", queueing_lock="grading.clean_up", pass_context=False)
def clean_up(timestamp: int) -> None:
    """Once a day: what has outlived its use goes."""
    forget_what_is_over(timezone.now())
    remove_old_jobs(JOB_LIFE)


@app.periodic(cron="43 3 * * *")
@app.task(
    queue=QUEUE, name="grading.ask_for_notices", queueing_lock="grading.ask_for_notices", pass_context=False
)
def ask_for_notices(timestamp: int) -> None:
    """Once a day: every Canvas is asked to tell of copied courses, installations of today included."""
    noticehandlers.subscribe_all(timezone.now())


def forget_what_is_over(now: datetime) -> None:
    """Everything whose time is over by `now`. docs/privacy.md says what is kept for how long."""
    UndoJournal.objects.filter(expires_at__lte=now).delete()
    UsedNonce.objects.filter(used_at__lt=now - NONCE_LIFE).delete()
    Ticket.objects.filter(expires_at__lt=now).delete()
    ConsentState.objects.filter(expires_at__lt=now).delete()
    ServiceToken.objects.filter(expires_at__lt=now).delete()
    LaunchSession.objects.filter(last_seen_at__lt=now - IDLE).delete()
    LaunchSession.objects.filter(started_at__lt=now - TOTAL).delete()
    for run in Run.objects.filter(state=RunState.READY, read_at__lt=now - PREVIEW_LIFE):
        # Its plan is about students, sealed; nobody will send it any more.
        runs.close(run, now, outcome=runs.DISCARDED)
    forget_ended_courses(now)


def forget_ended_courses(now: datetime) -> None:
    """Fingerprints go 30 days after the course ends; where Canvas names no end, after a year without a visit."""
    ended = Q(target__context__ends_at__lt=now - KEEP_AFTER_END)
    abandoned = Q(target__context__ends_at=None, target__context__last_launch_at__lt=now - KEEP_WITHOUT_VISIT)
    Fingerprint.objects.filter(ended | abandoned).delete()


def remove_old_jobs(older_than: timedelta) -> None:
    """Finished jobs, failed ones too: what they did is in the runs."""
    hours = int(older_than.total_seconds() // 3600)
    task = app.configure_task("builtin:procrastinate.builtin_tasks.remove_old_jobs", queue=QUEUE)
    task.defer(max_hours=hours, remove_failed=True, remove_cancelled=True, remove_aborted=True)


@app.periodic(cron="* * * * * */20")
@app.task(queue=QUEUE, name="grading.end_dead_jobs", queueing_lock="grading.end_dead_jobs")
async def end_dead_jobs(timestamp: int) -> None:
    """Jobs of workers that were killed would be `doing` for ever, each in a lane of its school; their runs are taken
    up by `sweep` once the lease is over. Who was only frozen may go on with its job: at the fence it learns whether
    the run is still its own."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS):
        # It may have ended since, by its own worker or by another's round.
        with contextlib.suppress(exceptions.ConnectorException):
            await app.job_manager.finish_job(job, status=jobs.Status.FAILED, delete_job=False)
