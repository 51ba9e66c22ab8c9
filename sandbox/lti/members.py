"""NRPS memberships of a course (app/controllers/lti/ims/names_and_roles_controller.rb; lti.md 7)."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from sandbox.lti import vocabulary as v
from sandbox.lti.advantage import Caller, advantage, answer, refused
from sandbox.lti.claims import NAMED, WITH_EMAIL
from sandbox.lti.facts import membership_roles, split_name
from sandbox.lti.paging import page_of, with_links
from sandbox.lti.routes import blueprint
from sandbox.lti.state import OpenLaunch, facts_of, platform_of, services_url
from sandbox.lti.substitutions import MEMBER_VARIABLES, expand_fields
from sandbox.records import DESIGNER, OBSERVER, STUDENT, TA, TEACHER, TEST_STUDENT, Enrollment, User

TYPES_OF_ROLE: dict[str, tuple[str, ...]] = {
    v.LEARNER: (STUDENT, TEST_STUDENT),
    v.INSTRUCTOR: (TEACHER, TA),
    v.TEACHING_ASSISTANT: (TA,),
    v.MENTOR: (OBSERVER,),
    v.CONTENT_DEVELOPER: (DESIGNER,),
    v.TEST_USER: (TEST_STUDENT,),
}


@blueprint.get("/api/lti/courses/<int:course_id>/names_and_roles")
@advantage(v.SCOPE_MEMBERS, gradebook=False)
def names_and_roles(caller: Caller) -> Response:
    """Everyone with an active enrolment, once each, ordered by id."""
    rlid = request.args.get("rlid")
    if rlid is not None and rlid != caller.course.lti_context_id:
        raise refused(400, "Invalid 'rlid' parameter")
    rows = [(user, held) for user, held in _people(caller) if _has_role(held)]
    size = platform_of(caller.world).members_page_size
    page, links = page_of(rows, default=size, maximum=size)
    course = caller.course
    body = {
        "id": f"{services_url(caller.world)}/api/lti/courses/{course.id}/names_and_roles",
        "context": {"id": course.lti_context_id, "label": course.code, "title": course.name},
        "members": [_member(caller, user, held, with_message=rlid is not None) for user, held in page],
    }
    return with_links(answer(body, v.MEMBERS_TYPE), links)


def _people(caller: Caller) -> list[tuple[User, list[Enrollment]]]:
    held: dict[int, list[Enrollment]] = {}
    for enrollment in caller.world.course_enrollments(caller.course.id):
        if enrollment.state == "active" and caller.world.live_user(enrollment.user_id) is not None:
            held.setdefault(enrollment.user_id, []).append(enrollment)
    return [(caller.world.users[user_id], held[user_id]) for user_id in sorted(held)]


def _has_role(held: list[Enrollment]) -> bool:
    """A person matched by one enrolment is shown with all their roles; an unknown role matches nobody."""
    role = request.args.get("role")
    return role is None or any(enrollment.type in TYPES_OF_ROLE.get(role, ()) for enrollment in held)


def _member(caller: Caller, user: User, held: list[Enrollment], *, with_message: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "status": "Active",
        "user_id": user.lti_id,
        "lti11_legacy_user_id": user.legacy_id,
        "roles": sorted(membership_roles(held)),
        **_private(caller, user),
    }
    if with_message:
        body["message"] = [_message(caller, user)]
    return {name: value for name, value in body.items() if value is not None}


def _private(caller: Caller, user: User) -> dict[str, Any]:
    level, shown = caller.key.privacy_level, {}
    if level in NAMED:
        given, family = split_name(user)
        shown = {
            "name": user.name,
            "given_name": given,
            "family_name": family,
            "lis_person_sourcedid": user.sis_id,
        }
    return shown | ({"email": user.email} if level in WITH_EMAIL else {})


def _message(caller: Caller, user: User) -> dict[str, Any]:
    """Tool-level custom fields; only some variables are known here, the rest stay literal."""
    launch = OpenLaunch("", caller.key.id, caller.tool.id, caller.course.id, user.id, caller.world.now())
    facts = facts_of(caller.world, launch, user)
    return {
        v.LTI + "message_type": "LtiResourceLinkRequest",
        "locale": user.locale,
        v.LTI + "custom": expand_fields(caller.key.custom_fields, facts, MEMBER_VARIABLES),
    }
