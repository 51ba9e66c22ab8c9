"""A whole plan: order, digest, counts, problems, the guard, and choices made on it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignments.core.definition import (
    AssignmentTarget,
    Cutoff,
    Definition,
    Evidence,
    Proportional,
    WeightedOutcome,
)
from canvas.values import Assignment, Cell, Outcome, Rollup, Student
from grading.core.columns import assignment_column
from grading.core.decide import Ownership
from grading.core.plan import Choices, Inputs, Plan, PlannedAlignment, PlannedCell, make_plan

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OUTCOMES = {
    str(number): Outcome(str(number), f"Outcome {number}", Decimal(4), Decimal(3)) for number in (601, 602)
}


def alignment(number: int, outcome: str = "601", **changes: object) -> PlannedAlignment:
    definition = Definition(
        name="",
        outcomes=(WeightedOutcome(outcome),),
        rule=Cutoff() if number % 2 else Proportional(),
        target=AssignmentTarget(str(number)),
        evidence=Evidence(1),
    )
    column = assignment_column(
        Assignment(str(number), f"A{number}", Decimal(1)), str(number), Decimal(1), None
    )
    return PlannedAlignment(number, number, replace(definition, **changes), column)  # type: ignore[arg-type]  # as given


def student(number: int, state: str = "active", **more: bool) -> Student:
    return Student(str(number), frozenset({state}), **more)  # type: ignore[arg-type]  # as given


scores = st.none() | st.sampled_from([Decimal(n) / 4 for n in range(17)])
gradebook_grades = st.none() | st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1)])


@st.composite
def courses(draw: st.DrawFn) -> Inputs:
    users = draw(st.lists(st.integers(1, 60), min_size=1, max_size=8, unique=True))
    alignments = [alignment(n, draw(st.sampled_from(["601", "602", "999"]))) for n in (3, 10, 21)]
    owned = draw(st.sets(st.integers(1, 60)))
    cells = {
        (str(one.id), str(user)): Cell(
            str(one.id), str(user), draw(gradebook_grades), draw(st.booleans()) and user % 3 == 0, "7", NOW
        )
        for one in alignments
        for user in users
        if draw(st.booleans())
    }
    return Inputs(
        alignments=alignments,
        students={str(u): student(u, draw(st.sampled_from(["active", "inactive"]))) for u in users},
        rollups={str(u): Rollup(str(u), {"601": draw(scores), "602": draw(scores)}) for u in users},
        outcomes=OUTCOMES,
        cells=cells,
        ownership=lambda target, cell: Ownership(int(cell.user_id) in owned, int(cell.user_id) in owned),
    )


def shuffled(inputs: Inputs, seed: int) -> Inputs:
    chance = random.Random(seed)

    def mixed(mapping: object) -> dict[object, object]:
        items = list(mapping.items())  # type: ignore[attr-defined]  # a mapping
        chance.shuffle(items)
        return dict(items)

    alignments = list(inputs.alignments)
    chance.shuffle(alignments)
    return replace(
        inputs,
        alignments=alignments,
        students=mixed(inputs.students),
        rollups=mixed(inputs.rollups),
        cells=mixed(inputs.cells),
    )


@given(courses(), st.integers(0, 999))
def test_the_order_of_what_is_read_changes_nothing(inputs: Inputs, seed: int) -> None:
    plan, again = make_plan(inputs), make_plan(shuffled(inputs, seed))
    assert plan == again
    assert plan.digest == again.digest


@given(courses())
def test_every_cell_has_one_class_and_the_sums_agree(inputs: Inputs) -> None:
    plan = make_plan(inputs)
    assert len(plan.cells) == len(inputs.alignments) * len(inputs.students)
    assert sum(plan.counts.values()) == sum(plan.reasons.values()) == len(plan.cells)
    assert len({cell.key for cell in plan.cells}) == len(plan.cells)


@given(courses())
def test_planning_again_after_sending_sends_nothing(inputs: Inputs) -> None:
    plan = make_plan(inputs)
    cells = dict(inputs.cells)
    sent = {cell.key for cell in plan.to_send()}
    for cell in plan.to_send():
        score = None if cell.after is None else Decimal(cell.after)
        cells[str(cell.alignment), cell.user] = Cell(str(cell.alignment), cell.user, score, False, "7", NOW)

    def ownership(target: int, cell: Cell) -> Ownership:
        if (target, cell.user_id) in sent:
            return Ownership(True, True)
        return inputs.ownership(target, cell)

    assert not make_plan(replace(inputs, cells=cells, ownership=ownership)).to_send()


@given(courses())
def test_a_persons_cell_is_never_sent(inputs: Inputs) -> None:
    for cell in make_plan(inputs).to_send():
        assert cell.before is None or cell.was_ours


@given(courses())
def test_replacing_every_conflict_is_forcing_them(inputs: Inputs) -> None:
    plan = make_plan(replace(inputs, approved_by_person=True))
    conflicts = frozenset(cell.key for cell in plan.cells if cell.decision == "conflict")
    chosen = plan.with_choices(Choices(replace=conflicts))
    forced = make_plan(replace(inputs, force_conflicts=True, approved_by_person=True))
    assert [(c.decision, c.reason) for c in chosen.cells] == [(c.decision, c.reason) for c in forced.cells]


def test_a_broken_alignment_holds_its_cells_and_is_one_problem() -> None:
    users = {str(n): student(n) for n in (1, 2)}
    inputs = Inputs([alignment(5, "999")], users, {}, OUTCOMES, {}, lambda target, cell: Ownership())
    cells = {("5", user): Cell("5", user, None) for user in users}
    plan = make_plan(replace(inputs, cells=cells))
    assert plan.status == "partial"
    assert plan.reasons == {"broken_alignment": 2}
    [problem] = plan.problems
    assert (problem.alignment, problem.code, problem.detail) == (
        5, "broken_alignment", "Outcome 999 is no longer in this course.",
    )  # fmt: skip


def test_the_test_student_has_no_cell_and_who_is_only_in_the_rollups_is_held() -> None:
    students = {"1": student(1), "2": student(2, is_test_student=True)}
    rollups = {user: Rollup(user, {"601": Decimal(4)}) for user in ("1", "2", "3")}
    cells = {("5", "1"): Cell("5", "1", None)}
    inputs = Inputs([alignment(5)], students, rollups, OUTCOMES, cells, lambda target, cell: Ownership())
    found = {cell.user: cell.reason for cell in make_plan(inputs).cells}
    assert found == {"1": "graded", "3": "not_a_student"}


def rows(changed: int, lowered: int, of: int) -> Plan:
    """A plan over `of` graded cells, of which some rise and some fall."""
    cells = []
    for number in range(of):
        after = "0.9" if number < changed else "0.1" if number < changed + lowered else "0.5"
        decision = "unchanged" if after == "0.5" else "send"
        cells.append(PlannedCell(1, str(number), "0.5", after, decision, "graded"))  # type: ignore[arg-type]  # both are
    return Plan(tuple(cells))


@pytest.mark.parametrize(
    ("changed", "lowered", "of", "unsafe"),
    [
        (0, 4, 4, False),
        (0, 5, 24, True),
        (0, 5, 25, False),
        (4, 0, 4, False),
        (5, 0, 9, True),
        (5, 0, 10, False),
        (6, 0, 11, True),
        (0, 0, 0, False),
    ],
)
def test_the_guard(changed: int, lowered: int, of: int, unsafe: bool) -> None:
    assert bool(rows(changed, lowered, of).unsafe_reason()) is unsafe


def test_first_grades_are_never_a_large_change() -> None:
    cells = tuple(PlannedCell(1, str(n), None, "1", "send", "graded") for n in range(50))
    assert Plan(cells).unsafe_reason() is None


def test_held_cells_stay_out_of_what_is_sent() -> None:
    cells = tuple(PlannedCell(1, str(n), None, "1", "send", "graded") for n in range(3))
    plan = Plan(cells).with_choices(Choices(hold=frozenset({(1, "0")}), hold_students=frozenset({"1"})))
    assert [cell.user for cell in plan.to_send()] == ["2"]
    assert plan.reasons == {"graded": 1, "held_by_person": 2}
    assert plan.digest != Plan(cells).digest
