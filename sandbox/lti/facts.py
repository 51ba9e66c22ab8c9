"""Everything one launch says, gathered before it is put into words (lib/lti/substitutions_helper.rb)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.lti import vocabulary as v
from sandbox.records import (
    Account,
    Course,
    DeveloperKey,
    Enrollment,
    ResourceLink,
    Section,
    ToolInstall,
    User,
)

ACTIVE_STATES = ("active", "completed")


@dataclass(frozen=True, slots=True)
class LaunchFacts:
    """Who opens which tool where. ``user`` is None for a visitor of a public course."""

    key: DeveloperKey
    tool: ToolInstall
    course: Course
    root_account: Account
    user: User | None
    enrollments: Sequence[Enrollment]
    """All of the person's enrolments in the root account, this course's among them."""
    sections: Sequence[Section]
    """The sections of this course the person is enrolled in."""
    mentored: Sequence[User]
    """Students this person observes in the course."""
    issuer: str
    base_url: str
    """The school's own address, with scheme and without a trailing slash."""
    placement: str = "course_navigation"
    link: ResourceLink | None = None
    """The resource link that was opened, for a launch of an assignment."""
    line_item_url: str = ""
    secret: str = field(default="", repr=False)
    """The site's, for what Canvas signs for itself."""

    @property
    def here(self) -> list[Enrollment]:
        """The person's enrolments in this course."""
        return [e for e in self.enrollments if e.course_id == self.course.id and e.state in ACTIVE_STATES]

    @property
    def course_url(self) -> str:
        """The front page of the course."""
        return f"{self.base_url}/courses/{self.course.id}"

    @property
    def services_url(self) -> str:
        """The base of the LTI Advantage services of the course."""
        return f"{self.base_url}/api/lti/courses/{self.course.id}"


def membership_roles(enrollments: Sequence[Enrollment]) -> set[str]:
    """The roles these enrolments of one course give in the course."""
    return {uri for enrollment in enrollments for uri in v.MEMBERSHIP_ROLES[enrollment.type]}


def institution_roles(user: User, enrollments: Sequence[Enrollment]) -> set[str]:
    """What the person is anywhere in the root account; here mixed lists come from."""
    held = [e for e in enrollments if e.state in ACTIVE_STATES]
    roles = {v.INSTITUTION_ROLES[e.type] for e in held if e.type in v.INSTITUTION_ROLES}
    return roles | {v.INSTITUTION_ADMINISTRATOR} if user.account_admin else roles


def launch_roles(facts: LaunchFacts) -> list[str]:
    """All roles of the person, sorted alphabetically as Canvas sends them."""
    if facts.user is None:
        return [v.SYSTEM_NONE]
    roles = membership_roles(facts.here) | institution_roles(facts.user, facts.enrollments)
    return sorted(roles | {v.SYSTEM_USER})


def split_name(user: User) -> tuple[str, str]:
    """(given, family) from the sortable name "Family, Given"."""
    family, comma, given = user.sortable_name.partition(", ")
    return (given, family) if comma else (user.name, "")
