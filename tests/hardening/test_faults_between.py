"""What people change while a run is open, and who sees only a part of the class: no cell gets what was meant for
another, and nothing that can still be taken back is given up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from alignments import services as alignments
from alignments.core.definition import AssignmentTarget
from canvas.models import CanvasAccount
from canvas.throttle import BucketPace
from grading import runs, services
from grading.models import Run
from grading.services import sync, undo
from lti_tool.http import shared_http
from sandbox.scenarios.base import TA_ID
from tests.grading.school import LONG_AGO, School, connect_account, entry
from tests.grading.test_runs import approved
from tests.grading.test_soaked import instead_of_the_job
from tests.hardening.test_faults_people import BULK, OTHER, RIGHT, SCORES, WORK, before_call, both_ways

BUSY = "429 Too Many Requests (Rate Limit Exceeded)"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grading.writers.time.sleep", lambda seconds: None)


def left_by_a_dead_worker(run: Run) -> None:
    runs.take_lease(run.pk, timezone.now())
    Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=5))


def of_one_section(school: School) -> CanvasAccount:
    """The assistant sees their own section only, where 1003 and 1004 are not."""
    section = school.world.add_section(school.course.id, "Section B", 702)
    for user in (1003, 1004):
        school.enrollment(user).section_id = section.id
    limited = next(e for e in school.world.enrollments.values() if e.user_id == TA_ID)
    limited.limit_privileges = True
    return connect_account(school.server, school.context, TA_ID, at=LONG_AGO + timedelta(days=1))


def test_a_run_taken_over_writes_nothing_into_a_target_chosen_since(school: School) -> None:
    [row] = school.align(entry(601, school.assignment(WORK).id))
    run = approved(school)
    left_by_a_dead_worker(run)
    elsewhere = AssignmentTarget(str(school.assignment(OTHER).id))
    definition = replace(alignments.stored_one(school.context, row.pk).definition, target=elsewhere)
    alignments.save_alignment(school.context, definition, alignment_id=row.pk)
    result = services.apply(run.pk)
    assert result is not None
    assert school.column(OTHER) == school.column(WORK) == {}
    assert result.run.counts["send"] == 0
    assert sync(school.context).run.counts["send"] == 4


@pytest.mark.parametrize("target", ["Models", WORK])
def test_a_run_taken_over_sends_no_points_to_what_is_pass_fail_by_now(school: School, target: str) -> None:
    """Canvas would take half the points for nothing at all, or for complete."""
    where = target if target == "Models" else school.assignment(target).id
    school.align(entry(601, where))
    sync(school.context)
    school.align(entry(601, where, rule={"kind": "cutoff", "credit": "50%"}))
    run = approved(school, confirm_large=True)
    left_by_a_dead_worker(run)
    before = school.column(target)
    school.assignment(target).grading_type = "pass_fail"
    result = services.apply(run.pk)
    assert result is not None and result.run.reasons["column_blocked"] == 3
    assert school.column(target) == before
    assert sync(school.context, confirm_large=True).run.reasons["column_blocked"] > 0
    assert school.column(target) == before


def test_a_run_taken_over_gives_no_grade_to_who_left(school: School) -> None:
    school.align(entry(601, school.assignment(WORK).id))
    run = approved(school)
    left_by_a_dead_worker(run)
    school.enrollment(1001).state = "inactive"
    result = services.apply(run.pk)
    assert result is not None
    assert result.run.counts["refused"] == 1 and result.run.reasons["not_a_student"] == 1
    assert school.cell(WORK, 1001) is None
    assert school.column(WORK) == {user: grade for user, grade in RIGHT.items() if user != 1001}


def test_a_dry_run_does_not_finish_what_a_dead_worker_left(school: School) -> None:
    school.align(entry(601, school.assignment(WORK).id))
    run = approved(school)
    left_by_a_dead_worker(run)
    dry = sync(school.context, dry_run=True).run
    assert (dry.outcome, dry.counts["send"]) == ("done", 4)
    assert school.writes() == 0 and school.column(WORK) == {}
    sync(school.context)
    run.refresh_from_db()
    assert (run.outcome, run.counts["send"]) == ("done", 4)


def test_a_run_taken_over_sends_no_grade_of_other_points(school: School) -> None:
    column = school.assignment(WORK)
    [row] = school.align(entry(601, column.id))
    run = approved(school)
    left_by_a_dead_worker(run)
    column.points_possible = Decimal(10)
    one = alignments.stored_one(school.context, row.pk)
    alignments.save_alignment(
        school.context, one.definition, alignment_id=row.pk, expected_points=column.points_possible
    )
    services.apply(run.pk)
    assert school.column(WORK) == {}
    sync(school.context)
    assert school.column(WORK) == {1001: "10", 1002: "10", 1003: "0", 1004: "10"}


@pytest.mark.parametrize("kept", [True, False])
def test_a_plan_of_the_whole_class_sent_by_an_account_of_one_section(school: School, kept: bool) -> None:
    """The account that sends does not see everybody in the plan: nobody it does not see is written."""
    both_ways(school)
    limited = of_one_section(school)
    run = approved(school, account=limited)
    if not kept:
        left_by_a_dead_worker(run)
    result = services.apply(run.pk)
    assert result is not None
    unseen = {1003, 1004}
    assert not unseen & school.column(WORK).keys()
    if kept:
        assert (result.run.outcome, school.writes()) == ("changed", 0)
        assert "sees its own sections only: 2 of the 6 students" in (result.run.error or {})["detail"]
    limited.delete()
    sync(school.context)
    assert school.column(WORK) == RIGHT == school.column("Models")


def test_an_undo_by_an_account_of_one_section_leaves_the_rest_to_others(school: School) -> None:
    both_ways(school)
    sync(school.context)
    limited = of_one_section(school)
    undone = undo(school.context, started_by="command", account=limited)
    assert (undone.run.outcome, undone.counts) == ("partial", {"restored": 4, "kept": 0, "refused": 4})
    again = undo(school.context, started_by="command", account=school.account)
    assert (again.run.outcome, again.counts["refused"]) == ("done", 0)
    assert school.column(WORK) == {} == school.column("Models")


def test_a_job_that_is_still_queued_is_not_sent_again(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.align(entry(601, school.assignment(WORK).id))
    monkeypatch.setattr("grading.writers.JOB_SECONDS", 0.3)
    school.world.jobs_stuck = True
    assert sync(school.context).run.reasons["no_answer"] == 4
    assert school.writes() == 1


def test_f31_edited_right_after_the_bulk_job_wrote(school: School) -> None:
    """Seen at the reading back, told, and never written over: it is a person's."""
    school.align(entry(601, school.assignment(WORK).id))

    def work_then_edit(work: Callable[[], str | None]) -> str | None:
        message = work()
        school.edit(WORK, 1002, "0.3")
        return message

    instead_of_the_job(school, work_then_edit)
    assert sync(school.context).run.reasons["changed_since_preview"] == 1
    for _ in range(2):
        run = sync(school.context).run
        assert (run.reasons["graded_by_person"], run.requests["write"]) == (1, 0)
    assert school.column(WORK) == {**RIGHT, 1002: "0.3"}


