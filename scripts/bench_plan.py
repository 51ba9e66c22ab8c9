"""How much processor time and memory planning takes, beside reading the same JSON: a process of its own for
scripts/bench.py.

The one script that imports the tool: planning alone has no command. A course is read as a sync reads it, the
answers' bytes are kept in a file, and each step is timed with nothing else going on. Prints one JSON object.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

import django


def main(client_id: str, context_id: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lti_tool.settings")
    django.setup()
    print(json.dumps(measured(client_id, context_id)))


class Meter:
    """Seconds of processor time, of all threads or (`own`) of this one, and by how many MB the memory's peak
    rose above what was held before."""

    def __init__(self) -> None:
        self.seconds = self.mb = 0.0

    @contextmanager
    def running(self, *, own: bool = False) -> Iterator[None]:
        clock = time.thread_time if own else time.process_time
        before, began = 0.0 if own else _forget_peak(), clock()
        yield
        self.seconds += clock() - began
        if not own:
            self.mb = max(self.mb, _memory("VmHWM") - before)

    def of(self, function: Callable[..., Any], *, own: bool = False) -> Callable[..., Any]:
        """The function, measured each time it is called."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            with self.running(own=own):
                return function(*args, **kwargs)

        return watched


def _forget_peak() -> float:
    """From here on the peak is counted anew (Linux); what is held now, in MB."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(name: str) -> float:
    """In MB; 0 where the system does not tell."""
    with suppress(OSError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(name))
    return 0.0


def measured(client_id: str, context_id: str) -> dict[str, Any]:
    """The whole read (client, JSON, values), own calculations, the plan, and JSON alone."""
    from alignments import services as alignments
    from canvas.accounts import accounts_for_course
    from grading import ownscores, planning, reading
    from grading.connection import connect
    from lti_tool.models import Context

    context = Context.objects.get(registration__client_id=client_id, context_id=context_id)
    stored = alignments.stored(context)
    read, calculate, results, plan = Meter(), Meter(), Meter(), Meter()
    with tempfile.TemporaryFile() as bodies:
        sizes = [0]

        def read_results(*args: Any) -> Any:
            before = bodies.tell()
            found = results.of(ownscores.read_own_scores)(*args)
            sizes[0] = bodies.tell() - before
            return found

        take = calculate.of(ownscores._Reader._take, own=True)
        connection = connect(context, accounts_for_course(context)[0])
        with (
            keeping(bodies),
            patch.object(reading, "read_own_scores", read_results),
            patch.object(ownscores._Reader, "_take", take),
            read.running(),
        ):
            course = reading.read_course(connection, stored)
        with plan.running():
            made = planning.make(context, stored, course).plan
        json_seconds, json_bytes = _json_alone(bodies)
    planned, reads = plan.seconds + calculate.seconds, read.seconds - calculate.seconds
    return {
        "cells": len(made.cells),
        "counts": made.counts,
        "json_bytes": json_bytes,
        "json_seconds": round(json_seconds, 3),
        "read_seconds": round(reads, 3),
        "calculation_seconds": round(calculate.seconds, 3),
        "plan_seconds": round(planned, 3),
        "plan_to_json": round(planned / json_seconds, 2),
        "plan_to_read": round(planned / reads, 2),
        "plan_mb": round(plan.mb, 1),
        "results_bytes": sizes[0],
        "results_mb": round(results.mb, 1),
    }


def _json_alone(bodies: IO[bytes]) -> tuple[float, int]:
    """Seconds to read all bodies as JSON and nothing else, and how many bytes they are."""
    size, seconds = bodies.tell(), 0.0
    bodies.seek(0)
    for line in bodies:
        began = time.process_time()
        json.loads(line, parse_float=Decimal)
        seconds += time.process_time() - began
    return seconds, size


@contextmanager
def keeping(bodies: IO[bytes]) -> Iterator[None]:
    """Every JSON body the tool reads meanwhile, a line each."""
    from lti_tool.answers import Reply

    as_before = Reply.json

    def json_and_keep(self: Reply) -> Any:
        bodies.write(self.body.replace(b"\n", b" ") + b"\n")
        return as_before(self)

    with patch.object(Reply, "json", json_and_keep):
        yield


if __name__ == "__main__":
    main(*sys.argv[1:])
