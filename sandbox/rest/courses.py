"""Courses, permissions, settings, sections, enrolments and users.

Imitates lib/api/v1/course.rb, course_json.rb, user.rb, section_enrollments.rb and
app/controllers/enrollments_api_controller.rb.
"""

from __future__ import annotations

from typing import Any

from sandbox import records as r
from sandbox.app import iso
from sandbox.errors import not_found
from sandbox.permissions import Rights, rights_of
from sandbox.rest.api import Call, endpoint, find_user
from sandbox.rest.paging import numbered
from sandbox.rest.params import as_list, truthy
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


def _readable(call: Call, course_id: str) -> tuple[r.Course, Rights]:
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
    found, _ = _readable(call, course_id)
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
    found, rights = _readable(call, course_id)
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
    found, rights = _readable(call, course_id)
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
    found, rights = _readable(call, course_id)
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


@endpoint("GET", "/courses/<course_id>/enrollments")
def enrollments(call: Call, course_id: str) -> Any:
    """One row for each enrolment; without ``state[]`` the active and invited ones."""
    found, rights = _readable(call, course_id)
    if not rights.read_roster:
        raise call.denied()
    types = as_list(call.params.get("type")) or None
    states = as_list(call.params.get("state")) or ["active", "invited"]
    person = call.params.get("user_id")
    user = find_user(call, str(person)) if person else None
    rows = [
        one
        for one in call.world.course_enrollments(found.id, types)
        if one.state in states
        and rights.sees_section(one.section_id)
        and (not person or (user is not None and one.user_id == user.id))
        and call.world.live_user(one.user_id) is not None
    ]
    shown, _ = numbered(call, rows)
    return [_enrollment_json(call, found, rights, one) for one in shown]


def _enrollment_json(call: Call, course: r.Course, rights: Rights, one: r.Enrollment) -> dict[str, Any]:
    user = call.world.users[one.user_id]
    section = call.world.sections[one.section_id]
    answer: dict[str, Any] = {
        "id": one.id,
        "user_id": one.user_id,
        "course_id": one.course_id,
        "type": one.type,
        "created_at": CREATED,
        "updated_at": CREATED,
        "associated_user_id": one.associated_user_id,
        "start_at": None,
        "end_at": None,
        "course_section_id": one.section_id,
        "root_account_id": MAIN_ACCOUNT,
        "limit_privileges_to_course_section": one.limit_privileges,
        "enrollment_state": one.state,
        "role": one.type if one.type != r.TEST_STUDENT else r.STUDENT,
        "role_id": ROLE_IDS[one.type],
        "last_activity_at": None,
        "last_attended_at": None,
        "total_activity_time": 0,
        "sis_course_id": course.sis_id,
        "sis_section_id": section.sis_id,
        "sis_user_id": user.sis_id,
        "html_url": f"{call.base}/courses/{course.id}/users/{one.user_id}",
    }
    if one.type in r.STUDENT_TYPES and (rights.sees_grades or one.user_id == call.user.id):
        page = f"{call.base}/courses/{course.id}/grades/{one.user_id}"
        answer["grades"] = {
            "html_url": page,
            "current_grade": None,
            "current_score": None,
            "final_grade": None,
            "final_score": None,
        }
    answer["user"] = user_json(user, detailed=rights.sees_grades or user.id == call.user.id)
    return answer


def user_json(user: r.User, detailed: bool) -> dict[str, Any]:
    """A person; login and SIS ids only for those who may see them."""
    answer: dict[str, Any] = {
        "id": user.id,
        "name": user.name,
        "created_at": CREATED,
        "sortable_name": user.sortable_name,
        "short_name": user.short_name,
    }
    if detailed:
        answer |= {
            "sis_user_id": user.sis_id,
            "integration_id": user.integration_id,
            "sis_import_id": None,
            "login_id": user.login_id,
        }
    return answer


@endpoint("GET", "/courses/<course_id>/users")
def course_users(call: Call, course_id: str) -> Any:
    """People by name; ``enrollment_type[]`` and ``enrollment_state[]`` filter."""
    found, rights = _readable(call, course_id)
    if not rights.read_roster:
        raise call.denied()
    roles = as_list(call.params.get("enrollment_type"))
    names = {
        "student": r.STUDENT,
        "teacher": r.TEACHER,
        "ta": r.TA,
        "observer": r.OBSERVER,
        "designer": r.DESIGNER,
    }
    types = [names[role] for role in roles if role in names] or None
    states = as_list(call.params.get("enrollment_state")) or ["active", "invited"]
    ids = {
        one.user_id
        for one in call.world.course_enrollments(found.id, types)
        if one.state in states and rights.sees_section(one.section_id)
    }
    people = sorted(
        (call.world.users[number] for number in ids), key=lambda user: (user.sortable_name, user.id)
    )
    shown, _ = numbered(call, people)
    return [user_json(user, rights.sees_grades) for user in shown]


@endpoint("GET", "/users/<user_id>")
def user(call: Call, user_id: str) -> Any:
    found = _visible_user(call, user_id)
    own = found.id == call.user.id
    answer = {**user_json(found, detailed=True), "avatar_url": f"{call.base}/images/messages/avatar-50.png"}
    if own:
        answer |= {"locale": None, "effective_locale": found.locale, "permissions": {"can_update_name": True}}
    return answer


@endpoint("GET", "/users/<user_id>/profile")
def profile(call: Call, user_id: str) -> Any:
    found = _visible_user(call, user_id)
    return {
        **user_json(found, detailed=True),
        "title": None,
        "bio": None,
        "primary_email": found.email,
        "time_zone": "America/Denver",
        "locale": None,
        "effective_locale": found.locale,
        "lti_user_id": found.legacy_id,
    }


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


def _visible_user(call: Call, user_id: str) -> r.User:
    found = find_user(call, user_id)
    if found is None:
        raise not_found()
    shared = any(
        rights_of(call.world, call.user, course).sees_grades
        for course in call.world.courses.values()
        if call.world.user_enrollments(found.id, course.id)
    )
    if found.id != call.user.id and not shared and not call.user.account_admin:
        raise call.denied()
    return found


@endpoint("PUT", "/courses/<course_id>/settings")
def change_settings(call: Call, course_id: str) -> Any:
    """``hide_final_grades``, and overrides where the account allows them (else ignored without error)."""
    found, rights = _readable(call, course_id)
    if not rights.manage_grades:
        raise call.denied()
    allowed = "final_grades_override" in call.world.account_chain(found.account_id)[-1].features
    for name in ("allow_final_grade_override", "hide_final_grades"):
        if name in call.params and (name == "hide_final_grades" or allowed):
            found.settings[name] = truthy(call.params[name])
    return {
        name: bool(found.settings.get(name)) for name in ("allow_final_grade_override", "hide_final_grades")
    }
