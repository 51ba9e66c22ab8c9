"""Grading schemes: from a score to a label and back (app/models/grading_standard.rb)."""

from __future__ import annotations

from decimal import Decimal

from sandbox.records import Assignment, Course
from sandbox.world import World

DEFAULT_SCHEME: list[tuple[str, Decimal]] = [
    ("A", Decimal("0.94")),
    ("A-", Decimal("0.90")),
    ("B+", Decimal("0.87")),
    ("B", Decimal("0.84")),
    ("B-", Decimal("0.80")),
    ("C+", Decimal("0.77")),
    ("C", Decimal("0.74")),
    ("C-", Decimal("0.70")),
    ("D+", Decimal("0.67")),
    ("D", Decimal("0.64")),
    ("D-", Decimal("0.61")),
    ("F", Decimal(0)),
]


LONGEST_NAME = 255


def faults_of(
    scheme: list[tuple[str, Decimal]], points_based: bool, scaling_factor: Decimal
) -> dict[str, str]:
    """What GradingStandard's validations say of a new scheme, by attribute; nothing where it is fine."""
    faults: dict[str, str] = {}
    bounds = [bound for _, bound in scheme]
    if any(bound < 0 for bound in bounds):
        faults["data"] = "grading scheme values cannot be negative"
    elif len(set(bounds)) < len(bounds):
        faults["data"] = "grading scheme cannot contain duplicate values"
    elif any(len(name) > LONGEST_NAME for name, _ in scheme):
        faults["data"] = "a grading scheme name is too long"
    elif min(bounds) != 0:
        faults["data"] = "grading schemes must have 0% for the lowest grade"
    if not points_based and scaling_factor != 1:
        faults["scaling_factor"] = "must be 1 if scheme points_based is false"
    return faults


def scheme_for(world: World, assignment: Assignment) -> list[tuple[str, Decimal]]:
    """The assignment's own scheme, else the one in force in its course."""
    own = world.grading_standards.get(assignment.grading_standard_id or 0)
    return own.scheme if own else scheme_in_force(world, world.courses[assignment.course_id])


def scheme_in_force(world: World, course: Course) -> list[tuple[str, Decimal]]:
    """The course's own choice, else the nearest account's default, else the built-in one (`account_chain` in
    app/models/account.rb#default_grading_standard)."""
    chain = world.account_chain(course.account_id)
    for standard_id in (course.grading_standard_id, *(account.grading_standard_id for account in chain)):
        standard = world.grading_standards.get(standard_id or 0)
        if standard is not None:
            return standard.scheme
    return DEFAULT_SCHEME


def label_for(scheme: list[tuple[str, Decimal]], fraction: Decimal) -> str:
    """The label with the greatest bound at or below ``fraction``: bounds inclusive, nothing rounded."""
    worth = max(fraction, Decimal(0))
    ordered = sorted(scheme, key=lambda step: step[1], reverse=True)
    for label, bound in ordered:
        if worth >= bound:
            return label
    return ordered[-1][0]


def fraction_of(scheme: list[tuple[str, Decimal]], label: str) -> Decimal | None:
    """What a typed label is worth; None when the scheme does not have it.

    The top label is 100 %; another is the next higher bound minus one point of percentage where the
    gap between the two bounds is at least one, else minus a tenth.
    """
    wanted = label.replace("\u2212", "-").casefold()
    ordered = sorted(scheme, key=lambda step: step[1], reverse=True)
    for position, (name, bound) in enumerate(ordered):
        if name.replace("\u2212", "-").casefold() != wanted:
            continue
        if position == 0:
            return Decimal(1)
        above = ordered[position - 1][1]
        step = Decimal("0.01") if above - bound >= Decimal("0.01") else Decimal("0.001")
        return above - step
    return None
