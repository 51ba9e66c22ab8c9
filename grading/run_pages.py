"""What is said about a run: while it works, in its report, in the history. Counts and reasons only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from grading import journal
from grading.core.reasons import reason_for
from grading.models import Run, RunState, UndoJournal

PHASES = {
    "reading": "Reading outcomes and the gradebook",
    "checking": "Checking that nothing changed since the preview",
    "making_columns": "Making new columns",
    "sending": "Grades written",
    "reading_back": "Reading back what was written",
}
WHAT_HAPPENED = {
    "done": "Everything was sent",
    "partial": "Some cells were not sent",
    "stopped": "Stopped: something needs a person",
    "changed": "Nothing sent: the course had changed",
    "discarded": "Preview put away",
}


WRITTEN = {"graded", "zeroed", "excused", "cleared", "restored"}
LEFT_ALONE = {
    "same", "no_evidence", "too_little_evidence", "not_a_student", "not_assigned", "already_graded",
    "would_lower", "held_by_person",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Working:
    """A run under way. `over`: there is a page to go on to."""

    heading: str
    title: str
    label: str
    note: str
    done: int
    total: int
    over: bool
    can_stop: bool


def working(run: Run) -> Working:
    """How far a run is, from what it last said."""
    progress: Mapping[str, Any] = run.progress or {}
    phase = str(progress.get("phase", ""))
    is_reading = run.state == RunState.READING
    label = PHASES.get(phase, PHASES["reading"] if is_reading else "Waiting for the worker")
    column = str(progress.get("column", ""))
    if column and phase != "reading":
        label = f"{label}: {column}"
    return Working(
        heading="Reading Canvas" if is_reading else "Sending grades",
        title="Working out the preview" if is_reading else "Grades are being sent",
        label=label,
        note="" if is_reading else _time_left(run, progress),
        done=int(progress.get("done", 0)),
        total=int(progress.get("total", 0)),
        over=run.state in {RunState.READY, RunState.FINISHED},
        can_stop=run.state in {RunState.APPROVED, RunState.SENDING} and not run.stop_requested,
    )


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
class ReasonLine:
    short: str
    sentence: str
    count: int


@dataclass(frozen=True, slots=True)
class ReportPart:
    """Cells that ended alike: written, not sent though they should be, or left alone on purpose."""

    title: str
    reasons: tuple[ReasonLine, ...]


@dataclass(frozen=True, slots=True)
class ProblemLine:
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """A finished run in words."""

    headline: str
    kind: str
    title: str
    text: str
    problems: tuple[ProblemLine, ...]
    parts: tuple[ReportPart, ...]
    can_undo: bool
    undo_until: datetime | None
    canvas_url: str


def report(run: Run, names: Mapping[int, str]) -> Report:
    """What was written, what was not and why. `names` are the alignments' by id; a deleted one has none."""
    undoable = undoable_journal(run)
    error: Mapping[str, Any] = run.error or {}
    return Report(
        headline=headline(run),
        kind="danger" if run.outcome == "stopped" else "warning",
        title=str(reason_for(str(error.get("code", ""))).short) if error else "",
        text=str(error.get("detail", "")),
        problems=tuple(problem_lines(run, names)),
        parts=tuple(_parts(run)),
        can_undo=undoable is not None,
        undo_until=undoable.expires_at if undoable else None,
        canvas_url=gradebook_url(run),
    )


def _parts(run: Run) -> Iterator[ReportPart]:
    """What needs a person comes first, what was left alone last."""
    written = "Would have been sent" if _wrote_nothing(run) else "In the gradebook"
    if run.undo_of_id:
        written = "Put back"
    titles = {"open": "Not sent, and what to do", "written": written, "left": "Left as they are"}
    for kind, title in titles.items():
        lines = [
            ReasonLine(reason_for(code).short, reason_for(code).sentence, count)
            for code, count in sorted(run.reasons.items(), key=lambda item: (-item[1], item[0]))
            if _kind_of(code) == kind
        ]
        if lines:
            yield ReportPart(title, tuple(lines))


def _kind_of(code: str) -> str:
    if code in WRITTEN:
        return "written"
    return "left" if code in LEFT_ALONE else "open"


def _wrote_nothing(run: Run) -> bool:
    return run.dry_run or run.outcome in {"changed", "discarded"} or run.approved_at is None


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
    return [ProblemLine(_listed(found), detail) for detail, found in by_detail.items()]


def headline(run: Run) -> str:
    """The first sentence of a report."""
    sent = run.counts.get("send", 0)
    refused = run.counts.get("refused", 0)
    if run.undo_of_id:
        return f"Undo of run {run.undo_of.number}: {_cells(sent)} put back." if run.undo_of else "Undo"
    if run.outcome == "discarded":
        return "This preview was put away. Nothing was sent."
    if run.outcome == "changed":
        return "Nothing was sent: the course changed after the preview."
    if run.dry_run:
        return f"Dry run: {_cells(sent)} would have been sent."
    if run.outcome == "stopped" and not sent:
        return "Nothing was sent."
    if not sent and not refused:
        return "Nothing had to be sent: the gradebook already holds what the rules give."
    first = f"{_grades(sent)} in the gradebook."
    return f"{first} {_cells(refused)} not sent." if refused else first


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
    state = "Under way" if run.state != RunState.FINISHED else WHAT_HAPPENED.get(run.outcome, "Ended")
    if run.dry_run:
        state = f"Dry run. {state}"
    if run.undo_of_id:
        state = f"Undo. {state}"
    return HistoryRow(
        run.number,
        run.finished_at or run.started_at,
        owner(run, reader),
        state,
        run.counts,
    )


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


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _grades(count: int) -> str:
    return "1 grade is" if count == 1 else f"{count} grades are"


def _cells(count: int) -> str:
    return "1 cell was" if count == 1 else f"{count} cells were"
