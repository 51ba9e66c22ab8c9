"""Which assignments a grade can go to, by assignment group, and the reason for each that cannot."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from alignments.core.numbers import plain
from canvas.values import Assignment, AssignmentGroup, GradingScheme

NUMERIC = re.compile(r"[+-]?\d*\.?\d+%?")


@dataclass(frozen=True, slots=True)
class Offer:
    """One assignment of the course. `reason` is empty where grades can go to it."""

    id: str
    name: str
    points: str
    reason: str


@dataclass(frozen=True, slots=True)
class OfferGroup:
    """An assignment group with its assignments, in the gradebook's order."""

    name: str
    offers: tuple[Offer, ...]


def why_not(assignment: Assignment, schemes: Mapping[str, GradingScheme]) -> str | None:
    """Why Canvas would not take (or would misread) grades here, and what to do; None where it would.
    `schemes`: by assignment id, for letter-graded ones."""
    if not assignment.published:
        return "Not published. Publish it in Canvas first."
    if assignment.grading_type == "not_graded" or "not_graded" in assignment.submission_types:
        return "Not graded. Choose a way to show its grade in Canvas first."
    if assignment.moderated_grading:
        return "Moderated: its grades come from provisional grades that a person releases."
    if assignment.anonymous_grading:
        return "Graded anonymously: Canvas shows nobody's grade until it is posted."
    if assignment.graded_as_group:
        return "Graded as a group: one grade would go to every member."
    if not assignment.points_possible:
        return "Worth no points. Give it points in Canvas first."
    if assignment.grading_type in {"letter_grade", "gpa_scale"}:
        scheme = schemes.get(assignment.id)
        if scheme is not None and has_numeric_labels(scheme):
            return (
                f'Its scheme "{scheme.title}" has numbers as letters, which Canvas would mistake for points.'
            )
    return None


def has_numeric_labels(scheme: GradingScheme) -> bool:
    """Canvas reads a number that equals a label as the label (docs/canvas-facts.md)."""
    return any(NUMERIC.fullmatch(level.name.strip()) for level in scheme.levels)


def offers(
    assignments: Iterable[Assignment],
    groups: Iterable[AssignmentGroup],
    schemes: Mapping[str, GradingScheme],
    taken: Mapping[str, str],
    ours: Collection[str],
    first_group_id: str = "",
) -> list[OfferGroup]:
    """What to choose from. `taken` names the alignment an assignment already belongs to; `ours` are the
    columns this tool made, which are aligned by their label instead."""
    order = sorted(groups, key=lambda group: (group.id != first_group_id, group.position, group.name))
    by_group: dict[str, list[Assignment]] = {}
    for assignment in assignments:
        if assignment.id not in ours:
            by_group.setdefault(assignment.assignment_group_id, []).append(assignment)
    named = [(group.name, by_group.pop(group.id, [])) for group in order]
    named.append(("Other assignments", [one for rest in by_group.values() for one in rest]))
    return [
        OfferGroup(name, tuple(_offer(one, schemes, taken) for one in sorted(found, key=_place)))
        for name, found in named
        if found
    ]


def _place(assignment: Assignment) -> tuple[int, str]:
    return assignment.position, assignment.name


def _offer(assignment: Assignment, schemes: Mapping[str, GradingScheme], taken: Mapping[str, str]) -> Offer:
    reason = why_not(assignment, schemes)
    if reason is None and assignment.id in taken:
        reason = f'Already fed by "{taken[assignment.id]}".'
    return Offer(assignment.id, assignment.name, points_words(assignment.points_possible), reason or "")


def points_words(points: Decimal | None) -> str:
    """ "1 point", "2.5 points" or "no points"."""
    return "no points" if points is None else f"{plain(points)} point{'' if points == 1 else 's'}"
