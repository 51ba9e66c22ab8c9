"""Assignments, their groups and rubrics (app/controllers/assignments_api_controller.rb, lib/api/v1/assignment.rb)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import jsonify

from sandbox import records as r
from sandbox.app import iso
from sandbox.errors import ApiError, missing_param, not_found
from sandbox.permissions import Rights, rights_of
from sandbox.rest.api import Call, endpoint, split_id
from sandbox.rest.outcome_json import number
from sandbox.rest.paging import numbered
from sandbox.rest.params import as_list, truthy

GRADING_TYPES = ("pass_fail", "percent", "letter_grade", "gpa_scale", "points", "not_graded")


def readable(call: Call, course_id: str) -> tuple[r.Course, Rights]:
    course = call.course(course_id)
    rights = rights_of(call.world, call.user, course)
    if not rights.read:
        raise call.denied()
    return course, rights


def find_assignment(call: Call, course: r.Course, text: str) -> r.Assignment:
    """An assignment of the course by id, ``sis_assignment_id:`` or ``lti_context_id:``; 404 otherwise."""
    kind, value = split_id(text)
    for assignment in call.world.course_assignments(course.id):
        held = {
            "": str(assignment.id),
            "sis_assignment_id": assignment.sis_id,
            "lti_context_id": assignment.lti_context_id,
        }
        if value and held.get(kind) == value:
            return assignment
    raise not_found()


def _visible(call: Call, course: r.Course, rights: Rights) -> list[r.Assignment]:
    """Students see published assignments that are theirs."""
    staff = rights.sees_grades or rights.manage_assignments
    order = call.world.assignment_groups
    return sorted(
        (
            assignment
            for assignment in call.world.course_assignments(course.id)
            if staff or (assignment.published and call.world.is_assigned(assignment, call.user.id))
        ),
        key=lambda one: (order[one.assignment_group_id].position, one.position, one.id),
    )


def assignment_json(call: Call, assignment: r.Assignment, rights: Rights) -> dict[str, Any]:
    rubric = next((one for one in call.world.rubrics.values() if assignment.id in one.assignment_ids), None)
    answer: dict[str, Any] = {
        "id": assignment.id,
        "description": None,
        "due_at": iso(assignment.due_at),
        "unlock_at": iso(assignment.unlock_at),
        "lock_at": None,
        "points_possible": None if assignment.points_possible is None else float(assignment.points_possible),
        "grading_type": assignment.grading_type,
        "assignment_group_id": assignment.assignment_group_id,
        "grading_standard_id": assignment.grading_standard_id,
        "created_at": "2026-01-05T15:00:00Z",
        "updated_at": "2026-01-05T15:00:00Z",
        "peer_reviews": False,
        "automatic_peer_reviews": False,
        "position": assignment.position,
        "grade_group_students_individually": assignment.grade_individually,
        "anonymous_peer_reviews": False,
        "group_category_id": assignment.group_category_id,
        "post_to_sis": False,
        "moderated_grading": assignment.moderated,
        "omit_from_final_grade": assignment.omit_from_final_grade,
        "intra_group_peer_reviews": False,
        "anonymous_instructor_annotations": False,
        "anonymous_grading": assignment.anonymous,
        "graders_anonymous_to_graders": False,
        "grader_count": 0,
        "allowed_attempts": assignment.allowed_attempts or -1,
        "lti_context_id": assignment.lti_context_id,
        "course_id": assignment.course_id,
        "name": assignment.name,
        "submission_types": assignment.submission_types,
        "has_submitted_submissions": False,
        "due_date_required": False,
        "is_quiz_assignment": False,
        "in_closed_grading_period": assignment.closed_period,
        "workflow_state": "published" if assignment.published else "unpublished",
        "muted": assignment.post_manually,
        "html_url": f"{call.base}/courses/{assignment.course_id}/assignments/{assignment.id}",
        "published": assignment.published,
        "only_visible_to_overrides": assignment.only_visible_to_overrides,
        "post_manually": assignment.post_manually,
    }
    if assignment.external_tool_url is not None:
        answer["external_tool_tag_attributes"] = {"url": assignment.external_tool_url, "new_tab": False}
    if "assignment_visibility" in as_list(call.params.get("include")) and rights.sees_grades:
        answer["assignment_visibility"] = [str(one) for one in sorted(assigned_students(call, assignment))]
    if rubric is not None:
        answer["use_rubric_for_grading"] = rubric.use_for_grading
        answer["rubric_settings"] = {
            "id": rubric.id,
            "title": rubric.title,
            "points_possible": float(sum(one.points for one in rubric.criteria)),
            "free_form_criterion_comments": False,
            "hide_score_total": False,
            "hide_points": False,
        }
        answer["rubric"] = [criterion_json(one) for one in rubric.criteria]
    return answer


def assigned_students(call: Call, assignment: r.Assignment) -> set[int]:
    return {
        one.user_id
        for one in call.world.course_enrollments(assignment.course_id, r.STUDENT_TYPES)
        if call.world.is_assigned(assignment, one.user_id)
    }


def criterion_json(criterion: r.Criterion) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": criterion.id,
        "points": number(criterion.points),
        "description": criterion.description,
        "long_description": "",
        "criterion_use_range": False,
        "ratings": [
            {"id": f"{criterion.id}_{place}", "points": number(one.points), "description": one.description}
            for place, one in enumerate(criterion.ratings)
        ],
    }
    if criterion.outcome_id is not None:
        answer["outcome_id"] = criterion.outcome_id
    return answer


@endpoint("GET", "/courses/<course_id>/assignments")
def assignments(call: Call, course_id: str) -> Any:
    course, rights = readable(call, course_id)
    found = _visible(call, course, rights)
    ids = as_list(call.params.get("assignment_ids"))
    term = str(call.params.get("search_term") or "").casefold()
    if ids:
        found = [one for one in found if str(one.id) in ids]
    if term:
        found = [one for one in found if term in one.name.casefold()]
    shown, _ = numbered(call, found)
    return [assignment_json(call, one, rights) for one in shown]


@endpoint("GET", "/courses/<course_id>/assignments/<assignment_id>")
def assignment(call: Call, course_id: str, assignment_id: str) -> Any:
    course, rights = readable(call, course_id)
    found = find_assignment(call, course, assignment_id)
    if found not in _visible(call, course, rights):
        raise call.denied()
    return assignment_json(call, found, rights)


@endpoint("POST", "/courses/<course_id>/assignments")
def create_assignment(call: Call, course_id: str) -> Any:
    """A new assignment, unpublished unless ``published``; answers 201."""
    course, rights = readable(call, course_id)
    if not rights.manage_assignments:
        raise call.denied()
    given = call.params.get("assignment")
    if not isinstance(given, dict):
        raise missing_param("assignment")
    if not str(given.get("name") or "").strip():
        raise _invalid("name", "is too short (minimum is 1 character)")
    made = call.world.add_assignment(course.id, str(given["name"]), None, published=False)
    _change(call, made, given)
    response = jsonify(assignment_json(call, made, rights))
    response.status_code = 201
    return response


@endpoint("PUT", "/courses/<course_id>/assignments/<assignment_id>")
def change_assignment(call: Call, course_id: str, assignment_id: str) -> Any:
    course, rights = readable(call, course_id)
    found = find_assignment(call, course, assignment_id)
    if not rights.manage_assignments:
        raise call.denied()
    given = call.params.get("assignment")
    if not isinstance(given, dict):
        raise missing_param("assignment")
    _change(call, found, given)
    return assignment_json(call, found, rights)


def _change(call: Call, found: r.Assignment, given: dict[str, Any]) -> None:
    if given.get("grading_type", found.grading_type) not in GRADING_TYPES:
        raise _invalid("grading_type", "is not included in the list")
    if "points_possible" in given:
        found.points_possible = _points(given["points_possible"])
    if "assignment_group_id" in given:
        found.assignment_group_id = _group_id(call, found, given["assignment_group_id"])
    for name in ("published", "omit_from_final_grade", "only_visible_to_overrides"):
        if name in given:
            setattr(found, name, truthy(given[name]))
    for name in ("due_at", "unlock_at"):
        if name in given:
            setattr(found, name, datetime.fromisoformat(given[name]) if given[name] else None)
    found.name = str(given.get("name", found.name))
    found.grading_type = str(given.get("grading_type", found.grading_type))
    if "submission_types" in given:
        found.submission_types = as_list(given["submission_types"])
    if "grading_standard_id" in given:
        found.grading_standard_id = (
            int(given["grading_standard_id"]) if given["grading_standard_id"] else None
        )


def _group_id(call: Call, found: r.Assignment, value: Any) -> int:
    group = call.world.assignment_groups.get(int(value) if str(value).isdigit() else 0)
    if group is None or group.course_id != found.course_id:
        raise _invalid("assignment_group_id", "is not valid")
    return group.id


def _points(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise _invalid("points_possible", "is not a number") from None


def _invalid(name: str, message: str) -> ApiError:
    return ApiError(400, {"errors": {name: [{"attribute": name, "type": message, "message": message}]}})


@endpoint("GET", "/courses/<course_id>/assignment_groups")
def assignment_groups(call: Call, course_id: str) -> Any:
    course, rights = readable(call, course_id)
    mine = [group for group in call.world.assignment_groups.values() if group.course_id == course.id]
    shown, _ = numbered(call, sorted(mine, key=lambda group: (group.position, group.id)))
    with_assignments = "assignments" in as_list(call.params.get("include"))
    visible = _visible(call, course, rights) if with_assignments else []
    answer = []
    for group in shown:
        row: dict[str, Any] = {
            "id": group.id,
            "name": group.name,
            "position": group.position,
            "group_weight": group.weight,
            "sis_source_id": None,
            "integration_data": {},
            "rules": {},
        }
        if with_assignments:
            row["assignments"] = [
                assignment_json(call, one, rights) for one in visible if one.assignment_group_id == group.id
            ]
        answer.append(row)
    return answer


@endpoint("GET", "/courses/<course_id>/rubrics")
def rubrics(call: Call, course_id: str) -> Any:
    course, rights = readable(call, course_id)
    if not (rights.sees_grades or rights.manage_assignments):
        raise call.denied()
    mine = [rubric for rubric in call.world.rubrics.values() if rubric.course_id == course.id]
    shown, _ = numbered(call, mine)
    return [_rubric_json(rubric) for rubric in shown]


@endpoint("GET", "/courses/<course_id>/rubrics/<rubric_id>")
def rubric(call: Call, course_id: str, rubric_id: str) -> Any:
    course, rights = readable(call, course_id)
    if not (rights.sees_grades or rights.manage_assignments):
        raise call.denied()
    for found in call.world.rubrics.values():
        if found.course_id == course.id and str(found.id) == rubric_id:
            return _rubric_json(found)
    raise not_found()


def _rubric_json(rubric: r.Rubric) -> dict[str, Any]:
    return {
        "id": rubric.id,
        "title": rubric.title,
        "context_id": rubric.course_id,
        "context_type": "Course",
        "points_possible": float(sum(one.points for one in rubric.criteria)),
        "reusable": False,
        "read_only": False,
        "free_form_criterion_comments": False,
        "hide_score_total": False,
        "data": [criterion_json(one) for one in rubric.criteria],
    }
