"""Columns: made once, found again, and not graded when Canvas could not take it rightly."""

from __future__ import annotations

from decimal import Decimal

import pytest

from alignments.models import Target
from grading.services import sync
from sandbox import records as r
from tests.grading.school import School, entry


def test_a_dry_run_writes_nothing_and_disturbs_nothing(school: School) -> None:
    school.align(entry(601, "Models"))
    result = sync(school.context, dry_run=True)
    assert (result.run.outcome, result.run.dry_run, result.run.counts["send"]) == ("done", True, 4)
    assert school.writes() == 0
    assert not school.world.line_items


def test_a_column_is_made_once_and_found_again(school: School) -> None:
    school.align(entry(601, "Models"))
    sync(school.context)
    school.target("Models").__class__.objects.update(line_item_url="", assignment_id="")
    school.assess(1005, 601, "4")
    result = sync(school.context)
    assert result.run.outcome == "done"
    assert len(school.world.line_items) == 1
    assert school.cell("Models", 1005) == "1"


def test_a_column_that_is_gone_is_blocked_until_saved_again(school: School) -> None:
    school.align(entry(601, "Models"))
    sync(school.context)
    school.assignment("Models").deleted = True
    result = sync(school.context)
    assert (result.run.outcome, result.run.reasons) == ("partial", {"column_blocked": 6})
    assert "no longer in Canvas" in result.run.problems[0]["detail"]
    assert all(c.after is None for c in result.cells)
    school.align(entry(601, "Models"))
    assert sync(school.context).run.counts["send"] == 4


def test_a_column_that_is_fed_as_an_assignment_too_keeps_its_grades(school: School) -> None:
    """However it came about: the alignment that made the column goes on, the other one is told."""
    school.align(entry(601, "Models"))
    sync(school.context)
    before, column = school.column("Models"), school.assignment("Models")
    made = Target.objects.filter(pk=school.target("Models").pk)
    made.update(assignment_id="")
    school.align(entry(601, "Models"), entry(602, column.id, rule={"kind": "cutoff", "credit": "60%"}))
    made.update(assignment_id=str(column.id))
    for _ in range(2):
        run = sync(school.context).run
        assert (run.outcome, run.counts["send"], run.reasons["column_blocked"]) == ("partial", 0, 6)
        assert "another alignment feeds" in run.problems[0]["detail"]
    assert school.column("Models") == before


def test_a_grade_without_measure_is_a_persons_and_the_others_go_on(school: School) -> None:
    """Canvas takes any number a person types; it holds back its own cell only."""
    column = school.assignment("1.1 Linear models")
    school.align(entry(601, column.id))
    school.edit(column.name, 1001, "1" + "0" * 20)
    school.edit(column.name, 1002, "1" + "0" * 300)
    result = sync(school.context)
    assert (result.run.outcome, result.run.reasons["graded_by_person"]) == ("done", 2)
    assert result.run.counts["send"] == 2
    found = {cell.user: cell.before for cell in result.cells}
    assert (found["1001"], found["1002"]) == ("1" + "0" * 20, "1" + "0" * 300)


def test_changed_points_hold_the_column_until_saved_again(school: School) -> None:
    column = school.assignment("1.1 Linear models")
    school.align(entry(601, column.id))
    sync(school.context)
    column.points_possible = Decimal(10)
    held = sync(school.context)
    assert held.run.reasons == {"column_blocked": 6}
    assert held.cells[0].after == "10"
    school.align(entry(601, column.id))
    assert sync(school.context).run.counts["send"] == 3


BLOCKED = {
    "unpublished": {"published": False},
    "not graded": {"grading_type": "not_graded"},
    "moderated": {"moderated": True},
    "anonymously": {"anonymous": True},
    "whole group": {"group_category_id": 5},
    "no points": {"points_possible": Decimal(0)},
}


@pytest.mark.parametrize("words", BLOCKED)
def test_what_cannot_be_graded_is_held_and_the_others_go_on(school: School, words: str) -> None:
    column, other = school.assignment("1.1 Linear models"), school.assignment("1.2 Systems of equations")
    for name, value in BLOCKED[words].items():
        setattr(column, name, value)
    first, _ = school.align(entry(601, column.id), entry(602, other.id))
    result = sync(school.context)
    assert result.run.outcome == "partial", result.run.error
    assert result.run.reasons["column_blocked"] == 6
    assert result.run.counts["send"] == 4
    [problem] = result.run.problems
    assert (problem["alignment"], problem["code"]) == (first.pk, "column_blocked")
    assert ("Publish" if words == "unpublished" else words) in problem["detail"]


def test_pass_fail_takes_all_or_nothing(school: School) -> None:
    column = school.assignment("1.2 Systems of equations")
    column.grading_type = "pass_fail"
    school.align(entry(602, column.id, rule={"kind": "proportional"}))
    result = sync(school.context)
    assert school.column(column.name) == {1002: "1"}
    assert result.run.reasons["column_blocked"] == 3


def test_numeric_letters_hold_a_letter_graded_assignment(school: School) -> None:
    column = school.assignment("1.1 Linear models")
    scheme = r.GradingStandard(
        901, "Course", school.course.id, "Four levels", [("4", Decimal("0.9")), ("1", Decimal(0))]
    )
    school.world.grading_standards[901] = scheme
    column.grading_type, column.grading_standard_id = "letter_grade", 901
    school.align(entry(601, column.id))
    result = sync(school.context)
    assert result.run.reasons == {"column_blocked": 6}
    assert "numbers for letters" in result.run.problems[0]["detail"]
    column.grading_standard_id = None
    assert sync(school.context).run.counts["send"] == 4


def test_another_courses_outcome_or_assignment(school: School) -> None:
    broken, blocked = school.align(entry(99999, "Models"), entry(601, 424242))
    result = sync(school.context)
    assert result.run.outcome == "partial"
    assert {p["alignment"]: p["code"] for p in result.run.problems} == {
        broken.pk: "broken_alignment",
        blocked.pk: "column_blocked",
    }
    assert "Outcome 99999" in result.run.problems[0]["detail"]


def test_a_name_is_filled_in_at_the_first_sync(school: School) -> None:
    [alignment] = school.align(entry(601, "Models"))
    sync(school.context, dry_run=True)
    alignment.refresh_from_db()
    assert alignment.name == "1.1 Linear models"


def test_omitted_from_the_final_grade_when_asked(school: School) -> None:
    school.align(entry(601, "Models"))
    target = school.target("Models")
    target.omit_from_final_grade = True
    target.save()
    assert sync(school.context).run.outcome == "done"
    assert school.assignment("Models").omit_from_final_grade


def test_two_columns_of_one_name_are_not_guessed(school: School) -> None:
    school.align(entry(601, "Models"))
    sync(school.context)
    group = next(iter(school.world.assignment_groups.values()))
    school.world.add_assignment(school.course.id, "Models", Decimal(1), group)
    school.target("Models").__class__.objects.update(assignment_id="")
    result = sync(school.context)
    assert result.run.reasons == {"column_blocked": 6}
    assert "not clear which assignment" in result.run.problems[0]["detail"]
