"""`make run` as a school starts it: it serves, its worker comes back, and SIGTERM leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from scripts.processes import ROOT
from tests.plugins.ports import free_port

PATIENCE_SECONDS = 600
"""For one step: alone a few seconds; beside other work, on a slow machine, a minute and more."""
DEATH_SECONDS = 10
"""That long what was killed may still be listed."""
pytestmark = pytest.mark.timeout(2 * PATIENCE_SECONDS)


@pytest.fixture
def database_url() -> Iterator[str]:
    """A database of its own on the tests' server."""
    server = urlsplit(os.environ["DATABASE_URL"])
    name = f"run_{os.getpid()}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(server._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def running(database_url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "lti_tool.settings",
    }
    process = subprocess.Popen([sys.executable, "-m", "scripts.run"], cwd=ROOT, env=environment)
    try:
        yield process, f"http://127.0.0.1:{port}/readyz"
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert process.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def descendants(root: int) -> dict[int, str]:
    """Process ids under `root` with their command lines, which `ps` cuts at 80 characters unless told not to."""
    listed = subprocess.run(
        ["ps", "-axww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    found, wanted = {}, {root}
    while new := {int(r[0]): r[2] for r in rows if int(r[1]) in wanted and int(r[0]) not in found}:
        found |= new
        wanted = set(new)
    return found


def living() -> set[tuple[int, str]]:
    """All processes, each with its command line: a number may be another's by now. The dead that nobody has asked after
    have none."""
    listed = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 1) for line in listed.stdout.splitlines()]
    return {(int(row[0]), row[1]) for row in rows if len(row) > 1}


def workers(root: int) -> set[int]:
    return {pid for pid, command in descendants(root).items() if "manage.py worker" in command}


def test_the_worker_comes_back_and_sigterm_leaves_nothing(
    running: tuple[subprocess.Popen[bytes], str], database_url: str
) -> None:
    process, url = running
    wait_until(lambda: listening(database_url), process)
    wait_until(lambda: ready(url) and bool(workers(process.pid)), process)
    before = workers(process.pid)

    for worker in before:
        os.kill(worker, signal.SIGTERM)  # it ends with status 0, as it does when the database goes away
    wait_until(lambda: bool(workers(process.pid) - before), process)
    wait_until(lambda: listening(database_url), process)
    wait_until(lambda: ready(url), process)

    everything = set(descendants(process.pid).items())
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0
    until = time.monotonic() + DEATH_SECONDS
    while (left := everything & living()) and time.monotonic() < until:
        time.sleep(0.1)
    assert not left


def listening(database_url: str) -> bool:
    """Whether a worker waits for news in this database. It shows for half a minute; then the worker says SELECT 1."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'"
        ).fetchone()
    return bool(row and row[0])


def test_a_missing_setting_stops_the_start_and_is_named() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.run"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("SECRET_KEY is required")
