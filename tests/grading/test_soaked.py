"""Mistakes that randomised syncs found (`make soak`), each made to happen on purpose."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from grading import reading_back, services
from grading.models import Run, RunState
from grading.services import sync, undo
from sandbox import records as r
from sandbox.grading import set_score
from tests.grading.school import LONG_AGO, School, entry
from tests.hardening.test_faults_people import before_call

WORK = "1.1 Linear models"
SCORES, BULK = "*/scores", "*/submissions/update_grades"
MAY_NOT = '{"errors":[{"message":"user not authorized to perform that action"}]}'
ENDED = (
    '{"errors":{"type":"x","message":"This course has concluded. AGS requests will no longer be accepted"}}'
)
KEY_OFF = '{"errors":{"type":"unauthorized","message":"Invalid Developer Key"}}'


class Killed(BaseException):
    """This process, ended at this point."""


def align_work(school: School, **more: object) -> None:
    school.align(entry(601, school.assignment(WORK).id, **more))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bulk jobs are not waited for, nor are second tries."""
    monkeypatch.setattr("grading.writers.JOB_SECONDS", 0.1)
    monkeypatch.setattr("grading.writers.rest_a_while", lambda attempt, beat: beat())


def arrives_unseen(school: School) -> None:
    """A sync whose job is over only after the sync gave up waiting."""
    school.world.jobs_stuck = True
    assert sync(school.context).run.reasons["no_answer"] == 4
    school.world.jobs_stuck = False
    with school.world.lock:
        school.world.run_jobs(everything=True)


def instead_of_the_job(school: School, change: Callable[[Callable[[], str | None]], str | None]) -> None:
    """The next bulk jobs do this, given what Canvas would have done."""
    queue = school.world.queue_job

    def queue_other(
        course: int, tag: str, work: Callable[[], str | None], user: int | None = None
    ) -> r.Progress:
        return queue(course, tag, lambda: change(work), user)

    school.world.queue_job = queue_other


def test_cleared_by_a_person_right_after_our_write(school: School) -> None:
    """We have written there and a person emptied it: no later sync fills it again by itself."""
    align_work(school)

    def work_then_clear(work: Callable[[], str | None]) -> str | None:
        message = work()
        school.edit(WORK, 1001, "")
        return message

    instead_of_the_job(school, work_then_clear)
    assert sync(school.context).run.reasons["changed_since_preview"] == 1
    assert sync(school.context).run.reasons["cleared_by_person"] == 1
    assert 1001 not in school.column(WORK)


def test_stopped_before_the_first_write_calls_nothing_sent(school: School) -> None:
    align_work(school)
    run = services.prepare(school.context, school.account, started_by="teacher 11")
    services.approve(run, by="teacher 11", digest=run.digest)
    school.world.faults.add("error_before", method="GET", path="*/assignments", count=None, status=503)
    result = services.apply(run.pk)
    assert result is not None and result.run.outcome == "stopped"
    assert (result.run.counts["send"], result.run.counts["refused"]) == (0, 4)


def test_an_answer_of_the_wrong_shape_about_a_job_is_no_crash(school: School) -> None:
    align_work(school)
    school.world.job_delay = 0.05
    school.world.faults.add("reply", method="GET", path="*/progress/*", status=200, body="[]")
    sync(school.context)
    assert sync(school.context, confirm_large=True).run.outcome == "done"
    assert school.column(WORK) == {1001: "1", 1002: "1", 1003: "0", 1004: "1"}


def test_an_undo_that_stops_half_way_remembers_what_it_put_back(school: School) -> None:
    school.align(entry(601, school.assignment(WORK).id), entry(601, "Models"))
    sync(school.context)
    school.world.faults.add("reply", method="POST", path=SCORES, count=None, status=401, body=KEY_OFF)
    undone = undo(school.context, started_by="command")
    assert (undone.run.outcome, undone.counts["restored"]) == ("stopped", 4)
    school.world.faults.clear()
    run = sync(school.context).run
    assert (run.counts["send"], run.counts["unchanged"], run.counts["conflict"]) == (4, 4, 0)


