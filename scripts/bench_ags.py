"""Writing by AGS at the speed of light: thousands of changed cells in columns of our own, one call each.

For `make bench`. The physical limit is writes x latency / calls allowed at once; what a sync takes, from the
opening of its run to its end, is judged as a ratio to it. Then several workers, processes of their own, sync
courses of one developer key at the same time: they share its bucket and must hardly ever be refused.
"""

import json
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scripts.bench_formula import Aim, at_most
from scripts.bench_school import School, Tool, watched
from scripts.processes import ROOT, manage, say

NEAR_THE_LIMIT = 1.3
REFUSED_AT_MOST = 0.001
WORKERS = 4
SCORES = "*/scores"


def measure(
    tool: Tool, students: int, count: int, latencies: tuple[float, ...]
) -> tuple[dict[str, Any], list[Aim]]:
    """One worker at each latency, then `WORKERS` at the last but one."""
    alone = [_alone(tool, students, count, latency) for latency in latencies]
    together = _together(tool, students // WORKERS, count, latencies[len(latencies) // 2])
    aims = [
        *(_near_the_limit(one) for one in alone),
        at_most("AGS, all again: writes", sum(one["second_writes"] for one in alone), 0),
        Aim(
            f"AGS, {WORKERS} workers on one bucket: throttled answers",
            f"<= {REFUSED_AT_MOST:.1%}",
            f"{together['throttled'] / together['writes']:.2%}",
            together["throttled"] <= REFUSED_AT_MOST * together["writes"],
        ),
    ]
    return {"ags_alone": alone, "ags_together": together}, aims


def _near_the_limit(one: dict[str, Any]) -> Aim:
    name = f"AGS, {one['latency_ms']:g} ms a call: time to physical limit"
    return Aim(name, f"<= {NEAR_THE_LIMIT:g}", f"{one['ratio']:.2f}", one["ratio"] <= NEAR_THE_LIMIT)


def _alone(tool: Tool, students: int, count: int, latency_ms: float) -> dict[str, Any]:
    say(f"AGS: {students} students x {count} columns at {latency_ms:g} ms ...")
    school = School(tool, f"ags-{latency_ms:g}", students, count, latency_ms).open().join()
    school.align(columns=True)
    first = school.sync()
    canvas_ms = _answer_ms(school)
    second = school.sync()
    writes = int(first.answer["requests"]["write"])
    limit = writes * latency_ms / 1000 / calls_at_once()
    return {
        "latency_ms": latency_ms,
        "writes": writes,
        "seconds": round(first.run_seconds, 2),
        "limit_seconds": round(limit, 2),
        "ratio": round(first.run_seconds / limit, 2),
        "canvas_ms": round(canvas_ms, 1),
        "ratio_to_canvas": round(first.run_seconds / (limit * canvas_ms / latency_ms), 2),
        "throttled": first.answer["requests"]["throttled"],
        "second_writes": second.answer["requests"]["write"],
    }


def _together(tool: Tool, students: int, count: int, latency_ms: float) -> dict[str, Any]:
    say(f"AGS: {WORKERS} workers, each {students} students x {count} columns, on one bucket ...")
    first = School(tool, "ags-shared", students, count, latency_ms, courses=WORKERS).open().join()
    first.align(columns=True)
    schools = [first]
    for place in range(1, WORKERS):
        schools.append(first.another(place))
        schools[place].align(columns=True)
    began = time.monotonic()
    with ThreadPoolExecutor(WORKERS) as pool:
        asked = [one["requests"] for one in pool.map(_sync, schools)]
    seconds = time.monotonic() - began
    writes = sum(one["write"] for one in asked)
    return {
        "workers": WORKERS,
        "latency_ms": latency_ms,
        "writes": writes,
        "throttled": sum(one["throttled"] for one in asked),
        "process_seconds": round(seconds, 2),
        "calls_at_once": round(writes * latency_ms / 1000 / seconds, 1),
    }


def _answer_ms(school: School) -> float:
    """What the newest of these calls took inside the pretend Canvas, its own work included."""
    calls = school.canvas.control("calls", method="POST", path=SCORES)["calls"]
    return sum(float(call["milliseconds"]) for call in calls) / len(calls)


def _sync(school: School) -> dict[str, Any]:
    command = manage("sync", "--json", "--client-id", school.lti_client, "--context", school.context)
    text, _ = watched(command, school.tool.environment)
    found: dict[str, Any] = json.loads(text)
    return found


def calls_at_once() -> int:
    """What the tool allows itself on one bucket, read from its source: this script does not import it."""
    source = (Path(ROOT) / "canvas" / "throttle.py").read_text()
    found = re.search(r"^MOST_IN_FLIGHT = (\d+)$", source, re.MULTILINE)
    assert found, "canvas/throttle.py says how many calls may be in flight"
    return int(found[1])


def main() -> None:
    """Alone, for a look: `python -m scripts.bench_ags [students] [columns] [latency ...]`."""
    import shutil
    import sys
    import tempfile

    from scripts import postgres
    from scripts.processes import Supervisor

    numbers = [float(text) for text in sys.argv[1:]] or [150, 20, 20, 50, 100, 200]
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    with Supervisor(grace_seconds=15) as supervisor, postgres.temporary() as server:
        supervisor.afterwards.append(lambda: shutil.rmtree(folder, ignore_errors=True))
        supervisor.interrupts = True
        tool = Tool(supervisor, server.url, folder)
        tool.start()
        found, aims = measure(tool, int(numbers[0]), int(numbers[1]), tuple(numbers[2:]))
    print(json.dumps(found, indent=1))
    for aim in aims:
        print("PASS" if aim.met else "MISS", aim.name, aim.measured, aim.aim)
    print("load", os.getloadavg())


if __name__ == "__main__":
    main()
