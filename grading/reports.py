"""What the commands tell of a run: JSON for programs, text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grading.core.plan import PlannedCell
from grading.core.reasons import reason_for
from grading.services import NOTHING, Result
from grading.undoing import Undone

# For programs


def as_json(result: Result, *, with_cells: bool) -> dict[str, Any]:
    """Interface 4: what `sync --json` prints."""
    run = result.run
    told: dict[str, Any] = {
        "run": run.number,
        "status": run.outcome,
        "dry_run": run.dry_run,
        "counts": run.counts or NOTHING,
        "reasons": run.reasons,
        "problems": run.problems,
        "requests": {"read": 0, "write": 0, "retried": 0, "throttled": 0, **run.requests},
    }
    if run.error:
        told["error"] = run.error
    if with_cells:
        told["cells"] = [cell_as_json(cell) for cell in result.cells]
    return told


def busy_as_json(told: str, *, dry_run: bool) -> dict[str, Any]:
    """What `sync --json` prints where another run of the course is under way, so that none was made."""
    return {
        "run": None,
        "status": "stopped",
        "dry_run": dry_run,
        "counts": NOTHING,
        "reasons": {},
        "problems": [],
        "requests": {"read": 0, "write": 0, "retried": 0, "throttled": 0},
        "error": {"code": "run_under_way", "who": "teacher", "detail": told},
    }


def cell_as_json(cell: PlannedCell) -> dict[str, Any]:
    return {
        "alignment": cell.alignment,
        "user": cell.user,
        "from": cell.before,
        "to": cell.after,
        "decision": cell.decision,
        "reason": cell.reason,
    }


def undone_as_json(undone: Undone) -> dict[str, Any]:
    """What `undo --json` prints; `from` is what the sync had left, `to` what was there before it."""
    told: dict[str, Any] = {
        "run": undone.run.number,
        "undone": undone.undone.number,
        "status": undone.run.outcome,
        "counts": undone.counts,
        "requests": undone.run.requests,
        "cells": [
            {
                "alignment": cell.entry.alignment,
                "user": cell.entry.user,
                "from": cell.entry.after,
                "to": cell.entry.before,
                "decision": cell.fate,
                "reason": cell.code or cell.fate,
            }
            for cell in undone.cells
        ],
    }
    if undone.run.error:
        told["error"] = undone.run.error
    return told


# For a terminal


HEADLINES = {
    "done": "Done.",
    "partial": "Partly done.",
    "stopped": "Stopped.",
    "changed": "Nothing was sent: something changed since the plan was made.",
}


def as_text(result: Result, *, with_cells: bool) -> str:
    """The same for a person."""
    run = result.run
    counts = {**NOTHING, **run.counts}
    lines = [
        f"Run {run.number}{' (dry run)' if run.dry_run else ''}: {HEADLINES.get(run.outcome, run.outcome)}"
    ]
    if run.error:
        lines.append(f"  {run.error['detail']}")
    sent = "would be sent" if run.dry_run or run.outcome == "changed" else "sent"
    names = {
        "send": sent,
        "unchanged": "unchanged",
        "held": "held",
        "conflict": "need a person",
        "refused": "refused",
    }
    lines += [f"  {counts[key]:>6} {name}" for key, name in names.items()]
    if run.reasons:
        lines += ["", "Reasons:"]
        lines += [f"  {count:>6} {reason_for(code).short} ({code})" for code, count in run.reasons.items()]
    if run.problems:
        lines += ["", "Problems:"]
        lines += [f"  alignment {p['alignment']}: {p['detail']} ({p['code']})" for p in run.problems]
    if with_cells:
        lines += ["", *_table(result.cells)]
    asked = run.requests
    lines += ["", f"Calls: {asked.get('read', 0)} reading, {asked.get('write', 0)} writing."]
    return "\n".join(lines)


def _table(cells: Sequence[PlannedCell]) -> list[str]:
    rows = [("alignment", "user", "from", "to", "decision", "reason")]
    rows += [(str(c.alignment), c.user, c.before or "-", c.after or "-", c.decision, c.reason) for c in cells]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def undone_as_text(undone: Undone) -> str:
    counts = undone.counts
    lines = [
        f"Run {undone.undone.number} taken back: {counts['restored']} grades restored, "
        f"{counts['kept']} kept because somebody changed them since, {counts['refused']} refused."
    ]
    if undone.run.error:
        lines.append(f"  {undone.run.error['detail']}")
    for cell in undone.cells:
        if cell.fate != "restored":
            why = "changed since" if cell.fate == "kept" else reason_for(cell.code).short
            lines.append(f"  alignment {cell.entry.alignment}, user {cell.entry.user}: {cell.fate} ({why})")
    return "\n".join(lines)