@pytest.mark.parametrize("afterwards", ["sync", "undo"])
@pytest.mark.parametrize("change", [{"published": False}, {"deleted": True}])
def test_what_was_written_before_its_column_vanished_stays_ours(
    school: School, afterwards: str, change: dict[str, bool]
) -> None:
    """The bulk job has ended; then the assignment is unpublished or deleted, and its cells cannot be read back."""
    school.align(entry(601, "Models"), entry(601, school.assignment(WORK).id))
    column = school.assignment(WORK)
    back = {name: getattr(column, name) for name in change}

    def vanishes() -> None:
        vars(column).update(change)

    before_call(school, SCORES, vanishes)
    run = sync(school.context).run
    assert (run.outcome, run.reasons["not_read_back"], run.counts["send"]) == ("partial", 4, 4)
    assert [problem["code"] for problem in run.problems] == ["not_read_back"]
    vars(column).update(back)
    assert school.column(WORK) == RIGHT
    if afterwards == "undo":
        assert undo(school.context, started_by="command").counts == {"restored": 8, "kept": 0, "refused": 0}
        assert school.column(WORK) == {}
        return
    more = {"rule": {"kind": "cutoff", "credit": "60%"}}
    school.align(entry(601, "Models", **more), entry(601, column.id, **more))
    again = sync(school.context, confirm_large=True).run
    assert (again.outcome, again.counts["send"], again.counts["conflict"]) == ("done", 6, 0)
    assert school.cell(WORK, 1001) == "0.6"


