"""What became of each cell of a run: the one place where receipts are kept until they are counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from canvas.values import Cell
from grading.core.grades import grade_text, same_grade
from grading.core.plan import CellKey, PlannedCell, Problem
from grading.core.reasons import reason_for

Fate = Literal["sent", "refused", "changed"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """`sent` is what Canvas answered or what was read back; `code` and `detail` say why it was refused."""

    fate: Fate
    code: str = ""
    detail: str = ""


SENT = Receipt("sent")
CHANGED = Receipt("changed", "changed_since_preview")


def refused(code: str, detail: str = "") -> Receipt:
    return Receipt("refused", code, detail)


UNREAD = refused("not_read_back")
"""Canvas may have taken it, and does not show the cell any more: its column was unpublished, or its student left."""


@dataclass
class Ledger:
    """`attempted` are cells whose effect in Canvas is not certain until they are read back; `unanswered` those
    of which a write may still arrive after that; `not_all_found` those of jobs that missed students. `late_since` is
    the moment of `time.monotonic` since when every write came too late for its turn, 0 while they are answered."""

    receipts: dict[CellKey, Receipt] = field(default_factory=dict)
    attempted: set[CellKey] = field(default_factory=set)
    unanswered: set[CellKey] = field(default_factory=set)
    not_all_found: set[CellKey] = field(default_factory=set)
    late_since: float = 0.0
    _turned_away: set[CellKey] = field(default_factory=set)

    def put(self, cells: Iterable[PlannedCell], receipt: Receipt) -> None:
        for cell in cells:
            self.receipts[cell.key] = receipt

    def no_answer(self, cells: Iterable[PlannedCell]) -> None:
        keys = [cell.key for cell in cells]
        self.attempted.update(keys)
        self.unanswered.update(keys)

    def turned_away(self, cell: PlannedCell, receipt: Receipt) -> None:
        """Canvas's own answer to this one cell: what it holds now is not what we sent."""
        self.receipts[cell.key] = receipt
        self._turned_away.add(cell.key)

    def was_turned_away(self, cell: PlannedCell) -> bool:
        """Whether no write of this cell can have arrived, even if it holds what we wanted: a person's then."""
        return cell.key in self._turned_away and cell.key not in self.unanswered

    def never_left(self, cell: PlannedCell) -> None:
        """This write did not leave the machine or was refused whole; an earlier one may have."""
        if cell.key not in self.unanswered:
            self.attempted.discard(cell.key)

    def without_receipt(self, cells: Iterable[PlannedCell]) -> list[PlannedCell]:
        return [cell for cell in cells if cell.key not in self.receipts]

    def final(self, cells: Iterable[PlannedCell]) -> tuple[PlannedCell, ...]:
        """The plan's cells as they ended."""
        return tuple(self._ended(cell) for cell in cells)

    def _ended(self, cell: PlannedCell) -> PlannedCell:
        receipt = self.receipts.get(cell.key)
        if receipt is None or receipt.fate == "sent":
            return cell
        decision: Literal["conflict", "refused"] = "conflict" if receipt.fate == "changed" else "refused"
        return replace(cell, decision=decision, reason=receipt.code)

    def problems(self) -> list[Problem]:
        """One problem for each alignment and code of a refusal."""
        found: dict[tuple[int, str], Problem] = {}
        for (alignment, _), receipt in sorted(self.receipts.items()):
            if receipt.fate == "refused" and (alignment, receipt.code) not in found:
                detail = receipt.detail or reason_for(receipt.code).sentence
                found[alignment, receipt.code] = Problem(alignment, receipt.code, detail)
        return list(found.values())


def holds(cell: Cell | None, planned: PlannedCell) -> bool:
    """Whether the cell is what the plan wanted it to be."""
    return cell is not None and same_grade(grade_text(cell.entered_score, cell.excused), planned.after)


def is_as_planned_from(cell: Cell | None, planned: PlannedCell) -> bool:
    """Whether the cell still is what the plan was made from: same grade, same grader, same moment."""
    if cell is None:
        return False
    before = (planned.before, planned.graded_at, planned.grader_id)
    return before == (grade_text(cell.entered_score, cell.excused), cell.graded_at, cell.grader_id)
