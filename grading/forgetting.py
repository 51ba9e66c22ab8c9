"""Forgetting a course: every row about it goes; what is in Canvas stays as it is."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass

from django.db import connection, transaction

from alignments.models import Alignment
from canvas import oauth
from canvas.models import CanvasAccount, CourseGrader
from grading import runs
from grading.models import OPEN_STATES, Run, RunState
from lti_tool.models import Context

log = logging.getLogger(__name__)

IN_CANVAS = (
    "Nothing changes in Canvas: grades, columns and outcomes stay as they are. If the tool is used here "
    "again, it makes columns anew, and takes every grade it wrote into an assignment for a person's."
)
"""What a person should know first."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was deleted: rows by table, and how many Canvas accounts were disconnected with the course."""

    rows: dict[str, int]
    disconnected: int

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def forget(context: Context) -> Receipt:
    """Delete everything about this course. Raises RunAlreadyOpen while a sync of it is under way.

    The accounts of people who graded no other course are given back at Canvas and go too.
    """
    left = runs.left_behind(context)
    with transaction.atomic():
        Context.objects.select_for_update().get(pk=context.pk)
        _refuse_while_busy(context, left)
        people = CourseGrader.objects.filter(context=context).values_list("canvas_user_id", flat=True)
        candidates = list(
            CanvasAccount.objects.select_related("registration").filter(
                registration=context.registration_id, canvas_user_id__in=list(people)
            )
        )
        rows = _delete_rows(context)
    alone = [account for account in candidates if not _grades_elsewhere(account)]
    for account in alone:
        # After the transaction: a call to Canvas holds no lock of ours, and its failure brings nothing back.
        oauth.disconnect(account)
    log.info("course forgotten rows=%d accounts=%d", sum(rows.values()), len(alone))
    return Receipt(dict(rows), len(alone))


def _refuse_while_busy(context: Context, left: Run | None) -> None:
    """A preview that nobody sent goes with the course; so does a run whose process is gone."""
    busy = Run.objects.filter(context=context, state__in=OPEN_STATES).exclude(state=RunState.READY).first()
    if busy is not None and (left is None or busy.pk != left.pk):
        raise runs.RunAlreadyOpen(busy)


def _delete_rows(context: Context) -> Counter[str]:
    """Alignments first, because they protect their targets; the rest follows the course's own row."""
    deleted = Counter({"procrastinate_jobs": _delete_jobs(context)})
    for _, by_model in (Alignment.objects.filter(context=context).delete(), context.delete()):
        deleted.update(by_model)
    return +deleted


def _delete_jobs(context: Context) -> int:
    """Jobs name nothing but the run they are for."""
    numbers = list(Run.objects.filter(context=context).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (SELECT id FROM procrastinate_jobs WHERE (args->>'run_id')::bigint = ANY(%s)),"
            " unlinked AS (UPDATE procrastinate_periodic_defers SET job_id = NULL"
            " WHERE job_id IN (SELECT id FROM gone))"
            " DELETE FROM procrastinate_jobs WHERE id IN (SELECT id FROM gone)",
            [numbers],
        )
        return int(cursor.rowcount)


def _grades_elsewhere(account: CanvasAccount) -> bool:
    return CourseGrader.objects.filter(
        context__registration=account.registration_id, canvas_user_id=account.canvas_user_id
    ).exists()
