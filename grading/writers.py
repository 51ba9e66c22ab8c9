"""The two ways to write a column's cells: AGS, one score a call; REST, one bulk job.

Both put a receipt into the ledger for every cell whose fate they know, leave those they do not know without
one (they are read back), and raise `Stopped` when nothing more can be sent.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NoReturn, TypeVar

from django.db import connection

from canvas.rest import CLEAR, EXCUSE, Grade
from canvas.throttle import MOST_IN_FLIGHT
from canvas.values import Progress
from grading.connection import STOPS_RUN, Connection, Stopped, stopped_by
from grading.core.grades import EXCUSED, to_score
from grading.core.plan import PlannedCell
from grading.ledger import CHANGED, SENT, Ledger, Receipt, refused
from lti_tool.errors import MaybeSent, PlatformError, Refused

SCORES_A_BATCH = 40
SCORES_AHEAD = 2 * MOST_IN_FLIGHT
"""Scores of a batch that may be left when the next one is looked at: Canvas never waits for us meanwhile."""
GRADES_A_JOB = 500
CELLS_A_LOOK = 10
"""Of cells that are sent by themselves, one after the other, how many between two looks at them."""
JOB_SECONDS = 600.0
LONGEST_WAIT = 60.0

UNSEEN = (
    "Canvas found no such student among those the connected account may grade: they have left, or are in a section "
    "it does not see."
)
STOPS_COLUMN = {"unpublished", "gone", "column_gone", "not_ours", "wrong_link", "points_changed"}

Item = TypeVar("Item")
Beat = Callable[[], None]


@dataclass(frozen=True, slots=True)
class LineItemColumn:
    """A column of ours. `maximum` is the line item's own, so that a score arrives unscaled."""

    url: str
    maximum: Decimal
    timestamp: datetime


