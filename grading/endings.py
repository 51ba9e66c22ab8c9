"""How a run ends: counted, its undo journal kept, and the reason said where something ended it early."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from grading import journal
from grading.connection import Connection, Stopped
from grading.core.plan import DECISIONS, PlannedCell, Problem, count_decisions, count_reasons, is_partial
from grading.delivery import Delivery
from grading.ledger import UNREAD, refused
from grading.models import Run
from grading.planning import Prepared
from grading.runs import Lease

NOTHING = dict.fromkeys(DECISIONS, 0)


@dataclass(frozen=True, slots=True)
class Result:
    """A run with its cells as they were planned or ended; the cells live only as long as this value."""

    run: Run
    cells: tuple[PlannedCell, ...] = field(default=(), repr=False)


def summary(cells: tuple[PlannedCell, ...], problems: tuple[Problem, ...]) -> dict[str, Any]:
    return {
        "counts": count_decisions(cells),
        "reasons": count_reasons(cells),
        "problems": [{"alignment": p.alignment, "code": p.code, "detail": p.detail} for p in problems],
    }


def finish(lease: Lease, on: Delivery, end: Stopped | None) -> Result:
    """Count, keep the undo journal, and end the run."""
    plan = on.prepared.plan
    if end:
        _own_up(on, end)
    cells = on.ledger.final(plan.cells)
    problems = (*plan.problems, *on.ledger.problems())
    outcome = "stopped" if end else ("partial" if any(map(is_partial, cells)) else "done")
    fields = {
        **summary(cells, problems),
        "requests": on.to.counter.as_dict(),
        "error": end.as_error() if end else None,
    }
    with transaction.atomic():
        journal.keep(lease.run, on)
        run = lease.finish(timezone.now(), outcome=outcome, fields=fields)
    return Result(run, cells)


def _own_up(on: Delivery, end: Stopped) -> None:
    """Where a fault of our own ended it, cells have no receipt: none of them is called sent."""
    without = on.ledger.without_receipt(on.prepared.plan.to_send())
    on.ledger.put((cell for cell in without if cell.key in on.ledger.attempted), UNREAD)
    on.ledger.put(on.ledger.without_receipt(without), refused(end.code, end.detail))


def finish_changed(lease: Lease, to: Connection, prepared: Prepared, why: str) -> Result:
    fields = {
        "requests": to.counter.as_dict(),
        "error": {"code": "changed", "who": "teacher", "detail": why},
    }
    return Result(lease.finish(timezone.now(), outcome="changed", fields=fields), prepared.plan.cells)


def finish_stopped(lease: Lease, to: Connection | None, end: Stopped) -> Run:
    fields = {"counts": NOTHING, "error": end.as_error(), "requests": to.counter.as_dict() if to else {}}
    return lease.finish(timezone.now(), outcome="stopped", fields=fields)


def finish_plan(lease: Lease, to: Connection, prepared: Prepared, end: Stopped | None) -> Result:
    """End a run that sends nothing: a dry run, or one that the guard stops."""
    plan = prepared.plan
    fields = {
        **summary(plan.cells, plan.problems),
        "account": to.account,
        "read_at": prepared.read_at,
        "digest": plan.digest,
        "requests": to.counter.as_dict(),
        "error": end.as_error() if end else None,
    }
    outcome = "stopped" if end else plan.status
    return Result(lease.finish(timezone.now(), outcome=outcome, fields=fields), plan.cells)
