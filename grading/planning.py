"""From one read of a course to its plan, and the plan at rest: sealed, with all that sending needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from alignments import services as alignments
from alignments.core import jsonfile
from alignments.core.exceptions import LOST, with_rule
from alignments.core.numbers import plain
from alignments.core.scales import scale_change, scales_now
from alignments.core.sectionfields import instead_to_json
from alignments.models import TargetKind
from alignments.services import StoredAlignment
from canvas.values import Student
from grading import evidence, fingerprints
from grading.core.columns import Column
from grading.core.decide import Verdict
from grading.core.plan import Inputs, Plan, PlannedAlignment, PlannedCell, Problem, make_plan
from grading.evidence import Grounds, grounds_of
from grading.fingerprints import Memory
from grading.reading import CourseReading
from lti_tool.models import Context
from lti_tool.sealing import seal, unseal

PLAN_PURPOSE = "plan"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan relies on, as short texts to compare: when one differs, the plan no longer holds."""

    rules: str
    columns: str
    roster: str
    each: Mapping[int, str] = field(default_factory=dict)
    """By alignment its rule, target, points and whether that is pass/fail: what a run that was taken over goes by, cell
    by cell."""

    def differs_from(self, other: Basis) -> str:
        """What changed, in words; "" when nothing did."""
        changed = []
        if self.rules != other.rules:
            changed.append("the alignments")
        if self.columns != other.columns:
            changed.append("a column in Canvas")
        if self.roster != other.roster:
            changed.append("the students of the course")
        return " and ".join(changed)

    def outdated(self, now: Basis) -> frozenset[int]:
        """Alignments whose planned grades mean something else by now."""
        return frozenset(key for key, value in self.each.items() if now.each.get(key) != value)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with what it was made from."""

    plan: Plan
    basis: Basis
    read_at: datetime
    grounds: Mapping[int, Grounds] = field(default_factory=dict, repr=False)
    """What the grades follow from, by alignment, for a preview's pages; an approved plan goes without."""


def make(
    context: Context,
    stored: Sequence[StoredAlignment],
    reading: CourseReading,
    *,
    force_conflicts: bool = False,
    approved_by_person: bool = False,
) -> Prepared:
    """Plan the whole course from one read."""
    memory = Memory(context)
    basis = basis_of(stored, reading.columns, reading.students)
    inputs = Inputs(
        alignments=[_planned(one, reading) for one in stored],
        students=reading.students,
        rollups=reading.evidence.rollups,
        outcomes=reading.evidence.outcomes,
        cells=reading.cells,
        ownership=memory.ownership,
        closed_periods=reading.closed_periods,
        force_conflicts=force_conflicts,
        approved_by_person=approved_by_person,
    )
    text = json.dumps([basis.rules, basis.columns, basis.roster])
    return Prepared(make_plan(inputs, text), basis, reading.read_at, grounds_of(inputs))


def _planned(one: StoredAlignment, reading: CourseReading) -> PlannedAlignment:
    own = reading.own_scores.get(one.id)
    lost = LOST if one.students is None else ""
    students = one.students or {}
    others = [with_rule(one.definition, rule) for rule in students.values() if rule is not None]
    changed = scale_change(one.definition, one.scales, reading.evidence.outcomes, others)
    return PlannedAlignment(
        one.id,
        one.target.pk,
        one.definition,
        reading.columns[one.id],
        reading.schemes.get(one.id),
        scores=own.scores if own else None,
        trouble=lost or changed or (own.trouble if own else ""),
        students=students,
    )


def take_notes(context: Context, stored: Sequence[StoredAlignment], reading: CourseReading) -> None:
    """What a first plan learns for good: names, expected points, and the addresses of columns found again;
    and each one, when the course ends and in which time zone it is."""
    course = reading.course
    if (context.ends_at, context.time_zone) != (course.ends_at, course.time_zone):
        context.ends_at, context.time_zone = course.ends_at, course.time_zone
        context.save(update_fields=["ends_at", "time_zone"])
    for one in stored:
        title = reading.evidence.outcomes.get(one.definition.outcomes[0].outcome_id)
        if not one.definition.name and title is not None:
            alignments.fill_in_name(context, one.id, title.title)
        column = reading.columns[one.id]
        alignments.remember_scales(context, one, scales_now(one.definition, reading.evidence.outcomes))
        if one.expected_points is None and column.exists and column.points:
            alignments.remember_points(context, one.id, column.points)
        remember_column(one, column)
    fingerprints.remember_arrivals(context, reading.cells.values(), timezone.now())


