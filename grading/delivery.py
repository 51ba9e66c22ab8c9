"""One run's sending: what all its steps share.

Nothing is decided here. `sending` goes through the steps; each of them takes the delivery and leaves in its
ledger what became of the cells.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from alignments.models import Target, TargetKind
from alignments.services import StoredAlignment
from canvas.values import Cell
from grading import fingerprints
from grading.connection import Connection, stopped, stopped_by
from grading.core.columns import Column
from grading.core.plan import CellKey, PlannedCell
from grading.ledger import Ledger
from grading.planning import Prepared
from grading.reading import CourseReading, read_what_is_left
from grading.runs import Lease
from lti_tool.errors import PlatformError

CellsNow = Mapping[tuple[str, str], Cell]
"""Cells as Canvas has them, by assignment and student."""


@dataclass
class Delivery:
    """`reading` is given when the plan was made from it a moment ago. `columns` are the targets as they are now,
    by alignment; `intended` the cells whose grade was noted as about to be left; `outdated` the alignments that
    changed since a run that was taken over was planned, and `left` the students who are gone since; `looked_at` when
    the cells were read before sending."""

    to: Connection
    lease: Lease
    prepared: Prepared
    stored: Sequence[StoredAlignment]
    reading: CourseReading | None = None
    ledger: Ledger = field(default_factory=Ledger)
    intended: set[CellKey] = field(default_factory=set)
    outdated: frozenset[int] = frozenset()
    left: Set[str] = frozenset()
    columns: dict[int, Column] = field(default_factory=dict)
    read_at: datetime = field(default_factory=timezone.now)
    looked_at: float = field(default_factory=time.monotonic)

    # Which cell is where

    def assignment_id(self, cell: PlannedCell) -> str | None:
        column = self.columns.get(cell.alignment)
        return column.assignment.id if column and column.assignment else None

    def keys(self, cells: Sequence[PlannedCell]) -> list[tuple[str, str]]:
        """The cells as (assignment, student)."""
        return [(found, cell.user) for cell in cells if (found := self.assignment_id(cell))]

    def cell(self, now: CellsNow, planned: PlannedCell) -> Cell | None:
        assignment_id = self.assignment_id(planned)
        return now.get((assignment_id, planned.user)) if assignment_id else None

    def read(self, cells: Sequence[PlannedCell]) -> CellsNow:
        """These cells as they are now. Raises Stopped."""
        try:
            return read_what_is_left(self.to, self.keys(cells))
        except PlatformError as error:
            raise stopped_by(error) from error

    @staticmethod
    def goes_by_ags(one: StoredAlignment, column: Column) -> bool:
        return one.target.kind == TargetKind.COLUMN and column.line_item is not None

    # What is remembered of a cell around its write

    def intend(self, one: StoredAlignment, column: Column, cells: Sequence[PlannedCell]) -> None:
        """Intention first: a crash from here on cannot turn our grade into a person's. Raises LeaseLost."""
        assert column.assignment is not None
        self.lease.fence()
        grades = {cell.user: cell.after for cell in cells}
        ours = [cell for cell in cells if cell.was_ours]
        self.intended.update(cell.key for cell in cells)
        # Held against when Canvas graded a cell: never later than Canvas's own clock says.
        where, now = (self.to.context, one.target, column.assignment.id), self.to.rest.earlier_now()
        fingerprints.remember_as_found(*where, ours, now)
        fingerprints.remember_intentions(*where, grades, now)

    def forget(self, cells: Sequence[PlannedCell]) -> None:
        """These were not written: what was known of them before counts again. A job that may still run
        keeps its intention. Raises LeaseLost."""
        self.lease.fence()
        for target, keys in self._of_each_target(cells):
            fingerprints.forget_intentions(self.to.context, target, keys)

    def remember_overtaken(self, cells: Sequence[PlannedCell]) -> None:
        """These hold what somebody else left after we wrote, or were about to: nothing there is ours any more.
        Raises LeaseLost."""
        if not cells:
            return
        self.lease.fence()
        for target, keys in self._of_each_target(cells):
            fingerprints.remember_written(self.to.context, target, keys)

    def _of_each_target(self, cells: Sequence[PlannedCell]) -> Iterator[tuple[Target, list[tuple[str, str]]]]:
        of_each = by_alignment(cells)
        for one in self.stored:
            if keys := self.keys(of_each.get(one.id, [])):
                yield one.target, keys

    # The lease: how far we are, and whether the run is ours still

    def still_ours(self) -> None:
        """Raises LeaseLost where another worker has taken the run over."""
        self.lease.beat(timezone.now())

    def between_batches(self, column: str = "") -> None:
        """A step of progress, and the place where a person's Stop takes effect, or the operator's."""
        self.beat("sending", column)
        if self.lease.is_switched_off:
            raise stopped("registration_off")
        if self.lease.stop_requested:
            raise stopped("stopped_by_person")

    def beat(self, phase: str, column: str = "") -> None:
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
