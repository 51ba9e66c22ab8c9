"""Whose job is next: schools take turns, so that a busy one keeps nobody else waiting.

Workers fetch the highest priority first, then the oldest. A school's next job stands one step behind its last
waiting one, and a school that had none waiting starts level with whoever is next (start-time fair queueing), so
jobs are fetched one school after the other, each school's in the order they came.
"""

from __future__ import annotations

from django.db import connection

from lti_tool.models import Context

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


def turn_of(context: Context) -> int:
    """The priority of a job for this course, now. `least` leaves out what is null: nobody waits."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [context.registration_id])
        [priority] = cursor.fetchone() or (0,)
    return int(priority)


def waiting_runs() -> set[int]:
    """The runs whose job no worker has taken yet: they are late, not left behind."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT (args->>'run_id')::bigint FROM procrastinate_jobs"
            " WHERE status = 'todo' AND args ? 'run_id'"
        )
        return {row[0] for row in cursor.fetchall()}
