"""How much processor time planning takes, beside reading the same JSON: a process of its own for scripts/bench.py.

The one script that imports the tool: planning alone has no command. A course is read as a sync reads it, the
answers' bytes are kept, and planning is timed with nothing else going on. Prints one JSON object.
"""

import json
import os
import sys
import time
from decimal import Decimal
from typing import Any

import django


def main(client_id: str, context_id: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lti_tool.settings")
    django.setup()
    print(json.dumps(timed(client_id, context_id)))


def timed(client_id: str, context_id: str) -> dict[str, Any]:
    """Seconds of processor time: JSON alone, the whole read (client, JSON, values), the plan."""
    from alignments import services as alignments
    from canvas.accounts import accounts_for_course
    from grading import planning
    from grading.connection import connect
    from grading.reading import read_course
    from lti_tool.models import Context

    context = Context.objects.get(registration__client_id=client_id, context_id=context_id)
    stored = alignments.stored(context)
    bodies = keep_bodies()
    began = time.process_time()
    reading = read_course(connect(context, accounts_for_course(context)[0]), stored)
    read_seconds = time.process_time() - began
    began = time.process_time()
    plan = planning.make(context, stored, reading).plan
    plan_seconds = time.process_time() - began
    began = time.process_time()
    for body in bodies:
        json.loads(body, parse_float=Decimal)
    json_seconds = time.process_time() - began
    return {
        "cells": len(plan.cells),
        "json_bytes": sum(map(len, bodies)),
        "json_seconds": round(json_seconds, 3),
        "read_seconds": round(read_seconds, 3),
        "plan_seconds": round(plan_seconds, 3),
        "plan_to_json": round(plan_seconds / json_seconds, 2),
        "plan_to_read": round(plan_seconds / read_seconds, 2),
    }


def keep_bodies() -> list[bytes]:
    """Every JSON body the tool reads from here on, in a list that grows."""
    from lti_tool.answers import Reply

    kept: list[bytes] = []
    as_before = Reply.json

    def json_and_keep(self: Reply) -> Any:
        kept.append(self.body)
        return as_before(self)

    Reply.json = json_and_keep  # type: ignore[method-assign]  # the bytes are met nowhere else
    return kept


if __name__ == "__main__":
    main(*sys.argv[1:])
