"""Sending an approved plan: re-read, write what still holds, read back, keep receipts.

Follow `Sender.run` from top to bottom; every step leaves the database so that a crash after it loses no
grade and turns none of ours into a person's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.utils import timezone

from alignments.models import TargetKind
from alignments.services import StoredAlignment
from canvas.values import Cell
from grading import fingerprints, making, writers
from grading.connection import Connection, Stopped, stopped, stopped_by
from grading.core.columns import Column
from grading.core.plan import CellKey, PlannedCell, numeric
from grading.fingerprints import Memory
from grading.ledger import CHANGED, SENT, Ledger, holds, is_as_planned_from, refused
from grading.planning import Prepared, basis_of
from grading.reading import (
    CourseReading,
    Targets,
    columns_of,
    read_again,
    read_schemes,
    read_targets,
    read_what_is_left,
)
from grading.runs import Lease
from grading.writers import ColumnRefused, LineItemColumn
from lti_tool.errors import MaybeSent, PlatformError, Refused

ROUNDS = 4
"""How often a cell is tried whose write may or may not have arrived."""
JOBS_AT_ONCE = 8
"""Bulk jobs started and not yet over: Canvas works them off one by one."""
CULPRITS = 12
"""How many cells of one column may stop a bulk job before the rest is given up for this run."""
MOST_SKIPPED = 200
"""How many cells that bulk jobs left out are sent by themselves in one run."""


ROSTER_WORTH_A_SECOND_LOOK = 200
"""Students up to which a foreground sync reads the roster again before it sends."""


class Changed(Exception):
    """Before the first write, Canvas or the rules differ from the approved plan. Nothing was sent."""


@dataclass
class Sender:
    """One run's sending. `reading` is given when the plan was made from it a moment ago."""

    to: Connection
    lease: Lease
    prepared: Prepared
    stored: Sequence[StoredAlignment]
    reading: CourseReading | None = None
    ledger: Ledger = field(default_factory=Ledger)
    intended: set[CellKey] = field(default_factory=set)
    columns: dict[int, Column] = field(default_factory=dict)
    read_at: datetime = field(default_factory=timezone.now)
    written: int = 0

    def run(self) -> None:
        """Send the plan. Whatever ends it early is raised after what was sent has been read back."""
        cells = self.prepared.plan.to_send()
        try:
            targets = self._check_basis()
            pending = self._still_as_planned(cells)
            self._between_batches()
            self._make_missing(pending, targets)
            of_each = by_alignment(pending)
            self._send_jobs(of_each)
            for one in self.stored:
                self._send_column(one, of_each.get(one.id, []))
        except Stopped as end:
            self.ledger.put(self._never_sent(cells), refused(end.code, end.detail))
            self._confirm(cells, forgiving=True)
            raise
        self._confirm(cells, forgiving=False)

    # Before anything is written

    def _check_basis(self) -> Targets:
        """Targets, rules and roster as they were approved. A run taken over from a dead worker has written
        already, so it goes on cell by cell instead."""
        if self.reading is not None:
            return self._look_once_more(self.reading)
        self._beat("checking")
        try:
            targets = read_targets(self.to, [one.target for one in self.stored])
            students = self.to.rest.students(self.to.course_id)
            schemes = read_schemes(self.to, self.stored, targets)
        except PlatformError as error:
            raise stopped_by(error) from error
        self.columns = columns_of(self.stored, targets, schemes)
        now = basis_of(self.stored, self.columns, students)
        what = self.prepared.basis.differs_from(now)
        if what and not self.lease.was_broken_off:
            raise Changed(f"Since the preview, {what} changed. Nothing was sent. Preview again.")
        return targets

    def _look_once_more(self, reading: CourseReading) -> Targets:
        """The plan was made a moment ago: only what a sync may spend on looking twice (design 5) is asked
        again, the assignments always, the roster where it is two pages or fewer."""
        self.columns = dict(reading.columns)
        if not self.prepared.plan.to_send():
            return reading.targets
        try:
            targets = Targets(self.to.rest.assignments(self.to.course_id), reading.targets.line_items)
            students = reading.students
            if len(students) <= ROSTER_WORTH_A_SECOND_LOOK:
                students = self.to.rest.students(self.to.course_id)
        except PlatformError as error:
            raise stopped_by(error) from error
        self.columns = columns_of(self.stored, targets, reading.schemes)
        what = self.prepared.basis.differs_from(basis_of(self.stored, self.columns, students))
        if what:
            raise Changed(f"While it was planned, {what} changed. Nothing was sent. Sync again.")
        return targets

    def _still_as_planned(self, cells: Sequence[PlannedCell]) -> list[PlannedCell]:
        """Re-read what will be written; cells somebody changed since get their receipt here."""
        self.read_at = self.to.rest.earlier_now()
        pending = [cell for cell in cells if self._can_be_written(cell)]
        now = self._read_before_sending(pending)
        memory = Memory(self.to.context) if self.lease.was_broken_off else None
        still: list[PlannedCell] = []
        for planned in pending:
            cell = self._cell(now, planned)
            if self.assignment_id(planned) is None or is_as_planned_from(cell, planned):
                still.append(planned)
            elif memory and cell and holds(cell, planned) and memory.was_intended(cell):
                # The worker before us wrote it and died before it could say so.
                self.ledger.receipts[planned.key] = SENT
                self.ledger.attempted.add(planned.key)
            else:
                self.ledger.receipts[planned.key] = CHANGED
        return still

    def _read_before_sending(self, cells: Sequence[PlannedCell]) -> Mapping[tuple[str, str], Cell]:
        try:
            return read_again(self.to, self._keys(cells))
        except Refused as error:
            if error.code != "unpublished":
                raise stopped_by(error) from error
            if self.lease.was_broken_off:
                return self._read(cells)
            what = "a column was unpublished or deleted"
            raise Changed(f"Since the plan, {what}. Nothing was sent. Preview again.") from error
        except PlatformError as error:
            raise stopped_by(error) from error

    def _can_be_written(self, cell: PlannedCell) -> bool:
        column = self.columns.get(cell.alignment)
        if column is None or column.blocked:
            why = column.blocked if column else "The alignment was deleted."
            self.ledger.receipts[cell.key] = refused("column_blocked", why)
            return False
        return True

    def _make_missing(self, pending: Sequence[PlannedCell], targets: Targets) -> None:
        ids = {cell.alignment for cell in pending}
        missing = [one for one in self.stored if one.id in ids and not self.columns[one.id].exists]
        if not missing:
            return
        self._beat("making_columns", column=missing[0].target.label)
        try:
            made, failed = making.make_columns(self.to, missing, self.stored, targets.assignments)
        except PlatformError as error:
            raise stopped_by(error) from error
        self.columns.update(made)
        for alignment_id, receipt in failed.items():
            self.ledger.put([cell for cell in pending if cell.alignment == alignment_id], receipt)

    # Writing

    def _send_jobs(self, of_each: Mapping[int, Sequence[PlannedCell]]) -> None:
        """Start the bulk jobs of several assignments at once: Canvas works them off one by one, and nobody
        waits for each. What a job leaves unclear is left to `_send_column`."""
        waiting: list[tuple[Column, Sequence[PlannedCell]]] = []
        for one in self.stored:
            column = self.columns.get(one.id)
            cells = self.ledger.without_receipt(of_each.get(one.id, ()))
            if cells and column and column.assignment and not self._goes_by_ags(one, column):
                cells.sort(key=lambda cell: numeric(cell.user))
                self._intend(one, column, cells)
                waiting += [(column, batch) for batch in writers.batches(cells, writers.GRADES_A_JOB)]
        if waiting:
            self._beat("sending", column=waiting[0][0].label)
        pool = ThreadPoolExecutor(max_workers=JOBS_AT_ONCE)
        try:
            for job in as_completed([pool.submit(self._one_job, *each) for each in waiting]):
                if (end := job.result()) is not None:
                    raise end
                self._between_batches()
        finally:
            # After a stop no further job starts; those under way are followed to their end.
            pool.shutdown(cancel_futures=True)

    def _one_job(self, column: Column, cells: Sequence[PlannedCell]) -> Stopped | None:
        """In a thread of its own: no database here, and nothing raised past its neighbours."""
        assert column.assignment is not None
        try:
            progress = writers.post_job(self.to, column.assignment.id, cells, self.ledger, _no_beat)
            if progress.workflow_state == "completed":
                self.ledger.put(cells, SENT)
        except ColumnRefused as error:
            self.ledger.put(cells, error.receipt)
        except MaybeSent:
            return None
        except Stopped as end:
            return end
        finally:
            # Renewing the token may have opened one in this thread.
            connection.close()
        return None

    @staticmethod
    def _goes_by_ags(one: StoredAlignment, column: Column) -> bool:
        return one.target.kind == TargetKind.COLUMN and column.line_item is not None

    def _send_column(self, one: StoredAlignment, cells: Sequence[PlannedCell]) -> None:
        """Send a column's cells; those whose fate is unknown are read back and tried again."""
        column = self.columns.get(one.id)
        pending = self.ledger.without_receipt(cells)
        if not pending or column is None or column.assignment is None:
            return
        self._beat("sending", column=column.label)
        pending.sort(key=lambda cell: numeric(cell.user))
        try:
            if any(cell.key in self.ledger.attempted for cell in pending):
                pending = self._unwritten(pending)
            for attempt in range(ROUNDS if pending else 0):
                self._intend(one, column, pending)
                self._write(one, column, pending)
                pending = self._unwritten(self.ledger.without_receipt(pending))
                if not pending:
                    return
                writers.rest_a_while(attempt, self._still_ours)
            self.ledger.put(pending, refused("no_answer"))
        except ColumnRefused as error:
            self.ledger.put(self.ledger.without_receipt(pending), error.receipt)

    def _intend(self, one: StoredAlignment, column: Column, cells: Sequence[PlannedCell]) -> None:
        """Intention first: a crash from here on cannot turn our grade into a person's."""
        assert column.assignment is not None
        grades = {cell.user: cell.after for cell in cells}
        ours = [cell for cell in cells if cell.was_ours]
        self.intended.update(cell.key for cell in cells)
        where, now = (self.to.context, one.target, column.assignment.id), timezone.now()
        fingerprints.remember_as_found(*where, ours, now)
        fingerprints.remember_intentions(*where, grades, now)

    def _write(self, one: StoredAlignment, column: Column, cells: Sequence[PlannedCell]) -> None:
        if self._goes_by_ags(one, column) and column.line_item is not None:
            timestamp = making.stamp(one.target, self.read_at)
            where = LineItemColumn(column.line_item.url, column.line_item.score_maximum, timestamp)
            writers.post_scores(self.to, where, cells, self.ledger, self._between_batches)
        else:
            self._write_in_bulk(column, cells)

    def _write_in_bulk(self, column: Column, cells: Sequence[PlannedCell]) -> None:
        assert column.assignment is not None
        for batch in writers.batches(cells, writers.GRADES_A_JOB):
            self._job(column.assignment.id, list(batch))
            self._between_batches()

    def _job(self, assignment_id: str, cells: list[PlannedCell]) -> None:
        """One batch by bulk jobs. A job stops silently at the first cell it cannot grade: that one is sent
        by itself, which makes Canvas say why, and the rest goes into the next job."""
        for _ in range(CULPRITS):
            try:
                progress = writers.post_job(self.to, assignment_id, cells, self.ledger, self._still_ours)
            except MaybeSent:
                return
            if progress.workflow_state == "completed":
                # Confirmed by the reading back at the end.
                self.ledger.put(cells, SENT)
                return
            cells = self._unwritten(cells)
            if not cells:
                return
            if not progress.is_over:
                self.ledger.put(cells, refused("no_answer"))
                return
            if "find User" in progress.message:
                self.ledger.put(cells, refused("not_a_student"))
                return
            writers.put_one(self.to, assignment_id, cells[0], self.ledger)
            cells = cells[1:]
            if not cells:
                return

    def _unwritten(self, cells: Sequence[PlannedCell]) -> list[PlannedCell]:
        """Of cells without a certain fate: those still as they were. The others get their receipt."""
        if not cells:
            return []
        now = self._read(cells)
        left: list[PlannedCell] = []
        for planned in cells:
            cell = self._cell(now, planned)
            if holds(cell, planned):
                self.ledger.receipts[planned.key] = SENT
            elif is_as_planned_from(cell, planned):
                left.append(planned)
            else:
                self.ledger.receipts[planned.key] = CHANGED
        return left

    # Afterwards

    def _never_sent(self, cells: Sequence[PlannedCell]) -> list[PlannedCell]:
        return [c for c in self.ledger.without_receipt(cells) if c.key not in self.ledger.attempted]

    def _confirm(self, cells: Sequence[PlannedCell], *, forgiving: bool) -> None:
        """Read back everything that may have been written, remember what is ours, correct the receipts."""
        sent = [cell for cell in cells if cell.key in self.ledger.attempted]
        never_left = self.intended - self.ledger.attempted
        self._forget([cell for cell in cells if cell.key in never_left])
        if not sent:
            return
        self._beat("reading_back")
        try:
            now = self._read(sent)
            if not forgiving and (skipped := self._skipped(sent, now)):
                self._one_by_one(skipped)
                now = {**now, **self._read(skipped)}
        except Stopped:
            # What is not known stays intended: the next sync recognises it.
            accepted = by_alignment([cell for cell in sent if self.ledger.receipts.get(cell.key) == SENT])
            for one in self.stored:
                keys = self._keys(accepted.get(one.id, []))
                fingerprints.remember_written(self.to.context, one.target, keys, seen=False)
            self.ledger.put(self.ledger.without_receipt(sent), refused("not_read_back"))
            if forgiving:
                return
            raise
        of_each = by_alignment(sent)
        for one in self.stored:
            self._settle(one, of_each.get(one.id, []), now)

    def _skipped(
        self, cells: Sequence[PlannedCell], now: Mapping[tuple[str, str], Cell]
    ) -> list[PlannedCell]:
        """Cells of finished bulk jobs that are as they were. Canvas compares a bulk grade with the score after
        the late deduction, and saves nothing where they are equal (app/models/submission.rb)."""
        by_rest = {
            one.id
            for one in self.stored
            if (column := self.columns.get(one.id)) and not self._goes_by_ags(one, column)
        }
        return [
            cell
            for cell in cells
            if cell.alignment in by_rest
            and self.ledger.receipts.get(cell.key) == SENT
            and not holds(self._cell(now, cell), cell)
            and is_as_planned_from(self._cell(now, cell), cell)
        ][:MOST_SKIPPED]

    def _one_by_one(self, cells: Sequence[PlannedCell]) -> None:
        """Send these by themselves, which saves them whatever was taken off; a refusal is theirs alone."""
        self.ledger.put(cells, refused("not_written"))
        with contextlib.suppress(Stopped):
            for cell in cells:
                if assignment_id := self.assignment_id(cell):
                    writers.put_one(self.to, assignment_id, cell, self.ledger)

    def _settle(
        self, one: StoredAlignment, cells: Sequence[PlannedCell], now: Mapping[tuple[str, str], Cell]
    ) -> None:
        ours: list[Cell] = []
        not_ours: list[PlannedCell] = []
        overtaken: list[PlannedCell] = []
        for planned in cells:
            cell, receipt = self._cell(now, planned), self.ledger.receipts.get(planned.key)
            if cell is not None and holds(cell, planned) and receipt != CHANGED:
                ours.append(cell)
                self.ledger.receipts[planned.key] = SENT
                continue
            if receipt is None or receipt == SENT:
                untouched = is_as_planned_from(cell, planned)
                if receipt == SENT and not untouched:
                    overtaken.append(planned)
                # A write nobody answered for may still arrive: its intention is kept.
                code = "not_written" if receipt == SENT else "no_answer"
                receipt = refused(code) if untouched else CHANGED
                self.ledger.receipts[planned.key] = receipt
            if receipt.code != "no_answer" and planned not in overtaken:
                not_ours.append(planned)
        fingerprints.remember_states(self.to.context, one.target, ours, timezone.now())
        fingerprints.remember_written(self.to.context, one.target, self._keys(overtaken))
        self._forget(not_ours)
        self.written += len(ours)

    def _forget(self, cells: Sequence[PlannedCell]) -> None:
        """These were not written: what was known of them before counts again. A job that may still run
        keeps its intention."""
        of_each = by_alignment(cells)
        for one in self.stored:
            keys = [
                (found, cell.user) for cell in of_each.get(one.id, ()) if (found := self.assignment_id(cell))
            ]
            if keys:
                fingerprints.forget_intentions(self.to.context, one.target, keys)

    # Small things

    def _read(self, cells: Sequence[PlannedCell]) -> Mapping[tuple[str, str], Cell]:
        try:
            return read_what_is_left(self.to, self._keys(cells))
        except PlatformError as error:
            raise stopped_by(error) from error

    def _keys(self, cells: Sequence[PlannedCell]) -> list[tuple[str, str]]:
        """The cells as (assignment, student)."""
        return [(found, cell.user) for cell in cells if (found := self.assignment_id(cell))]

    def assignment_id(self, cell: PlannedCell) -> str | None:
        column = self.columns.get(cell.alignment)
        return column.assignment.id if column and column.assignment else None

    def _cell(self, now: Mapping[tuple[str, str], Cell], planned: PlannedCell) -> Cell | None:
        assignment_id = self.assignment_id(planned)
        return now.get((assignment_id, planned.user)) if assignment_id else None

    def _still_ours(self) -> None:
        self.lease.beat(timezone.now())

    def _between_batches(self) -> None:
        """A step of progress, and the place where a person's Stop takes effect."""
        self._beat("sending")
        if self.lease.stop_requested:
            raise stopped("stopped_by_person")

    def _beat(self, phase: str, column: str = "") -> None:
        total = len(self.prepared.plan.to_send())
        old = self.lease.run.progress or {}
        progress = {
            "phase": phase,
            "done": len(self.ledger.receipts),
            "total": total,
            "column": column or old.get("column", ""),
        }
        self.lease.run.progress = progress
        self.lease.beat(timezone.now(), progress=progress, requests=self.to.counter.as_dict())


def by_alignment(cells: Iterable[PlannedCell]) -> dict[int, list[PlannedCell]]:
    found: dict[int, list[PlannedCell]] = {}
    for cell in cells:
        found.setdefault(cell.alignment, []).append(cell)
    return found


def _no_beat() -> None:
    """Threads leave the heartbeat to `runs.pulse`."""


__all__ = ["CellKey", "Changed", "Sender"]
