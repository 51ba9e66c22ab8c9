"""The undo journal: what a run found in each cell it wrote, sealed, for UNDO_DAYS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from grading.core.grades import GradeText
from grading.ledger import SENT, UNREAD
from grading.models import Run, UndoJournal
from lti_tool.models import Context
from lti_tool.sealing import seal, unseal

if TYPE_CHECKING:
    from grading.delivery import Delivery

JOURNAL_PURPOSE = "undo journal"


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell a run wrote. `was_ours`: the value before was this tool's too."""

    target: int
    alignment: int
    assignment: str
    user: str
    before: GradeText
    after: GradeText
    was_ours: bool


def keep(run: Run, on: Delivery) -> None:
    """Remember the cells this run left changed; nothing where UNDO_DAYS is 0 or nothing was written."""
    targets = {one.id: one.target.pk for one in on.stored}
    entries = [
        Entry(
            targets[cell.alignment],
            cell.alignment,
            assignment_id,
            cell.user,
            cell.before,
            cell.after,
            cell.was_ours,
        )
        for cell in on.prepared.plan.to_send()
        if cell.key in on.ledger.attempted
        and on.ledger.receipts.get(cell.key) in (SENT, UNREAD)
        and (assignment_id := on.assignment_id(cell))
    ]
    if entries and settings.UNDO_DAYS:
        UndoJournal.objects.create(
            run=run,
            sealed_cells=sealed(entries),
            expires_at=timezone.now() + timedelta(days=settings.UNDO_DAYS),
        )


def sealed(entries: Sequence[Entry]) -> str:
    """The entries at rest."""
    return seal([astuple(one) for one in entries], purpose=JOURNAL_PURPOSE)


def newest(context: Context) -> UndoJournal | None:
    """The journal of the newest run that wrote and is not undone, if it can be undone still."""
    journals = UndoJournal.objects.filter(run__context=context, undone_at=None, expires_at__gt=timezone.now())
    return journals.select_related("run").order_by("-run__number").first()


def entries(journal: UndoJournal) -> list[Entry]:
    """What the journal says. Raises CannotUnseal."""
    return [Entry(*row) for row in unseal(journal.sealed_cells, purpose=JOURNAL_PURPOSE)]
