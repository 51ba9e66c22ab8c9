"""What the benchmarks run against: the tool's web server and database, and pretend Canvases as processes of their own.

Everything is real: HTTP, a launch and a consent for each school, PostgreSQL, and `manage.py` commands as processes.
"""

import base64
import copy
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from scripts import demo_check
from scripts.bench_rules import mixed
from scripts.canvas_reader import Canvas
from scripts.collected import collect_static
from scripts.processes import PYTHON, ROOT, Child, Problem, Supervisor, manage, run, web_server
from scripts.webclient import Visitor

ISSUER = "https://canvas.instructure.com"
API_SECRET = "bench-" + secrets.token_urlsafe(24)
READY_SECONDS = 120
LOOK_SECONDS = 0.02
POLLS = "/api/v1/progress/*"
SECTIONS = ("721", "722")
"""Of every big course of the sandbox."""


@dataclass(frozen=True)
class Measured:
    """One `manage.py` command: what it printed, how long it took, and the most memory its process held.

    `process_seconds` counts Python's start; `run_seconds` does not: they are the run's own, from the moment
    it was opened to the moment it ended, as the database has it.
    """

    answer: dict[str, Any]
    process_seconds: float
    run_seconds: float
    peak_mb: float
    canvas_calls: int
    """What the pretend Canvas counted meanwhile, tokens and what pages read for themselves included."""
    polls: int
    """Of these, questions after a bulk job."""


class Tool:
    """The tool at `url` with a database of its own; its programs end with the supervisor."""

    def __init__(self, supervisor: Supervisor, database_url: str, folder: Path) -> None:
        self.supervisor = supervisor
        self.folder = folder
        self.database_url = database_url
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {
            "DATABASE_URL": database_url,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "TOOL_URL": self.url,
            "ALLOW_HTTP": "1",
            "LOG_LEVEL": "WARNING",
        }

    def start(self) -> None:
        run(manage("migrate", "--no-input"), self.environment)
        collect_static(self.environment)
        command = web_server("127.0.0.1", self.port)
        child = self.supervisor.add(Child("web", command, self.environment, self.folder / "web.log"))
        wait_for(child, f"{self.url}/readyz")

    def start_worker(self) -> Child:
        return self.supervisor.add(
            Child("worker", manage("worker"), self.environment, self.folder / "worker.log")
        )

    def web_peak_mb(self) -> float:
        """Of the web server's process that holds most."""
        found = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True).stdout
        mine = [line.split()[0] for line in found.splitlines() if f"127.0.0.1:{self.port}" in line]
        return max(memory_peak(int(pid)) for pid in mine) / 1000

    def newest_run(self) -> dict[str, Any]:
        """The run that began last, as the database has it."""
        with psycopg.connect(self.database_url, row_factory=dict_row) as database:
            found = database.execute("select * from grading_run order by id desc limit 1").fetchone()
        assert found is not None, "a run was made"
        return found


