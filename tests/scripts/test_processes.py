"""The supervisor: what ends comes back, what is stopped is gone."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.processes import Child, Problem, Supervisor, require_free, run


def wait_until(condition: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def child(code: str, log: Path | None = None) -> Child:
    return Child("thing", [sys.executable, "-c", code], os.environ, log)


def alive(pid: int) -> bool:
    """Zombies are gone as far as anybody cares."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


def test_a_child_that_ends_with_status_0_comes_back(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    with Supervisor(grace_seconds=5) as supervisor:
        supervisor.add(child(f"open({str(starts)!r}, 'a').write('x')"))

        def twice() -> bool:
            supervisor.look()
            return starts.exists() and len(starts.read_text()) >= 2

        wait_until(twice)


def test_a_child_that_keeps_ending_is_reported_and_waits(capsys: pytest.CaptureFixture[str]) -> None:
    broken = child("raise SystemExit(3)")
    for _ in range(3):
        broken.start()
        assert broken.process is not None
        broken.process.wait()
        broken.look(broken.started)  # as if it had taken no time, however busy the machine
    assert "thing has ended 3 times in a row" in capsys.readouterr().err
    assert broken.start_at > broken.started + 2


def test_stopping_ends_grandchildren_too(tmp_path: Path) -> None:
    grandchild = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        f"open({str(grandchild)!r}, 'w').write(str(p.pid))\n"
        "time.sleep(300)\n"
    )
    with Supervisor(grace_seconds=5) as supervisor:
        supervisor.add(child(code))
        wait_until(lambda: grandchild.exists() and bool(grandchild.read_text()))
        pid = int(grandchild.read_text())
        assert alive(pid)
    wait_until(lambda: not alive(pid))


def test_a_child_that_ignores_sigterm_is_ended_after_the_grace(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    code = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(ready)!r}, 'w').close()\n"
        "time.sleep(300)\n"
    )
    with Supervisor(grace_seconds=0.3) as supervisor:
        stubborn = supervisor.add(child(code))
        wait_until(ready.exists)
    assert stubborn.process is not None
    assert stubborn.process.returncode == -signal.SIGKILL


def test_sigterm_ends_the_watch() -> None:
    with Supervisor(grace_seconds=5) as supervisor:
        supervisor.add(child("import time; time.sleep(300)"))
        os.kill(os.getpid(), signal.SIGTERM)
        supervisor.watch()
    assert supervisor.stopping


def test_a_taken_port_is_told_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Problem, match=f"127.0.0.1:{port} .*; set PORT to a free one"):
            require_free("127.0.0.1", port, "set PORT to a free one")


def test_a_failing_command_becomes_what_it_said() -> None:
    with pytest.raises(Problem, match="no such course"):
        run([sys.executable, "-c", "raise SystemExit('no such course')"], os.environ)
