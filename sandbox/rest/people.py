"""Enrolments and users (lib/api/v1/user.rb, app/controllers/enrollments_api_controller.rb)."""

from __future__ import annotations

from typing import Any

from sandbox import records as r
from sandbox.errors import not_found
from sandbox.permissions import Rights, rights_of
from sandbox.rest.api import Call, endpoint, find_user
from sandbox.rest.courses import CREATED, ROLE_IDS, readable
from sandbox.rest.paging import numbered
from sandbox.rest.params import as_list
from sandbox.world import MAIN_ACCOUNT


@endpoint("GET", "/courses/<course_id>/enrollments")
def enrollments(call: Call, course_id: str) -> Any:
    """One row for each enrolment; without ``state[]`` the active and invited ones."""
    found, rights = readable(call, course_id)
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
    found, rights = readable(call, course_id)
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
