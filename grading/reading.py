"""What a sync reads: everything it decides from, whole, with the fewest calls.

Order matters: the cells come last, so that they are as fresh as the plan, and `read_at` is the moment before
anything was read, which is what AGS scores are stamped with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils import timezone

from alignments.core.definition import Scheme
from alignments.models import Target, TargetKind
from alignments.services import StoredAlignment
from canvas.rest import Schemes
from canvas.values import (
    Assignment,
    Cell,
    Course,
    CourseEvidence,
    GradingScheme,
    LineItem,
    Student,
)
from grading.connection import Connection, Stopped, check_clocks, stopped
from grading.core.columns import LETTERED, Column, assignment_column, fed_once, made_column, new_column
from grading.ownscores import CourseSoFar, OwnScores, read_own_scores
from lti_tool.errors import Refused

Keys = Sequence[tuple[str, str]]
"""Cells as (assignment, student)."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What Canvas has to write into: assignments by id, and this tool's line items by resource id."""

    assignments: Mapping[str, Assignment]
    line_items: Mapping[str, LineItem]


@dataclass(frozen=True, slots=True)
class CourseReading:
    """One whole read of a course."""

    course: Course
    evidence: CourseEvidence
    students: Mapping[str, Student]
    targets: Targets
    columns: Mapping[int, Column]
    """By alignment id."""
    schemes: Mapping[int, GradingScheme | None]
    cells: Mapping[tuple[str, str], Cell]
    closed_periods: frozenset[str] | None
    read_at: datetime
    own_scores: Mapping[int, OwnScores] = field(default_factory=dict)
    """By alignment id, for those that calculate otherwise than Canvas."""


def read_course(to: Connection, stored: Sequence[StoredAlignment]) -> CourseReading:
    """Read all that planning needs. Raises a PlatformError or Stopped; never gives part of a course."""
    read_at = timezone.now()
    course = to.rest.course(to.course_id)
    check_clocks(to)
    _may_grade(course)
    evidence = to.rest.evidence(to.course_id)
    to.counter.reads("roster")
    students = to.rest.students(to.course_id)
    to.counter.reads("assignments")
    if course.own_sections_only:
        evidence = _of_those_seen(evidence, students)
    try:
        targets = read_targets(to, [one.target for one in stored])
    except Refused as error:
        if course.concluded and error.code == "gone":
            # Older Canvas hides the line items of a course that has ended: 404, not 422.
            raise stopped("concluded") from error
        raise
    schemes = read_schemes(to, stored, targets, course)
    columns = columns_of(stored, targets, schemes)
    own_scores = read_own_scores(to, stored, CourseSoFar(evidence, students, targets.assignments))
    if course.own_sections_only:
        own_scores = {key: _scores_of_those_seen(one, students) for key, one in own_scores.items()}
    try:
        cells = _cells(to, columns.values())
    except Refused as error:
        if error.code != "unpublished":
            raise
        # One was unpublished or deleted a moment ago: look again at what there is.
        targets = read_targets(to, [one.target for one in stored])
        columns = columns_of(stored, targets, schemes)
        cells = _cells(to, columns.values())
    return CourseReading(
        course=course,
        evidence=evidence,
        students=students,
        targets=targets,
        columns=columns,
        schemes=schemes,
        cells=cells,
        closed_periods=_closed_periods(to, cells.values()),
        read_at=min(read_at, evidence.read_at),
        own_scores=own_scores,
    )


def _of_those_seen(evidence: CourseEvidence, students: Mapping[str, Student]) -> CourseEvidence:
    """Canvas tells a teacher of some sections everybody's mastery (rest.md 1.5), and only their own students are in
    the roster: of the others nothing can be said, least of all that they are no students."""
    seen = {user: rollup for user, rollup in evidence.rollups.items() if user in students}
    return replace(evidence, rollups=seen)


def _scores_of_those_seen(own: OwnScores, students: Mapping[str, Student]) -> OwnScores:
    return replace(own, scores={user: one for user, one in own.scores.items() if user in students})


def _may_grade(course: Course) -> None:
    # In a concluded course nobody may: it can still be read, and may need nothing.
    if course.may_grade is False and not course.concluded:
        raise stopped("no_permission")


def read_targets(to: Connection, targets: Sequence[Target]) -> Targets:
    """The course's assignments, and our line items where the course has columns of ours."""
    assignments = to.rest.assignments(to.course_id) if targets else {}
    has_columns = any(target.kind == TargetKind.COLUMN for target in targets)
    return Targets(assignments, read_line_items(to) if has_columns else {})


def read_line_items(to: Connection) -> dict[str, LineItem]:
    """This tool's line items by resource id; the oldest where two carry the same."""
    if not to.context.line_items_url:
        raise stopped("no_ags")
    found: dict[str, LineItem] = {}
    for item in to.ags.line_items():
        if item.resource_id:
            found.setdefault(item.resource_id, item)
    return found


def columns_of(
    stored: Sequence[StoredAlignment],
    targets: Targets,
    schemes: Mapping[int, GradingScheme | None],
) -> dict[int, Column]:
    """Each alignment's target as it is now."""
    return fed_once({one.id: _column(one, stored, targets, schemes.get(one.id)) for one in stored})


