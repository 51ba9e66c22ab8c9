"""Whose job is next: schools take turns, so that a busy one keeps nobody else waiting.

No school has more than JOBS_PER_SCHOOL jobs at work where there are several: its jobs go into so many lanes, and of
each lane workers take one at a time (procrastinate's lock). Long jobs of one school then never hold every slot.

Workers fetch the highest priority first, then the oldest. A school's next job stands one step behind its last
waiting one, and a school that had none waiting starts level with whoever is next (start-time fair queueing), so
jobs are fetched one school after the other, each school's in the order they came.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from lti_tool.models import Context, Registration

_NEXT = """
WITH waiting AS (
  SELECT job.priority, context.registration_id
  FROM procrastinate_jobs job
  JOIN grading_run run ON run.id = (job.args->>'run_id')::bigint
  JOIN lti_tool_context context ON context.id = run.context_id
  WHERE job.status = 'todo'
)
SELECT least(0, (SELECT max(priority) FROM waiting),
             (SELECT min(priority) - 1 FROM waiting WHERE registration_id = %s))
"""

_UNFINISHED = """
SELECT lock, count(*) FROM procrastinate_jobs
WHERE status IN ('todo', 'doing') AND lock = ANY(%s) GROUP BY lock
"""


def turn_of(context: Context) -> int:
    """The priority of a job for this course, now. `least` leaves out what is null: nobody waits."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [context.registration_id])
        [priority] = cursor.fetchone() or (0,)
    return int(priority)


def lane_of(context: Context) -> str | None:
    """The lock of a job for this course: the lane of its school with the fewest jobs; None, so no limit, where there is
    no other school. Two jobs that come at once may choose the same lane: then one waits for the other."""
    if not settings.JOBS_PER_SCHOOL or Registration.objects.filter(is_active=True).count() < 2:
        return None
    lanes = [f"school-{context.registration_id}-{lane}" for lane in range(settings.JOBS_PER_SCHOOL)]
    with connection.cursor() as cursor:
        cursor.execute(_UNFINISHED, [lanes])
        unfinished = dict(cursor.fetchall())
    return min(lanes, key=lambda lane: unfinished.get(lane, 0))


def waiting_runs() -> set[int]:
    """The runs whose job no worker has taken yet: they are late, not left behind."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT (args->>'run_id')::bigint FROM procrastinate_jobs"
            " WHERE status = 'todo' AND args ? 'run_id'"
        )
        return {row[0] for row in cursor.fetchall()}
