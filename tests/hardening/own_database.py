"""A PostgreSQL of one test module's own, which may be stopped at once, started again, replaced and filled up.

Its data lie on a small file system of their own where this process may mount one. The tool reaches it through a folder
that is linked to the sockets of whichever server is the present one, as a name leads to the primary elsewhere.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.core.management import call_command
from django.db import connection

from scripts import postgres
from scripts.processes import end_with_parent

OPTIONS = ("-c", "fsync=off", "-c", "autovacuum=off", "-c", "min_wal_size=32MB", "-c", "max_wal_size=32MB")
"""Nothing here outlives the machine; what was committed outlives the server all the same."""
SIZE = "320m"
PATIENCE_SECONDS = 120.0


class OwnDatabase:
    """`link` leads to the server in use. `can_fill`: its disk is its own."""

    def __init__(self, folder: Path, *, can_fill: bool) -> None:
        self.folder, self.can_fill = folder, can_fill
        self.data = folder / "data"
        self.link = Path(tempfile.mkdtemp(prefix="pg-link-", dir="/tmp")) / "now"
        self.server = postgres.start(self.data, *OPTIONS)
        self._point()

    def _point(self) -> None:
        draft = self.link.with_name("next")
        draft.symlink_to(self.server.sockets)
        draft.replace(self.link)

    def psql(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self.link), user=postgres.ROLE, dbname="postgres", autocommit=True)

    # Gone and back

    def stop_at_once(self) -> None:
        """As when the machine goes: nobody is waited for, nothing is written to the end."""
        self.server.process.send_signal(signal.SIGQUIT)
        self.server.process.wait(PATIENCE_SECONDS)
        self.server.stop()

    def start(self) -> None:
        self.server = postgres.start(self.data, *OPTIONS)
        self._point()

    # Replaced

    @contextmanager
    def standby(self) -> Iterator[None]:
        """From here on a second server has every transaction before its end is told to anybody; at the end it is
        promoted, and the name leads to it."""
        data = self.folder / "standby"
        user = postgres._server_user(self.data)
        binaries = postgres._binaries(user)
        data.mkdir(mode=0o700)
        postgres._give(data, user)
        self._run(
            binaries / "pg_basebackup", "-D", data, "-h", self.server.sockets, "-U", postgres.ROLE, "-R",
            "--checkpoint=fast", "--no-sync",
        )  # fmt: skip
        sockets = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        postgres._give(sockets, user)
        command = [binaries / "postgres", "-D", data, "-c", "listen_addresses=", *OPTIONS,
                   "-c", f"unix_socket_directories={sockets}", "-c", "max_connections=200"]  # fmt: skip
        with (data / "server.log").open("ab") as output:
            process = subprocess.Popen(
                list(map(str, command)), cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, preexec_fn=end_with_parent, **postgres._as_user(user),
            )  # fmt: skip
        second = postgres.Server(process, sockets)
        try:
            with self.psql() as primary:
                _until(primary, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
                primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                primary.execute("SELECT pg_reload_conf()")
            yield
        except BaseException:
            second.stop()
            raise
        first, self.server, self.data = self.data, second, data
        self._point()
        with self.psql() as promoted:
            # What it would wait for is gone.
            promoted.execute("SELECT pg_promote()")
            _until(promoted, "SELECT (NOT pg_is_in_recovery())::int")
        postgres.remove(first)

    def _run(self, *command: object) -> None:
        user = postgres._server_user(self.data)
        done = subprocess.run(
            list(map(str, command)), cwd="/", capture_output=True, text=True, **postgres._as_user(user)
        )
        assert done.returncode == 0, done.stderr

    # Full

    def without_pages(self, *tables: str) -> None:
        """The next row of these tables, which are empty, needs another page of the disk."""
        with self.psql() as owner:
            owner.execute(f"TRUNCATE {', '.join(tables)}".encode())

    def fill(self) -> None:
        """Not a byte is left."""
        with (self.folder / "filler").open("ab", buffering=0) as filler:
            for piece in (1_000_000, 4096, 1):
                try:
                    while filler.write(b"\0" * piece) == piece:
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)

    def run_out_of_log(self) -> None:
        """The database writes until its log finds no room, and goes down."""
        try:
            with self.psql() as writer:
                for _ in range(20):
                    writer.execute("SELECT pg_logical_emit_message(false, 'full', 'x')")
                    writer.execute("SELECT pg_switch_wal()")
        except psycopg.OperationalError:
            return
        raise AssertionError("the log found room")

    def close(self) -> None:
        self.server.stop()
        shutil.rmtree(self.link.parent)


def _until(where: psycopg.Connection[tuple[object, ...]], question: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        row = where.execute(question).fetchone()
        if row and row[0]:
            return
        time.sleep(0.05)
    raise AssertionError(f"still not: {question}")


@contextmanager
def own_database() -> Iterator[OwnDatabase]:
    """The tool's connections of this process lead to it, with everything migrated, until the end."""
    folder = Path(tempfile.mkdtemp(prefix="own-database-", dir="/tmp"))
    folder.chmod(0o755)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    before = dict(connection.settings_dict)
    try:
        database = OwnDatabase(folder, can_fill=mounted)
        try:
            _lead_to(
                connection.settings_dict
                | {"HOST": str(database.link), "NAME": "postgres", "USER": postgres.ROLE}
            )
            call_command("migrate", verbosity=0)
            yield database
        finally:
            _lead_to(before)
            database.close()
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def _lead_to(settings: dict[str, object]) -> None:
    connection.close()
    connection.close_pool()
    connection.settings_dict.clear()
    connection.settings_dict.update(settings)
