"""What the grading pages show, worked out from a plan: values ready for templates, nothing read, nothing kept.

Names are given by the caller for one request and go nowhere else. A student is addressed by their place
in the plan's order ("Student 7"), never by an id: addresses end up in logs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from canvas.values import Section, Student
from grading.core.grades import EXCUSED, GradeText
from grading.core.plan import CellKey, Choices, Plan, PlannedCell
from grading.core.reasons import reason_for

CELLS_A_PAGE = 600
MOST_STUDENTS_A_PAGE = 50

DECISION_WORDS = {
    "send": "change",
    "unchanged": "same",
    "held": "held",
    "conflict": "needs you",
    "refused": "not taken by Canvas",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What of a plan is shown. Empty means all; `names` switches names off for the projector."""

    decision: str = ""
    section: str = ""
    alignment: int = 0
    search: str = ""
    page: int = 1
    names: bool = True

    def query(self, **changes: str | int | bool) -> str:
        """The same filters, some changed, as a query string without what is empty. Never holds the search:
        it may be a student's name."""
        values: dict[str, str | int | bool] = {
            "decision": self.decision, "section": self.section, "alignment": self.alignment,
            "page": self.page if self.page > 1 else "", "names": "" if self.names else "off",
        }  # fmt: skip
        if changes:
            values["page"] = ""
        if "names" in changes:
            changes["names"] = "" if changes["names"] else "off"
        return urlencode({name: value for name, value in {**values, **changes}.items() if value})