class ColumnRefused(Exception):
    """Canvas takes nothing for this column; its cells without a receipt get this one."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(receipt.code)
        self.receipt = receipt


def post_scores(
    to: Connection,
    column: LineItemColumn,
    cells: Sequence[PlannedCell],
    ledger: Ledger,
    still: Callable[[Sequence[PlannedCell]], Sequence[PlannedCell]],
    beat: Beat,
) -> None:
    """Post each cell's score once, as many at once as the bucket allows. Cells without an answer are left for
    reading back. `still` is asked for each batch right before its turn, while the last scores of the batch before
    are under way, and gives those that may be written still. Raises ColumnRefused or Stopped."""
    errors: list[PlatformError] = []
    under_way: deque[Future[None]] = deque()
    # What ends this early lets the few scores that were handed over end first.
    with ThreadPoolExecutor(max_workers=MOST_IN_FLIGHT) as pool:
        for batch in batches(cells, SCORES_A_BATCH):
            batch = still(batch)
            _count_again(to, ledger, batch)
            ledger.attempted.update(cell.key for cell in batch)
            under_way.extend(pool.submit(_post, to, column, cell, ledger, errors) for cell in batch)
            while len(under_way) > SCORES_AHEAD:
                under_way.popleft().result()
            beat()
            if errors:
                break
        for post in under_way:
            post.result()
    if errors:
        _stop(to, errors[0])


def _count_again(
    to: Connection, ledger: Ledger, cells: Sequence[PlannedCell], calls: int = SCORES_A_BATCH
) -> None:
    """Of the calls about to be made, one a cell unless fewer: those that repeat one nobody answered."""
    again = sum(cell.key in ledger.attempted for cell in cells)
    for _ in range(min(again, calls)):
        to.counter.tried_again()


def _post(
    to: Connection, column: LineItemColumn, cell: PlannedCell, ledger: Ledger, errors: list[PlatformError]
) -> None:
    """In a thread of its own. `errors` takes those that concern more than this cell; after one, nothing leaves."""
    if errors:
        ledger.never_left(cell)
        return
    try:
        to.ags.post_score(column.url, cell.user, to_score(cell.after), column.maximum, column.timestamp)
        ledger.receipts[cell.key] = SENT
    except Refused as error:
        ledger.turned_away(cell, _receipt_of(error))
        if error.code in STOPS_RUN | STOPS_COLUMN:
            errors.append(error)
    except MaybeSent:
        ledger.no_answer([cell])
    except PlatformError as error:
        ledger.never_left(cell)
        errors.append(error)
    finally:
        # Renewing the service token may have opened one in this thread.
        connection.close()


def _receipt_of(error: Refused) -> Receipt:
    return CHANGED if error.code == "superseded" else refused(error.code)


def _has_ended(to: Connection) -> bool:
    try:
        return to.rest.course(to.course_id).concluded
    except PlatformError:
        return False


def _stop(to: Connection, error: PlatformError) -> NoReturn:
    if error.code == "column_gone" and _has_ended(to):
        # Older Canvas hides the line items of a course that has ended: 404, not 422.
        raise stopped_by(Refused(code="concluded", status=error.status, where=error.where)) from error
    if isinstance(error, Refused) and error.code in STOPS_COLUMN:
        raise ColumnRefused(refused(error.code)) from error
    raise stopped_by(error) from error


def post_job(
    to: Connection,
    assignment_id: str,
    cells: Sequence[PlannedCell],
    ledger: Ledger,
    beat: Beat,
) -> Progress:
    """One bulk job for cells of one assignment, followed to its end. What it wrote has to be read back.
    Raises ColumnRefused, Stopped, or MaybeSent when it is not known whether the job was taken."""
    grades = {cell.user: posted_grade(cell) for cell in cells}
    _count_again(to, ledger, cells, calls=1)
    try:
        progress = to.rest.post_grades(to.course_id, assignment_id, grades)
    except MaybeSent:
        ledger.no_answer(cells)
        raise
    except Refused as error:
        raise ColumnRefused(why_refused(to, assignment_id, error)) from error
    except PlatformError as error:
        raise stopped_by(error) from error
    ledger.attempted.update(cell.key for cell in cells)
    try:
        end = to.rest.wait_for(progress, seconds=JOB_SECONDS, on_wait=lambda _: beat())
    except MaybeSent:
        ledger.no_answer(cells)
        raise
    except PlatformError as error:
        ledger.no_answer(cells)
        if error.code == "gone":
            # Canvas has forgotten the job: what it wrote is to be read back.
            raise MaybeSent(error.detail, code=error.code, status=error.status, where=error.where) from error
        raise stopped_by(error) from error
    if not end.is_over:
        ledger.no_answer(cells)
    if "find User" in end.message:
        ledger.not_all_found.update(cell.key for cell in cells)
    if end.workflow_state == "failed" and "not published or deleted" in end.message:
        raise ColumnRefused(why_refused(to, assignment_id, Refused(code="unpublished")))
    return end


def put_one(to: Connection, assignment_id: str, cell: PlannedCell, ledger: Ledger) -> None:
    """One cell by itself, which makes Canvas say why it refuses."""
    ledger.attempted.add(cell.key)
    try:
        to.rest.put_grade(to.course_id, assignment_id, cell.user, posted_grade(cell))
        ledger.receipts[cell.key] = SENT
    except Refused as error:
        is_unseen = error.code == "gone"
        ledger.turned_away(cell, refused("not_a_student", UNSEEN) if is_unseen else refused(error.code))
    except MaybeSent:
        ledger.no_answer([cell])
    except PlatformError as error:
        raise stopped_by(error) from error


def posted_grade(cell: PlannedCell) -> Grade:
    """What REST is sent for the grade the plan wants."""
    if cell.after is None:
        return CLEAR
    return EXCUSE if cell.after == EXCUSED else cell.after


def why_refused(to: Connection, assignment_id: str, error: Refused) -> Receipt:
    """Canvas answers alike when an assignment is unpublished, a course has ended and a person may not grade:
    look which it is. Raises Stopped where it concerns the whole course, or where looking is refused as well."""
    try:
        return _why_refused(to, assignment_id, error)
    except PlatformError as another:
        raise stopped_by(another) from another


def _why_refused(to: Connection, assignment_id: str, error: Refused) -> Receipt:
    assignment = to.rest.assignments(to.course_id).get(assignment_id)
    if assignment is None:
        return refused("column_gone")
    if not assignment.published:
        return refused("unpublished", f'Publish the assignment "{assignment.name}" and send again.')
    if error.code in STOPS_RUN:
        raise stopped_by(error)
    if error.code == "may_not_grade":
        course = to.rest.course(to.course_id)
        if course.concluded or course.may_grade is False:
            code = "concluded" if course.concluded else "no_permission"
            raise stopped_by(Refused(code=code))
    return refused(error.code)


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def rest_a_while(attempt: int, beat: Beat) -> None:
    """Before trying again what may have been sent: give Canvas time to finish it."""
    time.sleep(min(0.5 * 2**attempt, LONGEST_WAIT))
    beat()


__all__ = ["ColumnRefused", "LineItemColumn", "Stopped", "batches", "post_job", "post_scores", "put_one"]
