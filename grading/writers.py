"""The two ways to write a column's cells: AGS, one score a call; REST, one bulk job.

Both put a receipt into the ledger for every cell whose fate they know, leave those they do not know without
one (they are read back), and raise `Stopped` when nothing more can be sent.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from lti_tool.errors import MaybeSent, Outdated, PlatformError, Refused, Throttled

SCORES_A_BATCH = 40
SCORES_AHEAD = 2 * MOST_IN_FLIGHT
"""Scores of a batch that may be left when the next one is looked at: Canvas never waits for us meanwhile."""
GRADES_A_JOB = 500
CELLS_A_LOOK = 10
"""Of cells that are sent by themselves, one after the other, how many between two looks at them."""
JOB_SECONDS = 600.0
LONGEST_WAIT = 60.0
LOOK_LASTS_SECONDS = 8.0
"""How long after its cells were last looked at, or known to be fresh, a write may still leave."""
LEAST_SECONDS = 5.0
"""A look that took long itself lasts this much longer, else nothing would ever be written to a slow Canvas."""
LONGEST_SILENCE = 90.0
"""How long every write may come too late, because Canvas asks for one pause after another."""

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


@dataclass(frozen=True, slots=True)
class Looked:
    """Cells that may be written still, and until which moment of `time.monotonic` that is true enough."""

    cells: Sequence[PlannedCell]
    until: float


Still = Callable[[Sequence[PlannedCell]], Looked]
"""Asked right before their turn: which of these cells may be written still."""


def looked(cells: Sequence[PlannedCell], began: float) -> Looked:
    """Cells whose look began at this moment of `time.monotonic`: what a person does from then on, nobody has seen."""
    return Looked(cells, max(began + LOOK_LASTS_SECONDS, time.monotonic() + LEAST_SECONDS))


@dataclass(frozen=True, slots=True)
class ColumnScores:
    """One column's scores. `left` have to be handed over still; `errors` are refusals of the column itself."""

    column: LineItemColumn
    still: Still
    left: deque[PlannedCell]
    errors: list[PlatformError] = field(default_factory=list)


