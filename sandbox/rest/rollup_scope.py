"""What a rollups request is about, after Canvas's checks in Canvas's order.

Login, course, permission, aggregate, aggregate_stat, sort, include, outcomes, users
(app/controllers/outcome_results_controller.rb).
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox import records as r
from sandbox.errors import rejected
from sandbox.permissions import Rights, rights_of
from sandbox.rest.api import Call, find_user, split_id
from sandbox.rest.params import as_list

INCLUDES = (
    "courses",
    "outcomes",
    "outcomes.alignments",
    "outcome_groups",
    "outcome_links",
    "outcome_paths",
    "alignments",
    "assignments",
    "users",
)
STATES = {"inactive_enrollments": "inactive", "concluded_enrollments": "completed"}


@dataclass(frozen=True)
class Scope:
    """What a checked request is about."""

    course: r.Course
    rights: Rights
    links: list[r.OutcomeLink]
    users: list[r.User]
    section_id: int | None
    includes: list[str]
    user_filter: frozenset[int] | None

    @property
    def outcome_ids(self) -> list[int]:
        return sorted({link.outcome_id for link in self.links})


def checked(call: Call, course_id: str) -> Scope:
    course = call.course(course_id)
    rights = rights_of(call.world, call.user, course)
    _check_permission(call, course, rights)
    _check_words(call)
    includes = _check_includes(call)
    links = _outcome_scope(call, course)
    section_id, users, chosen = _user_scope(call, course)
    return Scope(course, rights, links, users, section_id, includes, chosen)


def _check_permission(call: Call, course: r.Course, rights: Rights) -> None:
    if rights.sees_grades:
        return
    if not rights.read:
        raise call.denied()
    asked = as_list(call.params.get("user_ids"))
    if not asked:
        raise rejected("users not specified and no access to all grades", 403)
    found = [find_user(call, text) for text in asked]
    if any(user is None or not call.world.user_enrollments(user.id, course.id) for user in found):
        raise rejected("specified users not enrolled")
    readable = {call.user.id, *rights.observed}
    if any(user is not None and user.id not in readable for user in found):
        raise rejected("not authorized to read grades for specified users", 403)


def _check_words(call: Call) -> None:
    given = call.params
    if given.get("aggregate") not in (None, "", "course"):
        raise rejected("invalid aggregate parameter value")
    if given.get("aggregate_stat") not in (None, "", "mean", "median"):
        raise rejected("invalid aggregate_stat parameter value")
    sort = given.get("sort_by")
    if not sort:
        return
    if sort not in ("student", "outcome"):
        raise rejected("invalid sort_by parameter value")
    if sort == "outcome":
        if not given.get("sort_outcome_id"):
            raise rejected("missing required sort_outcome_id parameter value")
        if not str(given["sort_outcome_id"]).isdigit():
            raise rejected("invalid sort_outcome_id parameter value")
    if given.get("sort_order") not in (None, "", "asc", "desc"):
        raise rejected("invalid sort_order parameter value")


def _check_includes(call: Call) -> list[str]:
    includes = as_list(call.params.get("include"))
    aggregate = bool(call.params.get("aggregate"))
    for name in includes:
        if name not in INCLUDES:
            raise rejected(f"invalid include: {name}")
        if name == "users" and aggregate:
            raise rejected("can't include users unless aggregate is not set")
        if name == "courses" and not aggregate:
            raise rejected("can't include courses unless aggregate is 'course'")
    return includes


def _outcome_scope(call: Call, course: r.Course) -> list[r.OutcomeLink]:
    links = call.world.course_outcomes(course.id)
    chosen, group = as_list(call.params.get("outcome_ids")), call.params.get("outcome_group_id")
    if chosen and group:
        raise rejected("can't filter by both outcome_ids and outcome_group_id")
    if chosen:
        linked = {str(link.outcome_id) for link in links}
        if not set(chosen) <= linked:
            raise rejected("can only include id's of outcomes in the outcome context")
        return [link for link in links if str(link.outcome_id) in chosen]
    if group:
        found = call.world.outcome_groups.get(int(group) if str(group).isdigit() else 0)
        if found is None or found.course_id != course.id:
            raise rejected("can only include an outcome group id in the outcome context")
        return [link for link in links if link.group_id == found.id]
    return links


def _user_scope(call: Call, course: r.Course) -> tuple[int | None, list[r.User], frozenset[int] | None]:
    """The section filter, the students in order of id, and the chosen ids if any."""
    world = call.world
    chosen, section = as_list(call.params.get("user_ids")), call.params.get("section_id")
    if chosen and section:
        raise rejected("cannot specify both user_ids and section_id")
    enrollments = world.course_enrollments(course.id, r.STUDENT_TYPES)
    section_id = None
    if section:
        section_id = _section_id(call, course, str(section))
        enrollments = [one for one in enrollments if one.section_id == section_id]
    states: dict[int, set[str]] = {}
    for one in enrollments:
        states.setdefault(one.user_id, set()).add(one.state)
    ids = None
    if chosen:
        found = [find_user(call, text) for text in chosen]
        if any(user is None or user.id not in states for user in found):
            raise rejected("can only include id's of users in the outcome context")
        ids = frozenset(user.id for user in found if user is not None)
    excluded = {STATES[name] for name in as_list(call.params.get("exclude")) if name in STATES}
    users = [
        user
        for number in sorted(states)
        if (ids is None or number in ids)
        and not states[number] <= excluded
        and (user := world.live_user(number)) is not None
    ]
    return section_id, users, ids


def _section_id(call: Call, course: r.Course, text: str) -> int:
    kind, value = split_id(text)
    for section in call.world.sections.values():
        named = section.sis_id == value if kind == "sis_section_id" else str(section.id) == text
        if section.course_id == course.id and named:
            return section.id
    raise rejected("invalid section id")
