"""Canvas failing in every way while grades are sent: no double write, no lost grade, the reason said once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from grading import services
from grading.fingerprints import Tagger
from grading.models import Fingerprint, Run, RunState
from grading.services import sync
from sandbox import records as r
from sandbox.scenarios.base import STRANGER_ID, TA_ID
from tests.grading.school import LONG_AGO, School, connect_account, entry

SCORES = "*/scores"
BULK = "*/submissions/update_grades"
RIGHT = {1001: "1", 1002: "1", 1003: "0", 1004: "1"}


def both_ways(school: School) -> None:
    school.align(entry(601, "Models"), entry(601, school.assignment("1.1 Linear models").id))


def assert_right(school: School) -> None:
    assert school.column("Models") == RIGHT
    assert school.column("1.1 Linear models") == RIGHT


@pytest.mark.parametrize("kind", ["error_after", "drop_after", "error_before", "drop_before"])
@pytest.mark.parametrize("path", [SCORES, BULK, "*/line_items"])
def test_a_write_whose_answer_is_lost(school: School, kind: str, path: str) -> None:
    both_ways(school)
    school.world.faults.add(kind, method="POST", path=path, count=1)
    result = sync(school.context)
    assert result.run.outcome == "done", (result.run.error, result.run.problems)
    assert_right(school)
    assert len(school.world.line_items) == 1
    for submission in school.world.submissions.values():
        assert len(submission.versions) <= 1
    assert sync(school.context).run.requests["write"] == 0


def test_a_pause_that_canvas_asks_for(school: School) -> None:
    both_ways(school)
    school.world.faults.add("throttled", method="POST", path=SCORES, count=1)
    result = sync(school.context)
    assert result.run.outcome == "done"
    assert result.run.requests["throttled"] == 1
    assert_right(school)


def test_a_token_that_expires_on_the_way_is_renewed(school: School) -> None:
    both_ways(school)
    school.world.faults.add("expired", path="*/students/submissions", count=1)
    assert sync(school.context).run.outcome == "done"
    assert_right(school)


@pytest.mark.parametrize(
    "path", ["*/outcome_rollups", "*/enrollments", "*/assignments", "*/students/submissions"]
)
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error_before", "status": 503},
        {"kind": "reply", "status": 200, "body": "<html>Log in</html>"},
        {"kind": "reply", "status": 200, "body": '{"surprise": 1}'},
    ],
    ids=["down", "html", "shape"],
)
def test_a_read_that_fails_plans_and_sends_nothing(
    school: School, path: str, fault: dict[str, object]
) -> None:
    both_ways(school)
    options = dict(fault)
    school.world.faults.add(str(options.pop("kind")), path=path, method="GET", count=None, **options)
    result = sync(school.context)
    assert result.run.outcome == "stopped"
    assert result.run.error and result.run.error["detail"]
    assert school.writes() == 0
    school.world.faults.clear()
    assert sync(school.context).run.outcome == "done"


def test_an_account_that_is_revoked_stops_and_says_who(school: School) -> None:
    both_ways(school)
    for token in school.world.tokens.values():
        token.revoked = True
    first, second = sync(school.context).run, sync(school.context).run
    assert first.error is not None and second.error is not None
    assert (first.outcome, first.error["who"]) == ("stopped", "teacher")
    assert (second.error["code"], second.error["who"]) == ("no_account", "teacher")


def test_the_next_account_is_tried_when_the_newest_is_lost(school: School) -> None:
    both_ways(school)
    newest = connect_account(school.server, school.context, TA_ID, at=LONG_AGO + timedelta(days=1))
    next(t for t in school.world.tokens.values() if t.user_id == TA_ID).revoked = True
    result = sync(school.context)
    assert (result.run.outcome, result.run.account) == ("done", school.account)
    newest.refresh_from_db()
    assert newest.lost_at is not None


def test_an_account_that_may_not_grade_is_passed_over(school: School) -> None:
    both_ways(school)
    connect_account(school.server, school.context, STRANGER_ID, at=LONG_AGO + timedelta(days=1))
    result = sync(school.context)
    assert (result.run.outcome, result.run.account) == ("done", school.account)


def test_a_concluded_course_says_so_once(school: School) -> None:
    both_ways(school)
    school.course.workflow_state = "completed"
    result = sync(school.context)
    assert result.run.outcome == "stopped"
    assert result.run.error is not None and result.run.error["code"] == "concluded"
    assert school.writes() == 0


def test_the_course_concludes_while_grades_are_sent(school: School) -> None:
    school.align(entry(601, "Models"), entry(602, school.assignment("1.2 Systems of equations").id))
    sync(school.context)
    for user in (1001, 1002, 1003, 1004):
        school.assess(user, 602, "1")
    school.world.faults.add("reply", path=BULK, method="POST", status=403, body='{"status":"unauthorized"}')
    before = school.column("1.2 Systems of equations")
    school.align(entry(602, school.assignment("1.2 Systems of equations").id, rule={"kind": "proportional"}))
    result = sync(school.context, confirm_large=True)
    assert result.run.outcome == "partial"
    assert result.run.problems[0]["code"] == "may_not_grade"
    assert school.column("1.2 Systems of equations") == before


def test_unpublished_while_grades_are_sent(school: School) -> None:
    column = school.assignment("1.1 Linear models")
    [alignment] = school.align(entry(601, column.id))
    run = services.prepare(school.context, school.account, started_by="teacher 11")
    services.approve(run, by="teacher 11", digest=run.digest)
    column.published = False
    result = services.apply(run.pk)
    assert result is not None and result.run.outcome == "changed"
    assert school.column(column.name) == {}


def test_the_next_column_does_not_wait_for_the_last_score_of_this_one(school: School) -> None:
    """Canvas answers it when it has answered all the others, the next column's too."""
    school.align(entry(601, "Models"), entry(602, "Slopes"))
    world, take, of_models = school.world, school.world.faults.take, itertools.count(1)

    def taken(method: str, path: str) -> Any:
        if path.endswith("/scores") and f"/{min(world.line_items)}/" in path:
            until = time.monotonic() + (20 if next(of_models) == 4 else 0)
            while world.calls.count("POST", SCORES) < 7 and time.monotonic() < until:
                time.sleep(0.01)
        return take(method, path)

    world.faults.take = taken  # type: ignore[method-assign]  # a moment no switch can hit
    run = sync(school.context).run
    assert run.outcome == "done" and run.requests["retried"] == 0
    assert world.calls.all("POST", SCORES)[-1].path.endswith(f"/line_items/{min(world.line_items)}/scores")


