"""What happens between two workers, and who sees a part of the class only."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

from canvas.models import CanvasAccount
from grading import services
from grading.services import Result
from sandbox.scenarios.base import TA_ID
from tests.soak.invariants import Invariants


class Between(Invariants):
    """Alignments that change while a run lies open; an assistant of one section."""

    rng: random.Random
    said: list[str]

    def operate(self, operation: Callable[[], None]) -> None:
        raise NotImplementedError

    def look(self) -> Result:
        raise NotImplementedError

    def retarget_and_take_over(self) -> None:
        """Then the next worker finishes the run in bad weather."""
        self.retarget()
        self.operate(self.take_over)
        self.look()

    def retarget(self) -> None:
        """A teacher gives an alignment another target, or other points, while its run lies open."""
        alignment, entry = self.rng.choice(list(self.book.entries.items()))
        column, points = self.book.assignment(alignment), None
        target = entry["target"]
        if "assignment" in target and column is not None and self.rng.random() < 0.5:
            column.points_possible = points = Decimal(self.rng.choice(("20", "4", "50")))
        else:
            target = self.rng.choice(self.free_targets(entry))
        self.tally.realigned += 1
        seq = self.truth.tick()
        taken = {f"new {alignment}", str(column.id) if column else ""}
        self.permits = [
            replace(one, until=seq) if one.key[0] in taken and one.until > seq else one
            for one in self.permits
        ]
        self.said.append(f"realigned while a run lies open: {alignment} to {target} {points}")
        self.book.realign(alignment, target, points)

    def free_targets(self, entry: dict[str, Any]) -> list[dict[str, Any]]:
        """Targets that no alignment has."""
        used = [one["target"] for one in self.book.entries.values()]
        works = [
            a for a in self.school.world.assignments.values() if a.name.startswith("Work") and not a.deleted
        ]
        free: list[dict[str, Any]] = [{"assignment": str(a.id)} for a in works]
        free = [one for one in free if one not in used]
        if entry["evidence"]["otherwise"] != "excuse":
            free.append({"column": {"label": f"Instead {len(self.said)}", "points": "10"}})
        return free or [entry["target"]]

    def take_over(self) -> None:
        services.finish_stale(self.school.context)

    @contextmanager
    def somebody(self) -> Iterator[CanvasAccount | None]:
        """Whoever may grade, or the assistant, who sees one section only for as long as this takes."""
        account = CanvasAccount.objects.filter(canvas_user_id=str(TA_ID)).first()
        if account is None or self.rng.random() < 0.5:
            yield None
            return
        mine = [e for e in self.school.world.enrollments.values() if e.user_id == TA_ID]
        self.tally.limited += 1
        self.said.append("the assistant of one section takes it back")
        try:
            for one in mine:
                one.limit_privileges = True
            yield account
        finally:
            for one in mine:
                one.limit_privileges = False
