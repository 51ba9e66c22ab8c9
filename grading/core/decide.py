"""What happens to one cell: the steps 0 to 10 of the decision, in their order.

Nothing here knows Canvas or a database; a `Situation` says all that matters about one student and one
target, and `decide_cell` answers with a decision and its reason code (see `reasons` for the sentences).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from alignments.core.definition import Direction, Overwrite
from alignments.core.rules import Wanted, WantedKind
from canvas.values import Cell
from grading.core.grades import EXCUSED, GradeText, grade_text, is_lower, same_grade, to_score

Decision = Literal["send", "unchanged", "held", "conflict", "refused"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision and the code of its reason."""

    decision: Decision
    reason: str


@dataclass(frozen=True, slots=True)
class Ownership:
    """What this tool remembers of a cell. `ours`: its present state is what we left there.
    `written_before`: we have written here at some time and not taken it back."""

    ours: bool = False
    written_before: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """What a person allowed beyond the rules: `forced` replaces what a person did in this cell;
    `approved` means that a person reads this plan before it is sent."""

    forced: bool = False
    approved: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """One student, one target, at one moment. `cell` is None when the student is not assigned to it,
    or when a column that is not made yet has no cells (`assigned` tells them apart)."""

    is_student: bool
    assigned: bool
    cell: Cell | None
    wanted: Wanted | None
    """None when the alignment is broken or its points are unknown."""
    broken: bool
    blocked: bool
    closed: bool
    ownership: Ownership
    overwrite: Overwrite
    direction: Direction
    not_assessed: bool = False
    """An exception for the student or their section says so."""

    @property
    def before(self) -> GradeText:
        """The entered score, before late deductions."""
        return grade_text(self.cell.entered_score, self.cell.excused) if self.cell else None

    @property
    def after(self) -> GradeText:
        """What the rule gives, whatever is decided."""
        if self.wanted is None or self.wanted.kind in {"not_enough", "cleared"}:
            return None
        return EXCUSED if self.wanted.kind == "excused" else grade_text(self.wanted.score)

    @property
    def holds_policy_grade(self) -> bool:
        """The missing-submission policy set it: a score that nobody gave."""
        cell = self.cell
        return (
            cell is not None
            and cell.entered_score is not None
            and not cell.excused
            and cell.grader_id is None
            and not self.ownership.ours
        )


def decide_cell(at: Situation, allowed: Permission = Permission()) -> Verdict:
    """The first step that applies; each returns None when it does not."""
    return (
        _who(at)
        or _target(at)
        or _evidence(at)
        or _same(at)
        or _protected(at, allowed)
        or _would_lower(at)
        or Verdict("send", _kind(at))
    )


def _who(at: Situation) -> Verdict | None:
    """Before the steps: only an active student; step 0; and nothing for whom an exception says so."""
    if not at.is_student:
        return Verdict("held", "not_a_student")
    if not at.assigned:
        return Verdict("held", "not_assigned")
    return Verdict("held", "not_assessed") if at.not_assessed else None


def _target(at: Situation) -> Verdict | None:
    """Step 1. `wanted` is missing only where one of the two is true."""
    if at.broken:
        return Verdict("held", "broken_alignment")
    return Verdict("held", "column_blocked") if at.blocked or at.wanted is None else None


def _evidence(at: Situation) -> Verdict | None:
    """Step 2: nothing is ever sent for want of evidence unless the teacher said so."""
    if at.wanted is None or at.wanted.kind != "not_enough":
        return None
    if at.ownership.ours and at.before is not None:
        return Verdict("held", "evidence_gone")
    return Verdict("held", "too_little_evidence" if at.wanted.assessed else "no_evidence")


def _same(at: Situation) -> Verdict | None:
    """Step 3."""
    return Verdict("unchanged", "same") if same_grade(at.before, at.after) else None


def _protected(at: Situation, allowed: Permission) -> Verdict | None:
    """Steps 4 to 8: what a person did in this cell stays."""
    excused_by_person = at.before == EXCUSED and not at.ownership.ours
    if excused_by_person and not allowed.forced:
        return Verdict("conflict", "excused_by_person")
    if at.closed:
        return Verdict("conflict", "closed_period")
    is_empty = at.before is None or at.holds_policy_grade
    if is_empty:
        emptied = at.ownership.written_before and not at.ownership.ours and not allowed.forced
        return Verdict("conflict", "cleared_by_person") if emptied else None
    if at.overwrite == "empty":
        return Verdict("held", "already_graded")
    may_replace = at.ownership.ours or allowed.forced or (at.overwrite == "all" and allowed.approved)
    return None if may_replace else Verdict("conflict", "graded_by_person")


def _would_lower(at: Situation) -> Verdict | None:
    """Step 9: with `up`, a grade only rises. Our own excuse counts as a grade we wrote."""
    if at.direction != "up" or at.before is None:
        return None
    over_grade = at.before != EXCUSED
    lowers = at.after in {None, EXCUSED} or _is_lower(at) if over_grade else at.ownership.ours
    return Verdict("held", "would_lower") if lowers else None


def _is_lower(at: Situation) -> bool:
    after, before = to_score(at.after), to_score(at.before)
    return after is not None and before is not None and is_lower(after, before)


def _kind(at: Situation) -> WantedKind:
    if at.wanted is None:
        raise ValueError("a cell without a wanted grade is never sent")
    return at.wanted.kind


def is_pass_fail_value(score: Decimal | None, points: Decimal) -> bool:
    """Complete or incomplete: the two values a pass/fail column takes."""
    return score is None or score == 0 or score == points