@pytest.mark.parametrize("skip", [0, 3])
def test_a_column_that_takes_nothing_keeps_no_other_waiting(school: School, skip: int) -> None:
    """Also where its refusal comes when the next column has begun already."""
    school.align(entry(601, "Models"), entry(602, "Slopes"))
    sync(school.context)
    item = min(school.world.line_items.values(), key=lambda one: one.id)
    scores = f"*/line_items/{item.id}/scores"
    for user in (1001, 1002, 1003, 1004):
        school.edit("Models", user, "")
        school.edit("Slopes", user, "")
    gone = {"status": 404, "body": "", "seconds": 1}
    school.world.faults.add("reply", method="POST", path=scores, skip=skip, count=None, **gone)
    result = sync(school.context, force_conflicts=True)
    assert result.run.outcome == "partial"
    assert result.run.reasons["column_gone"] == 4 - skip
    assert school.column("Slopes") and len(school.column("Models")) == skip


def test_a_job_that_canvas_has_forgotten_is_read_back(school: School) -> None:
    both_ways(school)
    school.world.faults.add("reply", method="GET", path="*/progress/*", status=404, body="{}", count=1)
    result = sync(school.context)
    assert (result.run.outcome, result.run.counts["send"]) == ("done", 8)
    assert school.column("1.1 Linear models") == RIGHT == school.column("Models")


def test_a_slow_bulk_job_is_followed_to_its_end(school: School) -> None:
    both_ways(school)
    column = school.assignment("1.1 Linear models")
    school.world.job_delay = 0.3
    school.world.faults.add("error_before", method="GET", path="*/progress/*", status=502, count=2)
    result = sync(school.context)
    assert result.run.outcome == "done"
    assert school.column(column.name) == RIGHT


def test_a_student_who_leaves_before_sending_is_refused_alone(school: School) -> None:
    """The command plans and sends at once, so the roster is not read twice: Canvas refuses the cell."""
    school.align(entry(601, "Models"))
    sync(school.context)
    school.assess(1005, 601, "4")
    school.assess(1006, 601, "4")
    school.world.faults.add(
        "reply",
        path=SCORES,
        method="POST",
        status=422,
        body='{"errors":{"type":"unprocessable_entity","message":"User not found in course or is not a student"}}',
    )
    result = sync(school.context)
    assert result.run.outcome == "partial"
    assert result.run.counts == {"send": 1, "unchanged": 4, "held": 0, "conflict": 0, "refused": 1}
    assert [p["code"] for p in result.run.problems] == ["not_a_student"]


