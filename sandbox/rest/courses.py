"""Courses, permissions, settings and sections (lib/api/v1/course.rb, course_json.rb)."""

from __future__ import annotations

from typing import Any

from sandbox import records as r
from sandbox.app import iso
from sandbox.errors import not_found
from sandbox.permissions import Rights, rights_of
from sandbox.rest.api import Call, endpoint
from sandbox.rest.paging import numbered
from sandbox.rest.params import as_list, truthy
from sandbox.schemes import scheme_in_force
from sandbox.world import MAIN_ACCOUNT

CREATED = "2026-01-05T15:00:00Z"
TERM_ID = 1
ROLE_IDS = {r.STUDENT: 3, r.TEACHER: 4, r.TA: 5, r.DESIGNER: 6, r.OBSERVER: 7, r.TEST_STUDENT: 3}
PERMISSIONS = {
    "read_roster": "read_roster",
    "view_all_grades": "view_all_grades",
    "manage_grades": "manage_grades",
    "manage_assignments_add": "manage_assignments",
    "manage_assignments_edit": "manage_assignments",
    "manage_assignments_delete": "manage_assignments",
    "read_reports": "read_reports",
    "change_course_state": "change_course_state",
}


def readable(call: Call, course_id: str) -> tuple[r.Course, Rights]:
    course = call.course(course_id)
    rights = rights_of(call.world, call.user, course)
    if not rights.read:
        raise call.denied()
    return course, rights


def _permissions_json(rights: Rights) -> dict[str, bool]:
    return {name: bool(getattr(rights, attribute)) for name, attribute in PERMISSIONS.items()}


def course_json(call: Call, course: r.Course) -> dict[str, Any]:
    includes = as_list(call.params.get("include"))
    rights = rights_of(call.world, call.user, course)
    mine = call.world.user_enrollments(call.user.id, course.id)
    answer: dict[str, Any] = {
        "id": course.id,
        "name": course.name,
        "account_id": course.account_id,
        "uuid": course.uuid,
        "start_at": iso(course.start_at),
        "grading_standard_id": course.grading_standard_id,
        "is_public": course.public,
        "created_at": CREATED,
        "course_code": course.code,
        "default_view": "modules",
        "root_account_id": MAIN_ACCOUNT,
        "enrollment_term_id": TERM_ID,
        "license": "private",
        "end_at": iso(course.end_at),
        "public_syllabus": False,
        "storage_quota_mb": 500,
        "is_public_to_auth_users": False,
        "homeroom_course": False,
        "course_color": None,
        "friendly_name": None,
        "apply_assignment_group_weights": bool(course.settings.get("apply_assignment_group_weights")),
        "time_zone": course.time_zone,
        "blueprint": False,
        "hide_final_grades": bool(course.settings.get("hide_final_grades")),
        "enrollments": [
            {
                "type": one.type.removesuffix("Enrollment").lower(),
                "role": one.type,
                "role_id": ROLE_IDS[one.type],
                "user_id": one.user_id,
                "enrollment_state": one.state,
                "limit_privileges_to_course_section": one.limit_privileges,
            }
            for one in mine
        ],
        "workflow_state": "unpublished"
        if course.workflow_state in ("created", "claimed")
        else course.workflow_state,
        "restrict_enrollments_to_course_dates": course.end_at is not None,
    }
    if rights.read_reports:
        answer["sis_course_id"] = course.sis_id
    return {**answer, **_course_includes(call, course, rights, includes)}


def _course_includes(call: Call, course: r.Course, rights: Rights, includes: list[str]) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if "concluded" in includes:
        extra["concluded"] = course.is_concluded(call.world.now())
    if "term" in includes:
        extra["term"] = {"id": TERM_ID, "name": "Default Term", "start_at": None, "end_at": None}
    if "grading_scheme" in includes:
        extra["grading_scheme"] = [list(step) for step in scheme_in_force(call.world, course)]
    if "permissions" in includes:
        extra["permissions"] = {
            "create_discussion_topic": rights.read,
            "create_announcement": rights.manage_grades,
        }
    if "sections" in includes:
        places = {one.section_id: one for one in call.world.user_enrollments(call.user.id, course.id)}
        extra["sections"] = [
            {"id": number, "name": call.world.sections[number].name, "enrollment_role": one.type}
            for number, one in places.items()
        ]
    return extra


