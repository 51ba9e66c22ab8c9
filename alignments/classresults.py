"""Single results of a class and when each counts: what own calculations are worked out from. Kept nowhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from fractions import Fraction

from alignments.core.calculations import Calculator, Result, Scale
from alignments.core.definition import Calculation, Definition, Order
from canvas.rest import Rest
from canvas.values import Assignment, CourseEvidence, Outcome, OutcomeResult

Scores = Mapping[str, Mapping[str, Fraction | None]]
"""By student, then by outcome; None and absent: not assessed."""
MOST_PAIRS = 2_000
"""Students × outcomes that a page reads results for while somebody waits."""
TOO_MANY = (
    "This class and these outcomes have too many single results to be counted while you type. Save the alignment "
    "and look at the preview: nothing is sent by that."
)


class Moments:
    """When each student's work was graded, and when it was due: Canvas says both of the submission, not of the
    result. A due date is the student's own, overrides included. Read assignment by assignment, each once."""

    def __init__(self, rest: Rest, course_id: str, assignments: Mapping[str, Assignment]) -> None:
        self._rest, self._course_id, self._assignments = rest, course_id, assignments
        self._known: dict[str, dict[str, tuple[datetime | None, datetime | None]]] = {}

    def read(self, rows: Iterable[OutcomeResult], users: Collection[str] | None = None) -> None:
        """For the assignments of these results; of unpublished ones Canvas shows no submissions."""
        named = {row.assignment_id for row in rows if row.assignment_id is not None} - self._known.keys()
        asked = sorted(one for one in named if self._assignments[one].published)
        if not asked:
            return
        self._known |= {assignment_id: {} for assignment_id in asked}
        for (assignment_id, user), cell in self._rest.cells(self._course_id, asked, users).items():
            if cell.graded_at is not None or cell.due_at is not None:
                self._known[assignment_id][user] = (cell.graded_at, cell.due_at)

    def counts_at(self, row: OutcomeResult, order: Order, zone: tzinfo = UTC) -> datetime | None:
        """The moment the order goes by; None: there is none, and the time of submission counts."""
        if order == "submitted" or row.assignment_id is None:
            return None
        known = self._known.get(row.assignment_id, {}).get(row.user_id)
        moment = known and known[0 if order == "assessed" else 1]
        return moment.astimezone(zone) if moment else None


@dataclass(frozen=True, slots=True)
class ClassResults:
    """The results of some outcomes, or why they cannot be had."""

    rows: Mapping[tuple[str, str], Sequence[OutcomeResult]] = field(default_factory=dict, repr=False)
    """By outcome and student."""
    moments: Moments | None = None
    trouble: str = ""
    connect: bool = False
    """Whether connecting the account again is the step."""

    def results(self, outcome: Outcome, user: str, order: Order) -> list[Result]:
        """One student's results on the outcome's scale, each at the time it counts at."""
        scale = Scale(outcome)
        return [self._result(row, scale, order) for row in self.rows.get((outcome.id, user), ())]

    def _result(self, row: OutcomeResult, scale: Scale, order: Order) -> Result:
        return scale.result(row, self.moments.counts_at(row, order) if self.moments else None)

    def scores(
        self, definition: Definition, calculation: Calculation, outcomes: Mapping[str, Outcome]
    ) -> Scores:
        """Every student's scores on the alignment's outcomes."""
        ready = {
            key: (Scale(outcomes[key]), Calculator(calculation, outcomes[key]))
            for key in definition.outcome_ids
        }
        found: dict[str, dict[str, Fraction | None]] = defaultdict(dict)
        for (outcome_id, user), rows in self.rows.items():
            if outcome_id in ready:
                scale, calculator = ready[outcome_id]
                found[user][outcome_id] = calculator.score(
                    [self._result(row, scale, calculation.order) for row in rows]
                )
        return found

    def unlisted(self, outcome_ids: Iterable[str], evidence: CourseEvidence) -> list[str]:
        """Outcomes for which somebody has a score in Canvas and no result here."""
        scored = [
            (outcome_id, user)
            for outcome_id in outcome_ids
            for user, rollup in evidence.rollups.items()
            if rollup.scores.get(outcome_id) is not None
        ]
        return list(dict.fromkeys(outcome for outcome, user in scored if (outcome, user) not in self.rows))


def not_listed(outcome_ids: Iterable[str], outcomes: Mapping[str, Outcome]) -> str:
    """Why nothing is worked out where results are missing."""
    named = ", ".join(f'"{outcomes[one].title}"' for one in outcome_ids)
    return (
        f"Canvas has scores for {named} but does not list the results behind all of them, so they cannot be "
        "calculated here. Use Canvas's own calculation, or try again in a few minutes."
    )


def is_there(row: OutcomeResult, assignments: Mapping[str, Assignment]) -> bool:
    """As in Canvas, the results of a deleted assignment do not count."""
    return row.assignment_id is None or row.assignment_id in assignments
