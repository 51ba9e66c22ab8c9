"""Sending an approved plan: look again, write what still holds, read back. Receipts are in the ledger.

Follow `send` from top to bottom; every step leaves the database so that a crash after it loses no grade and
turns none of ours into a person's.
"""

from __future__ import annotations

from collections.abc import Sequence

from grading.connection import Stopped
from grading.core.plan import PlannedCell
from grading.delivery import Delivery, by_alignment
from grading.ledger import refused
from grading.looking_again import check_basis, make_missing, still_as_planned
from grading.reading_back import confirm
from grading.writing import send_column, send_jobs, send_scores


def send(on: Delivery) -> None:
    """Send the plan. Whatever ends it early is raised after what was sent has been read back."""
    cells = on.prepared.plan.to_send()
    try:
        targets = check_basis(on)
        pending = still_as_planned(on, cells)
        on.between_batches()
        make_missing(on, pending, targets)
        of_each = by_alignment(pending)
        send_jobs(on, of_each)
        send_scores(on, of_each)
        for one in on.stored:
            send_column(on, one, of_each.get(one.id, []))
    except Stopped as end:
        on.ledger.put(_never_sent(on, cells), refused(end.code, end.detail))
        confirm(on, cells, forgiving=True)
        raise
    confirm(on, cells, forgiving=False)


def _never_sent(on: Delivery, cells: Sequence[PlannedCell]) -> list[PlannedCell]:
    return [cell for cell in on.ledger.without_receipt(cells) if cell.key not in on.ledger.attempted]
