"""Live Events at a fixed rate against the real server and database: how fast each is taken, and what they leave.

Canvas sends 150 students times 20 columns as 3,000 events of their own after one bulk update, and many courses at
once. Every event has a moment at which it is due, and its time counts from then: a server that falls behind shows it.
Half of the events are of one course that was opened here, the others of courses nobody opened.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import urlencode

import psycopg

from scripts import postgres
from scripts.bench_browsers import Browsers, Platform, Target, launch, log_in
from scripts.bench_flood import rows_of
from scripts.bench_formula import Aim
from scripts.bench_launch import cpu_seconds, registered_tool
from scripts.processes import Problem, Supervisor, say

SENDERS = 16
"""Connections: Canvas's data services keep as many as answers are awaited at."""


def measure(per_second: int, seconds: int) -> dict[str, Any]:
    """One server and database of their own, one course opened, then the events. One JSON-ready object."""
    folder, platform = Path(tempfile.mkdtemp(prefix="bench-")), Platform()
    keys = platform.serve()
    try:
        with Supervisor(grace_seconds=15) as supervisor, postgres.temporary() as server:
            supervisor.interrupts = True
            target, tool = registered_tool(supervisor, server.url, folder, platform)
            browsers = Browsers(target)
            begun = log_in(browsers, platform)
            begun.body = _launch_form(platform, target, begun.nonce, begun.state)
            launch(browsers, begun)
            path = f"/canvas/events/{_key(tool.database_url)}"
            _send(tool.port, path, 200, 200)
            before = rows_of(tool.database_url)
            say(f"{per_second} events a second for {seconds} s ...")
            used = cpu_seconds(target)
            found = _send(tool.port, path, per_second, per_second * seconds)
            found["cpu_ms"] = round((cpu_seconds(target) - used) * 1000 / found["sent"], 2)
            after = rows_of(tool.database_url)
            found["rows_changed"] = {
                name: after[name] - before[name] for name in after if after[name] != before[name]
            }
            found["marks"] = after["lti_tool_coursemark"]
            found["large"] = _post(
                HTTPConnection("127.0.0.1", tool.port, timeout=30), path, b"{" + b" " * 1_000_000
            )
            return found
    finally:
        keys.shutdown()
        keys.server_close()
        rmtree(folder, ignore_errors=True)


def _launch_form(platform: Platform, target: Target, nonce: str, state: str) -> str:
    return urlencode({"id_token": platform.token(nonce, target.launch_url), "state": state})


def _key(database_url: str) -> str:
    """The registration's, which is in the address of its events."""
    with psycopg.connect(database_url) as wire:
        found = wire.execute("SELECT key FROM lti_tool_registration").fetchone()
    assert found is not None
    return str(found[0])


def event(number: int) -> bytes:
    """A person's change of a grade, as Canvas's data services send it raw."""
    course = "77" if number % 2 else str(100_000 + number)
    return json.dumps(
        {
            "metadata": {
                "context_id": course, "context_role": "TeacherEnrollment", "context_type": "Course",
                "event_name": "grade_change", "event_time": datetime.now(UTC).isoformat(), "hostname": "127.0.0.1",
                "http_method": "POST", "request_id": f"{number:032x}", "user_agent": "Mozilla/5.0",
                "user_id": "987", "user_login": "teacher", "client_ip": "93.184.216.34",
            },
            "body": {
                "assignment_id": "355", "grade": str(number % 7), "grader_id": "987", "old_grade": "8",
                "old_score": 8, "old_points_possible": 10, "points_possible": 10, "score": number % 7,
                "student_id": str(number), "submission_id": str(number), "user_id": str(number),
            },
        }
    ).encode()  # fmt: skip


def _send(port: int, path: str, per_second: int, count: int) -> dict[str, Any]:
    """`count` events, each when it is due; milliseconds from then on, and of the answer alone."""
    began = time.perf_counter() + 0.2

    def play(first: int) -> list[tuple[int, float, float]]:
        wire, seen = HTTPConnection("127.0.0.1", port, timeout=60), []
        for number in range(first, count, SENDERS):
            due = began + number / per_second
            time.sleep(max(0.0, due - time.perf_counter()))
            sent = time.perf_counter()
            status = _post(wire, path, event(number))
            done = time.perf_counter()
            seen.append((status, (done - due) * 1000, (done - sent) * 1000))
        return seen

    with ThreadPoolExecutor(SENDERS) as threads:
        seen = [one for each in threads.map(play, range(SENDERS)) for one in each]
    spent = time.perf_counter() - began
    due, alone = (sorted(one[place] for one in seen) for place in (1, 2))
    return {
        "sent": len(seen),
        "statuses": dict(Counter(status for status, _, _ in seen)),
        "per_second": round(len(seen) / spent, 1),
        "p95_ms_from_due": round(due[int(0.95 * len(due))], 1),
        "p50_ms": round(alone[len(alone) // 2], 1),
        "p95_ms": round(alone[int(0.95 * len(alone))], 1),
        "p99_ms": round(alone[int(0.99 * len(alone))], 1),
    }


def _post(wire: HTTPConnection, path: str, body: bytes) -> int:
    wire.request("POST", path, body, {"Content-Type": "application/json"})
    answer = wire.getresponse()
    answer.read()
    return answer.status


def aims(found: dict[str, Any]) -> list[Aim]:
    """What hardening B117 and T14 ask."""
    changed = found["rows_changed"]
    taken = found["statuses"].get(200, 0)
    return [
        Aim("events taken", str(found["sent"]), str(taken), taken == found["sent"]),
        Aim("p95, ms", "below 100", str(found["p95_ms"]), found["p95_ms"] < 100),
        Aim("marks of the one course", "1", str(found["marks"]), found["marks"] == 1),
        Aim("rows left by them", "0", str(sum(changed.values())), not changed),
        Aim("an event of a million bytes", "413", str(found["large"]), found["large"] == 413),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Events alone: `python -m scripts.bench_events --per-second 200`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--per-second", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(argv)
    try:
        found = measure(given.per_second, given.seconds)
    except (Problem, postgres.PostgresProblem) as problem:
        say(str(problem))
        return 1
    judged = aims(found)
    lines = [f"{name}: {value}" for name, value in found.items()]
    lines += [
        f"  {'PASS' if one.met else 'MISS'}  {one.name:<40}{one.measured:>10}   aim {one.aim}"
        for one in judged
    ]
    print(json.dumps(found) if given.json else "\n".join(lines))
    return 0 if all(one.met for one in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
