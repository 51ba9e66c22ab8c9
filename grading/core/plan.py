"""The plan of one sync: every cell with its decision, in a stable order, with counts and a digest. Pure.

A plan is what the teacher reads, approves and gets: `digest` names exactly this plan, and the choices made
in a preview are worked out here too, from what was read, without asking Canvas again.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction

from alignments.core.definition import Definition, OwnRule
from alignments.core.exceptions import Instead, Students, applying_to, check_instead, with_rule
from alignments.core.levels import Score
from alignments.core.rules import Decider, Wanted, check
from canvas.values import Cell, GradingScheme, Outcome, Rollup, Student
from grading.core.columns import Column
from grading.core.decide import (
    Decision,
    Ownership,
    Permission,
    Situation,
    Verdict,
    decide_cell,
    is_pass_fail_value,
)
from grading.core.grades import GradeText, is_lower, to_score

CellKey = tuple[int, str]
"""An alignment's id and a student's Canvas id."""

DECISIONS: tuple[Decision, ...] = ("send", "unchanged", "held", "conflict", "refused")
MAKES_PARTIAL = {"broken_alignment", "column_blocked"}
MAY_BE_FORCED = {"graded_by_person", "cleared_by_person", "excused_by_person"}
LARGE_LOWERED = Fraction(1, 5)
LARGE_CHANGED = Fraction(1, 2)
LARGE_AT_LEAST = 5


@dataclass(frozen=True, slots=True)
class PlannedAlignment:
    """One alignment with what its target is now."""

    id: int
    target_id: int
    definition: Definition
    column: Column
    scheme: GradingScheme | None = None
    scores: Mapping[str, Mapping[str, Fraction | None]] | None = None
    """By student and outcome, where the alignment calculates otherwise than Canvas; else None."""
    trouble: str = ""
    """Why the alignment is broken, beyond its rule: scores that cannot be had, a scale that changed."""
    students: Students = field(default_factory=dict, repr=False)
    """Students with a rule of their own."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a plan follows from. `cells` is keyed by assignment and student; `ownership` is asked
    only for cells that exist; `closed_periods` is None where Canvas did not say which are closed."""

    alignments: Sequence[PlannedAlignment]
    students: Mapping[str, Student]
    rollups: Mapping[str, Rollup]
    outcomes: Mapping[str, Outcome]
    cells: Mapping[tuple[str, str], Cell]
    ownership: Callable[[int, Cell], Ownership]
    """Given a target's id and a cell."""
    closed_periods: frozenset[str] | None = None
    force_conflicts: bool = False
    approved_by_person: bool = False


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """One student × one alignment."""

    alignment: int
    user: str
    before: GradeText
    after: GradeText
    decision: Decision
    reason: str
    if_forced: Verdict | None = None
    """For a conflict that a person may override: what would be decided then."""
    was_ours: bool = False
    graded_at: datetime | None = None
    grader_id: str | None = None

    @property
    def key(self) -> CellKey:
        return self.alignment, self.user

    @property
    def goes_up(self) -> bool | None:
        """Whether a grade rises (True), falls or goes (False), or neither (None)."""
        before, after = to_score(self.before), to_score(self.after)
        if before is None:
            return True if after is not None else None
        return after is not None and not is_lower(after, before)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why cells of one alignment were not sent: one for each alignment and code."""

    alignment: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose in the preview: conflicts to replace, cells, students or alignments to hold."""

    replace: frozenset[CellKey] = frozenset()
    hold: frozenset[CellKey] = frozenset()
    hold_students: frozenset[str] = frozenset()
    hold_alignments: frozenset[int] = frozenset()

    def holds(self, cell: PlannedCell) -> bool:
        return (
            cell.key in self.hold or cell.user in self.hold_students or cell.alignment in self.hold_alignments
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Cells sorted by alignment and student, and the problems they stand for."""

    cells: tuple[PlannedCell, ...]
    problems: tuple[Problem, ...] = ()
    basis: str = field(default="", repr=False)
    """What the plan relies on: rules, targets, roster. Part of the digest."""

    @property
    def digest(self) -> str:
        """SHA-256 over the basis and every cell; equal digests are the same plan."""
        rows = [
            [c.alignment, c.user, c.before, c.after, c.decision, c.reason, c.if_forced and c.if_forced.reason]
            for c in self.cells
        ]
        text = json.dumps([self.basis, rows], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def counts(self) -> dict[str, int]:
        return count_decisions(self.cells)

    @property
    def reasons(self) -> dict[str, int]:
        return count_reasons(self.cells)

    @property
    def status(self) -> str:
        """`done` when everything decided can be written, `partial` when something cannot."""
        return "partial" if any(is_partial(cell) for cell in self.cells) else "done"

    def to_send(self) -> tuple[PlannedCell, ...]:
        return tuple(cell for cell in self.cells if cell.decision == "send")

    def with_choices(self, choices: Choices) -> Plan:
        """The plan as a person changed it; only conflicts and cells to be sent can change."""
        return replace(self, cells=tuple(_chosen(cell, choices) for cell in self.cells))

    def only(self, users: Collection[str]) -> Plan:
        """The plan for these students: what it would send to others is held."""
        return replace(
            self,
            cells=tuple(
                cell
                if cell.decision != "send" or cell.user in users
                else replace(cell, decision="held", reason="not_chosen")
                for cell in self.cells
            ),
        )

    def unsafe_reason(self) -> str | None:
        """Why a person must confirm this plan once more, naming the numbers; None when it is ordinary."""
        graded = [cell for cell in self.cells if to_score(cell.before) is not None]
        changed = [cell for cell in graded if cell.decision == "send"]
        lowered = [cell for cell in changed if cell.goes_up is False]
        if _is_large(len(lowered), len(graded), LARGE_LOWERED):
            return f"{len(lowered):,} of {len(graded):,} grades would be lowered or removed."
        if _is_large(len(changed), len(graded), LARGE_CHANGED):
            return f"{len(changed):,} of {len(graded):,} grades would change."
        return None


def make_plan(inputs: Inputs, basis: str = "") -> Plan:
    """Decide every student × alignment. The order of what is given plays no part."""
    cells: list[PlannedCell] = []
    problems: dict[tuple[int, str], Problem] = {}
    users = sorted(_everybody(inputs), key=numeric)
    for alignment in sorted(inputs.alignments, key=lambda one: one.id):
        one = _OneAlignment(inputs, alignment)
        for user in users:
            cell = one.plan(user)
            cells.append(cell)
            if cell.reason in MAKES_PARTIAL and (alignment.id, cell.reason) not in problems:
                problems[alignment.id, cell.reason] = Problem(alignment.id, cell.reason, one.why(cell.reason))
    return Plan(tuple(cells), tuple(problems.values()), basis)


def count_decisions(cells: Iterable[PlannedCell]) -> dict[str, int]:
    """Interface 4's counts: every decision, 0 included."""
    found = Counter(cell.decision for cell in cells)
    return {decision: found[decision] for decision in DECISIONS}


def count_reasons(cells: Iterable[PlannedCell]) -> dict[str, int]:
    return dict(sorted(Counter(cell.reason for cell in cells).items()))


def is_partial(cell: PlannedCell) -> bool:
    return cell.decision == "refused" or cell.reason in MAKES_PARTIAL


def numeric(canvas_id: str) -> tuple[int, str]:
    """Canvas ids in the order of their numbers."""
    return (int(canvas_id), "") if canvas_id.isdigit() else (0, canvas_id)


def is_candidate(inputs: Inputs, user: str) -> bool:
    """One active student enrolment in the course is enough; in the rollups alone is not."""
    student = inputs.students.get(user)
    return student is not None and student.is_active


def instead_of(inputs: Inputs, alignment: PlannedAlignment, user: str) -> Instead | None:
    """What counts for this student instead of the alignment's rule, if anything."""
    if not alignment.students and not alignment.definition.sections:
        return None
    student = inputs.students.get(user)
    sections = student.active_section_ids if student else frozenset()
    return applying_to(user, sections, alignment.definition, alignment.students)


def _everybody(inputs: Inputs) -> Iterator[str]:
    """Everybody in the roster, the rollups or the results, once; the Test Student has no cell."""
    by_results = (one.scores for one in inputs.alignments if one.scores is not None)
    for user in {*inputs.students, *inputs.rollups}.union(*by_results):
        student = inputs.students.get(user)
        if student is None or not student.is_test_student:
            yield user


class _Ready:
    """One alignment's rule, or one that takes its place for some students, made ready."""

    def __init__(self, inputs: Inputs, alignment: PlannedAlignment, rule: OwnRule | None = None) -> None:
        definition, trouble = alignment.definition, alignment.trouble
        if rule is not None:
            definition = with_rule(definition, rule)
            trouble = trouble or check_instead(definition, rule) or ""
        self.broken = check(definition, inputs.outcomes, alignment.scheme) or trouble
        self.decider: Decider | None = None
        points = alignment.column.points
        if not self.broken and points is not None and points > 0:
            self.decider = Decider(definition, inputs.outcomes, points, alignment.scheme)


class _OneAlignment:
    """One alignment made ready for every student."""

    def __init__(self, inputs: Inputs, alignment: PlannedAlignment) -> None:
        self.inputs = inputs
        self.alignment = alignment
        self.column = alignment.column
        self.usual = _Ready(inputs, alignment)
        self.others: dict[OwnRule, _Ready] = {}

    def why(self, reason: str) -> str:
        """The sentence for this alignment's problem."""
        if reason == "broken_alignment":
            return self.usual.broken or next(one.broken for one in self.others.values() if one.broken)
        return self.column.blocked or (
            f'"{self.column.label}" is complete/incomplete, and this rule gives values in between. Use a rule '
            "that gives all points or none, or grade the assignment by points."
        )

    def plan(self, user: str) -> PlannedCell:
        instead = instead_of(self.inputs, self.alignment, user)
        situation = self._situation(user, instead)
        forced = Permission(forced=True, approved=True)
        allowed = Permission(self.inputs.force_conflicts, self.inputs.approved_by_person)
        verdict = decide_cell(situation, allowed)
        cell = situation.cell
        return PlannedCell(
            alignment=self.alignment.id,
            user=user,
            before=situation.before,
            after=situation.after,
            decision=verdict.decision,
            reason=verdict.reason,
            if_forced=decide_cell(situation, forced) if verdict.reason in MAY_BE_FORCED else None,
            was_ours=situation.ownership.ours,
            graded_at=cell.graded_at if cell else None,
            grader_id=cell.grader_id if cell else None,
        )

    def _ready(self, instead: Instead | None) -> _Ready:
        if instead is None or instead.rule is None:
            return self.usual
        if instead.rule not in self.others:
            self.others[instead.rule] = _Ready(self.inputs, self.alignment, instead.rule)
        return self.others[instead.rule]

    def _situation(self, user: str, instead: Instead | None) -> Situation:
        ready = self._ready(instead)
        not_assessed = instead is not None and instead.rule is None
        wanted = None if not_assessed else self._wanted(ready, user)
        cell = self._cell(user)
        definition = self.alignment.definition
        return Situation(
            is_student=is_candidate(self.inputs, user),
            assigned=cell is not None or not self._has_cells,
            cell=cell,
            wanted=wanted,
            not_assessed=not_assessed,
            broken=bool(ready.broken),
            blocked=bool(self.column.blocked) or self._is_half_pass(wanted),
            closed=cell is not None and self._is_closed(cell),
            ownership=self.inputs.ownership(self.alignment.target_id, cell) if cell else Ownership(),
            overwrite=definition.overwrite,
            direction=definition.direction,
        )

    def _wanted(self, ready: _Ready, user: str) -> Wanted | None:
        return ready.decider.wanted(self._scores(user)) if ready.decider else None

    def _scores(self, user: str) -> Mapping[str, Score | None]:
        if self.alignment.scores is not None:
            return self.alignment.scores.get(user, {})
        rollup = self.inputs.rollups.get(user)
        return rollup.scores if rollup else {}

    def _cell(self, user: str) -> Cell | None:
        assignment = self.column.assignment
        return self.inputs.cells.get((assignment.id, user)) if assignment else None

    @property
    def _has_cells(self) -> bool:
        """Whether Canvas can be asked who is assigned: only of a published assignment that is there."""
        return self.column.assignment is not None and self.column.assignment.published

    def _is_half_pass(self, wanted: Wanted | None) -> bool:
        if wanted is None or self.column.points is None or not self.column.is_pass_fail:
            return False
        return not is_pass_fail_value(wanted.score, self.column.points)

    def _is_closed(self, cell: Cell) -> bool:
        periods = self.inputs.closed_periods
        if periods is not None and cell.grading_period_id is not None:
            return cell.grading_period_id in periods
        return self.column.assignment is not None and self.column.assignment.in_closed_grading_period


def _chosen(cell: PlannedCell, choices: Choices) -> PlannedCell:
    verdict: Verdict | None = None
    if cell.if_forced and cell.key in choices.replace:
        verdict = cell.if_forced
    decision = verdict.decision if verdict else cell.decision
    if decision == "send" and choices.holds(cell):
        verdict = Verdict("held", "held_by_person")
    return replace(cell, decision=verdict.decision, reason=verdict.reason) if verdict else cell


def _is_large(some: int, of: int, limit: Fraction) -> bool:
    return some >= LARGE_AT_LEAST and Fraction(some, of) > limit
