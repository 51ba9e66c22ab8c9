"""Scores of alignments that calculate otherwise than Canvas: their results read, and each student's score.

Results are read some outcomes at a time and forgotten once their scores are known, so memory grows with one
reading, not with students × alignments × results.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from alignments.classresults import Moments, Scores, is_there, not_listed
from alignments.core.calculations import Calculator, Scale
from alignments.core.definition import Calculation
from alignments.services import StoredAlignment
from canvas.values import Assignment, CourseEvidence, OutcomeResult, Student
from grading.connection import Connection
from lti_tool.errors import AccessLost

NO_RIGHT = (
    "The connected Canvas account may not read single results yet, and this alignment calculates from them. "
    "Connect your Canvas account again."
)


@dataclass(frozen=True, slots=True)
class OwnScores:
    """One alignment's scores, or why they cannot be had."""

    scores: Scores = field(repr=False)
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class CourseSoFar:
    """What has been read of the course before its results."""

    evidence: CourseEvidence
    students: Mapping[str, Student]
    assignments: Mapping[str, Assignment]


def read_own_scores(
    to: Connection, stored: Sequence[StoredAlignment], course: CourseSoFar
) -> dict[int, OwnScores]:
    """By alignment id, for those with a calculation; nothing is asked where there is none.

    An account without the right to read results breaks these alignments only.
    """
    wanted = [one for one in stored if one.definition.calculation is not None]
    if not wanted:
        return {}
    needs = _needs(wanted, course)
    reader = _Reader(to, course, needs)
    try:
        reader.read()
    except AccessLost as error:
        if error.code != "scope_missing":
            raise
        return {one.id: OwnScores({}, NO_RIGHT) for one in wanted}
    return {one.id: _of_alignment(one, reader) for one in wanted}


def _needs(wanted: Iterable[StoredAlignment], course: CourseSoFar) -> dict[str, list[Calculation]]:
    """Which calculations each outcome is wanted for; outcomes that are gone or have no scale break their
    alignment anyway, and Canvas would refuse to list the results of the former."""
    needs: dict[str, list[Calculation]] = {}
    for one in wanted:
        for outcome_id in one.definition.outcome_ids:
            outcome = course.evidence.outcomes.get(outcome_id)
            calculation = one.definition.calculation
            if outcome is None or not outcome.points_possible or calculation is None:
                continue
            listed = needs.setdefault(outcome_id, [])
            if calculation not in listed:
                listed.append(calculation)
    return needs


def _of_alignment(one: StoredAlignment, reader: _Reader) -> OwnScores:
    unlisted = [key for key in one.definition.outcome_ids if key in reader.unlisted]
    calculation = one.definition.calculation
    if unlisted or calculation is None:
        return OwnScores({}, not_listed(unlisted, reader.course.evidence.outcomes))
    return OwnScores(reader.scores[calculation])


class _Reader:
    """Reads results and turns them into scores, outcome by outcome."""

    def __init__(
        self, to: Connection, course: CourseSoFar, needs: Mapping[str, Sequence[Calculation]]
    ) -> None:
        self.to, self.course, self.needs = to, course, needs
        self.scores: dict[Calculation, dict[str, dict[str, Fraction | None]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        self.unlisted: set[str] = set()
        """Outcomes for which somebody has a score in Canvas and no result."""
        self._calculators: dict[str, tuple[Scale, list[Calculator]]] = {}
        self._moments = Moments(to.rest, to.course_id, course.assignments)

    def read(self) -> None:
        outcome_ids = sorted(self.needs)
        for rows in self.to.rest.results_of(self.to.course_id, outcome_ids, len(self.course.students)):
            self._take([row for row in rows if is_there(row, self.course.assignments)])
        self._compare()

    def _take(self, rows: Sequence[OutcomeResult]) -> None:
        by_pair: dict[tuple[str, str], list[OutcomeResult]] = defaultdict(list)
        for row in rows:
            by_pair[row.outcome_id, row.user_id].append(row)
        self._read_moments(rows)
        for (outcome_id, user), mine in by_pair.items():
            scale, calculators = self._ready(outcome_id)
            for calculator in calculators:
                order = calculator.calculation.order
                results = [scale.result(row, self._moments.counts_at(row, order)) for row in mine]
                self.scores[calculator.calculation][user][outcome_id] = calculator.score(results)
        # No outcome comes twice: what was remembered for these is of no more use.
        self._calculators.clear()

    def _ready(self, outcome_id: str) -> tuple[Scale, list[Calculator]]:
        """The outcome's scale and what it is wanted for."""
        if outcome_id not in self._calculators:
            outcome = self.course.evidence.outcomes[outcome_id]
            calculators = [Calculator(one, outcome) for one in self.needs[outcome_id]]
            self._calculators[outcome_id] = Scale(outcome), calculators
        return self._calculators[outcome_id]

    def _read_moments(self, rows: Iterable[OutcomeResult]) -> None:
        """Nothing is asked where the time of submission counts."""
        self._moments.read(
            row for row in rows if any(one.order != "submitted" for one in self.needs[row.outcome_id])
        )

    def _compare(self) -> None:
        """Nothing partial looks whole: a score in Canvas without any result here is not "not assessed"."""
        for user, outcome_id in self._scored_in_canvas():
            found = (self.scores[one].get(user, {}) for one in self.needs[outcome_id])
            if not all(outcome_id in scores for scores in found):
                self.unlisted.add(outcome_id)

    def _scored_in_canvas(self) -> Iterator[tuple[str, str]]:
        for user, rollup in self.course.evidence.rollups.items():
            for outcome_id, score in rollup.scores.items():
                if score is not None and outcome_id in self.needs:
                    yield user, outcome_id
