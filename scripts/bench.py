"""`make bench`: what syncs cost in calls, seconds and memory, against a pretend Canvas that takes 40 ms a call.

One run measures, on one machine, our first and second sync through assignments and through columns of our
own, the ancestor's way of working as a baseline, and planning and sending a very big course. Aims are judged
by the calls' formula in docs/operations.md; times are ratios within the run.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scripts import bench_ags, bench_launch, bench_night, bench_report, postgres
from scripts import bench_formula as formula
from scripts.bench_baseline import SCOPES, Ancestor, BaselineRun
from scripts.bench_formula import Aim, Cost, Size
from scripts.bench_school import Measured, School, Tool
from scripts.processes import PYTHON, Problem, Supervisor, run, say

MIXED_RESULTS = 3
"""Of one student on one outcome, at most."""


def main(argv: list[str] | None = None) -> int:
    options = _options(argv)
    try:
        found = measure(options)
    except (Problem, postgres.PostgresProblem, LookupError) as problem:
        say(str(problem))
        return 1
    print(json.dumps(found) if options.json else bench_report.as_text(found), flush=True)
    return 0 if found["ok"] or options.quick else 1


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything, in one run. Figures and aims as one JSON-ready object."""
    folder, load = Path(tempfile.mkdtemp(prefix="bench-")), os.getloadavg()[0]
    with Supervisor(grace_seconds=15) as supervisor, postgres.temporary() as server:
        supervisor.afterwards.append(lambda: shutil.rmtree(folder, ignore_errors=True))
        supervisor.interrupts = True
        tool = Tool(supervisor, server.url, folder)
        tool.start()
        parts, aims = _class_sized(tool, options)
        if options.big:
            for part in (_big, _mixed):
                more, more_aims = part(tool, options)
                parts, aims = parts | more, [*aims, *more_aims]
        if options.ags:
            students, count = options.ags
            for more, more_aims in (
                bench_ags.measure(tool, students, count, options.ags_latencies_ms),
                bench_night.measure(tool, options.night_courses, options.latency_ms),
            ):
                parts, aims = parts | more, [*aims, *more_aims]
    if options.launches:
        parts["launches"] = bench_launch.measure(options.launches)
        aims = [*aims, *bench_launch.aims(parts["launches"])]
    return {
        "ok": all(aim.met for aim in aims),
        "students": options.students,
        "alignments": options.alignments,
        "latency_ms": options.latency_ms,
        "cores": os.cpu_count(),
        "load_before": round(load, 1),
        **parts,
        "aims": [asdict(aim) for aim in aims],
    }


def _class_sized(tool: Tool, options: argparse.Namespace) -> tuple[dict[str, Any], list[Aim]]:
    students, count = options.students, options.alignments
    say(f"Our syncs: {students} students x {count} alignments ...")
    school = School(tool, "class", students, count, options.latency_ms).open().join()
    listed = len(school.canvas.gradebook()["assignments"])
    size = Size(students, count, listed)
    school.align(columns=False)
    first, second = school.sync(), school.sync()
    school.align(columns=True)
    made = Size(students, count, listed + count, count)
    first_ags, second_ags = school.sync(), school.sync()
    say("The ancestor's way of working ...")
    baseline = _baseline(tool, options)
    costs = {
        "rest_first": formula.rest_sync(size, sent(first)),
        "rest_second": formula.rest_sync(size, 0),
        "ags_first": formula.ags_sync(made, sent(first_ags), count),
        "ags_second": formula.ags_sync(made, 0, 0),
    }
    runs = {"rest_first": first, "rest_second": second, "ags_first": first_ags, "ags_second": second_ags}
    parts: dict[str, Any] = {name: as_object(runs[name], cost, baseline) for name, cost in costs.items()}
    expected = formula.ancestor(Size(students, count, listed), baseline.write)
    parts["baseline"] = {**asdict(baseline), "expected": asdict(expected)}
    return parts, _aims(runs, costs, baseline)


def _aims(runs: dict[str, Measured], costs: dict[str, Cost], baseline: BaselineRun) -> list[Aim]:
    aims = []
    for name, cost in costs.items():
        title = name.replace("_", ", ").replace("rest", "REST").replace("ags", "AGS")
        aims.append(formula.at_most(f"{title}: reads", reads(runs[name]), cost.read))
        aims.append(formula.at_most(f"{title}: writes", runs[name].answer["requests"]["write"], cost.write))
    first = runs["rest_first"]
    calls = baseline.read + baseline.write
    total = first.answer["requests"]["read"] + first.answer["requests"]["write"]
    return [
        *aims,
        formula.at_least("REST, first: fewer calls than the baseline", calls / total, formula.FEWER_CALLS),
        formula.at_least(
            "REST, first: faster than the baseline", baseline.seconds / first.run_seconds, formula.FASTER
        ),
    ]


def _baseline(tool: Tool, options: argparse.Namespace) -> BaselineRun:
    """Against a Canvas of its own, fresh, that never throttles: ten threads would be refused otherwise."""
    school = School(tool, "baseline", options.students, options.alignments, options.latency_ms)
    school.open(throttled=False)
    titles = school.titles()
    known = {str(one["name"]): str(one["id"]) for one in school.canvas.gradebook()["assignments"]}
    targets = {outcome: known[title] for outcome, title in titles.items()}
    course = f"{school.canvas.url}/api/v1/courses/{school.canvas.course()}"
    return Ancestor(course, school.token(SCOPES), targets).run(sorted(school.canvas.active_students()))


