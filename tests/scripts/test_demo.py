"""`make demo` from nothing: the main job without a person, and a clean end."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.processes import ROOT
from tests.plugins.ports import free_port

PATIENCE_SECONDS = 600
"""Alone a minute; beside other work, on a slow machine, several."""
DEATH_SECONDS = 10
"""That long what was killed may still be listed."""
pytestmark = pytest.mark.timeout(2 * PATIENCE_SECONDS)


@pytest.fixture
def command() -> Iterator[list[str]]:
    """The demo on free ports; its folder goes with the test."""
    port, canvas_port = str(free_port()), str(free_port())
    yield [sys.executable, "-m", "scripts.demo", "--port", port, "--canvas-port", canvas_port]
    shutil.rmtree(ROOT / "var" / f"demo-{port}", ignore_errors=True)


def left_over(port: str) -> list[str]:
    """Processes that name the demo's port or folder, once those that were killed have had the time to die."""
    until = time.monotonic() + DEATH_SECONDS
    while (found := named(port)) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def named(port: str) -> list[str]:
    listed = subprocess.run(["ps", "-axww", "-o", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if f":{port}" in line or f"demo-{port}" in line]


def test_the_main_job_without_a_person(command: list[str]) -> None:
    done = subprocess.run([*command, "--check", "--json"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["ok"] is True
    assert sum(cell["after"] != cell["before"] for cell in found["cells"]) == 18
    assert all(cell["after"] == cell["expected"] for cell in found["cells"])
    assert found["second"] == {
        "requests": {"read": found["second"]["requests"]["read"], "write": 0},
        "send": 0,
    }
    assert left_over(command[4]) == []


def test_ctrl_c_stops_everything(command: list[str]) -> None:
    process = subprocess.Popen([*command, "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        addresses = json.loads(process.stdout.readline())
        assert Path(addresses["environment"]).stat().st_mode & 0o077 == 0, "it holds keys"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
    assert left_over(command[4]) == []
    assert not (ROOT / "var" / f"demo-{command[4]}" / "postgres").exists()


def test_an_unknown_scenario_is_told(command: list[str]) -> None:
    done = subprocess.run([*command, "--scenario", "nonsense"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "nonsense" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_scenarios_are_named() -> None:
    command = [sys.executable, "-m", "scripts.demo", "--list"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert "two-sections" in done.stdout
