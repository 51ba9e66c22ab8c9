"""Undo: put back what a run found, only where the cells still are as we left them.

A restored grade belongs to whom it belonged before: what was ours goes back through the way it came, what
was a person's goes back by REST and is forgotten here. It may be broken off and started again at any point.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import transaction
from django.utils import timezone

from alignments.models import Target, TargetKind
from canvas.accounts import accounts_for_course
from canvas.models import CanvasAccount
from canvas.values import Assignment, Cell, LineItem
from grading import fingerprints, journal, making, runs, writers, writing
from grading.connection import Connection, Stopped, check_clocks, connect, stopped, stopped_by
from grading.core.columns import LETTERED, half_pass, numeric_labels
from grading.core.grades import EXCUSED, grade_text, same_grade, to_score
from grading.core.plan import PlannedCell
from grading.fingerprints import Memory
from grading.journal import Entry
from grading.ledger import SENT, Ledger, holds, is_as_planned_from, refused
from grading.models import Run, UndoJournal
from grading.reading import read_again, read_line_items
from grading.runs import Lease, LeaseLost
from grading.writers import ColumnRefused, LineItemColumn, Looked
from lti_tool.errors import MaybeSent, Outdated, PlatformError
from lti_tool.models import Context
from lti_tool.sealing import CannotUnseal

Fate = Literal["restored", "kept", "refused"]


class NothingToUndo(Exception):
    """No run of this course wrote anything that can still be taken back."""


@dataclass(frozen=True, slots=True)
class UndoneCell:
    """What became of one cell: `before` is what the run had left, `after` what it held before the run."""

    entry: Entry
    fate: Fate
    code: str = ""


@dataclass(frozen=True, slots=True)
class Undone:
    """An undo's run with its cells."""

    run: Run
    undone: Run
    cells: tuple[UndoneCell, ...] = field(default=(), repr=False)

    @property
    def counts(self) -> dict[str, int]:
        fates = [cell.fate for cell in self.cells]
        return {fate: fates.count(fate) for fate in ("restored", "kept", "refused")}


def undo(
    context: Context, *, started_by: str, account: CanvasAccount | None = None, wanted: Run | None = None
) -> Undone:
    """Take back the newest run that wrote and is not undone, as `account`, else as any that may still grade;
    with `wanted`, only if that is the one. Raises NothingToUndo or RunAlreadyOpen."""
    found = journal.newest(context)
    if found is None or (wanted is not None and found.run_id != wanted.pk):
        raise NothingToUndo
    run = runs.open_run(
        context, account=account, started_by=started_by, now=timezone.now(), undo_of=found.run
    )
    if journal.newest(context) != found:
        # Another run wrote, or took it back, right before this one had the course for itself.
        runs.close(run, timezone.now(), outcome=runs.DISCARDED)
        raise NothingToUndo
    try:
        return _undo(found, runs.reading_lease(run), [account] if account else accounts_for_course(context))
    except LeaseLost:
        run.refresh_from_db()
        return Undone(run, found.run)


def _undo(found: UndoJournal, lease: Lease, accounts: Iterable[CanvasAccount]) -> Undone:
    """Raises LeaseLost where another worker ended this undo: then its journal stays as it is."""
    end: Stopped = stopped("no_account")
    for each in accounts:
        to = connect(lease.run.context, each)
        to.fence.guard(lease.fence)
        undoer = Undoer(to, lease)
        try:
            with runs.pulse(lease):
                cells = undoer.run(journal.entries(found))
        except CannotUnseal:
            return Undone(_finish(lease, to, (), stopped("internal")), found.run)
        except Stopped as error:
            end = error
            if undoer.ledger.attempted or error.who != "teacher":
                return Undone(_finish(lease, to, undoer.fates(), end), found.run, undoer.fates())
            continue
        with transaction.atomic():
            _close_journal(found, cells)
            return Undone(_finish(lease, to, cells, None), found.run, cells)
    return Undone(_finish(lease, None, (), end), found.run)


def _close_journal(found: UndoJournal, cells: Sequence[UndoneCell]) -> None:
    """Cells that were refused may be tried again; without one the journal has done its work."""
    left = [cell.entry for cell in cells if cell.fate == "refused"]
    if left:
        UndoJournal.objects.filter(pk=found.pk).update(sealed_cells=journal.sealed(left))
    else:
        UndoJournal.objects.filter(pk=found.pk).update(undone_at=timezone.now(), sealed_cells="")