def test_a_worker_that_died_after_writing_is_finished_by_the_next(school: School) -> None:
    both_ways(school)
    run = services.prepare(school.context, school.account, started_by="teacher 11")
    services.approve(run, by="teacher 11", digest=run.digest)
    sealed = Run.objects.get(pk=run.pk).sealed_plan
    services.apply(run.pk)
    # As a kill right before the receipts would have left it: intentions, no states, the plan still sealed.
    tagger = Tagger(school.context)
    for row in Fingerprint.objects.all():
        row.state_tag = b""
        row.intended_tag = next(
            tagger.intention(str(s.assignment_id), str(s.user_id), str(s.entered_score))
            for s in school.world.submissions.values()
            if tagger.cell(str(s.assignment_id), str(s.user_id)) == bytes(row.cell_tag)
        )
        row.save()
    Run.objects.filter(pk=run.pk).update(
        state=RunState.SENDING,
        outcome="",
        sealed_plan=sealed,
        heartbeat_at=timezone.now() - timedelta(minutes=5),
    )
    writes = school.writes()
    run.undo_journal.delete()
    result = sync(school.context)
    run.refresh_from_db()
    assert (run.state, run.outcome, run.counts["send"]) == ("finished", "done", 8)
    assert (result.run.outcome, result.run.counts["unchanged"]) == ("done", 8)
    assert school.writes() == writes
    school.forget_evidence(1001)
    school.assess(1001, 601, "1")
    assert sync(school.context).run.counts == {
        "send": 2,
        "unchanged": 6,
        "held": 4,
        "conflict": 0,
        "refused": 0,
    }


def when_a_job_is_queued(school: School, happens: Callable[[], object]) -> None:
    """Something happens in Canvas between our request and its background job."""
    queue = school.world.queue_job

    def queue_after(*given: Any, **more: Any) -> r.Progress:
        del school.world.queue_job
        happens()
        return queue(*given, **more)

    school.world.queue_job = queue_after  # type: ignore[method-assign]  # a moment no request can hit


def test_a_student_who_leaves_while_the_job_waits(school: School) -> None:
    column = school.assignment("1.1 Linear models")
    school.align(entry(601, column.id))
    when_a_job_is_queued(school, lambda: setattr(school.enrollment(1002), "state", "completed"))
    result = sync(school.context)
    assert (result.run.outcome, result.run.counts["send"]) == ("partial", 3)
    assert [p["code"] for p in result.run.problems] == ["not_a_student"]
    assert school.column(column.name) == {1001: "1", 1003: "0", 1004: "1"}


def test_a_period_that_closes_while_the_job_waits(school: School) -> None:
    column, other = school.assignment("1.1 Linear models"), school.assignment("1.2 Systems of equations")
    school.align(entry(601, column.id), entry(602, other.id))
    when_a_job_is_queued(school, lambda: setattr(column, "closed_period", True))
    result = sync(school.context)
    assert (result.run.outcome, result.run.counts["send"], result.run.counts["refused"]) == ("partial", 4, 4)
    assert [p["code"] for p in result.run.problems] == ["closed_period"]
    assert school.column(column.name) == {}
    school.world.assignments[column.id].closed_period = False
    assert sync(school.context).run.counts["send"] == 4


def test_what_may_arrive_still_is_not_said_to_be_refused(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try of a job gets no answer, the second is refused: what the first one does is not known."""
    school.align(entry(601, school.assignment("1.1 Linear models").id))
    monkeypatch.setattr("grading.writers.rest_a_while", lambda attempt, beat: None)
    unauthorized = (
        '{"status":"unauthorized","errors":[{"message":"user not authorized to perform that action"}]}'
    )
    school.world.faults.add("drop_before", path=BULK, method="POST", count=1)
    school.world.faults.add("reply", path=BULK, method="POST", status=401, body=unauthorized)
    run = sync(school.context).run
    assert (run.outcome, run.reasons["no_answer"]) == ("partial", 4)
    assert school.column("1.1 Linear models") == {}


def test_a_job_that_never_ends_is_given_up_and_recognised_later(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    column = school.assignment("1.1 Linear models")
    school.align(entry(601, column.id))
    monkeypatch.setattr("grading.writers.JOB_SECONDS", 0.3)
    monkeypatch.setattr("grading.writing.ROUNDS", 1)
    school.world.jobs_stuck = True
    result = sync(school.context)
    assert (result.run.outcome, result.run.reasons["no_answer"]) == ("partial", 4)
    school.world.jobs_stuck = False
    school.world.run_jobs(everything=True)
    later = sync(school.context)
    assert later.run.counts == {"send": 0, "unchanged": 4, "held": 2, "conflict": 0, "refused": 0}
    school.assess(1003, 601, "4", days=60)
    school.assess(1003, 601, "4", days=61)
    school.assess(1003, 601, "4", days=62)
    assert sync(school.context).run.counts["send"] == 1
