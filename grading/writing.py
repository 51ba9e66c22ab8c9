"""Writing a plan's cells column by column, until each has a receipt or is known not to have arrived.

Bulk jobs of several assignments are started together (`send_jobs`), the scores of our columns follow one another
without a pause (`send_scores`); then every column is gone through by itself (`send_column`): what is unclear is read
back and tried again. How a score or a job is sent is in `writers`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from math import inf

from django.db import connection

from alignments.services import StoredAlignment
from grading import making, writers
from grading.connection import Stopped
from grading.core.columns import Column
from grading.core.plan import PlannedCell, numeric
from grading.delivery import Delivery
from grading.ledger import CHANGED, SENT, UNREAD, holds, is_as_planned_from, refused
from grading.writers import ColumnRefused, ColumnScores, LineItemColumn, Looked
from lti_tool.errors import MaybeSent, Outdated

ROUNDS = 4
"""How often a cell is tried whose write may or may not have arrived."""
JOBS_AT_ONCE = 8
"""Bulk jobs started and not yet over: Canvas works them off one by one."""
FRESH_SECONDS = 3.0
"""Cells that were looked at longer ago are looked at once more right before their turn: where many are sent, a
person may have graded one meanwhile."""
CULPRITS = 12
"""How many cells of one column may stop a bulk job, or pauses put it off, before the rest is tried anew."""
NOT_FOUND = refused("not_a_student", writers.UNSEEN)


def send_jobs(on: Delivery, of_each: Mapping[int, Sequence[PlannedCell]]) -> None:
    """Start the bulk jobs of several assignments at once: Canvas works them off one by one, and nobody
    waits for each. What a job leaves unclear is left to `send_column`."""
    waiting: list[tuple[Column, Sequence[PlannedCell]]] = []
    for one in on.stored:
        column = on.columns.get(one.id)
        cells = on.ledger.without_receipt(of_each.get(one.id, ()))
        if cells and column and column.assignment and not on.goes_by_ags(one, column):
            cells.sort(key=lambda cell: numeric(cell.user))
            on.intend(one, column, cells)
            waiting += [(column, batch) for batch in writers.batches(cells, writers.GRADES_A_JOB)]
    if waiting:
        on.beat("sending", column=waiting[0][0].label)
    pool = ThreadPoolExecutor(max_workers=JOBS_AT_ONCE)
    try:
        jobs = {pool.submit(_one_job, on, *each): each[0].label for each in waiting}
        for job in as_completed(jobs):
            if (end := job.result()) is not None:
                raise end
            on.between_batches(next((label for other, label in jobs.items() if not other.done()), ""))
    finally:
        # After a stop no further job starts; those under way are followed to their end.
        pool.shutdown(cancel_futures=True)


def _one_job(on: Delivery, column: Column, cells: Sequence[PlannedCell]) -> Stopped | None:
    """In a thread of its own: no database here, and nothing raised past its neighbours."""
    assert column.assignment is not None
    try:
        batch = _in_time(on, cells, on.looked_at)
        cells = batch.cells
        if not cells:
            return None
        progress = writers.post_job(on.to, column.assignment.id, batch, on.ledger, _no_beat)
        if progress.workflow_state == "completed":
            on.ledger.put(cells, SENT)
        elif not progress.is_over:
            # It may still run: nothing is queued behind it.
            on.ledger.put(cells, refused("no_answer"))
    except ColumnRefused as error:
        on.ledger.put(cells, error.receipt)
    except (MaybeSent, Outdated):
        return None
    except Stopped as end:
        return end
    finally:
        # Renewing the token may have opened one in this thread.
        connection.close()
    return None


def send_scores(on: Delivery, of_each: Mapping[int, Sequence[PlannedCell]]) -> None:
    """Send the scores of our columns: while the last ones of a column are under way, the next column begins. What has
    no answer is left to `send_column`."""
    sent: list[tuple[ColumnScores, Sequence[PlannedCell]]] = []
    with writers.Scores(on.to, on.ledger, on.between_batches) as under_way:
        for one in on.stored:
            column = on.columns.get(one.id)
            cells = on.ledger.without_receipt(of_each.get(one.id, ()))
            if not cells or column is None or not on.goes_by_ags(one, column):
                continue
            if sent and sent[-1][0].errors:
                _end(on, under_way, *sent.pop())
            on.beat("sending", column=column.label)
            cells.sort(key=lambda cell: numeric(cell.user))
            on.intend(one, column, cells)
            still = partial(_in_time, on, looked_at=on.looked_at)
            sent.append((under_way.post(_line_item(on, one, column), cells, still), cells))
        for scores, of_column in sent:
            _end(on, under_way, scores, of_column)


def _end(on: Delivery, under_way: writers.Scores, scores: ColumnScores, cells: Sequence[PlannedCell]) -> None:
    try:
        under_way.end(scores)
    except ColumnRefused as error:
        _refuse(on, cells, error)


def _line_item(on: Delivery, one: StoredAlignment, column: Column) -> LineItemColumn:
    assert column.line_item is not None
    return LineItemColumn(
        column.line_item.url, column.line_item.score_maximum, making.stamp(one.target, on.read_at)
    )


def _refuse(on: Delivery, cells: Sequence[PlannedCell], error: ColumnRefused) -> None:
    """The receipts of a column that Canvas takes nothing more for."""
    left = on.ledger.without_receipt(cells)
    # An earlier try of these may arrive still: nothing certain can be said of them.
    on.ledger.put((cell for cell in left if cell.key in on.ledger.unanswered), refused("no_answer"))
    on.ledger.put(on.ledger.without_receipt(left), error.receipt)


def send_column(on: Delivery, one: StoredAlignment, cells: Sequence[PlannedCell]) -> None:
    """Send a column's cells; those whose fate is unknown are read back and tried again."""
    column = on.columns.get(one.id)
    pending = on.ledger.without_receipt(cells)
    if not pending or column is None or column.assignment is None:
        return
    on.beat("sending", column=column.label)
    pending.sort(key=lambda cell: numeric(cell.user))
    try:
        if any(cell.key in on.ledger.attempted for cell in pending):
            pending = _unwritten(on, pending)
        looked_at = on.looked_at
        for attempt in range(ROUNDS if pending else 0):
            on.intend(one, column, pending)
            _write(on, one, column, pending, looked_at)
            looked_at = time.monotonic()
            pending = _unwritten(on, on.ledger.without_receipt(pending))
            if not pending:
                return
            writers.rest_a_while(attempt, on.still_ours)
        on.ledger.put((cell for cell in pending if cell.key in on.ledger.attempted), refused("no_answer"))
        on.ledger.put(on.ledger.without_receipt(pending), refused("throttled"))
    except ColumnRefused as error:
        _refuse(on, pending, error)