class ColumnRefused(Exception):
    """Canvas takes nothing for this column; its cells without a receipt get this one."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(receipt.code)
        self.receipt = receipt


class Scores:
    """Scores on their way, each cell's once, as many at once as the bucket allows: from batch to batch and from column
    to column without a pause. Use as a context: what ends early lets the few that were handed over end first."""

    def __init__(self, to: Connection, ledger: Ledger, beat: Beat) -> None:
        self._to, self._ledger, self._beat = to, ledger, beat
        self._pool = ThreadPoolExecutor(max_workers=MOST_IN_FLIGHT)
        self._a_batch = SCORES_A_BATCH
        self._under_way: deque[Future[None]] = deque()
        self._stops: list[PlatformError] = []

    def __enter__(self) -> Scores:
        return self

    def __exit__(self, *raised: object) -> None:
        self._pool.shutdown()

    def post(self, column: LineItemColumn, cells: Sequence[PlannedCell], still: Still) -> ColumnScores:
        """Hand these cells over, batch by batch; the last few are under way when this returns. Raises Stopped."""
        scores = ColumnScores(column, still, deque(cells))
        self._hand_over(scores)
        return scores

    def _hand_over(self, scores: ColumnScores) -> None:
        while scores.left and not (scores.errors or self._stops):
            batch = scores.still(_next(scores.left, self._a_batch))
            self._to.counter.tried_again(_sent_before(self._ledger, batch.cells))
            self._ledger.attempted.update(cell.key for cell in batch.cells)
            self._under_way.extend(self._pool.submit(self._post, scores, cell, batch) for cell in batch.cells)
            self._wait(SCORES_AHEAD)
            self._beat()
        if self._stops:
            self._wait(0)
            raise stopped_by(self._stops[0]) from self._stops[0]

    def end(self, scores: ColumnScores) -> None:
        """Wait for what is under way. Cells without an answer are left for reading back. Raises ColumnRefused where
        Canvas takes nothing more for this column, or Stopped."""
        self._wait(0)
        while scores.left and not (self._stops or scores.errors):
            self._hand_over(scores)
            self._wait(0)
        errors = self._stops or scores.errors
        if errors:
            _stop(self._to, errors[0])

    def _wait(self, left: int) -> None:
        while len(self._under_way) > left:
            self._under_way.popleft().result()

    def _post(self, scores: ColumnScores, cell: PlannedCell, batch: Looked) -> None:
        """In a thread of its own. After an error that concerns more than one cell nothing leaves."""
        if scores.errors or self._stops:
            self._ledger.never_left(cell)
            return
        column = scores.column
        try:
            score = to_score(cell.after)
            with _in_turn(self._to, self._ledger, batch.until):
                self._to.ags.post_score(column.url, cell.user, score, column.maximum, column.timestamp)
            self._ledger.receipts[cell.key] = SENT
        except Refused as error:
            self._ledger.turned_away(cell, _receipt_of(error))
            if error.code in STOPS_COLUMN:
                scores.errors.append(error)
            elif error.code in STOPS_RUN:
                self._stops.append(error)
        except MaybeSent:
            self._ledger.no_answer([cell])
        except Outdated:
            # Canvas is slow: once more, and fewer at a time, so that each is looked at right before it goes.
            self._ledger.never_left(cell)
            scores.left.append(cell)
            self._a_batch = max(MOST_IN_FLIGHT, len(batch.cells) // 2)
        except PlatformError as error:
            self._ledger.never_left(cell)
            self._stops.append(error)
        finally:
            # Renewing the service token may have opened one in this thread.
            connection.close()


@contextmanager
def _in_turn(to: Connection, ledger: Ledger, until: float) -> Iterator[None]:
    """One write. Raises Outdated where its turn comes after `until`, and Throttled where that was so for long, with
    every other write too."""
    try:
        with to.fence.until(until):
            yield
    except Outdated:
        now = time.monotonic()
        ledger.late_since = ledger.late_since or now
        if now - ledger.late_since > LONGEST_SILENCE:
            raise Throttled(
                "Canvas asked for one pause after another.", wait_seconds=LONGEST_SILENCE
            ) from None
        raise
    except PlatformError:
        ledger.late_since = 0.0
        raise
    ledger.late_since = 0.0


def post_scores(
    to: Connection,
    column: LineItemColumn,
    cells: Sequence[PlannedCell],
    ledger: Ledger,
    still: Still,
    beat: Beat,
) -> None:
    """The scores of one column, to their end. Raises ColumnRefused or Stopped."""
    with Scores(to, ledger, beat) as under_way:
        under_way.end(under_way.post(column, cells, still))


def _sent_before(ledger: Ledger, cells: Sequence[PlannedCell]) -> int:
    """How many of these were sent and got no certain answer."""
    return sum(cell.key in ledger.attempted for cell in cells)


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
    batch: Looked,
    ledger: Ledger,
    beat: Beat,
) -> Progress:
    """One bulk job for cells of one assignment, followed to its end. What it wrote has to be read back.
    Raises ColumnRefused, Stopped, MaybeSent when it is not known whether the job was taken, or Outdated when its turn
    came too late."""
    cells = batch.cells
    progress = _start_job(to, assignment_id, batch, ledger)
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


def _start_job(to: Connection, assignment_id: str, batch: Looked, ledger: Ledger) -> Progress:
    cells = batch.cells
    grades = {cell.user: posted_grade(cell) for cell in cells}
    to.counter.tried_again(min(1, _sent_before(ledger, cells)))
    try:
        with _in_turn(to, ledger, batch.until):
            return to.rest.post_grades(to.course_id, assignment_id, grades)
    except Outdated:
        raise
    except MaybeSent:
        ledger.no_answer(cells)
        raise
    except Refused as error:
        raise ColumnRefused(why_refused(to, assignment_id, error)) from error
    except PlatformError as error:
        raise stopped_by(error) from error


def put_each(
    to: Connection,
    cells: Sequence[PlannedCell],
    ledger: Ledger,
    still: Still,
    assignment_of: Callable[[PlannedCell], str],
) -> None:
    """Cells by themselves, one after the other, each of them looked at not long before. Raises Stopped."""
    left = deque(cells)
    while left:
        few = still(_next(left, CELLS_A_LOOK))
        for place, cell in enumerate(few.cells):
            if not put_one(to, assignment_of(cell), cell, few.until, ledger):
                left.extendleft(reversed(few.cells[place:]))
                break


def put_one(to: Connection, assignment_id: str, cell: PlannedCell, until: float, ledger: Ledger) -> bool:
    """One cell by itself, which makes Canvas say why it refuses. False where its turn came too late, after `until`."""
    ledger.attempted.add(cell.key)
    try:
        with _in_turn(to, ledger, until):
            to.rest.put_grade(to.course_id, assignment_id, cell.user, posted_grade(cell))
        ledger.receipts[cell.key] = SENT
    except Refused as error:
        is_unseen = error.code == "gone"
        ledger.turned_away(cell, refused("not_a_student", UNSEEN) if is_unseen else refused(error.code))
    except MaybeSent:
        ledger.no_answer([cell])
    except Outdated:
        ledger.never_left(cell)
        return False
    except PlatformError as error:
        raise stopped_by(error) from error
    return True


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


def _next(items: deque[Item], count: int) -> list[Item]:
    """Takes the first few."""
    return [items.popleft() for _ in range(min(len(items), count))]


def rest_a_while(attempt: int, beat: Beat) -> None:
    """Before trying again what may have been sent: give Canvas time to finish it."""
    time.sleep(min(0.5 * 2**attempt, LONGEST_WAIT))
    beat()


__all__ = [
    "ColumnRefused",
    "ColumnScores",
    "LineItemColumn",
    "Looked",
    "Scores",
    "Stopped",
    "batches",
    "looked",
    "post_job",
    "post_scores",
    "put_each",
    "put_one",
]
