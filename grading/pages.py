"""What the grading pages show, worked out from a plan: values ready for templates, nothing read, nothing kept.

Names are given by the caller for one request and go nowhere else. A student is addressed by their place
in the plan's order ("Student 7"), never by an id: addresses end up in logs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from canvas.values import Section, Student
from grading.core.grades import EXCUSED, GradeText
from grading.core.plan import CellKey, Choices, Plan, PlannedCell
from grading.core.reasons import reason_for
from grading.filters import DECISION_WORDS, FilterLink, Filters, filter_links

CELLS_A_PAGE = 600
MOST_STUDENTS_A_PAGE = 50

NEWER_EVIDENCE = " Work assessed since then says otherwise: the evidence is newer than this grade."
SortKey = tuple[bool, str, int]


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell as it is read: old → new, with a mark for the direction and the reason in words."""

    ref: str
    about: str
    """Whose cell it is, for controls that are read out alone."""
    before: str
    after: str
    decision: str
    word: str
    mark: str
    direction: str
    reason: str
    sentence: str
    evidence: tuple[str, ...]
    """The scores and the arithmetic behind it, a sentence each; empty where there are none."""
    can_replace: bool
    can_hold: bool
    replaced: bool
    held_by_person: bool

    @property
    def changes(self) -> bool:
        return self.decision == "send"

    @property
    def is_by_the_rule(self) -> bool:
        """Whether the arithmetic says all there is to say."""
        return self.changes and bool(self.evidence) and self.reason == reason_for("graded").short


@dataclass(frozen=True, slots=True)
class StudentRow:
    number: int
    name: str
    note: str
    cells: tuple[CellView | None, ...]
    held: bool = False


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One alignment as a column of the preview. `problem` says why nothing of it can be sent."""

    alignment: int
    label: str
    sentence: str
    changes: int
    problem: str = ""
    held: bool = False
    is_new: bool = False
    worth: str = ""


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """The preview as a table of students × columns, one page of it."""

    columns: tuple[ColumnView, ...]
    rows: tuple[StudentRow, ...]
    filters: Filters
    links: tuple[FilterLink, ...]
    shown: int
    """How many students the filters leave."""
    pages: int
    needs_person: int
    sentence: str

    @property
    def conflict_title(self) -> str:
        """The headline over conflicts."""
        if self.needs_person == 1:
            return "1 cell holds what a person decided. It stays unless you choose otherwise."
        return (
            f"{self.needs_person:,} cells hold what a person decided. They stay unless you choose otherwise."
        )

    @property
    def conflict_text(self) -> str:
        """Where they are."""
        if self.needs_person == 1:
            return "It comes first below, with the choice in the cell. “Needs you” shows only it."
        return "They come first below, with the choice in the cell. “Needs you” shows only them."

    @property
    def previous_query(self) -> str:
        return self.filters.query(page=self.filters.page - 1) if self.filters.page > 1 else ""

    @property
    def next_query(self) -> str:
        return self.filters.query(page=self.filters.page + 1) if self.filters.page < self.pages else ""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What a page needs to know of an alignment that is in the plan."""

    label: str
    """The column as the gradebook calls it."""
    sentence: str
    is_new: bool = False
    worth: str = ""
    """What a full grade is worth: "of 1 point"."""
    explain: Callable[[str], Sequence[str]] = field(default=lambda user: (), repr=False)
    """A student's evidence and the arithmetic, a sentence each, by Canvas id; empty where nothing is known."""
    newest: Callable[[str], datetime | None] = field(default=lambda user: None, repr=False)
    """When a student's newest work behind the grade was submitted."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The names of one request. `order` is the plan's: a student's number is their place in it, from 1."""

    order: Sequence[str]
    students: Mapping[str, Student] = field(repr=False)
    sections: Mapping[str, Section] = field(default_factory=dict)
    names_hidden: bool = False

    def name(self, user: str) -> str:
        """The sortable name, or "Student 7" where names are hidden or Canvas did not give one."""
        student = self.students.get(user)
        if not self.names_hidden and student and student.sortable_name:
            return student.sortable_name
        return f"Student {self.number(user)}"

    def sees(self, user: str) -> bool:
        """Whether Canvas shows this student to the reader; where it gave no names at all, all are numbered."""
        return not self.students or user in self.students

    def number(self, user: str) -> int:
        return self.order.index(user) + 1

    def note(self, user: str) -> str:
        """Sections, when the course has more than one."""
        student = self.students.get(user)
        if student is None or len(self.sections) < 2:
            return ""
        return ", ".join(
            sorted(self.sections[one].name for one in student.section_ids if one in self.sections)
        )