class School:
    """A pretend Canvas with a big course, or several alike, known to the tool: launched, connected."""

    def __init__(
        self,
        tool: Tool,
        name: str,
        students: int,
        outcomes: int,
        latency_ms: float,
        results: int = 1,
        courses: int = 1,
    ) -> None:
        """`results`: the most of one student on one outcome."""
        self.tool = tool
        self.students, self.outcomes = students, outcomes
        self.api_client, self.lti_client = f"api-{name}", f"lti-{name}"
        self.port = free_port()
        self.canvas: Canvas
        self._token = ""
        self.teacher: demo_check.Teacher
        self._command = [
            PYTHON, "-m", "sandbox", "--port", str(self.port), "--tool-url", tool.url,
            "--scenario", f"{courses}-crowd-{students}x{outcomes}x{results}".removeprefix("1-"),
            "--latency-ms", str(latency_ms),
            "--lti-client-id", self.lti_client, "--api-client-id", self.api_client,
            "--api-client-secret", API_SECRET, "--json-ready",
        ]  # fmt: skip
        self._log = tool.folder / f"canvas-{name}.log"

    def open(self, *, throttled: bool = True) -> "School":
        """Start Canvas alone."""
        command = self._command if throttled else [*self._command, "--no-throttle"]
        child = self.tool.supervisor.add(Child("sandbox", command, os.environ, self._log))
        url = f"http://localhost:{self.port}"
        wait_for(child, f"{url}/_sandbox/world")
        self.canvas = Canvas(url)
        return self

    def another(self, place: int) -> "School":
        """Another course of the same Canvas, launched by the same teacher, whose account is connected."""
        school = copy.copy(self)
        school.canvas = Canvas(self.canvas.url, place)
        school.teacher = demo_check.launch(school.canvas)
        return school

    def join(self) -> "School":
        """Register, launch and connect: what an administrator and a teacher do once."""
        secret = self.tool.folder / "api-client-secret"
        secret.touch(mode=0o600)
        secret.write_text(API_SECRET)
        url = self.canvas.url
        command = manage(
            "register_platform", "--issuer", ISSUER, "--client-id", self.lti_client,
            "--authorize-url", f"{url}/api/lti/authorize_redirect", "--token-url", f"{url}/login/oauth2/token",
            "--jwks-url", f"{url}/api/lti/security/jwks", "--canvas-url", url,
            "--api-client-id", self.api_client, "--api-client-secret-file", str(secret),
            "--allow-new-deployments",
        )  # fmt: skip
        run(command, self.tool.environment)
        self.teacher = demo_check.launch(self.canvas)
        demo_check.connect(self.teacher, self.tool.url)
        return self

    @property
    def context(self) -> str:
        return str(self.canvas.facts["courses"][self.canvas.place]["lti_context_id"])

    def align(self, *, columns: bool) -> None:
        """Every outcome in proportion: into a new column, or into the assignment that has its name."""
        known = {one["name"]: one["id"] for one in self.canvas.gradebook()["assignments"]}
        entries = []
        for outcome, title in self.titles().items():
            new = {"column": {"label": f"Level {title}", "points": "4"}}
            target = new if columns else {"assignment": known[title]}
            entry = {"outcomes": [{"id": outcome}], "rule": {"kind": "proportional"}, "target": target}
            entries.append(entry)
        self._import(entries)

    def align_mixed(self) -> None:
        """Rules of every kind, own calculations and sections, into the assignments that are there."""
        known = {one["name"]: one["id"] for one in self.canvas.gradebook()["assignments"]}
        targets = {outcome: known[title] for outcome, title in self.titles().items()}
        self._import(mixed(targets, SECTIONS))

    def _import(self, entries: list[dict[str, Any]]) -> None:
        path = self.tool.folder / "alignments.json"
        path.write_text(json.dumps({"version": 1, "alignments": entries}))
        self.manage("import_alignments", str(path), "--replace")

    def titles(self) -> dict[str, str]:
        """The outcomes by id, as one small page of rollups names them."""
        self._token = self._token or self.token()
        skills = self.canvas.evidence(self._token).skills
        return {key: skill.title for key, skill in skills.items()}

    def token(self, scope: str = "") -> str:
        """A token of the teacher's that the tool knows nothing of."""
        visitor = Visitor()
        page = visitor.open(self.canvas.url)
        visitor.submit(page, page.form("act_as"), {"user_id": self.canvas.teacher()})
        where = f"{self.tool.url}/canvas/callback"
        return self.canvas.token(visitor, self.api_client, API_SECRET, where, *([scope] if scope else []))

    def manage(self, command: str, *arguments: str) -> str:
        which = ("--client-id", self.lti_client, "--context", self.context)
        return run(manage(command, *arguments, *which), self.tool.environment)

    def sync(self, *arguments: str) -> Measured:
        """`manage.py sync --json` as a process of its own."""
        before, polls, began = self._calls(), self._calls(POLLS), time.monotonic()
        command = manage(
            "sync", "--json", "--client-id", self.lti_client, "--context", self.context, *arguments
        )
        text, peak = watched(command, self.tool.environment)
        seconds, row = time.monotonic() - began, self.tool.newest_run()
        return Measured(
            answer=json.loads(text),
            process_seconds=seconds,
            run_seconds=(row["finished_at"] - row["started_at"]).total_seconds(),
            peak_mb=peak,
            canvas_calls=self._calls() - before,
            polls=self._calls(POLLS) - polls,
        )

    def _calls(self, path: str = "*") -> int:
        return int(self.canvas.control("calls", path=path)["count"])

    def send_as_teacher(self) -> tuple[Measured, float]:
        """Preview and send in the pages, the work done by a worker process: its figures, and the seconds the
        preview's page takes once it is ready. What pages read for themselves (names) is not the run's."""
        worker = self.tool.start_worker()
        before, polls, began = self._calls(), self._calls(POLLS), time.monotonic()
        page = demo_check.preview(self.teacher, self.tool.url)
        planned, opened = self.tool.newest_run(), time.monotonic()
        self.teacher.visitor.open(page.url)
        page_seconds = time.monotonic() - opened
        demo_check.send(self.teacher, page)
        assert worker.process is not None
        row = self.tool.newest_run()
        requests = {name: count + planned["requests"][name] for name, count in row["requests"].items()}
        measured = Measured(
            answer={"status": row["outcome"], "counts": row["counts"], "requests": requests},
            process_seconds=time.monotonic() - began,
            run_seconds=(row["finished_at"] - row["started_at"]).total_seconds(),
            peak_mb=memory_peak(worker.process.pid) / 1000,
            canvas_calls=self._calls() - before,
            polls=self._calls(POLLS) - polls,
        )
        return measured, page_seconds


def watched(command: list[str], environment: dict[str, str]) -> tuple[str, float]:
    """A command's output and the peak of its memory in MB (VmHWM, as Linux keeps it)."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    peak = 0
    while process.poll() is None:
        peak = max(peak, memory_peak(process.pid))
        time.sleep(LOOK_SECONDS)
    out, err = process.communicate()
    if process.returncode:
        raise Problem(err.strip() or out.strip())
    return out, peak / 1000


def memory_peak(pid: int) -> int:
    """Thousands of bytes; 0 where the process has gone or the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    found = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(found[0]) * 1024 // 1000 if found else 0


def wait_for(child: Child, url: str) -> None:
    """Until `url` answers, or the child ends."""
    deadline = time.monotonic() + READY_SECONDS
    while child.process is not None and child.process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.HTTPError as answer:
            answer.close()
        except OSError:
            pass
        time.sleep(0.1)
    raise Problem(f"{child.name} did not start; see {child.log}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
