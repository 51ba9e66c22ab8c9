"""Why a column cannot be graded, in the words a teacher needs; pure.

Sources: Canvas app/models/abstract_assignment.rb (grading types, what a posted grade becomes),
app/models/submission.rb (moderation, anonymity).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from alignments.core.numbers import plain
from canvas.values import Assignment, GradingScheme, LineItem

NUMBER = re.compile(r"\s*[-+\u2212]?(\d+\.?\d*|\.\d+)\s*")
LETTERED = {"letter_grade", "gpa_scale"}


@dataclass(frozen=True, slots=True)
class Column:
    """A target as Canvas has it now. `points` is None when there is nothing to give points for;
    `blocked` is empty when the column can be graded."""

    label: str
    points: Decimal | None
    blocked: str = ""
    assignment: Assignment | None = None
    """None: a column that is not made yet, or gone."""
    line_item: LineItem | None = None
    exists: bool = True
    """False for a column this run would make."""

    @property
    def is_pass_fail(self) -> bool:
        return self.assignment is not None and self.assignment.grading_type == "pass_fail"

    @property
    def identity(self) -> str:
        """Everything a plan relies on; two equal identities are the same target in the same state."""
        found = self.assignment
        shape = [self.points and plain(self.points), self.blocked, self.exists]
        if found:
            shape += [found.id, found.grading_type, found.grading_standard_id, found.in_closed_grading_period]
        return repr(shape)


def assignment_column(
    assignment: Assignment | None, wanted_id: str, expected: Decimal | None, scheme: GradingScheme | None
) -> Column:
    """An assignment that existed before; `None` when the course does not have it (any more)."""
    if assignment is None:
        return Column(
            f"Assignment {wanted_id}",
            None,
            f"Assignment {wanted_id} is not in this course (any more). Choose another target.",
        )
    blocked = blocked_reason(assignment, expected) or numeric_labels(assignment, scheme)
    return Column(assignment.name, assignment.points_possible, blocked, assignment)


def made_column(
    label: str, assignment: Assignment | None, line_item: LineItem | None, expected: Decimal | None
) -> Column:
    """A column of ours that was made before."""
    if line_item is None:
        gone = (
            f'The column "{label}" is no longer in Canvas. Save the alignment again to make a new one, '
            "or choose another target."
        )
        return Column(label, None, gone)
    if assignment is None:
        return Column(label, None, unknown_assignment(label), line_item=line_item)
    blocked = blocked_reason(assignment, expected)
    return Column(assignment.name, assignment.points_possible, blocked, assignment, line_item)


def new_column(label: str, points: Decimal) -> Column:
    """A column that the first run with something to send makes."""
    return Column(label, points, exists=False)


def fed_once(columns: Mapping[int, Column]) -> dict[int, Column]:
    """The same columns by alignment. A column of ours is an assignment too: whoever feeds it by that name as well is
    blocked, else the two would write over each other for ever."""
    made = {one.assignment.id for one in columns.values() if one.line_item and one.assignment}
    return {
        key: replace(one, blocked=one.blocked or _fed_twice(one.label))
        if one.line_item is None and one.assignment and one.assignment.id in made
        else one
        for key, one in columns.items()
    }


def _fed_twice(label: str) -> str:
    return (
        f'"{label}" is a column that this tool made and that another alignment feeds. Choose another target.'
    )


def unknown_assignment(label: str) -> str:
    return (
        f'It is not clear which assignment in Canvas belongs to the column "{label}": none or several have '
        "its name and points. Rename the others and send again."
    )


def blocked_reason(assignment: Assignment, expected: Decimal | None) -> str:
    """The first thing that keeps an assignment from being graded, as one sentence or two; "" if nothing."""
    name, points = f'"{assignment.name}"', assignment.points_possible
    if not assignment.published:
        return f"Publish the assignment {name} and send again."
    if assignment.grading_type == "not_graded" or "not_graded" in assignment.submission_types:
        return f"The assignment {name} is not graded. Choose how it is graded in Canvas, then send again."
    if assignment.moderated_grading:
        return (
            f"The assignment {name} is moderated: its grades come from the moderator. Choose another target."
        )
    if assignment.anonymous_grading:
        return (
            f"The assignment {name} is graded anonymously. Turn that off in Canvas or choose another target."
        )
    if assignment.graded_as_group:
        return (
            f"The assignment {name} gives a whole group one grade. Let students be graded individually in "
            "Canvas or choose another target."
        )
    if points is None or points <= 0:
        return (
            f"The assignment {name} has no points. Give it points in Canvas, then save the alignment again."
        )
    if expected is not None and not same_points(points, expected):
        return (
            f"The points of {name} changed in Canvas from {plain(expected)} to {plain(points)}. "
            "Save the alignment again if that is right."
        )
    return ""


def same_points(one: Decimal, other: Decimal) -> bool:
    """Ten decimals is what is kept of expected points."""
    return abs(one - other) < Decimal("0.00000000005")


def numeric_labels(assignment: Assignment, scheme: GradingScheme | None) -> str:
    """Why numbers cannot be sent by REST; "" if they can.

    Canvas reads a posted number that equals a label as that label, and bulk grading cannot say otherwise.
    """
    if assignment.grading_type not in LETTERED:
        return ""
    name = f'"{assignment.name}"'
    if scheme is None:
        return (
            f"The grading scheme of {name} could not be read, and its letters might be numbers. "
            "Choose a scheme of this course for the assignment, or grade it by points."
        )
    if any(NUMBER.fullmatch(level.name) for level in scheme.levels):
        return (
            f'The grading scheme "{scheme.title}" of {name} has numbers for letters, so Canvas would mistake '
            "points for letters. Choose another scheme for it, or grade it by points."
        )
    return ""


def half_pass(assignment: Assignment, score: Decimal) -> str:
    """Why this score cannot be given; "" if it can. Canvas empties a complete/incomplete cell that is sent anything
    but none or all of the points."""
    if assignment.grading_type != "pass_fail" or score in (0, assignment.points_possible):
        return ""
    return (
        f'"{assignment.name}" is complete/incomplete, and this grade is neither none nor all of its points.'
    )