def remember_column(one: StoredAlignment, column: Column) -> None:
    """Keep where a column of ours is: its line item and, once known, its assignment."""
    target = one.target
    if target.kind != TargetKind.COLUMN or column.line_item is None or column.assignment is None:
        return
    found = (column.line_item.url, column.assignment.id)
    if (target.line_item_url, target.assignment_id) != found:
        target.line_item_url, target.assignment_id = found
        target.save(update_fields=["line_item_url", "assignment_id"])


def basis_of(
    stored: Sequence[StoredAlignment], columns: Mapping[int, Column], students: Mapping[str, Student]
) -> Basis:
    """Digests of rules, targets and roster. Names of people and titles play no part."""
    rules = {one.id: _rule_of(one) for one in sorted(stored, key=lambda one: one.id)}
    by_section = any(one.definition.sections for one in stored)
    roster = sorted(_in_roster(one, by_section) for one in students.values() if not one.is_test_student)
    shapes = [[key, column.identity] for key, column in sorted(columns.items())]
    each = {key: _digest([rule, *_meaning(columns[key])]) for key, rule in rules.items()}
    return Basis(_digest(list(rules.values())), _digest(shapes), _digest(roster), each)


def _rule_of(one: StoredAlignment) -> list[Any]:
    body = jsonfile.to_json(one.definition)
    body.pop("name", None)
    own = {user: instead_to_json(rule) for user, rule in (one.students or {}).items()}
    return [one.id, one.target.pk, body, own] if own else [one.id, one.target.pk, body]


def _meaning(column: Column) -> list[str]:
    """What the same number is worth there. A column that was not there yet means what it means once it is made."""
    points = "" if column.points is None else plain(column.points)
    return [points, "pass_fail"] if column.is_pass_fail else [points]


def _in_roster(student: Student, by_section: bool) -> list[Any]:
    """Sections play a part only where an alignment has exceptions for some."""
    row: list[Any] = [student.user_id, student.is_active]
    return [*row, sorted(student.active_section_ids)] if by_section else row


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def seal_plan(prepared: Prepared) -> str:
    """The approved plan at rest, until its run ends."""
    plan, basis = prepared.plan, prepared.basis
    return seal(
        {
            "basis": [basis.rules, basis.columns, basis.roster],
            "each": list(basis.each.items()),
            "text": plan.basis,
            "read_at": prepared.read_at.isoformat(),
            "problems": [[p.alignment, p.code, p.detail] for p in plan.problems],
            "cells": [_cell_row(cell) for cell in plan.cells],
            "grounds": evidence.to_rows(prepared.grounds),
        },
        purpose=PLAN_PURPOSE,
    )


def open_plan(sealed: str) -> Prepared:
    """What `seal_plan` sealed. Raises CannotUnseal."""
    value = unseal(sealed, purpose=PLAN_PURPOSE)
    plan = Plan(
        cells=tuple(_cell(row) for row in value["cells"]),
        problems=tuple(Problem(*row) for row in value["problems"]),
        basis=value["text"],
    )
    read_at = datetime.fromisoformat(value["read_at"])
    rules, columns, roster = value["basis"]
    basis = Basis(rules, columns, roster, dict(value.get("each", ())))
    return Prepared(plan, basis, read_at, evidence.from_rows(value.get("grounds", ())))


def _cell_row(cell: PlannedCell) -> list[Any]:
    forced = cell.if_forced
    return [
        cell.alignment,
        cell.user,
        cell.before,
        cell.after,
        cell.decision,
        cell.reason,
        [forced.decision, forced.reason] if forced else None,
        cell.was_ours,
        cell.graded_at.isoformat() if cell.graded_at else None,
        cell.grader_id,
    ]


def _cell(row: list[Any]) -> PlannedCell:
    alignment, user, before, after, decision, reason, forced, was_ours, graded_at, grader_id = row
    return PlannedCell(
        alignment,
        user,
        before,
        after,
        decision,
        reason,
        Verdict(*forced) if forced else None,
        was_ours,
        datetime.fromisoformat(graded_at) if graded_at else None,
        grader_id,
    )


def points_of(columns: Mapping[int, Column], alignment_id: int) -> Decimal | None:
    """What a full grade is worth there now."""
    return columns[alignment_id].points
