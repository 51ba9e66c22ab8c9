"""Outcome groups, links and single outcomes (app/controllers/outcome_groups_api_controller.rb)."""

from __future__ import annotations

from typing import Any

from flask import Response

from sandbox import records as r
from sandbox.errors import missing_param, not_found
from sandbox.permissions import rights_of
from sandbox.rest import outcome_json as shapes
from sandbox.rest.api import Call, endpoint, find_user
from sandbox.rest.paging import numbered
from sandbox.rest.params import as_list


def _readable_course(call: Call, course_id: str) -> r.Course:
    course = call.course(course_id)
    if not rights_of(call.world, call.user, course).read:
        raise call.denied()
    return course


def _groups(call: Call, course: r.Course) -> list[r.OutcomeGroup]:
    mine = [group for group in call.world.outcome_groups.values() if group.course_id == course.id]
    return sorted(mine, key=lambda group: group.id)


@endpoint("GET", "/courses/<course_id>/outcome_groups")
def outcome_groups(call: Call, course_id: str) -> Any:
    shown, _ = numbered(call, _groups(call, _readable_course(call, course_id)))
    return [shapes.group_json(call, group) for group in shown]


@endpoint("GET", "/courses/<course_id>/outcome_groups/<group_id>")
def outcome_group(call: Call, course_id: str, group_id: str) -> Any:
    for group in _groups(call, _readable_course(call, course_id)):
        if str(group.id) == group_id:
            return shapes.group_json(call, group)
    raise not_found()


@endpoint("GET", "/courses/<course_id>/outcome_groups/<group_id>/subgroups")
def outcome_subgroups(call: Call, course_id: str, group_id: str) -> Any:
    children = [
        group
        for group in _groups(call, _readable_course(call, course_id))
        if str(group.parent_id) == group_id
    ]
    shown, _ = numbered(call, children)
    return [shapes.group_short(group) for group in shown]


@endpoint("GET", "/courses/<course_id>/outcome_group_links")
def outcome_group_links(call: Call, course_id: str) -> Any:
    """All links by id; any ``outcome_style`` gives the full outcome."""
    course = _readable_course(call, course_id)
    links = sorted(call.world.course_outcomes(course.id), key=lambda link: link.id)
    shown, _ = numbered(call, links)
    full = bool(call.params.get("outcome_style"))
    assessed = shapes.assessed_outcomes(call.world, course.id)
    return [shapes.link_json(call, link, full, assessed) for link in shown]


@endpoint("GET", "/courses/<course_id>/root_outcome_group")
def root_outcome_group(call: Call, course_id: str) -> Any:
    """A redirect to the root group."""
    course = _readable_course(call, course_id)
    root = call.world.root_group(course.id)
    address = f"{call.base}/api/v1/courses/{course.id}/outcome_groups/{root.id}"
    return Response(status=302, headers={"Location": address})


@endpoint("GET", "/outcomes/<outcome_id>")
def outcome(call: Call, outcome_id: str) -> Any:
    """One outcome, without the context of a course."""
    found = call.world.outcomes.get(int(outcome_id) if outcome_id.isdigit() else 0)
    if found is None or found.deleted:
        raise not_found()
    return shapes.outcome_json(call, found, None)


@endpoint("GET", "/courses/<course_id>/outcome_alignments")
def outcome_alignments(call: Call, course_id: str) -> Any:
    """The assignments aligned to the course's outcomes, as one student has them."""
    course = _readable_course(call, course_id)
    if not as_list(call.params.get("student_id")):
        raise missing_param("student_id")
    student = find_user(call, str(call.params["student_id"]))
    if student is None or not call.world.user_enrollments(student.id, course.id):
        raise not_found()
    if student.id != call.user.id and not rights_of(call.world, call.user, course).sees_grades:
        raise call.denied()
    linked = {link.outcome_id for link in call.world.course_outcomes(course.id)}
    rows = [
        alignment
        for alignment in call.world.alignments
        if alignment.course_id == course.id
        and alignment.kind == "assignment"
        and alignment.outcome_id in linked
        and alignment.target_id in call.world.assignments
    ]
    return [_alignment_json(call, course, row) for row in rows]


def _alignment_json(call: Call, course: r.Course, row: r.Alignment) -> dict[str, Any]:
    assignment = call.world.assignments[row.target_id]
    return {
        "learning_outcome_id": row.outcome_id,
        "assignment_id": assignment.id,
        "title": assignment.name,
        "submission_types": ",".join(assignment.submission_types),
        "url": f"{call.base}/courses/{course.id}/assignments/{assignment.id}",
    }
