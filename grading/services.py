"""What the pages, the commands and the jobs may ask for: prepare, approve, apply, sync, undo.

`prepare` reads and plans; `approve` binds a person's choices to exactly that plan; `apply` sends it; `sync` does
all three for the command. Each lives in the module of its name. No transaction is ever open while Canvas is
asked.
"""

from __future__ import annotations

from canvas.models import CanvasAccount
from grading import undoing
from grading.applying import apply, finish_stale
from grading.approving import NO_CHOICES, approve, discard, open_run_of, request_stop
from grading.core.plan import Choices
from grading.endings import NOTHING, Result
from grading.models import Run
from grading.preparing import begin, fill, prepare
from grading.runs import NotApprovable, RunAlreadyOpen
from grading.syncing import Only, sync
from grading.undoing import NothingToUndo, Undone
from lti_tool.models import Context

__all__ = [
    "NOTHING",
    "NO_CHOICES",
    "Choices",
    "NotApprovable",
    "NothingToUndo",
    "Only",
    "Result",
    "RunAlreadyOpen",
    "Undone",
    "apply",
    "approve",
    "begin",
    "discard",
    "fill",
    "finish_stale",
    "open_run_of",
    "prepare",
    "request_stop",
    "sync",
    "undo",
]


def undo(
    context: Context, *, started_by: str, account: CanvasAccount | None = None, run: Run | None = None
) -> Undone:
    """Take back the newest run that wrote and is not undone, as `account`, else as any that may still grade;
    with `run`, only if that is the one. Raises NothingToUndo or RunAlreadyOpen."""
    finish_stale(context)
    return undoing.undo(context, started_by=started_by, account=account, wanted=run)
