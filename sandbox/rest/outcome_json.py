"""Outcomes, groups and links as JSON (lib/api/v1/outcome.rb, lib/api/v1/outcome_results.rb)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from sandbox import records as r
from sandbox.permissions import rights_of
from sandbox.rest.api import Call
from sandbox.rollups import Scale, scale_of
from sandbox.world import World

WITH_INT = ("decaying_average", "n_mastery", "standard_decaying_average", "weighted_average")
AVATAR = "/images/messages/avatar-50.png"


def number(value: Decimal | None) -> int | float | None:
    """A stored number: whole ones without a fraction."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def alignments_of(world: World, course_id: int, outcome_id: int) -> list[str] | None:
    """``rubric_7``, ``assignment_12``; null when there are none (an empty list is not sent)."""
    codes = [
        alignment.code
        for alignment in world.alignments
        if alignment.course_id == course_id
        and alignment.outcome_id == outcome_id
        and not (alignment.kind == "assignment" and _gone(world, alignment.target_id))
    ]
    return list(dict.fromkeys(codes)) or None


def _gone(world: World, assignment_id: int) -> bool:
    assignment = world.assignments.get(assignment_id)
    return assignment is not None and assignment.deleted


def assessed_outcomes(world: World, course_id: int) -> set[int]:
    """Ids of the outcomes with any result in the course."""
    found = {
        result.outcome_id
        for result in world.results.values()
        if result.course_id == course_id and not result.deleted
    }
    return found | {stored.outcome_id for stored in world.stored_rollups if stored.course_id == course_id}


def outcome_json(
    call: Call, outcome: r.Outcome, course: r.Course | None, assessed: Collection[int] = ()
) -> dict[str, Any]:
    """The full form; with account-level scales the account's scale replaces the outcome's own."""
    world = call.world
    head: dict[str, Any] = {
        "id": outcome.id,
        "context_type": outcome.context_type,
        "context_id": outcome.context_id,
        "vendor_guid": outcome.vendor_guid,
        "display_name": outcome.display_name,
        "title": outcome.title,
        "url": f"/api/v1/outcomes/{outcome.id}",
        "can_edit": _can_edit(call, outcome),
        "has_updateable_rubrics": False,
        "description": outcome.description,
        "friendly_description": None,
    }
    if course is None:
        return {
            **head,
            **_scale_json(
                Scale(
                    outcome.points_possible,
                    outcome.mastery_points,
                    outcome.ratings,
                    outcome.method or "highest",
                    outcome.method_int,
                    False,
                )
            ),
        }
    tail = {"assessed": outcome.id in assessed, "alignments": alignments_of(world, course.id, outcome.id)}
    return {**head, **_scale_json(scale_of(world, course, outcome)), **tail}


def _scale_json(scale: Scale) -> dict[str, Any]:
    if scale.of_account:
        return {
            "calculation_method": scale.method,
            "calculation_int": scale.method_int,
            "points_possible": scale.points_possible,
            "mastery_points": scale.mastery_points,
            "ratings": [
                {
                    "points": one.points,
                    "mastery": one.mastery,
                    "description": one.description,
                    "color": one.color,
                }
                for one in scale.ratings
            ],
        }
    own: dict[str, Any] = {
        "points_possible": number(scale.points_possible),
        "mastery_points": number(scale.mastery_points),
        "ratings": [{"description": one.description, "points": number(one.points)} for one in scale.ratings],
        "calculation_method": scale.method,
    }
    if scale.method in WITH_INT:
        own["calculation_int"] = scale.method_int if scale.method_int is not None else 65
    return own


def _can_edit(call: Call, outcome: r.Outcome) -> bool:
    if outcome.context_type == "Course":
        course = call.world.course(outcome.context_id or 0)
        return course is not None and rights_of(call.world, call.user, course).manage_grades
    return call.user.account_admin


def outcome_short(call: Call, outcome: r.Outcome) -> dict[str, Any]:
    """The abbreviated form of a link's outcome."""
    return {
        "id": outcome.id,
        "vendor_guid": outcome.vendor_guid,
        "context_type": outcome.context_type,
        "context_id": outcome.context_id,
        "title": outcome.title,
        "display_name": outcome.display_name,
        "url": f"/api/v1/outcomes/{outcome.id}",
        "can_edit": _can_edit(call, outcome),
    }


def group_short(group: r.OutcomeGroup) -> dict[str, Any]:
    base = f"/api/v1/courses/{group.course_id}/outcome_groups/{group.id}"
    return {
        "id": group.id,
        "title": group.title,
        "vendor_guid": None,
        "url": base,
        "subgroups_url": f"{base}/subgroups",
        "outcomes_url": f"{base}/outcomes",
        "can_edit": True,
    }


def group_json(call: Call, group: r.OutcomeGroup) -> dict[str, Any]:
    """The full form; the root has no ``parent_outcome_group`` key."""
    full = {
        **group_short(group),
        "import_url": f"/api/v1/courses/{group.course_id}/outcome_groups/{group.id}/import",
        "context_id": group.course_id,
        "context_type": "Course",
        "description": group.description,
    }
    if group.parent_id is not None:
        full["parent_outcome_group"] = group_short(call.world.outcome_groups[group.parent_id])
    return full


def link_json(call: Call, link: r.OutcomeLink, full: bool, assessed: Collection[int]) -> dict[str, Any]:
    outcome = call.world.outcomes[link.outcome_id]
    course = call.world.courses[link.course_id]
    return {
        "context_type": "Course",
        "context_id": link.course_id,
        "url": f"/api/v1/courses/{link.course_id}/outcome_groups/{link.group_id}/outcomes/{outcome.id}",
        "outcome_group": group_short(call.world.outcome_groups[link.group_id]),
        "outcome": outcome_json(call, outcome, course, assessed) if full else outcome_short(call, outcome),
        "assessed": outcome.id in assessed,
        "can_unlink": outcome.id not in assessed,
    }


def path_json(world: World, link: r.OutcomeLink) -> dict[str, Any]:
    """Names from the first group below the root down to the outcome."""
    names = [world.outcomes[link.outcome_id].title]
    group: r.OutcomeGroup | None = world.outcome_groups[link.group_id]
    while group is not None and group.parent_id is not None:
        names.insert(0, group.title)
        group = world.outcome_groups[group.parent_id]
    return {"id": link.outcome_id, "parts": [{"name": name} for name in names]}


def linked_users(call: Call, users: Iterable[r.User]) -> list[dict[str, Any]]:
    return [
        {
            "id": str(user.id),
            "name": user.name,
            "display_name": user.short_name,
            "sortable_name": user.sortable_name,
            "sis_id": user.sis_id,
            "integration_id": user.integration_id,
            "login_id": user.login_id,
            "avatar_url": f"{call.base}{AVATAR}",
        }
        for user in users
    ]


def linked_alignments(call: Call, course: r.Course, outcomes: Iterable[r.Outcome]) -> list[dict[str, Any]]:
    """``linked["outcomes.alignments"]``: what the outcomes in scope are tied to."""
    seen: dict[str, dict[str, Any]] = {}
    for outcome in outcomes:
        for code in alignments_of(call.world, course.id, outcome.id) or []:
            kind, _, target = code.rpartition("_")
            table: dict[int, Any] = dict(
                call.world.assignments if kind == "assignment" else call.world.rubrics
            )
            record = table.get(int(target))
            name = "" if record is None else getattr(record, "name", getattr(record, "title", ""))
            address = f"{call.base}/courses/{course.id}/{kind}s/{target}"
            seen[code] = {"id": code, "name": name, "html_url": address}
    return list(seen.values())
