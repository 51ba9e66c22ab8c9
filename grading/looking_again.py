"""Before anything is written: is everything still as it was approved?

First rules, targets and roster (`check_basis`), then every cell that is to be written (`still_as_planned`), then
the columns that are not there yet (`make_missing`).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from grading import making
from grading.connection import check_clocks, stopped_by
from grading.core.plan import PlannedCell
from grading.delivery import CellsNow, Delivery
from grading.fingerprints import Memory
from grading.ledger import CHANGED, SENT, holds, is_as_planned_from, refused
from grading.planning import basis_of
from grading.reading import CourseReading, Targets, columns_of, read_again, read_schemes, read_targets
from grading.writers import UNSEEN
from lti_tool.errors import PlatformError, Refused

ROSTER_WORTH_A_SECOND_LOOK = 200
"""Students up to which a foreground sync reads the roster again before it sends."""

OUTDATED = (
    "The alignment, or how the column is graded, changed while this run was interrupted. Preview again."
)

PART_OF_THE_CLASS = (
    "This Canvas account sees its own sections only: {unseen} of the {planned} students in the preview are in others. "
    "Nothing was sent. Make a preview of your own, which holds the students you see, or ask somebody who sees the "
    "whole class to send this one."
)


class Changed(Exception):
    """Before the first write, Canvas or the rules differ from the approved plan. Nothing was sent."""


def check_basis(on: Delivery) -> Targets:
    """Targets, rules and roster as they were approved. A run taken over from a dead worker has written
    already, so it goes on cell by cell instead."""
    if on.reading is not None:
        return _look_once_more(on, on.reading)
    on.beat("checking")
    try:
        targets = read_targets(on.to, [one.target for one in on.stored])
        students = on.to.rest.students(on.to.course_id)
        schemes = read_schemes(on.to, on.stored, targets)
    except PlatformError as error:
        raise stopped_by(error) from error
    on.columns = columns_of(on.stored, targets, schemes)
    now = basis_of(on.stored, on.columns, students)
    on.outdated = on.prepared.basis.outdated(now)
    on.left = {cell.user for cell in on.prepared.plan.to_send()}.difference(
        user for user, one in students.items() if one.is_active
    )
    what = on.prepared.basis.differs_from(now)
    if what and not on.lease.was_broken_off:
        if on.prepared.basis.roster != now.roster:
            _check_whole_class(on, students)
        raise Changed(f"Since the preview, {what} changed. Nothing was sent. Preview again.")
    return targets


def _check_whole_class(on: Delivery, students: Collection[str]) -> None:
    """Somebody who sees some sections only was given a plan with more students than theirs."""
    planned = {cell.user for cell in on.prepared.plan.cells}
    unseen = len(planned.difference(students))
    if not unseen:
        return
    try:
        limited = on.to.rest.course(on.to.course_id).own_sections_only
    except PlatformError as error:
        raise stopped_by(error) from error
    if limited:
        raise Changed(PART_OF_THE_CLASS.format(unseen=unseen, planned=len(planned)))


def _look_once_more(on: Delivery, reading: CourseReading) -> Targets:
    """The plan was made a moment ago: only what a sync may spend on looking twice (design 5) is asked
    again, the assignments always, the roster where it is two pages or fewer."""
    on.columns = dict(reading.columns)
    if not on.prepared.plan.to_send():
        return reading.targets
    try:
        targets = Targets(on.to.rest.assignments(on.to.course_id), reading.targets.line_items)
        students = reading.students
        if len(students) <= ROSTER_WORTH_A_SECOND_LOOK:
            students = on.to.rest.students(on.to.course_id)
    except PlatformError as error:
        raise stopped_by(error) from error
    on.columns = columns_of(on.stored, targets, reading.schemes)
    what = on.prepared.basis.differs_from(basis_of(on.stored, on.columns, students))
    if what:
        raise Changed(f"While it was planned, {what} changed. Nothing was sent. Sync again.")
    return targets


def still_as_planned(on: Delivery, cells: Sequence[PlannedCell]) -> list[PlannedCell]:
    """Re-read what will be written; cells somebody changed since get their receipt here."""
    check_clocks(on.to)
    on.read_at = on.to.rest.earlier_now()
    pending = [cell for cell in cells if _can_be_written(on, cell)]
    on.looked_at = time.monotonic()
    now = _read_before_sending(on, pending)
    memory = Memory(on.to.context) if on.lease.was_broken_off else None
    still: list[PlannedCell] = []
    overtaken: list[PlannedCell] = []
    for planned in pending:
        cell = on.cell(now, planned)
        if on.assignment_id(planned) is None or is_as_planned_from(cell, planned):
            if planned.user in on.left:
                on.ledger.receipts[planned.key] = refused("not_a_student", UNSEEN)
            else:
                still.append(planned)
        elif memory and cell and holds(cell, planned) and memory.was_intended(cell):
            # The worker before us wrote it and died before it could say so.
            on.ledger.receipts[planned.key] = SENT
            on.ledger.attempted.add(planned.key)
        else:
            on.ledger.receipts[planned.key] = CHANGED
            if memory and cell:
                overtaken.append(planned)
    # Whatever the worker before us did there, a person graded since: the same number would be theirs.
    on.remember_overtaken(overtaken)
    return still


def _read_before_sending(on: Delivery, cells: Sequence[PlannedCell]) -> CellsNow:
    try:
        return read_again(on.to, on.keys(cells))
    except Refused as error:
        if error.code != "unpublished":
            raise stopped_by(error) from error
        if on.lease.was_broken_off:
            return on.read(cells)
        what = "a column was unpublished or deleted"
        raise Changed(f"Since the plan, {what}. Nothing was sent. Preview again.") from error
    except PlatformError as error:
        raise stopped_by(error) from error


def _can_be_written(on: Delivery, cell: PlannedCell) -> bool:
    column = on.columns.get(cell.alignment)
    if column is None or column.blocked:
        why = column.blocked if column else "The alignment was deleted."
        on.ledger.receipts[cell.key] = refused("column_blocked", why)
        return False
    if cell.alignment in on.outdated:
        on.ledger.receipts[cell.key] = refused("column_blocked", OUTDATED)
        return False
    return True


def make_missing(on: Delivery, pending: Sequence[PlannedCell], targets: Targets) -> None:
    ids = {cell.alignment for cell in pending}
    missing = [one for one in on.stored if one.id in ids and not on.columns[one.id].exists]
    if not missing:
        return
    on.beat("making_columns", column=missing[0].target.label)
    try:
        made, failed = making.make_columns(on.to, missing, on.stored, targets.assignments)
    except PlatformError as error:
        raise stopped_by(error) from error
    on.columns.update(made)
    for alignment_id, receipt in failed.items():
        on.ledger.put([cell for cell in pending if cell.alignment == alignment_id], receipt)
