"""The embedded PostgreSQL: starts from nothing, keeps its data, leaves nothing behind."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from scripts import postgres


@pytest.fixture(autouse=True)
def servers_may_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "START_SECONDS", 240)


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_a_temporary_server_answers_on_a_socket_only_and_is_gone_afterwards() -> None:
    with postgres.temporary() as server:
        assert ask(server.url, "SHOW listen_addresses") == ""
        assert len(str(server.sockets).encode()) < 90, "sockets have short paths"
        data = Path(str(ask(server.url, "SHOW data_directory")))
    assert server.process.poll() is not None
    assert not data.exists()
    assert not server.sockets.exists()


def test_data_is_kept_between_starts(tmp_path: Path) -> None:
    data = tmp_path / "kept"
    try:
        server = postgres.start(data)
        ask(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert postgres.is_running(data)
        server.stop()
        assert not postgres.is_running(data)
        server = postgres.start(data)
        assert ask(server.url, "SELECT answer FROM kept") == 42
        server.stop()
    finally:
        postgres.remove(data)
    assert not data.exists() and not data.is_symlink()


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "held"
    server = postgres.start(data)
    try:
        with pytest.raises(postgres.PostgresProblem, match="did not start"):
            postgres.start(data)
        assert ask(server.url, "SELECT 1") == 1
    finally:
        server.stop()
        postgres.remove(data)


def test_no_postgresql_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(postgres.PostgresProblem, match="Set DATABASE_URL to a server, or PG_BIN"):
        postgres.start(tmp_path / "data")


def test_root_never_runs_the_server_itself(tmp_path: Path) -> None:
    before = tmp_path.stat().st_mode
    with postgres.temporary() as server:
        command = ["ps", "-o", "uid=", "-p", str(server.process.pid)]
        assert int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) != 0
    assert tmp_path.stat().st_mode == before
