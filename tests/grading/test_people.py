"""What a person did in the gradebook stays: edits, emptied cells, excuses; and who has a cell at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alignments.models import Alignment
from grading.core.plan import PlannedCell
from grading.services import sync
from sandbox import records as r
from tests.grading.school import School, entry


def cell(cells: tuple[PlannedCell, ...], user: int) -> tuple[str | None, str | None, str, str]:
    [found] = [c for c in cells if c.user == str(user)]
    return found.before, found.after, found.decision, found.reason


def target(school: School, kind: str) -> str | int:
    return "Models" if kind == "column" else school.assignment("1.1 Linear models").id


def name_of(kind: str) -> str:
    return "Models" if kind == "column" else "1.1 Linear models"


both = pytest.mark.parametrize("kind", ["column", "assignment"])


@both
def test_a_persons_edit_after_our_grade_stays(school: School, kind: str) -> None:
    school.align(entry(601, target(school, kind)))
    sync(school.context)
    school.edit(name_of(kind), 1001, "0.5")
    result = sync(school.context)
    assert cell(result.cells, 1001) == ("0.5", "1", "conflict", "graded_by_person")
    assert school.cell(name_of(kind), 1001) == "0.5"
    forced = sync(school.context, force_conflicts=True)
    assert cell(forced.cells, 1001) == ("0.5", "1", "send", "graded")
    assert school.cell(name_of(kind), 1001) == "1"
    assert sync(school.context).run.requests["write"] == 0


@both
def test_typing_the_same_number_again_makes_it_a_persons(school: School, kind: str) -> None:
    school.align(entry(601, target(school, kind)))
    sync(school.context)
    school.edit(name_of(kind), 1001, "0.4")
    school.edit(name_of(kind), 1001, "1")
    school.forget_evidence(1001)
    school.assess(1001, 601, "1")
    result = sync(school.context)
    assert cell(result.cells, 1001) == ("1", "0", "conflict", "graded_by_person")


@both
def test_a_cell_a_person_emptied_stays_empty(school: School, kind: str) -> None:
    school.align(entry(601, target(school, kind)))
    sync(school.context)
    school.edit(name_of(kind), 1001, "")
    result = sync(school.context)
    assert cell(result.cells, 1001) == (None, "1", "conflict", "cleared_by_person")
    assert cell(sync(school.context, force_conflicts=True).cells, 1001)[2:] == ("send", "graded")


@both
def test_an_excuse_of_a_person_stays(school: School, kind: str) -> None:
    school.align(entry(601, target(school, kind)))
    sync(school.context)
    school.excuse(name_of(kind), 1001)
    assert cell(sync(school.context).cells, 1001) == ("EX", "1", "conflict", "excused_by_person")
    school.align(entry(601, target(school, kind), overwrite="empty"))
    assert cell(sync(school.context, force_conflicts=True).cells, 1001)[2:] == ("held", "already_graded")


@both
def test_our_grade_follows_the_evidence(school: School, kind: str) -> None:
    school.align(entry(601, target(school, kind)))
    sync(school.context)
    school.assess(1003, 601, "4", days=60)
    school.assess(1003, 601, "4", days=61)
    school.assess(1003, 601, "4", days=62)
    result = sync(school.context)
    assert cell(result.cells, 1003) == ("0", "1", "send", "graded")
    assert result.run.counts["send"] == 1
    assert school.cell(name_of(kind), 1003) == "1"


@both
def test_evidence_that_goes_leaves_our_grade(school: School, kind: str) -> None:
    school.align(entry(601, target(school, kind)))
    sync(school.context)
    school.forget_evidence(1001)
    assert cell(sync(school.context).cells, 1001) == ("1", None, "held", "evidence_gone")
    assert school.cell(name_of(kind), 1001) == "1"


def test_clear_and_excuse_for_too_little_evidence(school: School) -> None:
    one, two = school.assignment("1.1 Linear models"), school.assignment("1.3 Communicates reasoning")
    school.align(
        entry(601, one.id, evidence={"at_least": 1, "otherwise": "clear"}),
        entry(603, two.id, evidence={"at_least": 1, "otherwise": "excuse"}),
    )
    sync(school.context)
    assert school.cell(two.name, 1005) == "EX"
    school.forget_evidence(1001)
    result = sync(school.context)
    assert school.cell(one.name, 1001) is None
    assert school.cell(two.name, 1001) == "EX"
    assert result.run.outcome == "done", result.run.problems
    school.assess(1001, 601, "4")
    school.assess(1001, 603, "4")
    sync(school.context)
    assert (school.cell(one.name, 1001), school.cell(two.name, 1001)) == ("1", "1")


def test_one_active_enrolment_is_enough_and_the_test_student_has_no_cell(school: School) -> None:
    world, course = school.world, school.course
    section = world.add_section(course.id, "Section B", 702)
    world.enroll(world.users[1001], section, r.STUDENT, "inactive")
    school.enrollment(1002).state = "inactive"
    school.enrollment(1003).state = "completed"
    test = world.add_user("Test Student", 1999)
    world.enroll(test, section, r.TEST_STUDENT)
    school.align(entry(601, "Models"))
    result = sync(school.context)
    assert {c.user for c in result.cells} == {str(n) for n in range(1001, 1007)}
    assert cell(result.cells, 1001)[2:] == ("send", "graded")
    assert cell(result.cells, 1002) == (None, "1", "held", "not_a_student")
    assert cell(result.cells, 1003)[2:] == ("held", "not_a_student")


def test_a_student_without_the_assignment_is_held(school: School) -> None:
    column = school.assignment("1.1 Linear models")
    column.only_visible_to_overrides, column.assigned_user_ids = True, {1001}
    school.align(entry(601, column.id))
    result = sync(school.context)
    assert cell(result.cells, 1001)[2:] == ("send", "graded")
    assert cell(result.cells, 1004)[2:] == ("held", "not_assigned")


def test_a_policy_zero_counts_as_empty(school: School) -> None:
    column = school.assignment("1.1 Linear models")
    submission = school.world.submission(column, 1001)
    submission.score = submission.entered_score = school.world.outcomes[601].points_possible * 0
    submission.workflow_state, submission.graded_at = "graded", school.world.now() - timedelta(days=1)
    school.align(entry(601, column.id, overwrite="empty"))
    result = sync(school.context)
    assert cell(result.cells, 1001) == ("0", "1", "send", "graded")


def test_up_never_lowers(school: School) -> None:
    school.align(entry(601, "Models", direction="up"))
    sync(school.context)
    for days in range(60, 66):
        school.assess(1001, 601, "0", days=days)
    assert cell(sync(school.context).cells, 1001) == ("1", "0", "held", "would_lower")


def test_what_was_written_is_remembered_whatever_becomes_of_the_alignment(school: School) -> None:
    number = school.assignment("1.1 Linear models").id
    school.align(entry(601, number))
    sync(school.context)
    Alignment.objects.all().delete()
    school.align(entry(602, number))
    result = sync(school.context)
    assert cell(result.cells, 1005) == (None, "0", "send", "graded")
    assert result.run.counts["conflict"] == 0


def test_clearing_a_column_of_ours_and_filling_it_again(school: School) -> None:
    school.align(entry(601, "Models", evidence={"at_least": 1, "otherwise": "clear"}))
    sync(school.context)
    school.forget_evidence(1001)
    cleared = sync(school.context)
    assert cell(cleared.cells, 1001) == ("1", None, "send", "cleared")
    assert school.cell("Models", 1001) is None
    school.assess(1001, 601, "4")
    assert cell(sync(school.context).cells, 1001) == (None, "1", "send", "graded")


def test_a_late_deduction_is_not_corrected_for_ever(school: School) -> None:
    column = school.assignment("1.1 Linear models")
    school.align(entry(601, column.id))
    sync(school.context)
    submission = school.world.submission(column, 1001)
    assert submission.score is not None
    submission.points_deducted, submission.late_policy_status = submission.score / 5, "late"
    submission.score = submission.score - submission.points_deducted
    again = sync(school.context)
    assert cell(again.cells, 1001) == ("1", "1", "unchanged", "same")
    assert again.run.requests["write"] == 0


def test_a_closed_period_is_left_alone_even_when_forced(school: School) -> None:
    column = school.assignment("1.1 Linear models")
    school.align(entry(601, column.id))
    column.closed_period = True
    for forced in (False, True):
        result = sync(school.context, force_conflicts=forced)
        assert result.run.reasons == {"closed_period": 4, "no_evidence": 2}
    assert school.column(column.name) == {}


def test_two_alignments_feed_two_targets_from_one_outcome(school: School) -> None:
    column = school.assignment("1.1 Linear models")
    school.align(entry(601, "Models", points="4", rule={"kind": "proportional"}), entry(601, column.id))
    sync(school.context)
    assert school.column("Models") == {1001: "3.53", 1002: "3", 1003: "0.65", 1004: "4"}
    assert school.column(column.name) == {1001: "1", 1002: "1", 1003: "0", 1004: "1"}
