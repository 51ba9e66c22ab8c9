"""What Canvas told us, as frozen values.

Ids are `str` (Canvas's global ids exceed 2**53), scores are `Decimal` straight from the JSON text, times are
aware `datetime`. Every value refuses nonsense when it is made. This module imports the standard library
only: the pure cores may use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


def _check_id(value: object, what: str) -> None:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{what} must be a non-empty string, not {value!r}")


def _check_number(value: object, what: str) -> None:
    if value is not None and (not isinstance(value, Decimal) or not value.is_finite()):
        raise ValueError(f"{what} must be a finite Decimal or None")


@dataclass(frozen=True, slots=True)
class Rating:
    """One level of an outcome's scale."""

    description: str
    points: Decimal
    color: str = ""
    mastery: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """A skill Canvas measures: its scale top (`points_possible`) and mastery line (`mastery_points`).

    Source: lib/api/v1/outcome.rb; an account-level scale, where on, has already replaced the outcome's own.
    """

    id: str
    title: str
    points_possible: Decimal | None
    mastery_points: Decimal | None
    ratings: tuple[Rating, ...] = ()
    calculation_method: str = "highest"
    calculation_int: int | None = None
    context_type: str = ""
    context_id: str = ""
    group_path: tuple[str, ...] = ()
    """Titles of the groups from below the root down to the outcome's own group."""
    group_id: str = ""
    vendor_guid: str = ""
    """What an imported outcome brought along and its copies keep; most have none."""

    def __post_init__(self) -> None:
        _check_id(self.id, "outcome id")
        _check_number(self.points_possible, "points_possible")
        _check_number(self.mastery_points, "mastery_points")


@dataclass(frozen=True, slots=True)
class Rollup:
    """One student's aggregated score per outcome. An outcome without a key was never assessed;
    `None` means Canvas's method yields nothing (for example n_mastery not reached). 0 is a score."""

    user_id: str
    scores: Mapping[str, Decimal | None]
    newest: Mapping[str, datetime] = field(default_factory=dict)
    """By outcome: when the newest work behind the score was submitted, else assessed; absent where Canvas does
    not say."""

    def __post_init__(self) -> None:
        _check_id(self.user_id, "user id")
        for score in self.scores.values():
            _check_number(score, "rollup score")


@dataclass(frozen=True, slots=True)
class OutcomeResult:
    """One raw result, not hidden and with a score. `percent` is a share (0.8), rescaled by Canvas where the
    alignment has a mastery level of its own; `at` when the work was submitted, else assessed; `is_quiz` for
    one question bank of a classic quiz. Source: lib/api/v1/outcome_results.rb."""

    id: str
    user_id: str
    outcome_id: str
    score: Decimal
    at: datetime
    possible: Decimal | None = None
    percent: Decimal | None = None
    assignment_id: str | None = None
    is_quiz: bool = False

    def __post_init__(self) -> None:
        _check_id(self.user_id, "user id")
        _check_id(self.outcome_id, "outcome id")
        _check_number(self.score, "result score")
        _check_number(self.possible, "possible")
        _check_number(self.percent, "percent")


EnrollmentState = str
"""Stored workflow_state: active, invited, creation_pending, inactive, completed, rejected."""


@dataclass(frozen=True, slots=True)
class Student:
    """A person with at least one student enrolment in the course (two sections are one student)."""

    user_id: str
    states: frozenset[EnrollmentState]
    section_ids: frozenset[str] = frozenset()
    active_section_ids: frozenset[str] = frozenset()
    """The sections among them in which the enrolment is active."""
    is_test_student: bool = False
    name: str = field(default="", repr=False)
    sortable_name: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        _check_id(self.user_id, "user id")

    @property
    def is_active(self) -> bool:
        """One active student enrolment is enough (interface 5.5)."""
        return "active" in self.states


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class AssignmentGroup:
    id: str
    name: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class Assignment:
    """An assignment as the gradebook sees it (`GET /courses/:c/assignments`)."""

    id: str
    name: str
    points_possible: Decimal | None
    grading_type: str = "points"
    grading_standard_id: str | None = None
    published: bool = True
    assignment_group_id: str = ""
    position: int = 0
    submission_types: tuple[str, ...] = ()
    omit_from_final_grade: bool = False
    post_manually: bool = False
    moderated_grading: bool = False
    anonymous_grading: bool = False
    graded_as_group: bool = False
    """A group assignment whose members share one grade."""
    in_closed_grading_period: bool = False
    only_visible_to_overrides: bool = False
    html_url: str = ""

    def __post_init__(self) -> None:
        _check_id(self.id, "assignment id")
        _check_number(self.points_possible, "points_possible")