@endpoint("GET", "/courses")
def courses(call: Call) -> Any:
    """The caller's own courses."""
    role = str(call.params.get("enrollment_type") or "")
    wanted = f"{role.capitalize()}Enrollment" if role else ""
    mine = [
        course
        for course in call.world.courses.values()
        if course.workflow_state != "deleted"
        and any(
            one.state in ("active", "completed") and (not wanted or one.type == wanted)
            for one in call.world.user_enrollments(call.user.id, course.id)
        )
    ]
    shown, _ = numbered(call, mine)
    return [course_json(call, course) for course in shown]


@endpoint("GET", "/courses/<course_id>")
def course(call: Call, course_id: str) -> Any:
    found, _ = readable(call, course_id)
    return course_json(call, found)


@endpoint("GET", "/courses/<course_id>/permissions")
def permissions(call: Call, course_id: str) -> Any:
    """The caller's rights by name; ``permissions[]`` picks some, an unknown name is false."""
    found = call.course(course_id)
    rights = _permissions_json(rights_of(call.world, call.user, found))
    asked = as_list(call.params.get("permissions"))
    return {name: rights.get(name, False) for name in asked} if asked else rights


@endpoint("GET", "/courses/<course_id>/settings")
def settings(call: Call, course_id: str) -> Any:
    found, rights = readable(call, course_id)
    if not rights.read_reports:
        raise call.denied()
    return {
        "allow_final_grade_override": bool(found.settings.get("allow_final_grade_override")),
        "allow_student_discussion_topics": True,
        "hide_final_grades": bool(found.settings.get("hide_final_grades")),
        "hide_distribution_graphs": False,
        "grading_standard_enabled": found.grading_standard_id is not None,
        "grading_standard_id": found.grading_standard_id,
        "filter_speed_grader_by_student_group": False,
        "restrict_student_past_view": False,
        "restrict_student_future_view": False,
        "show_announcements_on_home_page": False,
    }


@endpoint("GET", "/courses/<course_id>/late_policy")
def late_policy(call: Call, course_id: str) -> Any:
    found, rights = readable(call, course_id)
    if not rights.sees_grades:
        raise call.denied()
    policy = found.late_policy
    if policy is None:
        raise not_found()
    return {
        "late_policy": {
            "id": found.id,
            "course_id": found.id,
            "missing_submission_deduction_enabled": policy.missing_percent is not None,
            "missing_submission_deduction": 100 - (policy.missing_percent or 0),
            "late_submission_deduction_enabled": policy.deduction_percent > 0,
            "late_submission_deduction": policy.deduction_percent,
            "late_submission_interval": "day",
            "late_submission_minimum_percent_enabled": policy.minimum_percent > 0,
            "late_submission_minimum_percent": policy.minimum_percent,
        }
    }


@endpoint("GET", "/courses/<course_id>/sections")
def sections(call: Call, course_id: str) -> Any:
    found, rights = readable(call, course_id)
    if not rights.read_roster:
        raise call.denied()
    mine = [
        section
        for section in call.world.sections.values()
        if section.course_id == found.id and rights.sees_section(section.id)
    ]
    shown, _ = numbered(call, sorted(mine, key=lambda section: section.id))
    return [
        {
            "id": section.id,
            "course_id": section.course_id,
            "name": section.name,
            "start_at": None,
            "end_at": None,
            "created_at": CREATED,
            "restrict_enrollments_to_section_dates": False,
            "nonxlist_course_id": None,
            "sis_section_id": section.sis_id,
            "sis_course_id": found.sis_id,
            "integration_id": None,
        }
        for section in shown
    ]


@endpoint("GET", "/users/self/favorites/courses")
def favourites(call: Call) -> Any:
    """Nothing is starred here, so the current courses."""
    mine = [
        course
        for course in call.world.courses.values()
        if any(one.state == "active" for one in call.world.user_enrollments(call.user.id, course.id))
        and not course.is_concluded(call.world.now())
    ]
    return [course_json(call, course) for course in mine]


@endpoint("PUT", "/courses/<course_id>/settings")
def change_settings(call: Call, course_id: str) -> Any:
    """``hide_final_grades``, and overrides where the account allows them (else ignored without error)."""
    found, rights = readable(call, course_id)
    if not rights.manage_grades:
        raise call.denied()
    allowed = "final_grades_override" in call.world.account_chain(found.account_id)[-1].features
    for name in ("allow_final_grade_override", "hide_final_grades"):
        if name in call.params and (name == "hide_final_grades" or allowed):
            found.settings[name] = truthy(call.params[name])
    return {
        name: bool(found.settings.get(name)) for name in ("allow_final_grade_override", "hide_final_grades")
    }