def _column(
    one: StoredAlignment, stored: Sequence[StoredAlignment], targets: Targets, scheme: GradingScheme | None
) -> Column:
    target = one.target
    if target.kind == TargetKind.ASSIGNMENT:
        assignment = targets.assignments.get(target.assignment_id)
        return assignment_column(assignment, target.assignment_id, one.expected_points, scheme)
    line_item = targets.line_items.get(target.resource_id)
    if line_item is None and not target.line_item_url:
        if target.points is None:
            raise Stopped("internal", "operator", f'The column "{target.label}" has no points here.')
        return new_column(target.label, target.points)
    claimed = {other.target.assignment_id for other in stored if other.target.pk != target.pk}
    assignment = assignment_of(target, line_item, targets.assignments, claimed) if line_item else None
    return made_column(target.label, assignment, line_item, one.expected_points)


def assignment_of(
    target: Target, item: LineItem, assignments: Mapping[str, Assignment], claimed: Iterable[str]
) -> Assignment | None:
    """The assignment behind one of our line items: the one remembered, else the only one with its name and points that
    no other target has. AGS does not say (canvas-lms line_items_serializer.rb)."""
    remembered = assignments.get(target.assignment_id)
    # Without an address the alignment was saved anew: what is remembered may be the column before this one, deleted.
    if remembered is not None or (target.assignment_id and target.line_item_url):
        return remembered
    taken = set(claimed)
    fitting = [
        one
        for one in assignments.values()
        if one.name == item.label and one.points_possible == item.score_maximum and one.id not in taken
    ]
    return fitting[0] if len(fitting) == 1 else None


def read_schemes(
    to: Connection,
    stored: Sequence[StoredAlignment],
    targets: Targets,
    course: Course | None = None,
) -> dict[int, GradingScheme | None]:
    """The grading scheme of every alignment that needs one: for its rule, or to look for numeric labels."""
    needed: dict[int, tuple[str | None, Assignment | None]] = {}
    for one in stored:
        assignment, rule = targets.assignments.get(one.target.assignment_id), one.definition.rule
        if isinstance(rule, Scheme):
            needed[one.id] = (rule.grading_standard_id, assignment)
        elif assignment is not None and assignment.grading_type in LETTERED:
            needed[one.id] = (None, assignment)
    if not needed:
        return {}
    course = course or to.rest.course(to.course_id)
    named = [course.grading_standard_id, *(wanted for wanted, _ in needed.values())]
    named += [assignment.grading_standard_id for _, assignment in needed.values() if assignment]
    known = to.rest.grading_schemes(course) if any(named) else Schemes({})
    return {
        key: known.find(wanted) if wanted else known.applying_to(assignment, course)
        for key, (wanted, assignment) in needed.items()
    }


def _cells(to: Connection, columns: Iterable[Column]) -> dict[tuple[str, str], Cell]:
    """Every student's cell in every published column. Canvas refuses the whole call for an unpublished one."""
    ids = sorted({c.assignment.id for c in columns if c.assignment and c.assignment.published})
    return dict(to.rest.cells(to.course_id, ids)) if ids else {}


def _closed_periods(to: Connection, cells: Iterable[Cell]) -> frozenset[str] | None:
    """Asked only where a cell belongs to a grading period at all."""
    if not any(cell.grading_period_id for cell in cells):
        return None
    closed = to.rest.closed_grading_periods(to.course_id)
    return None if closed is None else frozenset(closed)


def read_again(to: Connection, keys: Keys) -> dict[tuple[str, str], Cell]:
    """These cells as they are now, by whichever way needs fewer pages: all together, or column by column."""
    if not keys:
        return {}
    columns: dict[str, list[str]] = {}
    for assignment_id, user_id in keys:
        columns.setdefault(assignment_id, []).append(user_id)
    users = sorted({user_id for _, user_id in keys})
    together = _pages(len(users), len(columns))
    apart = sum(_pages(len(of_one), 1) for of_one in columns.values())
    found: dict[tuple[str, str], Cell] = {}
    if together <= apart:
        found.update(to.rest.cells(to.course_id, sorted(columns), users))
    else:
        for assignment_id, of_one in columns.items():
            found.update(to.rest.cells(to.course_id, [assignment_id], of_one))
    return found


def read_what_is_left(to: Connection, keys: Keys) -> dict[tuple[str, str], Cell]:
    """As `read_again`, but a column that was unpublished or deleted meanwhile only lacks its cells: what became
    of the other columns has to be known all the same."""
    try:
        return read_again(to, keys)
    except Refused as error:
        if error.code != "unpublished":
            raise
    there = to.rest.assignments(to.course_id)
    return read_again(to, [key for key in keys if key[0] in there and there[key[0]].published])


def _pages(users: int, columns: int) -> int:
    """Pages of 100 cells, when students are asked for a hundred at a time."""
    whole, rest = divmod(users, 100)
    return whole * columns + -(-rest * columns // 100)
