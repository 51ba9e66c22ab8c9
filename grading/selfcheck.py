"""What the self-check says of background work: are there workers, and do they keep up?"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from lti_tool.selfcheck import Finding, ok, problem, warning

SILENT = timedelta(seconds=60)
"""A worker says every five seconds that it lives (the command `worker`)."""
SLOW, STUCK = timedelta(minutes=1), timedelta(minutes=10)
START = "Start one: manage.py worker. Have the service manager start it again whenever it ends."


def check_jobs(now: datetime) -> list[Finding]:
    """The worker's sign of life, and how long the next job has been waiting."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > %s", [now - SILENT])
        [alive] = cursor.fetchone() or (0,)
        cursor.execute(
            "SELECT count(*), min(greatest(job.scheduled_at, event.at)) FROM procrastinate_jobs job"
            " JOIN procrastinate_events event ON event.job_id = job.id AND event.type = 'deferred'"
            " WHERE job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= %s)",
            [now],
        )
        count, since = cursor.fetchone() or (0, None)
    return [_worker(alive), _queue(count, now - since if since else timedelta(0))]


def _worker(alive: int) -> Finding:
    if not alive:
        return problem(
            "worker", "Worker", "No worker has been heard of for a minute: nothing is sent.", START
        )
    return ok("worker", "Worker", f"{alive} worker{'' if alive == 1 else 's'} at work.")


def _queue(count: int, age: timedelta) -> Finding:
    words = f"{count:,} job{' waits' if count == 1 else 's wait'}, the oldest for {age.total_seconds():,.0f} seconds."
    if age > STUCK:
        return problem("queue", "Queue", words, "Look at the workers' logs, and start more of them.")
    if age > SLOW:
        return warning("queue", "Queue", words, "Start more workers: manage.py worker, on any machine.")
    return ok("queue", "Queue", words if count else "No job waits.")