def _finish(lease: Lease, to: Connection | None, cells: Sequence[UndoneCell], end: Stopped | None) -> Run:
    fates = [cell.fate for cell in cells]
    codes = [cell.code or cell.fate for cell in cells]
    restored, kept, bad = (fates.count(fate) for fate in ("restored", "kept", "refused"))
    fields: dict[str, Any] = {
        "account": to.account if to else None,
        "counts": {"send": restored, "unchanged": 0, "held": 0, "conflict": kept, "refused": bad},
        "reasons": {code: codes.count(code) for code in sorted(set(codes))},
        "requests": to.counter.as_dict() if to else {},
        "error": end.as_error() if end else None,
    }
    outcome = "stopped" if end else ("partial" if bad else "done")
    return lease.finish(timezone.now(), outcome=outcome, fields=fields)


@dataclass
class Undoer:
    """One undo. Its ledger is keyed by target and student; `looked_at` is when the cells were read before restoring."""

    to: Connection
    lease: Lease
    ledger: Ledger = field(default_factory=Ledger)
    entries: dict[tuple[int, str], Entry] = field(default_factory=dict)
    kept: set[tuple[int, str]] = field(default_factory=set)
    looked_at: float = field(default_factory=time.monotonic)

    def run(self, entries: Sequence[Entry]) -> tuple[UndoneCell, ...]:
        """Restore every cell that is as we left it."""
        self.entries = {(entry.target, entry.user): entry for entry in entries}
        found = Target.objects.filter(context=self.to.context, pk__in={e.target for e in entries})
        targets = {target.pk: target for target in found.order_by("pk")}
        self._beat()
        try:
            assignments = self.to.rest.assignments(self.to.course_id)
            items = read_line_items(self.to) if _needs_line_items(targets) else {}
            open_entries = self._unmistaken(self._readable(entries, assignments), assignments)
            self.looked_at = time.monotonic()
            now = read_again(self.to, [(entry.assignment, entry.user) for entry in open_entries])
        except PlatformError as error:
            raise stopped_by(error) from error
        check_clocks(self.to)
        pending = self._as_we_left(self._seen(open_entries, now), now)
        try:
            for target in targets.values():
                mine = [cell for cell in pending if cell.alignment == target.pk]
                self._restore(target, items.get(target.resource_id), mine)
        except Stopped:
            # What was put back until here is put back: remember it as such.
            with contextlib.suppress(Stopped):
                self._settle(targets, [cell for cell in pending if cell.key in self.ledger.attempted])
            raise
        self._settle(targets, pending)
        return self.fates()

    def fates(self) -> tuple[UndoneCell, ...]:
        return tuple(self._fate(key, entry) for key, entry in self.entries.items())

    def _fate(self, key: tuple[int, str], entry: Entry) -> UndoneCell:
        if key in self.kept:
            return UndoneCell(entry, "kept", "changed_since_sync")
        receipt = self.ledger.receipts.get(key)
        if receipt == SENT:
            return UndoneCell(entry, "restored")
        return UndoneCell(entry, "refused", receipt.code if receipt else "not_reached")

    def _readable(self, entries: Sequence[Entry], assignments: Mapping[str, Assignment]) -> list[Entry]:
        """Cells of columns that are there and published; the others cannot be restored now."""
        readable: list[Entry] = []
        for entry in entries:
            assignment = assignments.get(entry.assignment)
            if assignment is not None and assignment.published:
                readable.append(entry)
            else:
                code = "column_gone" if assignment is None else "unpublished"
                self.ledger.receipts[entry.target, entry.user] = refused(code)
        return readable

    def _unmistaken(self, entries: Sequence[Entry], assignments: Mapping[str, Assignment]) -> list[Entry]:
        """Without the numbers that Canvas would take for something else by now: the assignment can have become
        letter-graded or complete/incomplete since, or be worth other points."""
        used = {entry.assignment: assignments[entry.assignment] for entry in entries}
        lettered = {key: one for key, one in used.items() if one.grading_type in LETTERED}
        mistaken: dict[str, str] = {}
        if lettered:
            course = self.to.rest.course(self.to.course_id)
            schemes = {key: self.to.rest.grading_scheme(course, one) for key, one in lettered.items()}
            mistaken = {key: numeric_labels(one, schemes[key]) for key, one in lettered.items()}
        left: list[Entry] = []
        for entry in entries:
            why = ""
            if (score := to_score(entry.before)) is not None:
                why = mistaken.get(entry.assignment, "") or half_pass(used[entry.assignment], score)
            if why:
                self.ledger.receipts[entry.target, entry.user] = refused("column_blocked", why)
            else:
                left.append(entry)
        return left

    def _seen(self, entries: Sequence[Entry], now: Mapping[tuple[str, str], Cell]) -> list[Entry]:
        """Cells that an account of some sections does not see are left to another account; a missing cell is
        otherwise that of a student who has left."""
        missing = [entry for entry in entries if (entry.assignment, entry.user) not in now]
        if not missing:
            return list(entries)
        try:
            limited = self.to.rest.course(self.to.course_id).own_sections_only
        except PlatformError as error:
            raise stopped_by(error) from error
        if not limited:
            return list(entries)
        for entry in missing:
            self.ledger.receipts[entry.target, entry.user] = refused("not_a_student", writers.UNSEEN)
        return [entry for entry in entries if (entry.assignment, entry.user) in now]

    def _as_we_left(self, entries: Sequence[Entry], now: Mapping[tuple[str, str], Cell]) -> list[PlannedCell]:
        memory = Memory(self.to.context)
        pending: list[PlannedCell] = []
        for entry in entries:
            cell = now.get((entry.assignment, entry.user))
            text = grade_text(cell.entered_score, cell.excused) if cell else None
            # What was sent and could not be read back is known by its intention.
            ours = cell is not None and (
                memory.ownership(entry.target, cell).ours or memory.was_intended(cell)
            )
            if cell is not None and ours and same_grade(text, entry.after):
                pending.append(_planned(entry, cell))
            elif cell is not None and same_grade(text, entry.before) and memory.was_intended(cell):
                # An undo that broke off has put this one back already.
                self.ledger.attempted.add((entry.target, entry.user))
                pending.append(_planned(entry, cell))
                self.ledger.receipts[entry.target, entry.user] = SENT
            else:
                self.kept.add((entry.target, entry.user))
        return pending

    def _restore(self, target: Target, item: LineItem | None, cells: Sequence[PlannedCell]) -> None:
        left = self.ledger.without_receipt(cells)
        if not left:
            return
        assignment_id = self._assignment_id(left[0])
        # A person's grade is theirs the moment it is back: no intention of ours may ever claim it.
        grades = {cell.user: cell.after for cell in left if cell.was_ours or cell.after is None}
        course, now = (self.to.context, target, assignment_id), self.to.rest.earlier_now()
        self.lease.fence()
        fingerprints.remember_as_found(*course, left, now)
        fingerprints.remember_intentions(*course, grades, now)
        by_ags = [cell for cell in left if item and _goes_by_ags(cell)]
        try:
            if item and by_ags:
                where = LineItemColumn(
                    item.url, item.score_maximum, making.stamp(target, self.to.rest.earlier_now())
                )
                writers.post_scores(self.to, where, by_ags, self.ledger, self._in_time, self._beat)
            self._by_rest(assignment_id, [cell for cell in left if cell not in by_ags])
        except ColumnRefused as error:
            self.ledger.put(self.ledger.without_receipt(left), error.receipt)

    def _by_rest(self, assignment_id: str, cells: Sequence[PlannedCell]) -> None:
        for batch in writers.batches(cells, writers.GRADES_A_JOB):
            fresh = self._in_time(batch)
            if not fresh.cells:
                continue
            # What arrived of it is seen by reading back.
            is_done, fresh = self._job(assignment_id, fresh)
            try:
                left = self._unrestored(fresh.cells)
            except Stopped:
                if is_done:
                    self.ledger.put(fresh.cells, SENT)
                raise
            writers.put_each(self.to, left, self.ledger, self._in_time, self._assignment_id)

    def _job(self, assignment_id: str, batch: Looked) -> tuple[bool, Looked]:
        """One bulk job of what nobody changed before its turn: whether it ended well for certain, and of what."""
        while batch.cells:
            try:
                job = writers.post_job(self.to, assignment_id, batch, self.ledger, self._beat)
            except Outdated:
                batch = self._in_time(batch.cells)
            except MaybeSent:
                break
            else:
                return job.workflow_state == "completed", batch
        return False, batch

    def _in_time(self, cells: Sequence[PlannedCell]) -> Looked:
        """Of cells that waited for their turn: those that nobody changed meanwhile. The others stay."""
        if time.monotonic() - self.looked_at <= writing.FRESH_SECONDS:
            return writers.looked(cells, self.looked_at)
        began = time.monotonic()
        now = self._read(cells)
        still = [
            cell
            for cell in cells
            if is_as_planned_from(now.get((self._assignment_id(cell), cell.user)), cell)
        ]
        self.kept.update(cell.key for cell in cells if cell not in still)
        return writers.looked(still, began)

    def _unrestored(self, cells: Sequence[PlannedCell]) -> list[PlannedCell]:
        """Those that are still as the run left them. What a person changed meanwhile stays."""
        now = self._read(cells)
        left: list[PlannedCell] = []
        for planned in cells:
            cell = now.get((self._assignment_id(planned), planned.user))
            if holds(cell, planned):
                if planned.key not in self.ledger.attempted:
                    # Nothing of ours has left: a person put it back.
                    self.kept.add(planned.key)
                continue
            if is_as_planned_from(cell, planned):
                left.append(planned)
            else:
                self.kept.add(planned.key)
        return left

    def _settle(self, targets: Mapping[int, Target], cells: Sequence[PlannedCell]) -> None:
        """Read back; what is empty or a person's again is forgotten, what is ours again is remembered."""
        now = self._read_back(targets, cells)
        for target in targets.values():
            ours: list[Cell] = []
            theirs: list[tuple[str, str]] = []
            failed: list[tuple[str, str]] = []
            for planned in cells:
                if planned.alignment != target.pk:
                    continue
                key = (self._assignment_id(planned), planned.user)
                cell = now.get(key)
                if planned.key in self.kept and planned.key not in self.ledger.attempted:
                    # Changed before its turn: whatever it holds is a person's.
                    failed.append(key)
                    continue
                if cell is None or not holds(cell, planned) or self.ledger.was_turned_away(planned):
                    # A write nobody answered for may still arrive: its intention is kept.
                    code = "no_answer" if planned.key in self.ledger.unanswered else "not_written"
                    if code == "not_written":
                        failed.append(key)
                    if cell is not None and not is_as_planned_from(cell, planned):
                        self.kept.add(planned.key)
                    receipt = self.ledger.receipts.get(planned.key)
                    if receipt is None or receipt == SENT:
                        self.ledger.receipts[planned.key] = refused(code)
                    continue
                self.ledger.receipts[planned.key] = SENT
                if planned.was_ours and planned.after is not None:
                    ours.append(cell)
                else:
                    theirs.append(key)
            self.lease.fence()
            fingerprints.remember_states(self.to.context, target, ours, timezone.now())
            fingerprints.forget_cells(self.to.context, theirs)
            fingerprints.forget_intentions(self.to.context, target, failed)

    def _read_back(
        self, targets: Mapping[int, Target], cells: Sequence[PlannedCell]
    ) -> dict[tuple[str, str], Cell]:
        """These cells now. Where nobody can look, what Canvas said it emptied is as we left it all the same."""
        try:
            return self._read(cells)
        except Stopped:
            self.lease.fence()
            for cell in cells:
                if cell.after is None and self.ledger.receipts.get(cell.key) == SENT:
                    where = (self.to.context, targets[cell.alignment], self._assignment_id(cell))
                    fingerprints.remember_emptied(*where, [cell], timezone.now())
            raise

    def _assignment_id(self, cell: PlannedCell) -> str:
        return self.entries[cell.key].assignment

    def _read(self, cells: Sequence[PlannedCell]) -> dict[tuple[str, str], Cell]:
        try:
            return read_again(self.to, [(self._assignment_id(cell), cell.user) for cell in cells])
        except PlatformError as error:
            raise stopped_by(error) from error

    def _beat(self) -> None:
        progress = {"phase": "undoing", "done": len(self.ledger.receipts), "total": len(self.entries)}
        self.lease.beat(timezone.now(), progress=progress)
        if self.lease.is_switched_off:
            raise stopped("registration_off")


def _planned(entry: Entry, cell: Cell) -> PlannedCell:
    """The way back, as a cell to write."""
    return PlannedCell(
        alignment=entry.target,
        user=entry.user,
        before=entry.after,
        after=entry.before,
        decision="send",
        reason="restored",
        was_ours=entry.was_ours,
        graded_at=cell.graded_at,
        grader_id=cell.grader_id,
    )


def _goes_by_ags(cell: PlannedCell) -> bool:
    """What a person gave goes back under a person's name, and AGS knows no excuse."""
    return cell.after is None or (cell.was_ours and cell.after != EXCUSED)


def _needs_line_items(targets: Mapping[int, Target]) -> bool:
    return any(target.kind == TargetKind.COLUMN for target in targets.values())
