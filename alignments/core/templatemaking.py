"""From a course's alignments to a template: every id gets the name it has in the course. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from alignments.core.definition import (
    AssignmentTarget,
    Calculation,
    ColumnTarget,
    Definition,
    Scheme,
    WeightedOutcome,
)
from alignments.core.templates import Named, TemplateEntry, storable
from canvas.values import Assignment, GradingScheme, Outcome


@dataclass(frozen=True, slots=True)
class Course:
    """What names the ids of an alignment."""

    outcomes: Mapping[str, Outcome]
    assignments: Mapping[str, Assignment]
    schemes: Mapping[str, GradingScheme]


class CannotName(ValueError):
    """Something the alignment needs is no longer in the course; the message says what."""


def entry_of(definition: Definition, course: Course, *, omit_from_final_grade: bool) -> TemplateEntry:
    """The alignment as an entry, without its exceptions. `CannotName` where an outcome or the target is gone."""
    outcomes = [_outcome(one, course) for one in definition.outcome_ids]
    target, assignment = definition.target, None
    points = target.points if isinstance(target, ColumnTarget) else Decimal(1)
    if isinstance(target, AssignmentTarget):
        found = course.assignments.get(target.assignment_id)
        if found is None:
            raise CannotName(f"Assignment {target.assignment_id} is no longer in this course.")
        assignment = _assignment(found.id, course)
        points = found.points_possible or points
    shape = _shape(definition, storable(definition.name, outcomes[0].title))
    return TemplateEntry(
        shape,
        tuple(outcomes),
        tuple(_scale(course.outcomes[one]) for one in definition.outcome_ids),
        assignment,
        points,
        omit_from_final_grade and assignment is None,
        _scheme(definition, course),
        tuple(_assignment(one, course) for one in _ignored(definition.calculation)),
        len(definition.sections),
    )


def _shape(definition: Definition, name: str) -> Definition:
    """The definition with places instead of ids."""
    calculation, target = definition.calculation, definition.target
    if calculation is not None:
        places = {one: str(place) for place, one in enumerate(calculation.ignore_assignments, 1)}
        calculation = replace(
            calculation,
            ignore_assignments=tuple(places.values()),
            ignore_reasons=tuple((places[one], reason) for one, reason in calculation.ignore_reasons),
        )
    named = isinstance(definition.rule, Scheme) and definition.rule.grading_standard_id is not None
    return replace(
        definition,
        name=name,
        outcomes=tuple(
            WeightedOutcome(str(place), one.weight) for place, one in enumerate(definition.outcomes, 1)
        ),
        target=AssignmentTarget("1") if isinstance(target, AssignmentTarget) else target,
        rule=Scheme("1") if named else definition.rule,
        calculation=calculation,
        sections=(),
    )


def _outcome(outcome_id: str, course: Course) -> Named:
    found = course.outcomes.get(outcome_id)
    if found is None:
        raise CannotName(f"Outcome {outcome_id} is no longer in this course.")
    return Named(storable(found.title, f"Outcome {found.id}"), found.id, storable(found.vendor_guid, ""))


def _scale(outcome: Outcome) -> tuple[Decimal | None, Decimal | None]:
    return outcome.points_possible, outcome.mastery_points


def _assignment(assignment_id: str, course: Course) -> Named:
    """An ignored assignment may be gone: it keeps its number, and is looked for in vain."""
    found, instead = course.assignments.get(assignment_id), f"Assignment {assignment_id}"
    return Named(storable(found.name, instead) if found else instead, assignment_id)


def _scheme(definition: Definition, course: Course) -> Named | None:
    wanted = definition.rule.grading_standard_id if isinstance(definition.rule, Scheme) else None
    if wanted is None:
        return None
    found, instead = course.schemes.get(wanted), f"Scheme {wanted}"
    return Named(storable(found.title, instead) if found else instead, wanted)


def _ignored(calculation: Calculation | None) -> Sequence[str]:
    return calculation.ignore_assignments if calculation else ()
