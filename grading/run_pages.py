"""What is said about a run while it works, in the history, and in one sentence. Its report is in `report_pages`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from grading import journal
from grading.core.reasons import reason_for
from grading.models import Run, RunState, UndoJournal

WAITING = "Waiting for its turn"
OPENING = "Done, opening the page"
OVER = {RunState.READY, RunState.FINISHED}
READING = {
    "course": ("Asking Canvas for the course", ""),
    "results": ("Reading outcome results", "students"),
    "roster": ("Reading who is in the course", ""),
    "assignments": ("Reading assignments and columns", ""),
    "single_results": ("Reading the single results behind own calculations", "outcomes"),
    "cells": ("Reading the gradebook", "cells"),
    "planning": ("Working out every grade", ""),
}
"""What a preview reads, in order, and what is counted of it (`canvas.counting.Stage`)."""
ABOUT = {"cells"}
"""Counted of a number that Canvas does not say: not every student has a cell in every column."""
SENDING = {
    "checking": "Checking that nothing changed since the preview",
    "making_columns": "Making new columns",
    "sending": "Writing grades",
    "reading_back": "Reading back what was written",
}
WHAT_HAPPENED = {
    "done": "Everything was sent",
    "partial": "Some cells were not sent",
    "stopped": "Stopped: something needs a person",
    "changed": "Nothing sent: the course had changed",
    "discarded": "Preview put away",
}
UNDONE = {"done": "everything was put back", "partial": "some cells were not put back"}
TRIED = {"done": "everything could be sent", "partial": "some cells could not be sent"}


WRITTEN = {"graded", "zeroed", "excused", "cleared", "restored"}
LEFT_ALONE = {
    "same", "no_evidence", "too_little_evidence", "not_assigned", "not_assessed", "already_graded",
    "would_lower", "held_by_person", "not_chosen", "evidence_gone",
}  # fmt: skip
PEOPLES = {
    "graded_by_person", "cleared_by_person", "excused_by_person", "changed_since_preview",
    "changed_since_sync", "superseded",
}  # fmt: skip
OPEN_PARTS = {"teacher", "admin", "operator", "nobody"}
"""Parts of a report that hold what was not sent, by who acts."""


@dataclass(frozen=True, slots=True)
class Working:
    """A run under way. `count` is how far in words; `total` is 0 where nobody knows. `over`: there is a page to go on
    to."""

    heading: str
    title: str
    label: str
    count: str
    done: int
    total: int
    over: bool
    can_stop: bool


def working(run: Run) -> Working:
    """How far a run is, from what it last said."""
    progress: Mapping[str, Any] = run.progress or {}
    total = int(progress.get("total", 0))
    done = min(int(progress.get("done", 0)), total)
    heading, title = titles(run)
    label, count = _label(run, progress), f"{done:,} of {_total(progress, total)}"
    return Working(
        heading=heading,
        title=title,
        label=label,
        count=" · ".join(filter(None, (count, _time_left(run, progress)))),
        done=done,
        total=0 if run.state in OVER else total,
        over=run.state in OVER,
        can_stop=run.state in {RunState.APPROVED, RunState.SENDING} and not run.stop_requested,
    )


def titles(run: Run) -> tuple[str, str]:
    """What a run under way is called: a heading, and what happens in it."""
    if run.undo_of:
        return f"Undoing run {run.undo_of.number}", "Grades are being put back"
    if run.state == RunState.READING:
        return "Reading Canvas", "Working out the preview"
    return "Sending grades", "Grades are being sent"


def _label(run: Run, progress: Mapping[str, Any]) -> str:
    phase = str(progress.get("phase", ""))
    if run.state in OVER:
        return OPENING
    if run.undo_of_id:
        return "Grades put back" if phase else WAITING
    if run.state == RunState.READING:
        return READING[phase][0] if phase in READING else WAITING
    label, column = SENDING.get(phase, WAITING), str(progress.get("column", ""))
    # What is checked and read back is all of it.
    return f"{label}: {column}" if column and phase in {"making_columns", "sending"} else label


def _total(progress: Mapping[str, Any], total: int) -> str:
    """What there is in all: "1,000 students"."""
    phase = str(progress.get("phase", ""))
    _, unit = READING.get(phase, ("", "grades"))
    unit = unit.removesuffix("s") if total == 1 else unit
    return f"{'about ' if phase in ABOUT else ''}{total:,} {unit}".rstrip()


def _time_left(run: Run, progress: Mapping[str, Any]) -> str:
    done, total = int(progress.get("done", 0)), int(progress.get("total", 0))
    if run.stop_requested:
        return "stopping after this step"
    if run.approved_at is None or not 0 < done < total:
        return ""
    spent = (timezone.now() - run.approved_at).total_seconds()
    left = spent / done * (total - done)
    return f"about {max(1, round(left))} s left" if left < 90 else f"about {round(left / 60)} min left"


@dataclass(frozen=True, slots=True)
class ProblemLine:
    title: str
    detail: str


def undoable_journal(run: Run) -> UndoJournal | None:
    """The run's undo journal, if this is the run that an undo would take back now."""
    newest = journal.newest(run.context)
    return newest if newest and newest.run_id == run.pk else None


