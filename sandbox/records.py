"""The records of the pretend Canvas: what a course is made of.

Plain mutable dataclasses. Ids are integers, as in Canvas's database; scores are ``Decimal``;
times are aware and in UTC. Rules live elsewhere (``sandbox.grading``, ``sandbox.rollups``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

STUDENT = "StudentEnrollment"
TEST_STUDENT = "StudentViewEnrollment"
TEACHER = "TeacherEnrollment"
TA = "TaEnrollment"
DESIGNER = "DesignerEnrollment"
OBSERVER = "ObserverEnrollment"

# Feature flags of a root account.
ACCOUNT_SCALES = "account_level_mastery_scales"
NEW_DECAYING = "outcomes_new_decaying_average_calculation"

STUDENT_TYPES = (STUDENT, TEST_STUDENT)
GRADER_TYPES = (TEACHER, TA)


@dataclass
class Rating:
    """One step of a scale, ``points`` on the scale's own points."""

    description: str
    points: Decimal
    mastery: bool = False
    color: str = ""


@dataclass
class Proficiency:
    """An account-level mastery scale with its calculation (app/models/outcome_proficiency.rb)."""

    ratings: list[Rating]
    method: str = "highest"
    method_int: int | None = None

    @property
    def points_possible(self) -> Decimal:
        return self.ratings[0].points

    @property
    def mastery_points(self) -> Decimal:
        return next(rating.points for rating in self.ratings if rating.mastery)


@dataclass
class Account:
    id: int
    name: str
    parent_id: int | None = None
    uuid: str = ""
    lti_guid: str = ""
    features: set[str] = field(default_factory=set)
    proficiency: Proficiency | None = None
    deleted: bool = False
    grading_standard_id: int | None = None
    """The default of its courses."""


@dataclass
class User:
    """A person. ``lti_id`` is the UUID sent as ``sub``; ``legacy_id`` the 40-hex LTI 1.1 id."""

    id: int
    name: str
    sortable_name: str
    lti_id: str
    legacy_id: str
    login_id: str | None = None
    sis_id: str | None = None
    email: str | None = None
    integration_id: str | None = None
    locale: str = "en"
    account_admin: bool = False
    observes: list[int] = field(default_factory=list)
    past_lti_ids: list[str] = field(default_factory=list)
    merged_into: int | None = None
    deleted: bool = False

    @property
    def short_name(self) -> str:
        return self.name


@dataclass
class LatePolicy:
    """Percent of the points possible taken per day late, and the missing policy's percent."""

    deduction_percent: Decimal = Decimal(0)
    minimum_percent: Decimal = Decimal(0)
    missing_percent: Decimal | None = None


@dataclass
class Course:
    """A course; ``workflow_state`` is Canvas's: created/claimed (unpublished), available, completed, deleted."""

    id: int
    lti_context_id: str
    name: str
    code: str
    account_id: int
    uuid: str = ""
    workflow_state: str = "available"
    sis_id: str | None = None
    time_zone: str = "America/Denver"
    start_at: datetime | None = None
    end_at: datetime | None = None
    public: bool = False
    grading_standard_id: int | None = None
    late_policy: LatePolicy | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    features: set[str] = field(default_factory=set)

    @property
    def published(self) -> bool:
        return self.workflow_state in ("available", "completed")

    def is_concluded(self, now: datetime) -> bool:
        """Hard-concluded, or past its end date."""
        return self.workflow_state == "completed" or (self.end_at is not None and self.end_at < now)


@dataclass
class Section:
    id: int
    course_id: int
    name: str
    sis_id: str | None = None


@dataclass
class Enrollment:
    """``state`` is the stored workflow_state: active, invited, inactive, completed, rejected, deleted."""

    id: int
    user_id: int
    course_id: int
    section_id: int
    type: str = STUDENT
    state: str = "active"
    limit_privileges: bool = False
    associated_user_id: int | None = None


@dataclass
class OutcomeGroup:
    id: int
    course_id: int
    title: str
    parent_id: int | None = None
    description: str = ""


