"""The id_token of a course-navigation launch (lib/lti/messages/{jwt_message,resource_link_request}.rb; lti.md 2)."""

from __future__ import annotations

from typing import Any

from sandbox.lti import vocabulary as v
from sandbox.lti.deep_linking import DL, PLACEMENT, REQUEST, deep_linking_settings
from sandbox.lti.facts import LaunchFacts, launch_roles, split_name
from sandbox.lti.notices import KINDS
from sandbox.lti.substitutions import expand_fields
from sandbox.records import User

LIFETIME = 3600  # seconds
NAMED = ("public", "name_only")
WITH_EMAIL = ("public", "email_only")


def id_token_claims(facts: LaunchFacts, *, nonce: str, built_at: float) -> dict[str, Any]:
    """Every claim Canvas sends, with the noise it leaks; ``built_at`` is epoch seconds."""
    claims: dict[str, Any] = {
        "iss": facts.issuer,
        "aud": facts.key.client_id,
        "azp": facts.key.client_id,
        "iat": int(built_at),
        "exp": int(built_at) + LIFETIME,
        "nonce": nonce,
        v.LTI + "message_type": REQUEST if _picks(facts) else "LtiResourceLinkRequest",
        v.LTI + "version": "1.3.0",
        v.LTI + "deployment_id": facts.tool.deployment_id,
        v.LTI + "target_link_uri": facts.key.target_link_uri,
        v.LTI + "roles": launch_roles(facts),
        v.LTI + "custom": expand_fields(
            facts.key.custom_fields | (facts.link.custom if facts.link else {}), facts
        ),
        v.INSTRUCTURE + "placement": facts.placement or None,
        "locale": facts.user.locale if facts.user else "en",
        "errors": {"errors": {}},
    }
    if _picks(facts):
        settings = deep_linking_settings(facts, facts.secret, built_at=built_at)
        claims[DL + "deep_linking_settings"] = _noisy(settings)
    return claims | _place_claims(facts) | _service_claims(facts) | _person_claims(facts)


def _picks(facts: LaunchFacts) -> bool:
    return facts.placement == PLACEMENT


def _noisy(claim: dict[str, Any]) -> dict[str, Any]:
    """Rails leaves these two in every object claim [X]."""
    return {**claim, "validation_context": None, "errors": {"errors": {}}}


def _place_claims(facts: LaunchFacts) -> dict[str, Any]:
    course, root = facts.course, facts.root_account
    link = {"id": course.lti_context_id, "title": course.name, "description": None}
    if facts.link:
        link |= {"id": facts.link.uuid, "title": facts.link.title}
    context = {
        "id": course.lti_context_id,
        "label": course.code,
        "title": course.name,
        "type": [v.COURSE_OFFERING],
    }
    platform = {
        "guid": root.lti_guid or f"{root.uuid}:canvas-lms",
        "name": root.name,
        "version": "cloud",
        "product_family_code": "canvas",
    }
    presentation = {
        "document_target": "iframe",
        "return_url": f"{facts.course_url}/external_content/success/external_tool_redirect",
        "locale": facts.user.locale if facts.user else "en",
    }
    named = {} if _picks(facts) else {v.LTI + "resource_link": _noisy(link)}
    return named | {
        v.LTI + "context": _noisy(context),
        v.LTI + "tool_platform": _noisy(platform),
        v.LTI + "launch_presentation": _noisy(presentation),
    }


def _service_claims(facts: LaunchFacts) -> dict[str, Any]:
    claims: dict[str, Any] = {}
    ags = [scope for scope in facts.key.scopes if scope in v.AGS_SCOPES]
    if ags:
        own = {"lineitem": facts.line_item_url} if facts.line_item_url else {}
        claims[v.AGS_CLAIM] = _noisy({"scope": ags, "lineitems": f"{facts.services_url}/line_items", **own})
    if v.SCOPE_MEMBERS in facts.key.scopes:
        members = {
            "context_memberships_url": f"{facts.services_url}/names_and_roles",
            "service_versions": ["2.0"],
        }
        claims[v.NRPS_CLAIM] = _noisy(members)
    if v.SCOPE_NOTICES in facts.key.scopes:
        notices = {
            "service_versions": ["1.0"],
            "platform_notification_service_url": f"{facts.base_url}/api/lti/notice-handlers/{facts.tool.id}",
            "scope": [v.SCOPE_NOTICES],
            "notice_types_supported": list(KINDS),
        }
        claims[v.LTI + "platformnotificationservice"] = _noisy(notices)
    return claims


def _person_claims(facts: LaunchFacts) -> dict[str, Any]:
    user = facts.user
    if user is None:
        return {v.LTI + "lti11_legacy_user_id": ""}
    claims: dict[str, Any] = {
        "sub": user.lti_id,
        v.LTI + "lti11_legacy_user_id": user.legacy_id,
        v.LTI + "lti1p1": _noisy({"user_id": user.legacy_id}),
    }
    return claims | _private_claims(facts, user)


def _private_claims(facts: LaunchFacts, user: User) -> dict[str, Any]:
    """What the privacy level lets through; inner nulls stay."""
    claims: dict[str, Any] = {}
    level = facts.key.privacy_level
    if level in NAMED:
        given, family = split_name(user)
        lis = {
            "person_sourcedid": user.sis_id,
            "course_offering_sourcedid": facts.course.sis_id,
        }
        claims |= {
            "name": user.name,
            "given_name": given,
            "family_name": family,
            v.LTI + "lis": _noisy(lis),
        }
    if level in WITH_EMAIL:
        claims["email"] = user.email
    if level == "public":
        claims["picture"] = f"{facts.base_url}/images/messages/avatar-50.png"
        if facts.mentored:
            claims[v.LTI + "role_scope_mentor"] = [student.lti_id for student in facts.mentored]
    return claims