def read_filters(values: Mapping[str, str]) -> Filters:
    """Filters from a request; what makes no sense shows everything."""
    decision = values.get("decision", "")
    return Filters(
        decision=decision if decision in DECISION_WORDS else "",
        section=values.get("section", "")[:40],
        alignment=_whole(values.get("alignment", ""), 0),
        search=" ".join(values.get("search", "").split())[:80],
        page=max(1, _whole(values.get("page", ""), 1)),
        names=values.get("names", "") != "off",
    )


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell as it is read: old → new, with a mark for the direction and the reason in words."""

    ref: str
    before: str
    after: str
    decision: str
    word: str
    mark: str
    direction: str
    reason: str
    sentence: str
    can_replace: bool
    can_hold: bool
    replaced: bool
    held_by_person: bool

    @property
    def changes(self) -> bool:
        return self.decision == "send"


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
    title: str
    sentence: str
    label: str
    changes: int
    problem: str = ""
    held: bool = False
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class FilterLink:
    text: str
    query: str
    count: int
    current: bool


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
            return "1 cell holds what a person decided."
        return f"{self.needs_person} cells hold what a person decided."

    @property
    def previous_query(self) -> str:
        return self.filters.query(page=self.filters.page - 1) if self.filters.page > 1 else ""

    @property
    def next_query(self) -> str:
        return self.filters.query(page=self.filters.page + 1) if self.filters.page < self.pages else ""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What a page needs to know of an alignment that is in the plan."""

    title: str
    sentence: str
    label: str
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Roster:
    """The names of one request. `order` is the plan's: a student's number is their place in it, from 1."""

    order: Sequence[str]
    students: Mapping[str, Student] = field(repr=False)
    sections: Mapping[str, Section] = field(default_factory=dict)

    def name(self, user: str, *, shown: bool = True) -> str:
        """The sortable name, or "Student 7" where names are off or Canvas did not give one."""
        student = self.students.get(user)
        if shown and student and student.sortable_name:
            return student.sortable_name
        return f"Student {self.number(user)}"

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
    alignments = [one for one in facts if filters.alignment in (0, one)]
    by_key = {cell.key: cell for cell in plan.cells}
    users = [user for user in roster.order if _is_shown(user, alignments, by_key, roster, filters)]
    needs = {cell.user for cell in plan.cells if cell.decision == "conflict"}
    users.sort(
        key=lambda user: (
            user not in needs, roster.name(user, shown=filters.names).casefold(), roster.number(user),
        )
    )  # fmt: skip
    size = max(5, min(MOST_STUDENTS_A_PAGE, CELLS_A_PAGE // max(1, len(alignments))))
    pages = max(1, -(-len(users) // size))
    start = (min(filters.page, pages) - 1) * size
    rows = [
        StudentRow(
            roster.number(user),
            roster.name(user, shown=filters.names),
            roster.note(user),
            tuple(_cell_view(by_key.get((one, user)), choices, roster, filters) for one in alignments),
            user in choices.hold_students,
        )
        for user in users[start : start + size]
    ]
    counts = plan.counts
    return PreviewPage(
        columns=tuple(_column_view(one, facts[one], plan, choices) for one in alignments),
        rows=tuple(rows),
        filters=filters,
        links=tuple(_links(counts, filters)),
        shown=len(users),
        pages=pages,
        needs_person=counts["conflict"],
        sentence=summary_sentence(counts),
    )


def summary_sentence(counts: Mapping[str, int]) -> str:
    """ "31 grades would change, 2 need you." """
    change, needs = counts.get("send", 0), counts.get("conflict", 0)
    if not change and not needs:
        return "Nothing to send: the gradebook already holds what the rules give."
    first = f"{_grades(change)} would change" if change else "No grade would change"
    if not needs:
        return f"{first}."
    return f"{first}, {needs} need{'s' if needs == 1 else ''} you."


def student_rows(
    plan: Plan, user: str, facts: Mapping[int, ColumnFacts], choices: Choices, roster: Roster
) -> list[tuple[ColumnFacts, CellView]]:
    """One student's cells, column by column."""
    found = []
    for cell in plan.cells:
        view = _cell_view(cell, choices, roster, Filters()) if cell.user == user else None
        if view and cell.alignment in facts:
            found.append((facts[cell.alignment], view))
    return found


def read_choices(posted: Mapping[str, Sequence[str]], before: Choices, roster: Sequence[str]) -> Choices:
    """What the form says for the cells, students and columns it showed; the others stay as they were.

    `shown` lists what was on the page, so that a box left empty means "no longer held".
    """
    shown = _keys(posted.get("shown", ()), roster)
    shown_students = _students(posted.get("shown_student", ()), roster)
    shown_columns = {_whole(text, 0) for text in posted.get("shown_column", ())}
    return Choices(
        replace=(before.replace - shown) | (_keys(posted.get("replace", ()), roster) & shown),
        hold=(before.hold - shown) | (_keys(posted.get("hold", ()), roster) & shown),
        hold_students=(before.hold_students - shown_students)
        | (_students(posted.get("hold_student", ()), roster) & shown_students),
        hold_alignments=(before.hold_alignments - shown_columns)
        | ({_whole(text, 0) for text in posted.get("hold_column", ())} & shown_columns),
    )


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
    if filters.section and (student is None or filters.section not in student.section_ids):
        return False
    if filters.search and filters.search.casefold() not in roster.name(user, shown=filters.names).casefold():
        return False
    cells = [by_key.get((one, user)) for one in alignments]
    return not filters.decision or any(cell and cell.decision == filters.decision for cell in cells)


def _cell_view(
    cell: PlannedCell | None, choices: Choices, roster: Roster, filters: Filters
) -> CellView | None:
    if cell is None or (filters.decision and cell.decision != filters.decision):
        return None
    reason = reason_for(cell.reason)
    mark, direction = _direction(cell)
    return CellView(
        ref=f"{cell.alignment}.{roster.number(cell.user)}",
        before=show_grade(cell.before),
        after=show_grade(cell.after),
        decision=cell.decision,
        word=DECISION_WORDS.get(cell.decision, cell.decision),
        mark=mark,
        direction=direction,
        reason=reason.short,
        sentence=reason.sentence,
        can_replace=cell.if_forced is not None,
        can_hold=cell.decision == "send" or cell.reason == "held_by_person",
        replaced=cell.key in choices.replace,
        held_by_person=cell.key in choices.hold,
    )


def directions(plan: Plan) -> dict[str, int]:
    """How many of the grades to be sent are new, go up, go down."""
    found = Counter(_direction(cell)[1] for cell in plan.to_send())
    return {"new": found["new"], "up": found["up"], "down": found["down"]}


def read_when(read_at: datetime | None, now: datetime) -> str:
    """How old what is shown is."""
    minutes = int((now - read_at).total_seconds() // 60) if read_at else 0
    if minutes < 1:
        return "Canvas was read just now."
    return f"Canvas was read {minutes} minute{'' if minutes == 1 else 's'} ago."


def _direction(cell: PlannedCell) -> tuple[str, str]:
    if cell.decision != "send":
        return "", ""
    if cell.before is None:
        return "+", "new"
    up = cell.goes_up
    if up is None:
        return "→", "changed"
    return ("▲", "up") if up else ("▼", "down")


def _column_view(alignment: int, facts: ColumnFacts, plan: Plan, choices: Choices) -> ColumnView:
    problem = next((one.detail for one in plan.problems if one.alignment == alignment), "")
    changes = sum(cell.alignment == alignment and cell.decision == "send" for cell in plan.cells)
    held = alignment in choices.hold_alignments
    return ColumnView(
        alignment, facts.title, facts.sentence, facts.label, changes, problem, held, facts.is_new
    )


def _links(counts: Mapping[str, int], filters: Filters) -> Iterable[FilterLink]:
    yield FilterLink("All", filters.query(decision=""), sum(counts.values()), not filters.decision)
    for decision in ("send", "conflict", "held", "unchanged"):
        current = filters.decision == decision
        words = DECISION_WORDS[decision].capitalize()
        yield FilterLink(words, filters.query(decision=decision), counts.get(decision, 0), current)


def _grades(count: int) -> str:
    return "1 grade" if count == 1 else f"{count} grades"


def _keys(refs: Iterable[str], roster: Sequence[str]) -> frozenset[CellKey]:
    found = set()
    for ref in refs:
        alignment, _, number = ref.partition(".")
        place = _whole(number, 0) - 1
        if _whole(alignment, 0) and 0 <= place < len(roster):
            found.add((int(alignment), roster[place]))
    return frozenset(found)


def _students(numbers: Iterable[str], roster: Sequence[str]) -> frozenset[str]:
    places = (_whole(number, 0) - 1 for number in numbers)
    return frozenset(roster[place] for place in places if 0 <= place < len(roster))


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else otherwise
