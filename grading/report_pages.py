"""A finished run in words: what was written, what was not, and who does what about it. Counts and reasons only.

What has to be done comes first, by whom it concerns; every reason is said once, however many cells and columns
it stands for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grading.core.reasons import Reason, reason_for
from grading.models import Run
from grading.run_pages import (
    OPEN_PARTS,
    gradebook_url,
    headline,
    listed,
    part_of,
    stopped_by_person,
    undoable_journal,
)

PARTS = {
    "teacher": "What you can put right",
    "admin": "For your Canvas administrator",
    "operator": "For whoever runs this tool",
    "nobody": "Nothing you have to do",
    "peoples": "People's grades, kept",
    "written": "In the gradebook",
    "left": "Left as they are",
}
"""In the order of the report: what has to be done comes first."""
WIDEST_FIRST = ("platform", "account", "course", "column", "cell")


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason with all it stands for. `where` names the columns; `each` says more of single ones."""

    short: str
    says: str
    step: str
    cells: int
    where: str = ""
    each: tuple[str, ...] = ()

    @property
    def count(self) -> str:
        return "1 cell" if self.cells == 1 else f"{self.cells:,} cells"


@dataclass(frozen=True, slots=True)
class ReportPart:
    title: str
    reasons: tuple[ReasonLine, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """`title` and `text` are what ended the run early, if anything did."""

    headline: str
    lead: str
    kind: str
    title: str
    text: str
    parts: tuple[ReportPart, ...]
    can_undo: bool
    undo_until: datetime | None
    canvas_url: str


def report(run: Run, names: Mapping[int, str]) -> Report:
    """What was written, what was not and why. `names` are the alignments' by id; a deleted one has none."""
    undoable = undoable_journal(run)
    error: Mapping[str, Any] = run.error or {}
    parts = tuple(_parts(run, names))
    return Report(
        headline=headline(run),
        lead=_lead(run),
        kind="danger" if run.outcome == "stopped" and not stopped_by_person(run) else "warning",
        title=reason_for(str(error.get("code", ""))).short if error else "",
        text=_what_ended_it(run),
        parts=parts,
        can_undo=undoable is not None,
        undo_until=undoable.expires_at if undoable else None,
        canvas_url=gradebook_url(run),
    )


FILE_HEAD = ("what became of them", "reason", "cells", "columns", "what to do")


def file_lines(shown: Report) -> Iterator[Sequence[str]]:
    """The report as lines of a CSV file: reasons and counts, which is all that is kept of a run."""
    yield FILE_HEAD
    for part in shown.parts:
        for one in part.reasons:
            words = " ".join(filter(None, [one.says, *one.each, one.step]))
            yield part.title, one.short, str(one.cells), one.where, words


def _lead(run: Run) -> str:
    """What to make of many reasons; one reason speaks for itself."""
    codes = [code for code in run.reasons if part_of(run, code) in OPEN_PARTS]
    if run.outcome != "partial" or len(codes) < 2:
        return ""
    return (
        f"What was not sent has {len(codes)} different reasons, each with the step to take. Take as many as you "
        "like, then preview and send again: only what is still missing is sent."
    )


def _what_ended_it(run: Run) -> str:
    """The reason, said once, with the number of cells that wait for it."""
    if not run.error:
        return ""
    waiting = run.reasons.get(str(run.error.get("code", "")), 0)
    wait = (
        f" {waiting:,} cell{'' if waiting == 1 else 's'} had to wait." if waiting and run.approved_at else ""
    )
    return f"{run.error.get('detail', '')}{wait}"


def _parts(run: Run, names: Mapping[int, str]) -> Iterator[ReportPart]:
    of_part: dict[str, list[str]] = {part: [] for part in PARTS}
    ended_by = str((run.error or {}).get("code", ""))
    for code in run.reasons:
        if code != ended_by:
            of_part[part_of(run, code)].append(code)
    for part, codes in of_part.items():
        if codes:
            codes.sort(key=lambda code: (_width(code), -run.reasons[code], code))
            yield ReportPart(_title(part, run), tuple(_line(run, code, names) for code in codes))


def _title(part: str, run: Run) -> str:
    if part == "written" and (run.dry_run or run.outcome in {"changed", "discarded"} or not run.approved_at):
        return "Put back" if run.undo_of_id else "Would have been sent"
    return PARTS[part]


def _width(code: str) -> int:
    return WIDEST_FIRST.index(reason_for(code).concerns)


def _line(run: Run, code: str, names: Mapping[int, str]) -> ReasonLine:
    """One reason. Where every column says the same it is said once, with their names."""
    reason = reason_for(code)
    details = _details(run, code, names, reason)
    titles = [title for title, _ in details]
    own = [detail for _, detail in details if detail != reason.sentence]
    if not own:
        return _of(reason, code, run, where=listed(titles))
    # What is wrong with a rule is told without what to do about it.
    step = reason.step if code == "broken_alignment" else ""
    if len(set(own)) == 1 and len(own) == len(details):
        return ReasonLine(reason.short, own[0], step, run.reasons[code], listed(titles))
    return ReasonLine(reason.short, "", step, run.reasons[code], each=tuple(own))


def _of(reason: Reason, code: str, run: Run, *, where: str) -> ReasonLine:
    return ReasonLine(reason.short, reason.says, reason.step, run.reasons[code], where)


def _details(run: Run, code: str, names: Mapping[int, str], reason: Reason) -> list[tuple[str, str]]:
    """The columns this reason met, each with its own words; a detail need not name its column again."""
    found = []
    for problem in run.problems:
        if problem["code"] == code:
            title = names.get(problem["alignment"], f"Alignment {problem['alignment']}")
            detail = problem["detail"]
            if detail != reason.sentence and title not in detail:
                detail = f"{title}: {detail}"
            found.append((title, detail))
    return found
