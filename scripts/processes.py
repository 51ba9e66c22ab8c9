"""Child processes that belong to one command: started in order, watched, stopped together, none left behind."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
# A child that ends sooner than this did not get to work: the next start waits, longer each time.
SHORT_LIFE_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 30.0
# make and the terminal may both pass one Ctrl-C on; a later one means that patience has ended.
AGAIN_SECONDS = 1.0


class Problem(Exception):
    """The command cannot go on; the message says what to do."""


@dataclass
class Child:
    """One long-running process, started again whenever it ends, also with status 0.

    procrastinate's worker ends with 0 when the database restarts, so the status says nothing.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None = None
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    start_at: float = 0.0
    short_lives: int = 0
    _output: IO[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        if self.log and self._output is None:
            self._output = self.log.open("ab")
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,  # Ctrl-C reaches us alone; we stop the children in order
            preexec_fn=end_with_parent,
        )
        self.started = time.monotonic()

    def look(self, now: float) -> None:
        """Start again what has ended; report what keeps ending."""
        if self.process is None:
            if now >= self.start_at:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        self.kill_group()
        self.process = None
        short = now - self.started < SHORT_LIFE_SECONDS
        self.short_lives = self.short_lives + 1 if short else 0
        wait = min(2.0 ** (self.short_lives - 1), LONGEST_WAIT_SECONDS) if self.short_lives else 0.0
        self.start_at = now + wait
        say(f"{self.name} ended (status {status}); starting it again" + (f" in {wait:.0f} s" if wait else ""))
        if self.short_lives >= 3:
            where = f"; see {self.log}" if self.log else ""
            say(f"{self.name} has ended {self.short_lives} times in a row right after its start{where}")

    def ask_to_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def finish(self, deadline: float) -> None:
        """Wait for the end until `deadline` (monotonic seconds), then end the whole group by force."""
        if self.process:
            try:
                self.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                say(f"{self.name} did not stop in time; ending it")
            self.kill_group()
            self.process.wait()
        if self._output:
            self._output.close()

    def kill_group(self) -> None:
        """The process and what it started (gunicorn's workers) share one group."""
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Supervisor:
    """Runs children until SIGINT or SIGTERM, then stops them in reverse order. Use as a context manager.

    `afterwards` holds what is left to do once all children are gone, such as stopping their database.
    With `interrupts` a signal raises KeyboardInterrupt: for work that does not look at `stopping`.
    """

    def __init__(self, grace_seconds: float = 30.0) -> None:
        self.children: list[Child] = []
        self.afterwards: list[Callable[[], None]] = []
        self.grace_seconds = grace_seconds
        self.stopping = False
        self.interrupts = False
        self._asked = 0.0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "Supervisor":
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *exception: object) -> None:
        self.stopping = True
        deadline = time.monotonic() + self.grace_seconds
        for child in reversed(self.children):
            child.ask_to_stop()
        for child in reversed(self.children):
            child.finish(deadline)
        for step in reversed(self.afterwards):
            step()
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        now, first = time.monotonic(), not self.stopping
        self.stopping = True
        if first:
            self._asked = now
            if self.interrupts:
                raise KeyboardInterrupt
        elif now - self._asked > AGAIN_SECONDS:
            self.grace_seconds = 0.0
            for child in self.children:
                child.kill_group()

    def add(self, child: Child) -> Child:
        child.start()
        self.children.append(child)
        return child

    def watch(self) -> None:
        """Until somebody asks us to stop."""
        while not self.stopping:
            self.look()
            time.sleep(0.1)

    def look(self) -> None:
        now = time.monotonic()
        for child in self.children:
            child.look(now)


def manage(*arguments: str) -> list[str]:
    return [PYTHON, str(ROOT / "manage.py"), *arguments]


def run(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """A command that ends by itself; its output, or a Problem with what it said."""
    done = subprocess.run(
        command, cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise Problem(
            (done.stderr.strip() or done.stdout.strip()) or f"{command[0]} ended with {done.returncode}"
        )
    return done.stdout


def web_server(host: str, port: int) -> list[str]:
    """gunicorn with threads. No access log: addresses may hold one-time codes. Long lines: a login's hints do too."""
    return [
        PYTHON, "-m", "gunicorn", "lti_tool.wsgi:application", "--bind", f"{_bracketed(host)}:{port}",
        "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--timeout", "120",
        "--graceful-timeout", "20", "--log-level", "warning", "--no-control-socket",
        "--limit-request-line", "8190",
    ]  # fmt: skip


def require_free(host: str, port: int, how_to_change: str) -> None:
    """Two servers on one port is the commonest mistake; say it before anything is started."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Problem(f"Cannot listen on {host}:{port} ({error.strerror}); {how_to_change}.") from None


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def end_with_parent() -> None:
    """On Linux the kernel ends a child whose parent was killed without a chance to do it."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