def _big(tool: Tool, options: argparse.Namespace) -> tuple[dict[str, Any], list[Aim]]:
    students, count = options.big
    say(f"A very big course: {students} students x {count} alignments ...")
    school = School(tool, "big", students, count, options.big_latency_ms).open().join()
    school.align(columns=False)
    dry, (first, page_seconds), second = (
        school.sync("--dry-run"),
        school.send_as_teacher(),
        school.sync("--dry-run"),
    )
    web_mb = tool.web_peak_mb()
    planning = _planning(tool, school)
    listed = len(school.canvas.gradebook()["assignments"])
    cost = formula.approved_sync(Size(students, count, listed), sent(first))
    found = {
        "students": students,
        "alignments": count,
        "latency_ms": options.big_latency_ms,
        "dry_run": as_object(dry, None, None),
        "first_sync": as_object(first, cost, None),
        "second_dry_run": as_object(second, None, None),
        "preview_page_seconds": round(page_seconds, 2),
        "web_peak_mb": round(web_mb),
        "planning": planning,
    }
    memory = {"the command": dry.peak_mb, "the worker": first.peak_mb, "the web server": web_mb}
    aims = [
        formula.at_most("very big, first: reads", reads(first), cost.read),
        formula.at_most("very big, first: writes", first.answer["requests"]["write"], cost.write),
        formula.at_most("very big, second: writes", second.answer["requests"]["write"], 0),
        *(
            formula.below(f"very big: memory of {who}", mb, formula.MOST_MB, "MB")
            for who, mb in memory.items()
        ),
    ]
    return {"big": found}, aims


def _mixed(tool: Tool, options: argparse.Namespace) -> tuple[dict[str, Any], list[Aim]]:
    """Planning alone, with rules of every kind, own calculations and sections."""
    students, count = options.big
    say(f"Mixed rules: {students} students x {count} alignments, up to {MIXED_RESULTS} results each ...")
    school = School(tool, "mixed", students, count, 0, MIXED_RESULTS).open(throttled=False).join()
    school.align_mixed()
    found = {"students": students, "alignments": count} | _planning(tool, school)
    seconds = found["plan_seconds"]
    return {"mixed": found}, [formula.under("mixed rules: planning", seconds, formula.PLANNING_SECONDS, "s")]


def _planning(tool: Tool, school: School) -> dict[str, Any]:
    """A process that reads the course and plans it; what that took."""
    command = [PYTHON, "-m", "scripts.bench_plan", school.lti_client, school.context]
    found: dict[str, Any] = json.loads(run(command, tool.environment))
    return found


def sent(one: Measured) -> int:
    return int(one.answer["counts"]["send"])


def reads(one: Measured) -> int:
    """Reads without the questions after bulk jobs."""
    return int(one.answer["requests"]["read"]) - one.polls


def as_object(one: Measured, cost: Cost | None, baseline: BaselineRun | None) -> dict[str, Any]:
    requests = one.answer["requests"]
    found: dict[str, Any] = {
        "status": one.answer["status"],
        "counts": one.answer["counts"],
        "requests": requests,
        "polls": one.polls,
        "canvas_calls": one.canvas_calls,
        "run_seconds": round(one.run_seconds, 2),
        "process_seconds": round(one.process_seconds, 2),
        "peak_mb": round(one.peak_mb),
    }
    if cost:
        found["expected"] = asdict(cost)
    if baseline:
        calls = requests["read"] + requests["write"]
        found["fewer_calls"] = round((baseline.read + baseline.write) / calls, 1)
        found["faster"] = round(baseline.seconds / one.run_seconds, 1)
        found["faster_with_start"] = round(baseline.seconds / one.process_seconds, 1)
    return found


def _size(text: str) -> tuple[int, int]:
    students, _, count = text.partition("x")
    if not (students.isdigit() and count.isdigit()):
        raise argparse.ArgumentTypeError("use students x alignments, for example 1000x40")
    return int(students), int(count)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='make bench ARGS="..."', description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, help="default 150")
    parser.add_argument("--alignments", type=int, help="default 20")
    parser.add_argument(
        "--latency-ms", type=float, default=40, help="what every call to Canvas takes at least"
    )
    parser.add_argument(
        "--big", type=_size, help="the very big course: students x alignments, default 1000x40"
    )
    parser.add_argument("--big-latency-ms", type=float, default=40)
    parser.add_argument("--no-big", action="store_true", help="leave the very big course out")
    parser.add_argument("--ags", type=_size, help="AGS writes: students x columns of our own, default 150x20")
    parser.add_argument("--no-ags", action="store_true", help="leave AGS writes and the nights out")
    parser.add_argument("--no-launches", action="store_true", help="leave launches out")
    parser.add_argument(
        "--quick", action="store_true", help="smaller: 20x4, 50x10 and AGS 20x5; aims are not judged"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    options = parser.parse_args(argv)
    sizes = (20, 4, (50, 10), (20, 5)) if options.quick else (150, 20, (1000, 40), (150, 20))
    options.ags = None if options.no_ags else options.ags or sizes[3]
    options.ags_latencies_ms = (20.0, 100.0) if options.quick else (20.0, 50.0, 100.0, 200.0)
    quick = bench_launch.Size(launches=50, rounds=2, bad=500)
    options.launches = None if options.no_launches else quick if options.quick else bench_launch.Size()
    options.night_courses = 2 if options.quick else 8
    options.students = options.students or sizes[0]
    options.alignments = options.alignments or sizes[1]
    options.big = None if options.no_big else options.big or sizes[2]
    return options


if __name__ == "__main__":
    sys.exit(main())
