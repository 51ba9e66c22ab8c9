"""What a good sync costs, and the judgement: measured figures against what is aimed for.

The formula is that of docs/operations.md: pages of 100 for rollups, enrolments, assignments, line items and
cells, at most four calls more, one bulk job for each assignment or one score for each cell that changes, and
the changed cells read again before sending and after it.
"""

from dataclasses import dataclass

PER_PAGE = 100
FEW_MORE = 4
GRADES_A_JOB = 500
FEWER_CALLS = 15
FASTER = 10
MOST_MB = 300
PLANNING_SECONDS = 2
"""Of processor time, for a thousand students and forty alignments of mixed rules."""


@dataclass(frozen=True)
class Size:
    """A course: students, alignments, and all it lists."""

    students: int
    alignments: int
    assignments: int
    line_items: int = 0


@dataclass(frozen=True)
class Cost:
    """Calls, questions after bulk jobs left out."""

    read: int
    write: int

    @property
    def total(self) -> int:
        return self.read + self.write


@dataclass(frozen=True)
class Aim:
    name: str
    aim: str
    measured: str
    met: bool


def pages(rows: int) -> int:
    return -(-rows // PER_PAGE)


def to_plan(size: Size) -> int:
    """The most reads that planning may need."""
    cells = pages(size.students * size.alignments)
    lists = 2 * pages(size.students) + pages(size.assignments) + pages(size.line_items)
    return cells + lists + FEW_MORE


def rereading(size: Size, changed: int) -> int:
    """Reads of the changed cells, once. Where nearly all cells change, they are read as whole pages of
    students × columns; Canvas offers no way to leave single cells out of those."""
    asked_for = size.students * size.alignments if changed else 0
    apart = size.alignments * pages(-(-changed // size.alignments)) if size.alignments else 0
    return min(pages(asked_for), max(pages(changed), apart))


def rest_sync(size: Size, changed: int) -> Cost:
    """Through assignments: one job each, or one for every `GRADES_A_JOB` of its cells."""
    jobs = -(-changed // (GRADES_A_JOB * size.alignments)) * size.alignments
    return Cost(to_plan(size) + 2 * rereading(size, changed), jobs)


def approved_sync(size: Size, changed: int) -> Cost:
    """One that a person approved: before it is sent, the roster and the columns are looked at again."""
    cost = rest_sync(size, changed)
    return Cost(cost.read + pages(size.students) + pages(size.assignments), cost.write)


def ags_sync(size: Size, changed: int, new_columns: int) -> Cost:
    """Through columns of our own: one call for each score, and one to make each new column."""
    return Cost(to_plan(size) + 2 * rereading(size, changed), changed + new_columns)


def ancestor(size: Size, changed: int) -> Cost:
    """One list, then for each student a rollup and for each of the cells an assignment and a submission."""
    return Cost(1 + size.students * (1 + 2 * size.alignments), changed)


def at_most(name: str, measured: int, limit: int) -> Aim:
    return Aim(name, f"<= {limit}", str(measured), measured <= limit)


def at_least(name: str, measured: float, limit: float) -> Aim:
    return Aim(name, f">= {limit:g}x", f"{measured:.1f}x", measured >= limit)


def below(name: str, measured: float, limit: float, unit: str) -> Aim:
    return Aim(name, f"< {limit:g} {unit}", f"{measured:.0f} {unit}", measured < limit)


def under(name: str, measured: float, limit: float, unit: str) -> Aim:
    """As `below`, for a figure whose decimals matter."""
    return Aim(name, f"< {limit:g} {unit}", f"{measured:.2f} {unit}", measured < limit)