@dataclass(frozen=True, slots=True)
class LineItem:
    """An AGS line item of this tool; its id *is* its URL."""

    url: str
    label: str
    score_maximum: Decimal
    resource_id: str = ""
    tag: str = ""

    def __post_init__(self) -> None:
        _check_id(self.url, "line item url")
        _check_number(self.score_maximum, "score_maximum")


@dataclass(frozen=True, slots=True)
class Cell:
    """One student's submission on one assignment, as far as grading needs it.

    `entered_score` is before late deductions; `grader_id` is None (never graded, or the missing policy),
    positive for a person (and every write with a person's token), negative for a quiz or a tool.
    Source: lib/api/v1/submission.rb.
    """

    assignment_id: str
    user_id: str
    entered_score: Decimal | None
    excused: bool = False
    grader_id: str | None = None
    graded_at: datetime | None = None
    workflow_state: str = "unsubmitted"
    grading_period_id: str | None = None
    posted: bool = True
    late_policy_status: str | None = None
    missing: bool = False
    due_at: datetime | None = None
    """When it is due for this student, dates of their own and of their section included."""

    def __post_init__(self) -> None:
        _check_id(self.assignment_id, "assignment id")
        _check_id(self.user_id, "user id")
        _check_number(self.entered_score, "entered_score")

    @property
    def is_empty(self) -> bool:
        return self.entered_score is None and not self.excused


@dataclass(frozen=True, slots=True)
class SchemeLevel:
    """A letter and its lower bound as a fraction of full points (0.94), bound inclusive."""

    name: str
    lower_bound: Decimal


@dataclass(frozen=True, slots=True)
class GradingScheme:
    """A grading standard; `levels` run from the highest bound down. Source: app/models/grading_standard.rb."""

    id: str
    title: str
    levels: tuple[SchemeLevel, ...]
    points_based: bool = False
    scaling_factor: Decimal = Decimal(1)
    context_type: str = "Course"
    assumed: bool = False
    """Taken because nobody chose one and Canvas did not say which applies then."""


@dataclass(frozen=True, slots=True)
class Course:
    """The course as REST describes it."""

    id: str
    name: str
    workflow_state: str = "available"
    concluded: bool = False
    grading_standard_id: str | None = None
    scheme_levels: tuple[SchemeLevel, ...] = ()
    """The scheme in force: the course's own choice, else its accounts', else Canvas's. () where Canvas did not say."""
    account_id: str = ""
    root_account_id: str = ""
    time_zone: str = "UTC"
    ends_at: datetime | None = None
    """The course's end, else its term's; None where neither has one."""
    may_grade: bool | None = None
    """`manage_grades` where the answer said so; None when it did not say."""
    own_sections_only: bool = False
    """The account sees the students of its own sections only."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A Canvas background job. `failed` does not say what was written: read back."""

    id: str
    url: str
    workflow_state: str
    message: str = field(default="", repr=False)

    @property
    def is_over(self) -> bool:
        return self.workflow_state in {"completed", "failed", "canceled"}


@dataclass(frozen=True, slots=True)
class CourseEvidence:
    """Everything one read of a course's mastery gave: whole, or an `Incomplete` was raised instead."""

    outcomes: Mapping[str, Outcome]
    rollups: Mapping[str, Rollup]
    """By user id."""
    read_at: datetime
