"""Undo: the cells still as we left them go back to what they held and to whom they belonged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import override_settings

from grading import runs, services
from grading.core.plan import Choices
from grading.models import Fingerprint, Run
from grading.planning import open_plan
from grading.services import NothingToUndo, sync, undo
from sandbox.records import GradingStandard
from tests.grading.school import School, entry

NAMES = {"column": "Models", "assignment": "1.1 Linear models"}
both = pytest.mark.parametrize("kind", ["column", "assignment"])


def align(school: School, kind: str, **more: object) -> None:
    target = NAMES[kind] if kind == "column" else school.assignment(NAMES[kind]).id
    school.align(entry(601, target, **more))


@both
def test_undo_empties_what_was_empty_and_the_next_sync_fills_it_again(school: School, kind: str) -> None:
    align(school, kind)
    sync(school.context)
    undone = undo(school.context, started_by="command")
    assert (undone.run.outcome, undone.counts) == ("done", {"restored": 4, "kept": 0, "refused": 0})
    assert school.column(NAMES[kind]) == {}
    assert not Fingerprint.objects.exists()
    with pytest.raises(NothingToUndo):
        undo(school.context, started_by="command")
    assert sync(school.context).run.counts["send"] == 4
    assert school.column(NAMES[kind]) == {1001: "1", 1002: "1", 1003: "0", 1004: "1"}


@both
def test_undo_goes_back_step_by_step_and_what_was_ours_is_ours_again(school: School, kind: str) -> None:
    align(school, kind)
    sync(school.context)
    align(school, kind, rule={"kind": "cutoff", "credit": "60%"})
    sync(school.context)
    assert school.cell(NAMES[kind], 1001) == "0.6"
    assert undo(school.context, started_by="command").counts["restored"] == 3
    assert school.cell(NAMES[kind], 1001) == "1"
    again = sync(school.context)
    assert again.run.counts["conflict"] == 0
    assert again.run.counts["send"] == 3
    undo(school.context, started_by="command")
    assert undo(school.context, started_by="command").counts["restored"] == 4
    assert school.column(NAMES[kind]) == {}


@both
def test_cells_that_somebody_changed_since_are_kept_and_listed(school: School, kind: str) -> None:
    align(school, kind)
    sync(school.context)
    school.edit(NAMES[kind], 1001, "0.9")
    school.excuse(NAMES[kind], 1002)
    undone = undo(school.context, started_by="command")
    assert undone.counts == {"restored": 2, "kept": 2, "refused": 0}
    assert {c.entry.user for c in undone.cells if c.fate == "kept"} == {"1001", "1002"}
    assert school.column(NAMES[kind]) == {1001: "0.9", 1002: "EX"}


@both
def test_a_persons_grade_and_excuse_are_restored_as_theirs(school: School, kind: str) -> None:
    align(school, kind)
    sync(school.context)
    school.edit(NAMES[kind], 1001, "0.25")
    school.excuse(NAMES[kind], 1002)
    sync(school.context, force_conflicts=True)
    assert (school.cell(NAMES[kind], 1001), school.cell(NAMES[kind], 1002)) == ("1", "1")
    undo(school.context, started_by="command")
    assert (school.cell(NAMES[kind], 1001), school.cell(NAMES[kind], 1002)) == ("0.25", "EX")
    reasons = sync(school.context).run.reasons
    assert (reasons["graded_by_person"], reasons["excused_by_person"]) == (1, 1)


def test_an_undo_that_broke_off_can_be_repeated(school: School) -> None:
    align(school, "column")
    sync(school.context)
    align(school, "column", rule={"kind": "cutoff", "credit": "60%"})
    sync(school.context)
    school.world.faults.add(
        "error_before", path="*/students/submissions", method="GET", count=None, skip=1, status=503
    )
    first = undo(school.context, started_by="command")
    assert first.run.outcome == "stopped"
    school.world.faults.clear()
    assert undo(school.context, started_by="command").counts == {"restored": 3, "kept": 0, "refused": 0}
    assert sync(school.context).run.counts["conflict"] == 0


def test_what_was_sent_or_taken_back_at_the_same_moment_is_not_taken_back_again(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The course was another's until right before this undo had it."""
    align(school, "assignment")
    sync(school.context)
    open_run = runs.open_run

    def open_late(*given: Any, **more: Any) -> Run:
        monkeypatch.undo()
        school.assess(1005, 601, "4")
        assert sync(school.context).run.counts["send"] == 1
        return open_run(*given, **more)

    monkeypatch.setattr(runs, "open_run", open_late)
    with pytest.raises(NothingToUndo):
        undo(school.context, started_by="command")
    assert len(school.column(NAMES["assignment"])) == 5
    assert undo(school.context, started_by="command").counts["restored"] == 1


def test_no_journal_when_undo_days_is_zero(school: School) -> None:
    align(school, "column")
    with override_settings(UNDO_DAYS=0):
        sync(school.context)
    with pytest.raises(NothingToUndo):
        undo(school.context, started_by="command")


def test_undo_of_a_deleted_alignments_run_still_works(school: School) -> None:
    align(school, "assignment")
    sync(school.context)
    school.align(entry(602, "Other"))
    assert undo(school.context, started_by="command").counts["restored"] == 4


def test_replaced_by_choice_is_undone_too(school: School) -> None:
    align(school, "assignment")
    school.edit(NAMES["assignment"], 1003, "0.7")
    run = services.prepare(school.context, school.account, started_by="teacher 11")
    cell = next(c for c in open_plan(run.sealed_plan).plan.cells if c.user == "1003")
    services.approve(run, by="t", digest=run.digest, choices=Choices(replace=frozenset({cell.key})))
    services.apply(run.pk)
    assert school.cell(NAMES["assignment"], 1003) == "0"
    undo(school.context, started_by="command")
    assert school.column(NAMES["assignment"]) == {1003: "0.7"}


def test_a_number_is_not_put_back_where_canvas_would_take_it_for_a_letter(school: School) -> None:
    column = school.assignment(NAMES["assignment"])
    school.edit(column.name, 1001, "0.5")
    align(school, "assignment", overwrite="all")
    sync(school.context, force_conflicts=True)
    assert school.cell(column.name, 1001) == "1"
    letters = [("1", Decimal("0.9")), ("0.5", Decimal(0))]
    school.world.grading_standards[901] = GradingStandard(901, "Course", school.course.id, "Levels", letters)
    column.grading_type, column.grading_standard_id = "letter_grade", 901
    undone = undo(school.context, started_by="command")
    assert {c.entry.user: c.code for c in undone.cells if c.fate == "refused"} == {"1001": "column_blocked"}
    assert school.cell(column.name, 1001) == "1"
    column.grading_type = "points"
    assert undo(school.context, started_by="command").counts["restored"] == 1
    assert school.cell(column.name, 1001) == "0.5"


def test_a_number_is_not_put_back_where_only_all_or_nothing_is_taken(school: School) -> None:
    """Canvas would empty the cell. The points, or the way it is graded, can have changed since."""
    column = school.assignment(NAMES["assignment"])
    align(school, "assignment")
    sync(school.context)
    align(school, "assignment", rule={"kind": "cutoff", "credit": "0%", "below": "100%"})
    sync(school.context, confirm_large=True)
    column.grading_type, column.points_possible = "pass_fail", Decimal(50)
    undone = undo(school.context, started_by="command")
    assert {c.entry.user: c.code for c in undone.cells if c.fate == "refused"} == dict.fromkeys(
        ("1001", "1002", "1004"), "column_blocked"
    )
    assert school.column(column.name) == {1001: "0", 1002: "0", 1003: "0", 1004: "0"}