def test_a_persons_grade_put_back_is_theirs_even_if_undo_dies(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    align_work(school)
    school.edit(WORK, 1001, "0.25")
    sync(school.context, force_conflicts=True)
    assert school.cell(WORK, 1001) == "1"

    def die(*given: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("grading.undoing.Undoer._settle", die)
        with pytest.raises(Killed):
            undo(school.context, started_by="command")
    Run.objects.filter(state=RunState.READING).update(heartbeat_at=LONG_AGO)
    assert sync(school.context).run.reasons["graded_by_person"] == 1
    assert school.cell(WORK, 1001) == "0.25"


def test_what_a_person_edits_while_undo_waits_stays(school: School) -> None:
    align_work(school)
    sync(school.context)

    def fail_after_an_edit(work: Callable[[], str | None]) -> str | None:
        school.edit(WORK, 1002, "0.5")
        return "Unexpected error, ID: 5"

    instead_of_the_job(school, fail_after_an_edit)
    undone = undo(school.context, started_by="command")
    assert undone.counts == {"restored": 3, "kept": 1, "refused": 0}
    assert school.column(WORK) == {1002: "0.5"}


def test_a_grade_equal_to_what_a_late_deduction_left_is_still_written(school: School) -> None:
    """Canvas's bulk job would save nothing: it compares with the score after the deduction."""
    column = school.assignment(WORK)
    column.submission_types = ["online_text_entry"]
    school.course.late_policy = r.LatePolicy(Decimal(20))
    align_work(school)
    sync(school.context)
    late = school.world.submission(column, 1001)
    late.late_policy_status, late.seconds_late_override = "late", 3600
    set_score(school.world, column, late)
    assert late.score == Decimal("0.8")
    align_work(school, rule={"kind": "cutoff", "credit": "80%"})
    assert sync(school.context, confirm_large=True).run.outcome == "done"
    assert school.cell(WORK, 1001) == "0.8"
    assert sync(school.context).run.requests["write"] == 0


@pytest.fixture(params=["each is looked at", "the first takes half a minute"])
def slow_turns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Every cell that is sent by itself waits long for its turn; call it when the first one is on its way."""
    monkeypatch.setattr("grading.writing.FRESH_SECONDS", 0.0)
    if request.param == "each is looked at":
        monkeypatch.setattr("grading.writers.CELLS_A_LOOK", 1)
        return lambda: None
    moved, real = [0.0], time.monotonic
    monkeypatch.setattr("time.monotonic", lambda: real() + moved[0])

    def half_a_minute() -> None:
        # Never empty: other threads ask for the time meanwhile.
        moved[0] += 30.0

    return half_a_minute


def slowly(school: School, slow_turns: Callable[[], None]) -> None:
    """A person edits the second cell while the first is on its way."""

    def edited() -> None:
        slow_turns()
        school.edit(WORK, 1002, "0.25")

    before_call(school, "/submissions/1001", edited)


def test_what_a_person_edits_while_skipped_cells_are_sent_one_by_one_stays(
    school: School, slow_turns: Callable[[], None]
) -> None:
    column = school.assignment(WORK)
    column.submission_types = ["online_text_entry"]
    school.course.late_policy = r.LatePolicy(Decimal(20))
    align_work(school)
    sync(school.context)
    for user in (1001, 1002):
        late = school.world.submission(column, user)
        late.late_policy_status, late.seconds_late_override = "late", 3600
        set_score(school.world, column, late)
    align_work(school, rule={"kind": "cutoff", "credit": "80%"})
    slowly(school, slow_turns)
    run = sync(school.context, confirm_large=True).run
    assert (school.cell(WORK, 1001), school.cell(WORK, 1002)) == ("0.8", "0.25")
    assert run.reasons["changed_since_preview"] == 1
    assert sync(school.context).run.reasons["graded_by_person"] == 1


def test_what_a_person_edits_while_an_undo_puts_back_one_by_one_stays(
    school: School, slow_turns: Callable[[], None]
) -> None:
    align_work(school)
    sync(school.context)
    instead_of_the_job(school, lambda work: "Unexpected error, ID: 5")
    slowly(school, slow_turns)
    undone = undo(school.context, started_by="command")
    assert undone.counts == {"restored": 3, "kept": 1, "refused": 0}
    assert school.column(WORK) == {1002: "0.25"}


@pytest.mark.parametrize("arrived", [True, False])
def test_the_very_grade_typed_by_a_person_in_a_column_of_ours_is_theirs(
    school: School, impatient: None, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    """Canvas names the grader: neither a score that never arrived nor one they typed over makes it ours."""
    school.align(entry(601, "Models"))
    confirm = reading_back.confirm

    def typed_before(*given: Any, **more: Any) -> None:
        school.edit("Models", 1001, "1")
        confirm(*given, **more)

    with monkeypatch.context() as patched:
        if arrived:
            patched.setattr("grading.sending.confirm", typed_before)
        else:
            school.world.faults.add("drop_before", path=SCORES, count=None)
        sync(school.context)
    school.world.faults.clear()
    if not arrived:
        school.edit("Models", 1001, "1")
    sync(school.context)
    school.align(entry(601, "Models", rule={"kind": "cutoff", "credit": "60%"}))
    run = sync(school.context, confirm_large=True).run
    assert (run.reasons["graded_by_person"], school.cell("Models", 1001)) == (1, "1")


def test_cleared_by_a_person_after_a_write_that_could_not_be_read_back(school: School) -> None:
    align_work(school)
    reads_fail(school, skip=2)
    assert sync(school.context).run.outcome == "stopped"
    school.world.faults.clear()
    school.edit(WORK, 1001, "")
    run = sync(school.context).run
    assert (run.reasons["cleared_by_person"], run.counts["unchanged"]) == (1, 3)
    assert 1001 not in school.column(WORK)


CLEARING = {"at_least": 1, "otherwise": "clear"}


def reads_fail(school: School, *, skip: int) -> None:
    body = {"method": "GET", "path": "*/students/submissions", "status": 422, "body": "{}"}
    school.world.faults.add("reply", count=None, skip=skip, **body)


def emptied_unseen(school: School, column: str) -> None:
    """A sync empties the cell of 1001; that cannot be read back. Then there is evidence again."""
    target = column if column == "Models" else school.assignment(column).id
    school.align(entry(601, target, evidence=CLEARING))
    sync(school.context)
    school.forget_evidence(1001)
    reads_fail(school, skip=2)
    assert sync(school.context).run.outcome == "stopped"
    school.world.faults.clear()
    assert 1001 not in school.column(column)
    school.assess(1001, 601, "4")


@pytest.mark.parametrize("column", ["Models", WORK])
def test_a_cell_we_emptied_and_could_not_read_back_is_ours(school: School, column: str) -> None:
    emptied_unseen(school, column)
    run = sync(school.context).run
    assert (run.reasons.get("cleared_by_person"), run.counts["send"]) == (None, 1)
    assert school.cell(column, 1001) == "1"


@pytest.mark.parametrize("column", ["Models", WORK])
def test_a_person_who_emptied_it_after_us_is_still_seen(school: School, column: str) -> None:
    """They graded, and thought better of it: nothing of ours is left to go on with."""
    emptied_unseen(school, column)
    school.edit(column, 1001, "0.5")
    school.edit(column, 1001, "")
    assert sync(school.context).run.reasons["cleared_by_person"] == 1
    assert 1001 not in school.column(column)


@pytest.mark.parametrize("arrived", [True, False])
def test_a_clear_without_an_answer_is_told_from_a_persons_by_its_grader(
    school: School, impatient: None, arrived: bool
) -> None:
    """In a column of ours Canvas names who emptied the cell."""
    school.align(entry(601, "Models", evidence=CLEARING))
    sync(school.context)
    school.forget_evidence(1001)
    reads_fail(school, skip=3)
    school.world.faults.add("drop_after" if arrived else "drop_before", path=SCORES, count=None)
    sync(school.context)
    school.world.faults.clear()
    if not arrived:
        assert school.cell("Models", 1001) == "1"
        school.edit("Models", 1001, "")
    school.assess(1001, 601, "4")
    reasons = sync(school.context).run.reasons
    assert (reasons.get("cleared_by_person"), school.cell("Models", 1001)) == (
        (None, "1") if arrived else (1, None)
    )


@pytest.mark.parametrize("again", ["sync", "undo"])
@pytest.mark.parametrize("column", ["Models", WORK])
def test_what_an_undo_emptied_and_could_not_read_back_counts_as_never_written(
    school: School, column: str, again: str
) -> None:
    school.align(entry(601, column if column == "Models" else school.assignment(column).id))
    sync(school.context)
    reads_fail(school, skip=1)
    assert undo(school.context, started_by="command").run.outcome == "stopped"
    school.world.faults.clear()
    assert school.column(column) == {}
    if again == "undo":
        assert undo(school.context, started_by="command").counts == {"restored": 4, "kept": 0, "refused": 0}
    run = sync(school.context).run
    assert (run.counts["send"], run.counts["conflict"]) == (4, 0)


def test_a_grade_that_arrived_unseen_stays_ours_when_the_next_write_fails(
    school: School, impatient: None
) -> None:
    """The intention of the second write must not wipe out all that was known of the first."""
    align_work(school)
    arrives_unseen(school)
    world = school.world
    align_work(school, rule={"kind": "cutoff", "credit": "80%"})
    world.faults.add("reply", method="POST", path=BULK, count=None, status=200, body='{"surprise": 1}')
    assert sync(school.context, confirm_large=True).run.reasons["no_answer"] == 3
    world.faults.clear()
    run = sync(school.context, confirm_large=True).run
    assert (run.outcome, run.counts["send"], run.counts["conflict"]) == ("done", 3, 0)


def test_a_grade_that_arrived_unseen_and_was_removed_stays_removed(school: School, impatient: None) -> None:
    align_work(school)
    arrives_unseen(school)
    assert sync(school.context).run.counts["unchanged"] == 4
    school.edit(WORK, 1001, "0.5")
    assert sync(school.context).run.reasons["graded_by_person"] == 1
    school.edit(WORK, 1001, "")
    assert sync(school.context).run.reasons["cleared_by_person"] == 1


def test_a_refusal_after_an_unanswered_write_is_not_the_whole_story(school: School, impatient: None) -> None:
    """The first try may still arrive, whatever the second was told."""
    school.align(entry(601, "Models"))
    sync(school.context)
    school.align(entry(601, "Models", rule={"kind": "cutoff", "credit": "80%"}))
    faults = school.world.faults
    faults.add("error_before", method="POST", path=SCORES, count=3, status=504)
    faults.add("reply", method="POST", path=SCORES, count=None, status=403, body=MAY_NOT)
    run = sync(school.context, confirm_large=True).run
    assert run.error is not None and run.error["code"] == "no_permission"
    assert (run.reasons["no_answer"], run.counts["refused"]) == (3, 3)


def test_an_undo_that_died_before_it_wrote_does_not_claim_what_a_person_empties(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    align_work(school)
    sync(school.context)

    def die(*given: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("grading.writers.post_job", die)
        with pytest.raises(Killed):
            undo(school.context, started_by="command")
    Run.objects.filter(state=RunState.READING).update(heartbeat_at=LONG_AGO)
    assert sync(school.context).run.counts["unchanged"] == 4
    school.edit(WORK, 1001, "")
    assert undo(school.context, started_by="command").counts == {"restored": 3, "kept": 1, "refused": 0}
    assert sync(school.context).run.reasons["cleared_by_person"] == 1


def test_what_an_undo_put_back_after_it_gave_up_is_ours(school: School, impatient: None) -> None:
    """Nobody answered the undo's writes, and they arrived: its intention is still known."""
    align_work(school)
    sync(school.context)
    align_work(school, rule={"kind": "cutoff", "credit": "60%"})
    sync(school.context, confirm_large=True)
    world = school.world
    world.jobs_stuck = True
    world.faults.add("error_before", method="PUT", path="*/submissions/*", count=None, status=504)
    undone = undo(school.context, started_by="command")
    assert (undone.counts["restored"], undone.run.reasons) == (0, {"no_answer": 3})
    world.faults.clear()
    world.jobs_stuck = False
    with world.lock:
        world.run_jobs(everything=True)
    assert school.cell(WORK, 1001) == "1"
    run = sync(school.context, confirm_large=True).run
    assert (run.counts["conflict"], run.counts["send"], school.cell(WORK, 1001)) == (0, 3, "0.6")


@pytest.mark.parametrize("undoing", [True, False])
def test_a_grade_that_a_person_typed_while_ours_was_refused_is_theirs(school: School, undoing: bool) -> None:
    """By chance the very grade that was to be written: Canvas said no to ours, so it is not ours."""
    school.align(entry(601, "Models"))
    sync(school.context)
    school.align(entry(601, "Models", rule={"kind": "cutoff", "credit": "60%"}))
    if undoing:
        sync(school.context, confirm_large=True)
    typed = "1" if undoing else "0.6"
    before_call(school, SCORES, lambda: school.edit("Models", 1001, typed))
    school.world.faults.add("reply", method="POST", path=SCORES, count=None, status=422, body=ENDED)
    if undoing:
        undo(school.context, started_by="command")
    else:
        sync(school.context, confirm_large=True)
    school.world.faults.clear()
    school.align(entry(601, "Models", rule={"kind": "cutoff", "credit": "30%"}))
    run = sync(school.context, confirm_large=True).run
    assert (run.reasons["graded_by_person"], school.cell("Models", 1001)) == (1, typed)


def test_an_undo_refused_everywhere_ends_with_the_reason(school: School) -> None:
    align_work(school)
    sync(school.context)
    faults = school.world.faults
    faults.add("reply", method="POST", path=BULK, count=None, status=403, body=MAY_NOT)
    faults.add("reply", method="GET", path="*/assignments", count=None, skip=1, status=403, body=MAY_NOT)
    undone = undo(school.context, started_by="command")
    assert (undone.run.outcome, (undone.run.error or {}).get("code")) == ("stopped", "no_permission")
    assert not Run.objects.exclude(state=RunState.FINISHED).exists()
