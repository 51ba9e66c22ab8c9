"""Afterwards: everything that may have been written is read back; what is ours is remembered as ours, and the
receipts say what is really there.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from functools import partial

from django.utils import timezone

from alignments.models import TargetKind
from alignments.services import StoredAlignment
from canvas.values import Cell
from grading import fingerprints, writers, writing
from grading.connection import Stopped
from grading.core.plan import PlannedCell
from grading.delivery import CellsNow, Delivery, by_alignment
from grading.ledger import CHANGED, SENT, UNREAD, holds, is_as_planned_from, refused
from grading.writers import Looked

MOST_SKIPPED = 200
"""How many cells that bulk jobs left out are sent by themselves in one run."""


def confirm(on: Delivery, cells: Sequence[PlannedCell], *, forgiving: bool) -> None:
    """Read back everything that may have been written, remember what is ours, correct the receipts."""
    sent = [cell for cell in cells if cell.key in on.ledger.attempted]
    never_left = on.intended - on.ledger.attempted
    on.forget([cell for cell in cells if cell.key in never_left])
    if not sent:
        return
    on.beat("reading_back")
    try:
        looked_at = time.monotonic()
        now = on.read(sent)
        if not forgiving and (skipped := _skipped(on, sent, now)):
            _one_by_one(on, skipped, looked_at)
            now = {**now, **on.read(skipped)}
    except Stopped:
        # What is not known stays intended: the next sync recognises it.
        accepted = by_alignment([cell for cell in sent if on.ledger.receipts.get(cell.key) == SENT])
        for one in on.stored:
            _remember_unread(on, one, accepted.get(one.id, []))
        on.ledger.put(on.ledger.without_receipt(sent), UNREAD)
        if forgiving:
            return
        raise
    of_each = by_alignment(sent)
    for one in on.stored:
        _settle(on, one, of_each.get(one.id, []), now)


def _remember_unread(on: Delivery, one: StoredAlignment, cells: Sequence[PlannedCell]) -> None:
    """Canvas took these; nobody saw what became of them."""
    on.lease.fence()
    fingerprints.remember_written(on.to.context, one.target, on.keys(cells), seen=False)
    emptied = [cell for cell in cells if cell.after is None]
    if emptied and (assignment_id := on.assignment_id(emptied[0])):
        fingerprints.remember_emptied(on.to.context, one.target, assignment_id, emptied, timezone.now())


def _skipped(on: Delivery, cells: Sequence[PlannedCell], now: CellsNow) -> list[PlannedCell]:
    """Cells of finished bulk jobs that are as they were. Canvas compares a bulk grade with the score after
    the late deduction, and saves nothing where they are equal (app/models/submission.rb)."""
    by_rest = {
        one.id for one in on.stored if (column := on.columns.get(one.id)) and not on.goes_by_ags(one, column)
    }
    return [
        cell
        for cell in cells
        if cell.alignment in by_rest
        and on.ledger.receipts.get(cell.key) == SENT
        and not holds(on.cell(now, cell), cell)
        and is_as_planned_from(on.cell(now, cell), cell)
    ][:MOST_SKIPPED]


def _one_by_one(on: Delivery, cells: Sequence[PlannedCell], looked_at: float) -> None:
    """Send these by themselves, which saves them whatever was taken off; a refusal is theirs alone. Many take their
    time: what a person changes before its turn stays."""
    on.ledger.put(cells, refused("not_written"))
    with contextlib.suppress(Stopped):
        still = partial(_unchanged, on, looked_at=looked_at)
        writers.put_each(on.to, cells, on.ledger, still, lambda cell: on.assignment_id(cell) or "")


def _unchanged(on: Delivery, cells: Sequence[PlannedCell], looked_at: float) -> Looked:
    if time.monotonic() - looked_at <= writing.FRESH_SECONDS:
        return writers.looked(cells, looked_at)
    began = time.monotonic()
    now = on.read(cells)
    still = [cell for cell in cells if is_as_planned_from(on.cell(now, cell), cell)]
    on.ledger.put((cell for cell in cells if cell not in still), CHANGED)
    return writers.looked(still, began)


def _settle(on: Delivery, one: StoredAlignment, cells: Sequence[PlannedCell], now: CellsNow) -> None:
    ours: list[Cell] = []
    not_ours: list[PlannedCell] = []
    overtaken: list[PlannedCell] = []
    unread: list[PlannedCell] = []
    by_ags = one.target.kind == TargetKind.COLUMN
    for planned in cells:
        cell, receipt = on.cell(now, planned), on.ledger.receipts.get(planned.key)
        if cell is None and receipt in (None, SENT, UNREAD):
            # Whatever it holds stays intended: once it is seen again, it is known.
            if receipt == SENT:
                unread.append(planned)
            on.ledger.receipts[planned.key] = UNREAD
            continue
        theirs = receipt == CHANGED or on.ledger.was_turned_away(planned)
        # A person graded it since, by chance the same.
        theirs = theirs or (by_ags and cell is not None and fingerprints.is_by_person(cell))
        if cell is not None and holds(cell, planned) and not theirs:
            ours.append(cell)
            on.ledger.receipts[planned.key] = SENT
            continue
        if receipt is None or receipt == SENT:
            untouched = is_as_planned_from(cell, planned)
            if receipt == SENT and not untouched:
                overtaken.append(planned)
            # A write nobody answered for may still arrive: its intention is kept.
            code = "not_written" if receipt == SENT else "no_answer"
            receipt = refused(code) if untouched else CHANGED
            on.ledger.receipts[planned.key] = receipt
        may_arrive = planned.key in on.ledger.unanswered or receipt.code == "no_answer"
        if not may_arrive and planned not in overtaken:
            not_ours.append(planned)
    on.lease.fence()
    _remember_unread(on, one, unread)
    fingerprints.remember_states(on.to.context, one.target, ours, timezone.now())
    fingerprints.remember_written(on.to.context, one.target, on.keys(overtaken))
    on.forget(not_ours)