@dataclass
class Outcome:
    """``context_type`` is Course, Account or None for a global outcome."""

    id: int
    title: str
    context_type: str | None
    context_id: int | None
    points_possible: Decimal | None = Decimal(4)
    mastery_points: Decimal | None = Decimal(3)
    ratings: list[Rating] = field(default_factory=list)
    method: str | None = "highest"
    method_int: int | None = None
    display_name: str | None = None
    description: str = ""
    vendor_guid: str | None = None
    deleted: bool = False


@dataclass
class OutcomeLink:
    """An outcome hanging in a group of a course."""

    id: int
    course_id: int
    group_id: int
    outcome_id: int


@dataclass
class Alignment:
    """An outcome tied to an assignment or a rubric of a course; ``kind`` is assignment or rubric."""

    course_id: int
    outcome_id: int
    kind: str
    target_id: int

    @property
    def code(self) -> str:
        """As Canvas names it: ``assignment_12``."""
        return f"{self.kind}_{self.target_id}"


@dataclass
class OutcomeResult:
    """One raw result (app/models/learning_outcome_result.rb).

    ``percent`` is a fraction of the row's or bank's possible points, already rescaled; ``title`` is
    stored as "User name, Assignment title". ``kind`` is rubric, quiz (classic) or new_quiz.
    """

    id: int
    course_id: int
    user_id: int
    outcome_id: int
    assignment_id: int | None
    score: Decimal | None
    possible: Decimal | None
    percent: Decimal | None
    title: str
    submitted_at: datetime | None
    assessed_at: datetime
    kind: str = "rubric"
    rubric_id: int | None = None
    hide_points: bool = False
    hidden: bool = False
    deleted: bool = False


@dataclass
class StoredRollup:
    """A pre-computed rollup score; Canvas reports it with count 0 (lib/outcomes/result_analytics.rb)."""

    course_id: int
    user_id: int
    outcome_id: int
    score: Decimal


@dataclass
class Criterion:
    id: str
    description: str
    points: Decimal
    outcome_id: int | None = None
    ratings: list[Rating] = field(default_factory=list)


@dataclass
class Rubric:
    id: int
    course_id: int
    title: str
    criteria: list[Criterion] = field(default_factory=list)
    assignment_ids: list[int] = field(default_factory=list)
    use_for_grading: bool = False
    hide_outcome_results: bool = False


@dataclass
class AssignmentGroup:
    id: int
    course_id: int
    name: str
    position: int = 1
    weight: Decimal = Decimal(0)


@dataclass
class Assignment:
    """A column of the gradebook. ``assigned_user_ids`` counts only when ``only_visible_to_overrides``."""

    id: int
    course_id: int
    name: str
    points_possible: Decimal | None
    assignment_group_id: int
    lti_context_id: str = ""
    grading_type: str = "points"
    published: bool = True
    submission_types: list[str] = field(default_factory=lambda: ["none"])
    grading_standard_id: int | None = None
    moderated: bool = False
    anonymous: bool = False
    group_category_id: int | None = None
    grade_individually: bool = False
    omit_from_final_grade: bool = False
    post_manually: bool = False
    only_visible_to_overrides: bool = False
    assigned_user_ids: set[int] = field(default_factory=set)
    unlock_at: datetime | None = None
    due_at: datetime | None = None
    due_for: dict[int, datetime] = field(default_factory=dict)
    """Due dates of single students, as overrides give them."""
    closed_period: bool = False
    position: int = 1
    sis_id: str | None = None
    allowed_attempts: int | None = None
    external_tool_url: str | None = None
    deleted: bool = False


@dataclass
class Group:
    """A student group of a group category."""

    id: int
    category_id: int
    user_ids: list[int]


@dataclass
class Comment:
    id: int
    text: str
    author_id: int | None
    at: datetime


@dataclass
class SubmissionVersion:
    at: datetime
    score: Decimal | None
    grade: str | None
    excused: bool | None
    grader_id: int | None


@dataclass
class Submission:
    """``score`` is after the late deduction; ``entered_score`` is before it.

    ``grader_id``: None never graded or missing policy; positive a person; negative a quiz or tool.
    """

    id: int
    assignment_id: int
    user_id: int
    score: Decimal | None = None
    grade: str | None = None
    entered_score: Decimal | None = None
    entered_grade: str | None = None
    excused: bool | None = None
    grader_id: int | None = None
    graded_at: datetime | None = None
    points_deducted: Decimal | None = None
    late_policy_status: str | None = None
    seconds_late_override: int | None = None
    attempt: int | None = None
    submission_type: str | None = None
    submitted_at: datetime | None = None
    body: str | None = None
    url: str | None = None
    posted_at: datetime | None = None
    workflow_state: str = "unsubmitted"
    matches_current: bool | None = None
    comments: list[Comment] = field(default_factory=list)
    rubric_assessment: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: list[SubmissionVersion] = field(default_factory=list)