def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell waits for the one before, and is looked at once more right before its turn."""
    monkeypatch.setattr("grading.writers.SCORES_A_BATCH", 1)
    monkeypatch.setattr("grading.writers.SCORES_AHEAD", 0)
    monkeypatch.setattr("grading.writers.GRADES_A_JOB", 1)
    monkeypatch.setattr("grading.writing.FRESH_SECONDS", 0.0)


@pytest.mark.parametrize(("column", "path"), [("Models", SCORES), (WORK, BULK)])
def test_a_grade_given_during_an_undo_is_seen_before_its_turn(
    school: School, monkeypatch: pytest.MonkeyPatch, column: str, path: str
) -> None:
    """A person takes a cell over after the undo has looked at it: with another number, or with the very one that
    the undo would put back, the cell is theirs from then on."""
    target = column if path == SCORES else school.assignment(column).id
    school.align(entry(601, target))
    sync(school.context)
    school.align(entry(601, target, rule={"kind": "cutoff", "credit": "60%"}))
    sync(school.context)
    one_at_a_time(monkeypatch)

    def taken_over() -> None:
        school.edit(column, 1002, "1")
        school.edit(column, 1004, "0.25")

    before_call(school, path, taken_over)
    undone = undo(school.context, started_by="command")
    assert undone.counts["kept"] == 2 and undone.run.reasons["changed_since_sync"] == 2
    assert (school.cell(column, 1001), school.cell(column, 1002), school.cell(column, 1004)) == (
        "1",
        "1",
        "0.25",
    )
    assert sync(school.context).run.reasons["graded_by_person"] == 2
    assert (school.cell(column, 1002), school.cell(column, 1004)) == ("1", "0.25")


@pytest.mark.parametrize(("column", "path"), [("Models", SCORES), (WORK, BULK)])
@pytest.mark.parametrize("undone", [False, True])
@pytest.mark.parametrize("typed", ["0.25", "what we meant"])
def test_a_grade_given_while_canvas_lets_us_wait_is_seen(
    school: School, monkeypatch: pytest.MonkeyPatch, column: str, path: str, undone: bool, typed: str
) -> None:
    """The cells were looked at, then Canvas asks for a pause: what left after it would be sent blindly."""
    target = column if path == SCORES else school.assignment(column).id
    school.align(entry(601, target))
    sync(school.context)
    school.align(entry(601, target, rule={"kind": "cutoff", "credit": "60%"}))
    if undone:
        sync(school.context)
    right = "1" if undone else "0.6"
    typed = right if typed == "what we meant" else typed
    monkeypatch.setattr("grading.writers.MOST_IN_FLIGHT", 1)
    moved, real, pauses = [0.0], time.monotonic, []
    monkeypatch.setattr("time.monotonic", lambda: real() + moved[0])

    def pause(pace: BucketPace, seconds: float) -> None:
        pauses.append(seconds)
        moved[0] += 10.0
        school.edit(column, 1001, typed)

    monkeypatch.setattr(BucketPace, "_pause", pause)
    monkeypatch.setattr(shared_http(), "_sleep", lambda seconds: None)
    school.world.faults.add(
        "reply", method="POST", path=path, count=1, status=429, body=BUSY, headers={"Retry-After": "5"}
    )
    if undone:
        ended = undo(school.context, started_by="command")
        assert ended.run.error is None and ended.counts == {"restored": 2, "kept": 1, "refused": 0}
    else:
        counts = sync(school.context).run.counts
        assert (counts["send"], counts["conflict"], counts["refused"]) == (2, 1, 0)
    assert pauses == [5.0]
    assert [school.cell(column, user) for user in (1001, 1002, 1003, 1004)] == [typed, right, "0", right]
    school.align(entry(601, target, rule={"kind": "cutoff", "credit": "70%"}))
    assert sync(school.context, confirm_large=True).run.reasons["graded_by_person"] == 1
    assert school.cell(column, 1001) == typed


@pytest.mark.parametrize(("column", "path"), [("Models", SCORES), (WORK, BULK)])
@pytest.mark.parametrize("undone", [False, True])
def test_canvas_that_asks_for_one_pause_after_another_ends_the_run(
    school: School, monkeypatch: pytest.MonkeyPatch, column: str, path: str, undone: bool
) -> None:
    """Every write is put off until its cells would have to be looked at once more: some day that is enough."""
    target = column if path == SCORES else school.assignment(column).id
    school.align(entry(601, target))
    sync(school.context)
    if not undone:
        school.align(entry(601, target, rule={"kind": "cutoff", "credit": "60%"}))
    moved, real = [0.0], time.monotonic
    monkeypatch.setattr("time.monotonic", lambda: real() + moved[0])

    def pause(pace: BucketPace, seconds: float) -> None:
        moved[0] += 25.0

    monkeypatch.setattr(BucketPace, "_pause", pause)
    monkeypatch.setattr(shared_http(), "_sleep", lambda seconds: None)
    school.world.faults.add(
        "reply", method="P*", path="*/s*", count=None, status=429, body=BUSY, headers={"Retry-After": "5"}
    )
    before = school.column(column)
    if undone:
        ended = undo(school.context, started_by="command")
        assert ended.run.error and ended.run.error["code"] == "throttled" and ended.counts["restored"] == 0
    else:
        run = sync(school.context).run
        assert run.counts["send"] == 0
        assert run.error and run.error["code"] == "throttled" or run.reasons["no_answer"] == 3
    assert moved[0] < 1000.0
    assert school.column(column) == before
    school.world.faults.clear()
    if undone:
        assert undo(school.context, started_by="command").run.outcome == "done"
    else:
        assert sync(school.context).run.outcome == "done"


def test_a_grade_given_while_many_are_sent_is_seen_before_its_turn(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person changes a grade of ours after the column was looked at and before its own score goes out."""
    school.align(entry(601, "Models"))
    sync(school.context)
    school.align(entry(601, "Models", rule={"kind": "cutoff", "credit": "60%"}))
    one_at_a_time(monkeypatch)
    before_call(school, SCORES, lambda: school.edit("Models", 1004, "0.25"))
    run = sync(school.context).run
    assert school.cell("Models", 1004) == "0.25" and run.reasons["changed_since_preview"] == 1
    assert sync(school.context).run.reasons["graded_by_person"] == 1