def preview_page(
    plan: Plan, choices: Choices, facts: Mapping[int, ColumnFacts], roster: Roster, filters: Filters
) -> PreviewPage:
    """One page of the preview; `plan` already carries the `choices`."""
    by_key = {cell.key: cell for cell in plan.cells}
    alignments = _shown_alignments(plan, facts, filters)
    users = [user for user in roster.order if _is_shown(user, alignments, by_key, roster, filters)]
    users.sort(key=_needs_person_first(plan, roster))
    size = max(5, min(MOST_STUDENTS_A_PAGE, CELLS_A_PAGE // max(1, len(alignments))))
    pages = max(1, -(-len(users) // size))
    filters = replace(filters, page=min(filters.page, pages))
    start = (filters.page - 1) * size
    views = _CellViews(choices, facts, roster, filters)
    rows = [
        StudentRow(
            roster.number(user),
            roster.name(user),
            roster.note(user),
            tuple(views.of(by_key.get((one, user))) for one in alignments),
            user in choices.hold_students,
        )
        for user in users[start : start + size]
    ]
    counts = plan.counts
    return PreviewPage(
        columns=tuple(_column_view(one, facts[one], plan, choices) for one in alignments),
        rows=tuple(rows),
        filters=filters,
        links=tuple(filter_links(counts, filters)),
        shown=len(users),
        pages=pages,
        needs_person=counts["conflict"],
        sentence=summary_sentence(counts),
    )


def _shown_alignments(plan: Plan, facts: Mapping[int, ColumnFacts], filters: Filters) -> list[int]:
    """The columns the filters leave: with a decision asked for, those that hold a cell of it."""
    asked = {cell.alignment for cell in plan.cells if filters.decision in ("", cell.decision)}
    return [one for one in facts if one in asked and filters.alignment in (0, one)]


def _needs_person_first(plan: Plan, roster: Roster) -> Callable[[str], SortKey]:
    """Students with a conflict first, whatever was chosen for it; then by name, or by number where names are hidden."""
    needs = {cell.user for cell in plan.cells if cell.decision == "conflict" or cell.if_forced}

    def key(user: str) -> SortKey:
        by_name = "" if roster.names_hidden else roster.name(user).casefold()
        return user not in needs, by_name, roster.number(user)

    return key


def summary_sentence(counts: Mapping[str, int]) -> str:
    """ "31 grades would change, 2 need you." """
    change, needs = counts.get("send", 0), counts.get("conflict", 0)
    if not change and not needs:
        return "Nothing to send: the gradebook already holds what the rules give."
    first = f"{_grades(change)} would change" if change else "No grade would change"
    if not needs:
        return f"{first}."
    return f"{first}, {needs:,} need{'s' if needs == 1 else ''} you."


def student_rows(
    plan: Plan, user: str, facts: Mapping[int, ColumnFacts], choices: Choices, roster: Roster
) -> list[tuple[ColumnFacts, CellView]]:
    """One student's cells, column by column."""
    views = _CellViews(choices, facts, roster, Filters())
    mine = [cell for cell in plan.cells if cell.user == user and cell.alignment in facts]
    return [(facts[cell.alignment], view) for cell in mine if (view := views.of(cell))]


def show_grade(text: GradeText) -> str:
    """A grade as a person reads it."""
    if text is None:
        return "–"
    return "excused" if text == EXCUSED else text


def _is_shown(
    user: str,
    alignments: Sequence[int],
    by_key: Mapping[CellKey, PlannedCell],
    roster: Roster,
    filters: Filters,
) -> bool:
    student = roster.students.get(user)
    if not roster.sees(user):
        return False
    if filters.section and (student is None or filters.section not in student.section_ids):
        return False
    if filters.search and filters.search.casefold() not in roster.name(user).casefold():
        return False
    cells = [by_key.get((one, user)) for one in alignments]
    return not filters.decision or any(cell and cell.decision == filters.decision for cell in cells)


class _CellViews:
    """Makes the cells of one page."""

    def __init__(
        self, choices: Choices, facts: Mapping[int, ColumnFacts], roster: Roster, filters: Filters
    ) -> None:
        self.choices, self.facts, self.roster, self.filters = choices, facts, roster, filters

    def of(self, cell: PlannedCell | None) -> CellView | None:
        """The cell as it is shown; None where there is none or the filter leaves it out."""
        if cell is None or self.filters.decision not in ("", cell.decision):
            return None
        reason = reason_for(cell.reason)
        mark, direction = _direction(cell)
        facts = self.facts[cell.alignment]
        return CellView(
            ref=f"{cell.alignment}.{self.roster.number(cell.user)}",
            about=f"{self.roster.name(cell.user)}, {facts.label}",
            before=show_grade(cell.before),
            after=show_grade(cell.after),
            decision=cell.decision,
            word=DECISION_WORDS.get(cell.decision, cell.decision),
            mark=mark,
            direction=direction,
            reason=reason.short,
            sentence=f"{reason.sentence}{_newer_evidence(cell, facts)}",
            evidence=tuple(facts.explain(cell.user)),
            can_replace=cell.if_forced is not None and cell.if_forced.decision == "send",
            can_hold=cell.if_forced is None and (cell.decision == "send" or cell.reason == "held_by_person"),
            replaced=cell.key in self.choices.replace,
            held_by_person=cell.key in self.choices.hold,
        )


def _newer_evidence(cell: PlannedCell, facts: ColumnFacts) -> str:
    """Whether a person's grade is older than the evidence that speaks for another one."""
    if cell.if_forced is None or cell.before == cell.after or cell.graded_at is None:
        return ""
    newest = facts.newest(cell.user)
    return NEWER_EVIDENCE if newest is not None and newest > cell.graded_at else ""


def directions(plan: Plan) -> str:
    """Which way the grades to be sent go: "12 new, 1 up, 1 down"; only what there is."""
    found = Counter(_direction(cell)[1] for cell in plan.to_send())
    return ", ".join(
        f"{found[way]:,} {way}" for way in ("new", "up", "down", "emptied", "changed") if found[way]
    )


def read_when(read_at: datetime | None, now: datetime) -> str:
    """How old what is shown is."""
    minutes = int((now - read_at).total_seconds() // 60) if read_at else 0
    if minutes < 1:
        return "Canvas was read just now."
    count, unit = (minutes, "minute") if minutes < 120 else (minutes // 60, "hour")
    if unit == "hour" and count >= 48:
        count, unit = count // 24, "day"
    return f"Canvas was read {count} {unit}{'' if count == 1 else 's'} ago."


def _direction(cell: PlannedCell) -> tuple[str, str]:
    """A mark and its word for a cell that would be sent."""
    if cell.decision != "send":
        return "", ""
    if cell.after is None:
        return "✕", "emptied"
    if cell.after == EXCUSED or cell.goes_up is None:
        return "→", "changed"
    if cell.before is None:
        return "+", "new"
    return ("▲", "up") if cell.goes_up else ("▼", "down")


def _column_view(alignment: int, facts: ColumnFacts, plan: Plan, choices: Choices) -> ColumnView:
    problem = next((one.detail for one in plan.problems if one.alignment == alignment), "")
    changes = sum(cell.alignment == alignment and cell.decision == "send" for cell in plan.cells)
    held = alignment in choices.hold_alignments
    return ColumnView(
        alignment, facts.label, facts.sentence, changes, problem, held, facts.is_new, facts.worth
    )


def _grades(count: int) -> str:
    return "1 grade" if count == 1 else f"{count:,} grades"