@dataclass
class GradingStandard:
    """``scheme`` is (label, lower bound as a fraction), best first."""

    id: int
    context_type: str
    context_id: int
    title: str
    scheme: list[tuple[str, Decimal]]
    points_based: bool = False
    scaling_factor: Decimal = Decimal(1)


@dataclass
class GradingPeriod:
    id: int
    course_id: int
    title: str
    start_at: datetime
    end_at: datetime
    close_at: datetime


@dataclass
class DeveloperKey:
    """An LTI key (``kind='lti'``) or an API key (``kind='api'``). ``enabled`` is its switch in the account."""

    id: int
    kind: str
    client_id: str
    name: str = "Mastery Gradebook"
    secret: str = ""
    redirect_uris: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    enforce_scopes: bool = True
    allow_includes: bool = True
    expires_tokens: bool = True
    trusted: bool = False
    active: bool = True
    enabled: bool = True
    login_url: str = ""
    target_link_uri: str = ""
    jwks_url: str = ""
    public_jwk: dict[str, Any] | None = None
    custom_fields: dict[str, str] = field(default_factory=dict)
    privacy_level: str = "anonymous"
    title: str = "Mastery Gradebook"
    placements: list[str] = field(default_factory=lambda: ["course_navigation", "assignment_selection"])
    icon_url: str = ""


@dataclass
class ToolInstall:
    """An external tool of a key in a course or an account (app/models/context_external_tool.rb)."""

    id: int
    key_id: int
    context_type: str
    context_id: int
    lti_context_id: str
    name: str
    deleted: bool = False

    @property
    def deployment_id(self) -> str:
        return f"{self.id}:{self.lti_context_id}"


@dataclass
class ResourceLink:
    id: int
    uuid: str
    course_id: int
    tool_id: int
    assignment_id: int | None = None
    title: str = ""
    custom: dict[str, str] = field(default_factory=dict)


@dataclass
class LineItem:
    """An AGS line item; ``assignment_id``'s oldest one is the default, tied to the gradebook."""

    id: int
    course_id: int
    assignment_id: int
    key_id: int
    label: str
    score_maximum: Decimal
    tag: str | None = None
    resource_id: str | None = None
    resource_link_id: int | None = None
    coupled: bool = False
    start_at: datetime | None = None
    end_at: datetime | None = None
    extensions: dict[str, Any] = field(default_factory=dict)
    deleted: bool = False


@dataclass
class LtiResult:
    """The AGS view of one grade; ``score``/``maximum`` as posted, not scaled."""

    id: int
    line_item_id: int
    user_id: int
    score: Decimal | None
    maximum: Decimal | None
    created_at: datetime
    updated_at: datetime
    comment: str | None = None
    activity_progress: str = "Completed"
    grading_progress: str = "FullyGraded"
    extensions: dict[str, Any] = field(default_factory=dict)
    submission_id: int | None = None


@dataclass
class AuthCode:
    code: str
    key_id: int
    user_id: int
    redirect_uri: str
    scopes: list[str]
    expires_at: datetime
    purpose: str | None = None


@dataclass
class AccessToken:
    """One OAuth grant: the bearer token is replaced in place by a refresh (app/models/access_token.rb)."""

    id: int
    key_id: int
    user_id: int
    token: str
    refresh_token: str
    scopes: list[str]
    expires_at: datetime | None
    revoked: bool = False


@dataclass
class Progress:
    """A background job as the API shows it; ``work`` is run once ``due`` (monotonic seconds) has come."""

    id: int
    course_id: int
    tag: str
    created_at: datetime
    updated_at: datetime
    due: float
    started: float
    work: Callable[[], str | None] | None
    user_id: int | None = None
    state: str = "queued"
    completion: int | None = None
    message: str | None = None
    results: dict[str, Any] | None = None