def _write(
    on: Delivery, one: StoredAlignment, column: Column, cells: Sequence[PlannedCell], looked_at: float
) -> None:
    if on.goes_by_ags(one, column):
        still = partial(_in_time, on, looked_at=looked_at)
        where = _line_item(on, one, column)
        writers.post_scores(on.to, where, cells, on.ledger, still, on.between_batches)
    else:
        _write_in_bulk(on, column, cells, looked_at)


def _write_in_bulk(on: Delivery, column: Column, cells: Sequence[PlannedCell], looked_at: float) -> None:
    assert column.assignment is not None
    for batch in writers.batches(cells, writers.GRADES_A_JOB):
        _job(on, column.assignment.id, _in_time(on, batch, looked_at))
        on.between_batches()


def _in_time(on: Delivery, cells: Sequence[PlannedCell], looked_at: float) -> Looked:
    """Of cells that waited for their turn: those that nobody changed meanwhile. The others get their receipt."""
    if time.monotonic() - looked_at <= FRESH_SECONDS:
        return writers.looked(cells, looked_at)
    began = time.monotonic()
    now = on.read(cells)
    still: list[PlannedCell] = []
    for planned in cells:
        cell = on.cell(now, planned)
        # A column made a moment ago may have no cells yet.
        if cell is None or is_as_planned_from(cell, planned):
            still.append(planned)
        else:
            on.ledger.receipts[planned.key] = CHANGED
    return writers.looked(still, began)


def _job(on: Delivery, assignment_id: str, batch: Looked) -> None:
    """One batch by bulk jobs. A job stops silently at the first cell it cannot grade: that one is sent
    by itself, which makes Canvas say why, and the rest goes into the next job."""
    for _ in range(CULPRITS if batch.cells else 0):
        cells = batch.cells
        try:
            progress = writers.post_job(on.to, assignment_id, batch, on.ledger, on.still_ours)
        except MaybeSent:
            return
        except Outdated:
            batch = _in_time(on, cells, -inf)
            if not batch.cells:
                return
            continue
        if progress.workflow_state == "completed":
            # Confirmed by the reading back at the end.
            on.ledger.put(cells, SENT)
            return
        began = time.monotonic()
        cells = _unwritten(on, cells)
        if not cells:
            return
        if not progress.is_over:
            on.ledger.put(cells, refused("no_answer"))
            return
        if "find User" in progress.message:
            on.ledger.put(cells, NOT_FOUND)
            return
        writers.put_one(on.to, assignment_id, cells[0], writers.looked(cells, began).until, on.ledger)
        batch = _in_time(on, cells[1:], began)
        if not batch.cells:
            return


def _unwritten(on: Delivery, cells: Sequence[PlannedCell]) -> list[PlannedCell]:
    """Of cells without a certain fate: those still as they were. The others get their receipt."""
    if not cells:
        return []
    now = on.read(cells)
    left: list[PlannedCell] = []
    for planned in cells:
        cell = on.cell(now, planned)
        if holds(cell, planned):
            # Where nothing of ours can have left, somebody else had the same idea.
            on.ledger.receipts[planned.key] = SENT if planned.key in on.ledger.attempted else CHANGED
        elif is_as_planned_from(cell, planned) or (cell is None and planned.key not in on.ledger.attempted):
            left.append(planned)
        elif cell is None:
            on.ledger.receipts[planned.key] = NOT_FOUND if planned.key in on.ledger.not_all_found else UNREAD
        else:
            on.ledger.receipts[planned.key] = CHANGED
    return left


def _no_beat() -> None:
    """Threads leave the heartbeat to `runs.pulse`."""
