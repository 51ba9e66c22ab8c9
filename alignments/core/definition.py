"""One alignment as the teacher defined it: outcomes → level → rule → target.

Every value here is frozen, complete (defaults are filled in) and has been checked by `jsonfile`, whose
keys are these names. Numbers are `Decimal` exactly as written; percentages keep the number before the `%`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

Combine = Literal["mean", "min", "max", "share"]
Otherwise = Literal["leave", "zero", "excuse", "clear"]
Overwrite = Literal["empty", "ours", "all"]
Direction = Literal["both", "up"]
Method = Literal[
    "average",
    "standard_decaying_average",
    "weighted_average",
    "latest",
    "highest",
    "n_mastery",
    "latest_and_highest",
    "mode",
    "newest",
    "power_law",
    "streak",
]
Order = Literal["submitted", "assessed", "due"]

MAX_NAME = 255


@dataclass(frozen=True, slots=True, order=True)
class Percent:
    """A share written as a percentage: `Percent(Decimal(75))` is three quarters."""

    number: Decimal

    @property
    def share(self) -> Fraction:
        return Fraction(self.number) / 100


FULL_CREDIT = Percent(Decimal(100))
NO_CREDIT = Percent(Decimal(0))


@dataclass(frozen=True, slots=True)
class MasteryLine:
    """The outcomes' own mastery level."""


@dataclass(frozen=True, slots=True)
class PointsLine:
    """Points on the scale that all outcomes of the alignment share."""

    points: Decimal


@dataclass(frozen=True, slots=True)
class ShareLine:
    """A share of the scale, whatever its top."""

    percent: Percent


Line = MasteryLine | PointsLine | ShareLine


@dataclass(frozen=True, slots=True)
class Cutoff:
    """`credit` when the line is reached, else `below`."""

    at: Line = MasteryLine()
    credit: Percent = FULL_CREDIT
    below: Percent = NO_CREDIT


@dataclass(frozen=True, slots=True)
class Proportional:
    """The level itself is the share of the points."""


@dataclass(frozen=True, slots=True)
class TableLevel:
    """From this line on, this credit."""

    at: PointsLine | ShareLine
    credit: Percent


@dataclass(frozen=True, slots=True)
class Table:
    """The highest reached line counts; interpolated, neighbours are joined by straight lines."""

    levels: tuple[TableLevel, ...]
    interpolate: bool = False


@dataclass(frozen=True, slots=True)
class Scheme:
    """The level finds its letter in a grading scheme and earns what Canvas gives for that letter."""

    grading_standard_id: str | None = None
    """None: the scheme Canvas would use for the target."""


@dataclass(frozen=True, slots=True)
class CriteriaGrade:
    """One step of `Criteria`. A condition that is None was not asked for."""

    credit: Percent
    all_at_least: Line | None = None
    none_below: Line | None = None
    mastered_at_least: int | None = None
    average_at_least: Line | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """The first grade whose conditions all hold counts; none: no credit."""

    grades: tuple[CriteriaGrade, ...]


Rule = Cutoff | Proportional | Table | Scheme | Criteria


@dataclass(frozen=True, slots=True)
class WeightedOutcome:
    """An outcome's Canvas id and how much it weighs in a mean or a share."""

    outcome_id: str
    weight: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Evidence:
    """How many outcomes must be assessed, and what happens to the cell when fewer are."""

    at_least: int
    otherwise: Otherwise = "leave"


@dataclass(frozen=True, slots=True)
class ColumnTarget:
    """A gradebook column of this tool; its label is its identity, its points only create it."""

    label: str
    points: Decimal


@dataclass(frozen=True, slots=True)
class AssignmentTarget:
    """An assignment that is in Canvas already."""

    assignment_id: str


TargetChoice = ColumnTarget | AssignmentTarget


@dataclass(frozen=True, slots=True)
class Calculation:
    """How single results become an outcome's score, instead of Canvas's rollup (docs/rules.md).

    `percent` is what the newest result weighs, where the method has such a weight; `count` how many results
    it is about. Fewer than `at_least` results are no evidence.
    """

    method: Method
    percent: Percent | None = None
    count: int | None = None
    order: Order = "submitted"
    at_least: int = 1
    drop_lowest: int = 0
    ignore_assignments: tuple[str, ...] = ()
    ignore_reasons: tuple[tuple[str, str], ...] = ()
    """Why an assignment is ignored, by its id, in the teacher's words; for those that say so."""

    def reason_to_ignore(self, assignment_id: str | None) -> str:
        """The teacher's reason, or ""."""
        return dict(self.ignore_reasons).get(assignment_id or "", "")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Somebody is not assessed on some outcomes: the alignment is for them as if it did not list these. `rule`
    takes the place of the alignment's, where there is one of their own as well."""

    outcome_ids: tuple[str, ...]
    rule: Rule | None = None


OwnRule = Rule | LeftOut
"""What may count for somebody instead of an alignment's rule."""


@dataclass(frozen=True, slots=True)
class SectionException:
    """What counts for the students of one section instead of the alignment's rule; None: not assessed."""

    section_id: str
    rule: OwnRule | None


@dataclass(frozen=True, slots=True)
class Definition:
    """One alignment. `name` is empty until the first sync knows the first outcome's title."""

    name: str
    outcomes: tuple[WeightedOutcome, ...]
    rule: Rule
    target: TargetChoice
    evidence: Evidence
    combine: Combine = "mean"
    overwrite: Overwrite = "ours"
    direction: Direction = "both"
    round: int = 2
    calculation: Calculation | None = None
    """None: Canvas's rollup scores."""
    sections: tuple[SectionException, ...] = ()
    """Of a student in several of them, the first here counts."""

    @property
    def display_name(self) -> str:
        return self.name or placeholder_name(self.outcomes[0].outcome_id)

    @property
    def outcome_ids(self) -> tuple[str, ...]:
        return tuple(outcome.outcome_id for outcome in self.outcomes)


def placeholder_name(outcome_id: str) -> str:
    """What an alignment without a name is called until the first sync."""
    return f"Outcome {outcome_id}"


def default_at_least(rule: Rule, combine: Combine, outcomes: int) -> int:
    """One assessed outcome is enough for a mean or the best; the worst, a share or criteria need all."""
    needs_all = isinstance(rule, Criteria) or combine in {"min", "share"}
    return outcomes if needs_all else 1
