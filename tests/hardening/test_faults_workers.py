"""The fault matrix, workers and database (F49 to F68): killed, frozen, doubled, and what the next one does."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from canvas import oauth
from canvas.oauth import disconnect
from grading import jobs, making, runs, services
from grading.models import Fingerprint, Run, RunState, UndoJournal
from grading.services import sync, undo
from lti_tool.models import Registration
from tests.grading.desk import work
from tests.grading.school import School, entry
from tests.grading.test_runs import approved
from tests.hardening import processes
from tests.hardening.processes import PATIENCE_SECONDS, fork, frozen, struck, thaw

pytestmark = pytest.mark.django_db(transaction=True)

WORK = "1.1 Linear models"
RIGHT = {1001: "1", 1002: "1", 1003: "0", 1004: "1"}
MINE = {1001: "0.37", 1002: "1", 1003: "0", 1004: "1"}
"""With a grade that a person gave to 1001."""
KILLS = {
    "before the course is read": ("grading.preparing:read_course", False, 1),
    "after it was read": ("grading.preparing:read_course", True, 1),
    "after it was planned": ("grading.planning:make", True, 1),
    "after the plan was kept": ("grading.syncing:store_plan", True, 1),
    "while it looks again": ("grading.looking_again:read_again", True, 1),
    "after the column was made": ("canvas.ags:Ags.create_line_item", True, 1),
    "after an intention": ("grading.fingerprints:remember_intentions", True, 1),
    "with a bulk job on its way": ("canvas.gradebook:GradebookCalls.post_grades", True, 1),
    "with scores on their way": ("canvas.ags:Ags.post_score", True, 2),
    "before it remembers what is ours": ("grading.reading_back:_settle", False, 1),
    "between two columns' memories": ("grading.reading_back:_settle", True, 1),
    "before the end is committed": ("grading.journal:keep", True, 1),
}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead process is known for dead at once."""
    monkeypatch.setattr(runs, "SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(runs, "LOOK_SECONDS", 0.05)


def both_ways(school: School) -> None:
    school.align(entry(601, "Models"), entry(601, school.assignment(WORK).id))


def ended(pid: int) -> int:
    """The end of a process. PostgreSQL hears of a killed one a moment later, on a busy machine: until then its run
    has somebody at work, and nobody else is given it."""
    code = processes.ended(pid)
    until = time.monotonic() + PATIENCE_SECONDS
    while code < 0 and lock_holders() and time.monotonic() < until:
        time.sleep(0.01)
    return code


def names(school: School) -> set[str]:
    return {one.name for one in school.world.assignments.values()}


def assert_settled(school: School, *, changes: int = 2) -> None:
    """Right everywhere, nothing doubled, a person's cell a person's, nothing left to do."""
    school.world.run_jobs(everything=True)
    run = sync(school.context).run
    assert run.outcome == "done", (run.error, run.problems)
    assert school.column("Models") == RIGHT and school.column(WORK) == MINE
    assert len(school.world.line_items) == 1
    assert all(len(one.versions) <= changes and not one.comments for one in school.world.submissions.values())
    again = sync(school.context).run
    assert (again.requests["write"], again.reasons["graded_by_person"]) == (0, 1)
    assert not Run.objects.exclude(state=RunState.FINISHED).exists()


@pytest.mark.parametrize("point", KILLS, ids=list(KILLS))
def test_f57_killed_at_every_step(school: School, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    both_ways(school)
    school.edit(WORK, 1001, "0.37")
    where, after, nth = KILLS[point]
    with monkeypatch.context() as patched:
        struck(patched, where, after=after, by=signal.SIGKILL, nth=nth)
        assert ended(fork(lambda: sync(school.context))) == -signal.SIGKILL
    if "Models" in names(school):
        assert school.column("Models").items() <= RIGHT.items()
    assert school.column(WORK).items() <= MINE.items()
    assert_settled(school)


def test_f57_killed_while_the_token_is_renewed(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """Canvas gave a new token and nobody kept it: the refresh token still works."""
    both_ways(school)
    school.edit(WORK, 1001, "0.37")
    school.world.faults.add("expired", path="*/enrollments", count=1)
    with monkeypatch.context() as patched:
        struck(patched, "canvas.oauth:_keep", after=False, by=signal.SIGKILL)
        assert ended(fork(lambda: sync(school.context))) == -signal.SIGKILL
    assert_settled(school)


@pytest.mark.parametrize(
    "where",
    ["grading.undoing:Undoer._restore", "grading.undoing:Undoer._settle", "canvas.ags:Ags.post_score"],
)
def test_f57_f67_killed_in_an_undo(school: School, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    both_ways(school)
    school.edit(WORK, 1001, "0.37")
    sync(school.context)
    with monkeypatch.context() as patched:
        struck(patched, where, after=True, by=signal.SIGKILL)
        assert ended(fork(lambda: undo(school.context, started_by="command"))) == -signal.SIGKILL
    undone = undo(school.context, started_by="command")
    assert (undone.run.outcome, undone.counts["refused"]) == ("done", 0)
    assert school.column("Models") == {} and school.column(WORK) == {1001: "0.37"}
    with pytest.raises(services.NothingToUndo):
        undo(school.context, started_by="command")
    assert_settled(school, changes=4)


def undo_until_it_dies(school: School, run: Run, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The undo of a page, in a worker that is killed after this; the sweeper finds it."""
    with monkeypatch.context() as patched:
        struck(patched, where, after=True, by=signal.SIGKILL)
        job = (run.pk, "a teacher", school.account.pk)
        assert ended(fork(lambda: jobs.undo_run(*job))) == -signal.SIGKILL
    Run.objects.filter(undo_of=run).update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    jobs.sweep(timestamp=0)


def undos_waiting() -> int:
    """How many undos wait for a worker; they wait no longer."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'grading.undo_run'")
        return cursor.rowcount


def test_f57_f67_an_undo_of_a_killed_worker_goes_on_by_itself(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_ways(school)
    school.edit(WORK, 1001, "0.37")
    run = sync(school.context).run
    undo_until_it_dies(school, run, "canvas.ags:Ags.post_score", monkeypatch)
    work()
    assert school.column("Models") == {} and school.column(WORK) == {1001: "0.37"}
    [second, first] = Run.objects.filter(undo_of=run).order_by("-pk")
    assert (first.outcome, second.outcome, second.started_by) == ("discarded", "done", "a teacher")
    assert_settled(school, changes=4)


def test_f65_an_undo_that_kills_every_worker_is_left_to_people(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_ways(school)
    run = sync(school.context).run
    waited = []
    for _ in range(3):
        undo_until_it_dies(school, run, "grading.undoing:Undoer._as_we_left", monkeypatch)
        waited.append(undos_waiting())
    assert waited == [1, 1, 0]
    assert undo(school.context, started_by="command").run.outcome == "done"
    assert school.column("Models") == {}


@pytest.mark.parametrize(
    "where", ["canvas.gradebook:GradebookCalls.post_grades", "canvas.ags:Ags.post_score"]
)
def test_f50_a_frozen_worker_that_was_replaced_writes_nothing(
    school: School, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """SIGSTOP right before a write; another worker sends it all; a person edits; SIGCONT: turned back at the fence."""
    both_ways(school)
    run = approved(school)
    monkeypatch.setattr(runs, "SURE_SECONDS", 0.0)  # As after a freeze of any length.
    with monkeypatch.context() as patched:
        struck(patched, where, after=False, by=signal.SIGSTOP)
        pid = fork(lambda: services.apply(run.pk))
        frozen(pid)
    Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=90))
    result = services.apply(run.pk)
    assert result is not None and result.run.outcome == "done"
    column = WORK if "post_grades" in where else "Models"
    school.edit(column, 1002, "0.25")
    writes = school.writes()
    assert thaw(pid) == 0
    assert school.writes() == writes
    assert school.column(column) == {**RIGHT, 1002: "0.25"}
    assert Run.objects.get(pk=run.pk).outcome == "done"


def test_f57_a_column_made_anew_by_a_killed_worker_is_found(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column was deleted in Canvas with its assignment; the alignment is saved again; the worker that makes the new
    column dies before it can note where it is."""
    school.align(entry(601, "Models"))
    sync(school.context)
    gone = school.assignment("Models")
    gone.deleted = True
    for item in school.world.line_items.values():
        item.deleted = True
    assert sync(school.context).run.reasons["column_blocked"]
    school.align(entry(601, "Models"))
    with monkeypatch.context() as patched:
        struck(patched, "canvas.ags:Ags.create_line_item", after=True, by=signal.SIGKILL)
        assert ended(fork(lambda: sync(school.context))) == -signal.SIGKILL
    assert sync(school.context).run.outcome == "done"
    assert school.column("Models") == RIGHT
    assert len([one for one in school.world.line_items.values() if not one.deleted]) == 1


def test_f50_one_frozen_in_a_transaction_is_cut_off(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGSTOP with the teacher's account locked, while its token is renewed: PostgreSQL ends the session, and the next
    worker goes on. It waits five minutes in earnest, half a second here."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("5min",)
    both_ways(school)
    for token in school.world.tokens.values():
        token.expires_at = school.world.now() - timedelta(seconds=1)
    with monkeypatch.context() as patched:
        struck(patched, "canvas.oauth:_refresh", after=False, by=signal.SIGSTOP)
        stops = oauth._refresh

        def hardly_waits(*given: Any) -> Any:
            # From here on only: before, half a second may pass between two statements of a busy machine.
            with connection.cursor() as cursor:
                cursor.execute("SET idle_in_transaction_session_timeout = '500ms'")
            return stops(*given)

        patched.setattr(oauth, "_refresh", hardly_waits)
        pid = fork(lambda: sync(school.context))
        frozen(pid)
    Run.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=90))
    assert sync(school.context).run.outcome == "done"
    assert school.column(WORK) == school.column("Models") == RIGHT
    writes = school.writes()
    assert thaw(pid) != 0
    assert school.writes() == writes


FROZEN = {
    "grading.delivery:Delivery.intend": "apply",
    "grading.reading_back:_settle": "apply",
    "grading.undoing:Undoer._restore": "undo",
    "grading.undoing:Undoer._settle": "undo",
}


@pytest.mark.parametrize("where", list(FROZEN))
def test_f50_a_frozen_worker_that_was_replaced_remembers_nothing(
    school: School, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """SIGSTOP right before it notes what it is about to write or has read back; another worker takes its place and
    writes; SIGCONT: what is remembered of cells is the other's, so whose a grade is stays true."""
    both_ways(school)
    undoing = FROZEN[where] == "undo"
    run = sync(school.context).run if undoing else approved(school)

    def work() -> object:
        return undo(school.context, started_by="command") if undoing else services.apply(run.pk)

    monkeypatch.setattr(runs, "SURE_SECONDS", 0.0)  # As after a freeze of any length.
    with monkeypatch.context() as patched:
        struck(patched, where, after=False, by=signal.SIGSTOP)
        pid = fork(work)
        frozen(pid)
    Run.objects.exclude(state=RunState.FINISHED).update(heartbeat_at=timezone.now() - timedelta(seconds=90))
    assert sync(school.context).run.outcome == "done"
    for days in (60, 61, 62):
        school.assess(1003, 601, "4", days=days)
    assert sync(school.context).run.counts["send"]
    remembered, journals = memory(), list(UndoJournal.objects.values())
    assert thaw(pid) == 0
    assert (memory(), list(UndoJournal.objects.values())) == (remembered, journals)


def memory() -> set[tuple[object, ...]]:
    rows = Fingerprint.objects.values_list("target", "cell_tag", "state_tag", "intended_tag")
    return {(target, *map(bytes, tags)) for target, *tags in rows}


def test_a_frozen_worker_sets_no_columns_last_time_back(school: School) -> None:
    """Scores carry a time that only grows for each column: another worker has used a later one meanwhile."""
    school.align(entry(601, "Models"))
    sync(school.context)
    stale = school.target("Models")
    read_at = timezone.now()
    later = making.stamp(school.target("Models"), read_at + timedelta(seconds=90))
    assert making.stamp(stale, read_at) > later
    assert school.target("Models").last_timestamp == stale.last_timestamp


def test_f49_many_starts_at_once_are_one_run(school: School) -> None:
    """Double clicks, two teachers, a command: one run of the course, and the others are told."""
    both_ways(school)
    workers = [fork(lambda: started(school)) for _ in range(8)]
    assert sorted(ended(pid) for pid in workers) == [0] * 8
    assert Run.objects.filter(state=RunState.READING).count() == 1
    first = Run.objects.get(state=RunState.READING)
    Run.objects.all().update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    assert sync(school.context).run.outcome == "done"
    first.refresh_from_db()
    assert first.outcome == "discarded"


def started(school: School) -> None:
    for _ in range(6):
        try:
            services.begin(school.context, school.account, started_by="teacher 11")
        except services.RunAlreadyOpen as busy:
            assert busy.run.state == RunState.READING


def test_f54_five_workers_make_one_column(school: School) -> None:
    school.align(entry(601, "Models"))
    run = approved(school)
    workers = [fork(lambda: services.apply(run.pk)) for _ in range(5)]
    assert sorted(ended(pid) for pid in workers) == [0] * 5
    run.refresh_from_db()
    assert run.outcome == "done" and len(school.world.line_items) == 1
    assert school.column("Models") == RIGHT
    assert school.world.calls.count("POST", "*/scores") == 4


def test_f58_f62_the_message_is_lost_and_the_sweeper_finds_the_run(school: School) -> None:
    both_ways(school)
    run = approved(school)
    Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    assert [one.pk for one in runs.stale_runs(timezone.now())] == [run.pk]
    jobs.sweep(timestamp=0)
    jobs.send_run(run.pk)
    run.refresh_from_db()
    assert run.outcome == "done"
    jobs.send_run(run.pk)
    assert school.column(WORK) == RIGHT


def test_f59_nobody_in_the_course(school: School) -> None:
    both_ways(school)
    for one in school.world.enrollments.values():
        if one.type == "StudentEnrollment":
            one.state = "deleted"
    run = sync(school.context).run
    assert (run.outcome, sum(run.counts.values()), school.writes()) == ("done", 0, 0)


def test_f60_told_to_end_a_worker_leaves_the_rest_to_the_next(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM without grace left, in the middle: nothing is lost."""
    both_ways(school)
    school.edit(WORK, 1001, "0.37")
    with monkeypatch.context() as patched:
        struck(patched, "canvas.ags:Ags.post_score", after=True, by=signal.SIGTERM, nth=2)
        assert ended(fork(lambda: sync(school.context))) == -signal.SIGTERM
    assert_settled(school)


def sessions() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return {pid for (pid,) in cursor.fetchall()}


def lock_holders() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND classid = %s",
            [runs._ALIVE],
        )
        return {pid for (pid,) in cursor.fetchall()}


def cut(pids: set[int]) -> None:
    """PostgreSQL ends these sessions, as a restart or a fail-over does."""
    with connection.cursor() as cursor:
        for pid in pids:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def test_f61_the_database_is_gone_in_the_middle(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every connection of the worker is cut while its scores are on their way: the next worker ends the run."""
    both_ways(school)
    school.edit(WORK, 1001, "0.37")
    others = sessions()
    with monkeypatch.context() as patched:
        struck(patched, "canvas.ags:Ags.post_score", after=True, by=signal.SIGSTOP, nth=2)
        pid = fork(lambda: sync(school.context))
        frozen(pid)
        cut(sessions() - others)
    assert thaw(pid) == 1
    assert_settled(school)


def test_f61_the_pulse_of_a_run_comes_back(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the connection that holds the run's lock is cut: the run is still its worker's, and nobody else's."""
    both_ways(school)
    lease = runs.take_lease(approved(school).pk, timezone.now())
    assert lease is not None
    with runs.pulse(lease):
        [holder] = lock_holders()
        cut({holder})
        until = time.monotonic() + PATIENCE_SECONDS
        while not lock_holders() and time.monotonic() < until:
            time.sleep(0.01)
        assert lock_holders() not in ({holder}, set())
        lease.fence()
        with pytest.raises(services.RunAlreadyOpen):
            sync(school.context)


def test_f61_nobody_is_given_a_connection_that_died_in_the_pool(school: School) -> None:
    """After a restart of PostgreSQL no page fails once for every connection that lay idle."""

    def a_request() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        connection.close()
        return int(pid)

    with ThreadPoolExecutor(1) as web:
        idle = web.submit(a_request).result()
        cut({idle})
        assert web.submit(a_request).result() != idle


def test_f61_a_token_ends_while_three_other_runs_are_at_work(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them holds two connections; the threads that send need some as well to renew the token."""
    # As many as they want are to be had; on a busy machine it takes a while until they are open.
    monkeypatch.setattr(connection.pool, "timeout", 120.0)
    done = threading.Event()

    def at_work() -> None:
        with connection.cursor():
            done.wait()
        connection.close()

    others = [threading.Thread(target=at_work) for _ in range(6)]
    for other in others:
        other.start()
    both_ways(school)
    body = '{"errors":{"type":"unauthorized","message":"Access token expired"}}'
    school.world.faults.add("reply", path="*/scores", count=1, status=401, body=body)
    try:
        assert sync(school.context).run.outcome == "done"
    finally:
        done.set()
        for other in others:
            other.join()


def test_f63_yesterdays_backup_rolls_no_grade_back(school: School) -> None:
    """Fingerprints older than the gradebook: what they do not know is shown as a conflict, never overwritten."""
    school.align(entry(601, school.assignment(WORK).id))
    sync(school.context)
    yesterday = list(Fingerprint.objects.values("pk", "state_tag", "intended_tag"))
    for days in (60, 61, 62):
        school.assess(1003, 601, "4", days=days)
    sync(school.context)
    assert school.cell(WORK, 1003) == "1"
    for row in yesterday:
        Fingerprint.objects.filter(pk=row.pop("pk")).update(**row)
    school.forget_evidence(1003)
    school.assess(1003, 601, "0")
    result = sync(school.context)
    assert result.run.counts["conflict"] == 1
    assert school.cell(WORK, 1003) == "1"


def test_f65_a_course_that_crashes_the_worker_ends_with_its_reason(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_ways(school)
    run = approved(school)

    def poison(*given: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("grading.sending.still_as_planned", poison)
        with pytest.raises(ZeroDivisionError):
            services.apply(run.pk)
    run.refresh_from_db()
    assert (run.state, run.outcome) == ("finished", "stopped")
    assert run.error is not None and (run.error["code"], run.error["who"]) == ("internal", "operator")
    assert sync(school.context).run.outcome == "done"


def test_what_a_dead_worker_had_meant_is_a_persons_once_they_give_it_by_hand(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before it wrote; hours later the teacher types the number that was in the preview. It is theirs."""
    school.align(entry(601, school.assignment(WORK).id))
    with monkeypatch.context() as patched:
        struck(patched, "grading.fingerprints:remember_intentions", after=True, by=signal.SIGKILL)
        assert ended(fork(lambda: sync(school.context))) == -signal.SIGKILL
    Fingerprint.objects.update(written_at=timezone.now() - timedelta(hours=2))
    school.edit(WORK, 1001, "1")
    school.align(entry(601, school.assignment(WORK).id, rule={"kind": "cutoff", "credit": "60%"}))
    run = sync(school.context).run
    assert (run.outcome, run.counts["conflict"], run.reasons["graded_by_person"]) == ("done", 1, 1)
    assert (school.cell(WORK, 1001), school.cell(WORK, 1002)) == ("1", "0.6")


def test_what_a_dead_worker_had_meant_is_a_persons_where_they_graded_since(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before it wrote; the teacher grades by hand, the next worker sees it; then the teacher types, within
    the hour, the number that was in the preview. It is theirs (found by the soak, seed 7500121)."""
    school.align(entry(601, school.assignment(WORK).id))
    with monkeypatch.context() as patched:
        struck(patched, "grading.fingerprints:remember_intentions", after=True, by=signal.SIGKILL)
        assert ended(fork(lambda: sync(school.context))) == -signal.SIGKILL
    school.edit(WORK, 1001, "0.37")
    assert sync(school.context).run.outcome == "done"
    school.edit(WORK, 1001, "1")
    school.align(entry(601, school.assignment(WORK).id, rule={"kind": "cutoff", "credit": "60%"}))
    run = sync(school.context).run
    assert (run.outcome, run.counts["conflict"], run.reasons["graded_by_person"]) == ("done", 1, 1)
    assert (school.cell(WORK, 1001), school.cell(WORK, 1002)) == ("1", "0.6")


def test_what_a_dead_worker_wrote_and_a_person_emptied_stays_empty(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first score of a column arrived, its worker died, and the teacher took it away before anybody looked."""
    school.align(entry(601, "Models"))
    with monkeypatch.context() as patched:
        struck(patched, "canvas.ags:Ags.post_score", after=True, by=signal.SIGKILL, nth=4)
        assert ended(fork(lambda: sync(school.context))) == -signal.SIGKILL
    assert school.column("Models") == RIGHT
    school.edit("Models", 1002, "")
    sync(school.context)
    run = sync(school.context).run
    assert (run.counts["send"], run.reasons["cleared_by_person"]) == (0, 1)
    assert school.cell("Models", 1002) is None


def test_f65_a_course_that_kills_every_worker_is_given_up(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three workers end with it; the fourth ends it, without going where they died. What one of them wrote is ours."""
    both_ways(school)
    school.edit(WORK, 1001, "0.37")
    run = approved(school)
    for where in (
        "canvas.ags:Ags.post_score",
        "grading.sending:still_as_planned",
        "grading.sending:check_basis",
    ):
        with monkeypatch.context() as patched:
            struck(patched, where, after=True, by=signal.SIGKILL, nth=1)
            assert ended(fork(lambda: services.apply(run.pk))) == -signal.SIGKILL
        Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    result = services.apply(run.pk)
    assert result is not None and result.run.outcome == "stopped" and result.run.error
    assert (result.run.error["code"], result.run.error["who"]) == ("internal", "operator")
    assert (result.run.counts["send"], result.run.reasons["internal"]) == (0, 7)
    assert not runs.stale_runs(timezone.now())
    assert_settled(school)


@pytest.mark.parametrize("undoing", [False, True], ids=["sent", "taken back"])
def test_f68_a_school_that_is_switched_off_meanwhile(
    school: School, monkeypatch: pytest.MonkeyPatch, undoing: bool
) -> None:
    """What is on its way arrives; nothing further is sent, and the reason is the operator's."""
    both_ways(school)
    if undoing:
        sync(school.context)
    before = school.column("Models") if undoing else {}
    with monkeypatch.context() as patched:
        struck(patched, "canvas.gradebook:GradebookCalls.post_grades", after=False, by=signal.SIGSTOP)
        pid = fork(lambda: undo(school.context, started_by="command") if undoing else sync(school.context))
        frozen(pid)
    done = school.column("Models") if undoing else {}
    Registration.objects.update(is_active=False)
    assert thaw(pid) == 0
    run = Run.objects.latest("number")
    assert run.error is not None, run.outcome
    assert (run.outcome, run.error["code"], run.error["who"]) == ("stopped", "registration_off", "operator")
    assert (school.column("Models") if "Models" in names(school) else {}) in (before, done)
    Registration.objects.update(is_active=True)
    if undoing:
        assert undo(school.context, started_by="command").run.outcome == "done"
        assert school.column("Models") == school.column(WORK) == {}
    else:
        assert sync(school.context).run.outcome == "done"
        assert school.column("Models") == school.column(WORK) == RIGHT


def test_f68_a_teacher_who_disconnects_while_their_run_is_sent(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped at the next call, with the reason; what was written is accounted for."""
    both_ways(school)
    run = approved(school)
    with monkeypatch.context() as patched:
        struck(patched, "canvas.gradebook:GradebookCalls.post_grades", after=False, by=signal.SIGSTOP)
        pid = fork(lambda: services.apply(run.pk))
        frozen(pid)
        disconnect(school.account)
    assert thaw(pid) == 0
    run.refresh_from_db()
    assert run.error is not None and (run.outcome, run.error["code"]) == ("stopped", "revoked")
    assert (run.counts["send"], run.counts["refused"], school.column(WORK)) == (0, 8, {})
