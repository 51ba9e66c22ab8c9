"""The fault matrix, F61: PostgreSQL stopped, replaced by its standby, or without a byte left, while grades are sent.

Each time a worker is caught in the middle, with scores on their way. Whatever it can do then, nothing may be lost or
doubled: each cell is as it was or as it should be, a person's grade is a person's, and the next run ends the work.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import OperationalError, connection
from pytest_django import DjangoDbBlocker

from canvas import throttle
from grading import jobs, runs
from grading.models import Run, RunState
from grading.services import sync, undo
from lti_tool.models import Context
from sandbox.server import SandboxServer
from tests.grading.desk import work
from tests.grading.school import School, open_school, small_world
from tests.grading.test_runs import previewed
from tests.hardening.own_database import OwnDatabase, own_database
from tests.hardening.processes import fork, frozen, struck, thaw
from tests.hardening.test_faults_workers import MINE, RIGHT, WORK, assert_settled, both_ways
from tests.soak.scrub import scrub

SENDING = ("canvas.ags:Ags.post_score", True, 2)
MOMENTS = {
    "before it notes what it is about to write": ("grading.fingerprints:remember_intentions", False, 1),
    "with scores on their way": SENDING,
    "before it keeps what can be undone": ("grading.journal:keep", False, 1),
}


@pytest.fixture(scope="module")
def database(django_db_blocker: DjangoDbBlocker) -> Iterator[OwnDatabase]:
    with django_db_blocker.unblock(), own_database() as database:
        yield database


@pytest.fixture
def full(database: OwnDatabase) -> OwnDatabase:
    if not database.can_fill:
        pytest.skip("A disk of its own takes the right to mount one.")
    return database


@pytest.fixture
def school(
    database: OwnDatabase, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[School]:
    monkeypatch.setattr(runs, "SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(runs, "LOOK_SECONDS", 0.05)
    throttle._paces.clear()
    with django_db_blocker.unblock(), SandboxServer(small_world()) as server:
        try:
            yield open_school(server)
        finally:
            database.make_room()
            scrub()


def caught(
    school: School,
    monkeypatch: pytest.MonkeyPatch,
    moment: tuple[str, bool, int],
    how: Callable[[Context], object] = sync,
) -> int:
    """A worker that stands still at this moment of a sync."""
    both_ways(school)
    school.edit(WORK, 1001, "0.37")
    where, after, nth = moment
    with monkeypatch.context() as patched:
        struck(patched, where, after=after, by=signal.SIGSTOP, nth=nth)
        pid = fork(lambda: how(school.context))
        frozen(pid)
    return pid


def refused(context: Context) -> None:
    """A sync that ends because PostgreSQL has no room."""
    with pytest.raises(OperationalError) as error:
        sync(context)
    assert isinstance(error.value.__cause__, psycopg.errors.DiskFull)


def assert_right_so_far(school: School) -> None:
    school.world.run_jobs(everything=True)
    if any(one.name == "Models" for one in school.world.assignments.values()):
        assert school.column("Models").items() <= RIGHT.items()
    assert school.column(WORK).items() <= MINE.items()


@pytest.mark.parametrize("is_back", [True, False], ids=["back before it looks", "still gone when it looks"])
def test_f61_stopped_at_once_and_started(
    database: OwnDatabase, school: School, monkeypatch: pytest.MonkeyPatch, is_back: bool
) -> None:
    pid = caught(school, monkeypatch, SENDING)
    database.stop_at_once()
    if is_back:
        database.start()
    assert thaw(pid) == 1
    assert_right_so_far(school)
    if not is_back:
        database.start()
    connection.close()
    assert_settled(school)


def test_f61_a_standby_takes_over(
    database: OwnDatabase, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine of the primary is gone in the middle; its standby has all that was committed."""
    with database.standby():
        pid = caught(school, monkeypatch, SENDING)
        database.stop_at_once()
    assert thaw(pid) == 1
    assert_right_so_far(school)
    connection.close()
    assert_settled(school)


@pytest.mark.parametrize("moment", list(MOMENTS), ids=list(MOMENTS))
def test_f61_the_disk_is_full(
    full: OwnDatabase, school: School, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """PostgreSQL refuses what needs another page. The worker ends with that, and goes on once there is room."""
    full.without_pages("grading_fingerprint", "grading_undojournal")
    pid = caught(school, monkeypatch, MOMENTS[moment], refused)
    full.fill()
    assert thaw(pid) == 0
    assert_right_so_far(school)
    full.make_room()
    connection.close()
    assert_settled(school)


def test_f61_stopped_at_once_in_an_undo(
    database: OwnDatabase, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_ways(school)
    school.edit(WORK, 1001, "0.37")
    sync(school.context)
    with monkeypatch.context() as patched:
        struck(patched, "grading.undoing:Undoer._settle", after=False, by=signal.SIGSTOP)
        pid = fork(lambda: undo(school.context, started_by="command"))
        frozen(pid)
    database.stop_at_once()
    database.start()
    assert thaw(pid) == 1
    connection.close()
    undone = undo(school.context, started_by="command")
    assert (undone.run.outcome, undone.counts["refused"]) == ("done", 0)
    assert school.column("Models") == {} and school.column(WORK) == {1001: "0.37"}
    assert_settled(school, changes=4)


def test_f61_the_log_of_the_database_finds_no_room(
    full: OwnDatabase, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL goes down with it, and is started again once there is room."""
    pid = caught(school, monkeypatch, SENDING)
    full.fill()
    full.run_out_of_log()
    full.make_room()
    full.stop_at_once()
    full.start()
    assert thaw(pid) == 1
    assert_right_so_far(school)
    connection.close()
    assert_settled(school)


def test_f61_a_job_outlives_its_database(database: OwnDatabase, school: School) -> None:
    """What a person approved is sent by the first worker after it: nobody was there to hear of it."""
    both_ways(school)
    run = previewed(school)
    jobs.approve_and_send(run, by="teacher 11", digest=run.digest)
    database.stop_at_once()
    database.start()
    connection.close()
    work()
    run.refresh_from_db()
    assert (run.state, run.outcome) == (RunState.FINISHED, "done"), run.error
    assert school.column("Models") == RIGHT
    assert not Run.objects.exclude(state=RunState.FINISHED).exists()