def problem_lines(run: Run, names: Mapping[int, str]) -> list[ProblemLine]:
    """One line per alignment and reason, with the step to take; alignments with the same detail together."""
    by_detail: dict[str, list[str]] = {}
    for problem in run.problems:
        name = names.get(problem["alignment"], f"Alignment {problem['alignment']}")
        by_detail.setdefault(problem["detail"], []).append(name)
    return [ProblemLine(listed(found), detail) for detail, found in by_detail.items()]


def part_of(run: Run, code: str) -> str:
    """Which part of a report tells of this reason. Somebody who was no student when it was planned is left alone;
    one whom Canvas refused left meanwhile."""
    if code in WRITTEN:
        return "written"
    refused = any(problem["code"] == code for problem in run.problems)
    if code in LEFT_ALONE or (code == "not_a_student" and not refused):
        return "left"
    return "peoples" if code in PEOPLES else reason_for(code).who


def stopped_by_person(run: Run) -> bool:
    """Whether a person ended the run, and nothing is wrong."""
    return bool(run.error and run.error.get("code") == "stopped_by_person")


def headline(run: Run) -> str:
    """The first sentence of a report."""
    sent = run.counts.get("send", 0)
    refused = sum(count for code, count in run.reasons.items() if part_of(run, code) in OPEN_PARTS)
    if run.undo_of_id:
        return f"Undo of run {run.undo_of.number}: {cells(sent)} put back." if run.undo_of else "Undo"
    if run.outcome == "discarded":
        return "This preview was put away. Nothing was sent."
    if run.outcome == "changed":
        return "Nothing was sent: the course changed after the preview."
    if run.dry_run:
        return f"Dry run: {cells(sent)} would have been sent."
    if not sent and (refused or run.outcome == "stopped"):
        return "Nothing was sent."
    if not sent and not refused:
        return "Nothing had to be sent: the gradebook already holds what the rules give."
    first = f"{_grades(sent)} in the gradebook."
    return f"{first} {cells(refused)} not sent." if refused else first


def last_sentence(run: Run) -> str:
    """The run in half a line, for the outcomes page."""
    return headline(run).rstrip(".")


@dataclass(frozen=True, slots=True)
class HistoryRow:
    number: int
    when: datetime
    by: str
    what: str
    counts: Mapping[str, int]


def history_row(run: Run, reader: str) -> HistoryRow:
    when = run.finished_at or run.started_at
    return HistoryRow(run.number, when, owner(run, reader), _what_happened(run), run.counts)


def _what_happened(run: Run) -> str:
    """What kind of run it is, where it is no sync, and how it ended."""
    over = run.outcome if run.state == RunState.FINISHED else ""
    state = WHAT_HAPPENED.get(over, "Under way" if not over else "Ended")
    if stopped_by_person(run):
        state = "Stopped by a person"
    elif run.state == RunState.READY:
        state = "Preview waiting to be sent"
    small = state[:1].lower() + state[1:]
    if run.dry_run:
        return f"Dry run: {TRIED.get(over, small)}"
    if run.undo_of_id:
        of = f" of run {run.undo_of.number}" if run.undo_of else ""
        return f"Undo{of}: {UNDONE.get(over, small)}"
    return state


def owner(run: Run, reader: str) -> str:
    """Who approved or else started a run: "you", or a role and a Canvas id, never a name."""
    text = run.approved_by or run.started_by
    if text == reader:
        return "you"
    role, _, canvas_id = text.partition(" ")
    words = {"teacher": "teacher", "teaching_assistant": "teaching assistant", "command": "the command line"}
    return f"{words.get(role, role)}{' ' + canvas_id if canvas_id else ''}"


def gradebook_url(run: Run) -> str:
    context = run.context
    if not context.canvas_course_id:
        return ""
    return f"{context.registration.canvas_url.rstrip('/')}/courses/{context.canvas_course_id}/gradebook"


def listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _grades(count: int) -> str:
    return "1 grade is" if count == 1 else f"{count:,} grades are"


def cells(count: int) -> str:
    return "1 cell was" if count == 1 else f"{count:,} cells were"
