"""One noisy school keeps nobody waiting: its fifty queued previews and the one of another school, by a real worker."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from canvas import throttle
from grading import jobs
from grading.fairness import turn_of
from grading.models import Run, RunState
from lti_tool.models import Context
from sandbox.server import SandboxServer
from scripts.processes import ROOT
from tests.grading.school import LONG_AGO, School, open_school, small_world


@pytest.fixture(autouse=True)
def nothing_waits(db: None) -> None:
    """Whatever another process of an earlier test left in the queue."""
    with connection.cursor() as cursor:
        for table in ("procrastinate_periodic_defers", "procrastinate_events", "procrastinate_jobs"):
            cursor.execute(f"DELETE FROM {table}")


@contextmanager
def school() -> Iterator[School]:
    throttle._paces.clear()
    with SandboxServer(small_world()) as server:
        yield open_school(server)


def queue(place: School, number: int) -> list[int]:
    """Previews of so many courses of this school, waiting for a worker."""
    runs = []
    for _ in range(number):
        context = Context.objects.create(
            registration=place.context.registration,
            deployment=place.context.deployment,
            context_id=f"course-{Context.objects.count()}",
            canvas_course_id=place.context.canvas_course_id,
            line_items_url=place.context.line_items_url,
            last_launch_at=LONG_AGO,
        )
        runs.append(jobs.start_preview(context, place.account, started_by="teacher 1").pk)
    return runs


def waiting() -> list[int]:
    """The runs of waiting jobs, in the order workers fetch them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select (args->>'run_id')::bigint from procrastinate_jobs where status = 'todo'"
            " order by priority desc, id"
        )
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.django_db
def test_schools_take_turns_and_each_keeps_its_order() -> None:
    with school() as noisy, school() as quiet:
        many, few = queue(noisy, 5), queue(quiet, 2)
        assert waiting() == [many[0], few[0], many[1], few[1], *many[2:]]
        with connection.cursor() as cursor:
            cursor.execute("update procrastinate_jobs set status = 'doing' where (args->>'run_id')::bigint = any(%s)",
                           [[*many[:3], *few]])  # fmt: skip
        later, late = queue(noisy, 1), queue(quiet, 1)
        assert waiting() == [many[3], late[0], many[4], later[0]]


@pytest.mark.django_db
def test_who_waits_long_is_neither_ended_nor_moved_to_the_front() -> None:
    with school() as noisy:
        previews = queue(noisy, 3)
        Run.objects.filter(pk=previews[1]).update(state=RunState.APPROVED)
        Run.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=5))
        jobs.sweep(0)
        assert waiting() == previews
        assert set(Run.objects.values_list("state", flat=True)) == {"reading", "approved"}


@pytest.mark.django_db
def test_alone_a_school_starts_at_the_top() -> None:
    with school() as alone:
        assert turn_of(alone.context) == 0
        queue(alone, 2)
        assert turn_of(alone.context) == -2


def fetched() -> int | None:
    """The run of the job that a free slot of a worker takes now, as procrastinate fetches it."""
    with connection.cursor() as cursor:
        cursor.execute("select (args->>'run_id')::bigint from procrastinate_fetch_job_v2(null, null)")
        [run] = cursor.fetchone()
    return run if run is None else int(run)


@pytest.mark.django_db
def test_long_jobs_of_one_school_never_hold_every_slot(settings: Settings) -> None:
    settings.JOBS_PER_SCHOOL = 3
    with school() as noisy, school() as quiet:
        many = queue(noisy, 6)
        assert [fetched() for _ in range(4)] == [*many[:3], None]
        assert [fetched() for _ in queue(quiet, 1)] == queue_of(quiet)
        with connection.cursor() as cursor:
            cursor.execute("update procrastinate_jobs set status = 'succeeded' where status = 'doing'")
        assert [fetched() for _ in range(4)] == [*many[3:], None]


def queue_of(place: School) -> list[int]:
    return list(
        Run.objects.filter(context__registration=place.context.registration).values_list("pk", flat=True)
    )


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [0, 3])
def test_a_school_alone_has_every_slot(settings: Settings, limit: int) -> None:
    settings.JOBS_PER_SCHOOL = limit
    with school() as alone:
        many = queue(alone, 5)
        assert [fetched() for _ in range(5)] == many


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_comes_to_the_quiet_school_at_once() -> None:
    try:
        with school() as noisy, school() as quiet:
            queue(noisy, 50)
            [ours] = queue(quiet, 1)
            with worker():
                wait_for(ours)
            assert Run.objects.get(pk=ours).state == "ready"
            assert started_before(ours) <= 1 and waiting()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("truncate procrastinate_jobs, procrastinate_workers, procrastinate_events cascade")


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_holds_its_schools_lane_for_seconds_only(settings: Settings) -> None:
    """Twenty silent seconds and one round of the sweeper, not two minutes."""
    settings.JOBS_PER_SCHOOL = 1
    try:
        with school() as ours, school(), worker() as first:
            ours.world.faults.add("slow", path="*/outcome_rollups", count=None, seconds=120)
            [cut_off, behind] = queue(ours, 2)
            until(lambda: status_of(cut_off) == "doing")
            with worker():
                until(lambda: count("procrastinate_workers") == 2)
                first.kill()
                first.wait(120)
                ours.world.faults.clear()
                silent_for(20)
                wait_for(behind, seconds=110)
            assert Run.objects.get(pk=behind).state == "ready"
            assert status_of(cut_off) == "failed"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("truncate procrastinate_jobs, procrastinate_workers, procrastinate_events cascade")


def until(happened: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def status_of(run: int) -> str:
    """Of the run's job."""
    with connection.cursor() as cursor:
        cursor.execute("select status from procrastinate_jobs where (args->>'run_id')::bigint = %s", [run])
        [status] = cursor.fetchone()
    return str(status)


def started_before(run: int) -> int:
    """How many other runs a worker came to before this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select args->>'run_id' from procrastinate_events join procrastinate_jobs jobs on jobs.id = job_id"
            " where type = 'started' and args ? 'run_id' order by procrastinate_events.id"
        )
        return [int(row[0]) for row in cursor.fetchall()].index(run)


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")
        [number] = cursor.fetchone()
    return int(number)


def silent_for(seconds: int) -> None:
    """As if the first worker had been dead for so long."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update procrastinate_workers set last_heartbeat = last_heartbeat - make_interval(secs => %s)"
            " where id = (select min(id) from procrastinate_workers)",
            [seconds],
        )


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py worker`, one job at a time, on this test's database."""
    server = urlsplit(os.environ["DATABASE_URL"])
    name = connection.settings_dict["NAME"]
    environment = os.environ | {"DATABASE_URL": urlunsplit(server._replace(path=f"/{name}"))}
    command = [sys.executable, "manage.py", "worker", "--concurrency", "1"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(120)


def wait_for(run: int, seconds: float = 120) -> None:
    until(lambda: Run.objects.get(pk=run).state != "reading", seconds)
