"""Every student of the class under a rule, exceptions included, worked out from what was read of the course."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from alignments.classresults import ClassResults, not_listed
from alignments.core.checks import check
from alignments.core.definition import ColumnTarget, Definition, Scheme
from alignments.core.exceptions import LOST, Instead, Students, applying_to, check_instead, with_rule
from alignments.core.levels import Score
from alignments.core.numbers import short
from alignments.core.rules import Decider, Wanted
from alignments.pages import Reading
from canvas.values import GradingScheme

UNREAD_SCHEMES = (
    "Canvas did not show the grading schemes to this account, so its letters cannot be counted here."
)
UNREAD_RESULTS = "The single results this calculation needs were not read."
NO_POINTS = "The assignment has no points in Canvas, so there is no grade to work out."
NOBODY = "There is no active student in this course yet."
NO_STUDENTS: Students = {}
NOTHING = Wanted("not_enough", None, 0)
Scores = Mapping[str, Mapping[str, Score | None]]


@dataclass(frozen=True, slots=True)
class ClassUnderRule:
    """Every active student's grade, by Canvas id; or why it cannot be said. Whom an exception leaves alone has
    no grade in `wanted`."""

    wanted: Mapping[str, Wanted] = field(repr=False)
    points: Decimal = Decimal(0)
    trouble: str = ""
    connect: bool = False
    """Whether connecting the Canvas account again is the step."""
    apart: Mapping[str, Instead] = field(default_factory=dict, repr=False)
    """Students with a rule of their own, or none."""
    scores_by_user: Scores = field(default_factory=dict, repr=False)

    @property
    def scores(self) -> list[Decimal]:
        """The grades there are."""
        return [one.score for one in self.wanted.values() if one.score is not None]

    @property
    def mean(self) -> str:
        """The mean of the grades there are, rounded for reading; "" where there is none."""
        scores = self.scores
        return short(sum((Fraction(one) for one in scores), Fraction(0)) / len(scores)) if scores else ""

    @property
    def left_alone(self) -> int:
        """How many an exception marks as not assessed."""
        return sum(one.rule is None for one in self.apart.values())

    @property
    def by_the_rule(self) -> list[str]:
        """The students the alignment's rule counts for."""
        return [user for user in self.wanted if user not in self.apart]


def class_under(
    definition: Definition, reading: Reading, students: Students | None = NO_STUDENTS
) -> ClassUnderRule:
    """The class, worked out from what was read; no further call. `students` have exceptions of their own; None:
    there are some, and they cannot be opened any more."""
    points, scheme = points_of(definition, reading), scheme_of(definition, reading)
    trouble = _trouble(definition, reading, points, scheme) or (LOST if students is None else "")
    if trouble or points is None:
        results = reading.results if definition.calculation else None
        return ClassUnderRule({}, trouble=trouble or NO_POINTS, connect=bool(results and results.connect))
    scores = scores_under(definition, reading)
    apart = _apart(definition, reading, students or {})
    deciders = _Deciders(definition, reading, points, scheme)
    wanted = {
        user: deciders.wanted(apart.get(user), scores.get(user, {})) for user in sorted(reading.class_ids)
    }
    return ClassUnderRule(wanted, points, apart=apart, scores_by_user=scores)


class _Deciders:
    """The alignment's rule, and those that take its place for some, each made ready once."""

    def __init__(
        self, definition: Definition, reading: Reading, points: Decimal, scheme: GradingScheme | None
    ) -> None:
        self._outcomes, self._points, self._scheme = reading.evidence.outcomes, points, scheme
        self._definition = definition
        self._usual = Decider(definition, self._outcomes, points, scheme)
        self._others: dict[object, Decider | None] = {}

    def wanted(self, instead: Instead | None, scores: Mapping[str, Score | None]) -> Wanted:
        if instead is None:
            return self._usual.wanted(scores)
        if instead.rule is None:
            return NOTHING
        if instead.rule not in self._others:
            self._others[instead.rule] = self._other(instead)
        decider = self._others[instead.rule]
        return decider.wanted(scores) if decider else NOTHING

    def _other(self, instead: Instead) -> Decider | None:
        """None for a rule that cannot be used with the alignment as it is now: its cells are held."""
        if instead.rule is None or check_instead(self._definition, instead.rule):
            return None
        definition = with_rule(self._definition, instead.rule)
        if check(definition, self._outcomes, self._scheme):
            return None
        return Decider(definition, self._outcomes, self._points, self._scheme)


def _apart(definition: Definition, reading: Reading, students: Students) -> dict[str, Instead]:
    if not students and not definition.sections:
        return {}
    found = (
        (user, applying_to(user, reading.students[user].active_section_ids, definition, students))
        for user in sorted(reading.class_ids)
    )
    return {user: instead for user, instead in found if instead is not None}


def _trouble(
    definition: Definition, reading: Reading, points: Decimal | None, scheme: GradingScheme | None
) -> str:
    if isinstance(definition.rule, Scheme) and reading.known_schemes is None:
        return UNREAD_SCHEMES
    if not points:
        return NO_POINTS
    return (
        (check(definition, reading.evidence.outcomes, scheme) or "")
        or ("" if reading.class_ids else NOBODY)
        or (_without_results(definition, reading) if definition.calculation else "")
    )


def _without_results(definition: Definition, reading: Reading) -> str:
    """Why nothing can be calculated from results here; nothing partial looks whole."""
    results = reading.results
    if results is None:
        return UNREAD_RESULTS
    if results.trouble:
        return results.trouble
    unlisted = results.unlisted(definition.outcome_ids, reading.evidence)
    return not_listed(unlisted, reading.evidence.outcomes) if unlisted else ""


def scores_under(definition: Definition, reading: Reading) -> Scores:
    """Every student's scores: Canvas's, or calculated from single results."""
    if definition.calculation is None:
        return {user: rollup.scores for user, rollup in reading.evidence.rollups.items()}
    results = reading.results or ClassResults()
    return results.scores(definition, definition.calculation, reading.evidence.outcomes)


def scheme_of(definition: Definition, reading: Reading) -> GradingScheme | None:
    """The scheme the rule means: the one it names, else the one Canvas uses for the target."""
    known, rule = reading.known_schemes, definition.rule
    if known is None or not isinstance(rule, Scheme):
        return None
    if rule.grading_standard_id:
        return known.find(rule.grading_standard_id)
    target = definition.target
    assignment = None if isinstance(target, ColumnTarget) else reading.assignments.get(target.assignment_id)
    return known.applying_to(assignment, reading.course)


def points_of(definition: Definition, reading: Reading) -> Decimal | None:
    """What the target is worth now."""
    if isinstance(definition.target, ColumnTarget):
        return definition.target.points
    assignment = reading.assignments.get(definition.target.assignment_id)
    return assignment.points_possible if assignment else None
