"""A night at a school: courses of 35 students x 20 alignments, synced one after another by one process.

For `make bench`. A few courses are measured in three nights, everything new, one cell in ten new, nothing new;
a thousand courses are those figures times a thousand, and say so. Run with a client id, this is the process
that syncs: like scripts/bench_plan.py it imports the tool, because a worker is started once, not for each course.
"""

import json
import os
import sys
import time
from typing import Any

import django

from scripts.bench_formula import Aim, at_most
from scripts.bench_school import School, Tool
from scripts.canvas_reader import Canvas
from scripts.processes import PYTHON, run, say

STUDENTS, OUTCOMES = 35, 20
ONE_IN = 10
"""On a usual night so many cells have one that is new."""
THOUSAND = 1000
NIGHT_HOURS = 8
LAB = "Lab 1"


def measure(tool: Tool, courses: int, latency_ms: float) -> tuple[dict[str, Any], list[Aim]]:
    """Three nights of a few courses, and a thousand such courses by arithmetic."""
    say(f"Nights: {courses} courses of {STUDENTS} students x {OUTCOMES} alignments ...")
    school = School(tool, "night", STUDENTS, OUTCOMES, latency_ms, courses=courses).open().join()
    school.align(columns=False)
    schools = [school]
    for place in range(1, courses):
        schools.append(school.another(place))
        schools[place].align(columns=False)
    nights = {"everything": _night(school)}
    changed = sum(_assess_some(one.canvas) for one in schools)
    nights["usual"] = _night(school)
    nights["nothing"] = _night(school)
    found = {
        "courses": courses,
        "latency_ms": latency_ms,
        "assessed_anew": changed,
        **nights,
        "thousand": {name: thousand(night) for name, night in nights.items()},
    }
    return {"night": found}, [at_most("a night with nothing new: writes", nights["nothing"]["write"], 0)]


def _night(school: School) -> dict[str, Any]:
    command = [PYTHON, "-m", "scripts.bench_night", school.lti_client]
    found: dict[str, Any] = json.loads(run(command, school.tool.environment))
    return found


def thousand(night: dict[str, Any]) -> dict[str, Any]:
    """Arithmetic: what one worker needs for a thousand courses, and how many it gets through in a night."""
    each = night["seconds"] / night["syncs"]
    return {
        "reads": round(THOUSAND * night["read"] / night["syncs"]),
        "writes": round(THOUSAND * night["write"] / night["syncs"]),
        "hours": round(THOUSAND * each / 3600, 2),
        "courses_a_night": int(NIGHT_HOURS * 3600 / each),
    }


def _assess_some(canvas: Canvas) -> int:
    """New scores for one cell in ten, as if the works had been assessed again."""
    work = next(str(one["id"]) for one in canvas.gradebook()["assignments"] if one["name"] == LAB)
    base = canvas.place * 10_000
    count = 0
    for place in range(STUDENTS):
        for number in range(OUTCOMES):
            if (place * 7 + number * 3) % ONE_IN == 0:
                given = {
                    "assignment_id": work,
                    "user_id": base + 5001 + place,
                    "outcome_id": base + 3001 + number,
                }
                canvas.tell("evidence", {**given, "points": (place + number) % 5})
                count += 1
    return count


def sync_all(client_id: str) -> dict[str, Any]:
    """Every course of the registration once; their calls, and the seconds from the first to the last."""
    from grading.services import sync
    from lti_tool.models import Context

    contexts = list(Context.objects.filter(registration__client_id=client_id).order_by("pk"))
    began, worked = time.monotonic(), time.process_time()
    found = [sync(context, confirm_large=True).run for context in contexts]
    asked = [one.requests for one in found]
    return {
        "syncs": len(found),
        "outcomes": sorted({one.outcome for one in found}),
        "sent": sum(one.counts["send"] for one in found),
        "read": sum(one["read"] for one in asked),
        "write": sum(one["write"] for one in asked),
        "throttled": sum(one["throttled"] for one in asked),
        "seconds": round(time.monotonic() - began, 2),
        "cpu_seconds": round(time.process_time() - worked, 2),
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lti_tool.settings")
    django.setup()
    print(json.dumps(sync_all(sys.argv[1])))
