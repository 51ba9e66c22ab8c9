"""`verify_launch`: the one place where an id_token becomes a launch that may be believed.

What is checked, in order: shape, key, signature, issuer, audience, times, nonce, then LTI's own claims and the
deployment. Nothing is written here. docs/decisions/0010-verify-launch.md says why this is not pylti1p3's check.
https://www.imsglobal.org/spec/security/v1p0/#authentication-response-validation
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pylti1p3.exception import LtiException
from pylti1p3.message_validators.resource_message import ResourceMessageValidator

from lti_tool import claims as c
from lti_tool import deeplink
from lti_tool.addresses import launch_url
from lti_tool.deeplink import DeepLinkRequest
from lti_tool.errors import PlatformError
from lti_tool.http import allowed_hosts, check_address
from lti_tool.jws import key_id, verified_claims
from lti_tool.models import Context, Deployment, LaunchRole, Registration
from lti_tool.platform_keys import public_key
from lti_tool.refusals import LaunchRefused
from lti_tool.roles import role_of
from lti_tool.states import LoginState

TOLERANCE_SECONDS = 60
OLDEST_SECONDS = 600
LONGEST_LIFE_SECONDS = 7_200
LINK_TAG = "mastery_alignment"
LINKED_ASSIGNMENT = "canvas_assignment_id"
"""Custom parameters of links that were picked here."""
_SHARD = 10**13
_COURSE_IN_PATH = re.compile(r"/api/lti/courses/([1-9][0-9]{0,29})/line_items/?")


@dataclass(frozen=True, slots=True)
class Services:
    """What the launch offers to call; "" where it offers nothing that this registration may be asked."""

    line_items_url: str = ""
    ags_scopes: tuple[str, ...] = ()
    memberships_url: str = ""
    refused: bool = False
    """Whether an address was left out because its host does not belong to the registration."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One verified launch: who, in which role, in which course. It lives as long as the request."""

    registration: Registration
    deployment_id: str
    deployment: Deployment | None
    """The installation, where it is known already."""
    context: Context | None = field(repr=False)
    """The course as an earlier launch left it."""
    nonce: str = field(repr=False)
    sub: str = field(repr=False)
    canvas_user_id: str = field(repr=False)
    role: LaunchRole
    context_id: str
    """LTI context id; "" for a launch outside any course."""
    canvas_course_id: str
    title: str
    label: str
    return_url: str
    locale: str
    services: Services
    deep_link: DeepLinkRequest | None = None
    """What the platform wants picked, for a deep linking launch."""
    link_tag: str = ""
    """What a link that was picked here carries (`alignments.deeplinking`); "" for every other."""
    linked_assignment_id: str = ""
    """The Canvas assignment such a link belongs to, where Canvas says it."""


def verify_launch(id_token: str, state: LoginState, registration: Registration, now: datetime) -> Launch:
    """Believe the token, or raise LaunchRefused. `registration` is the one the login's state names."""
    claims = verified_claims(id_token, public_key(registration, key_id(id_token)))
    _check_parties(claims, registration)
    _check_times(claims, int(now.timestamp()))
    _check_nonce(claims, state)
    _check_message(claims)
    deployment_id = c.required_id(claims, c.DEPLOYMENT_ID, "DEPLOYMENT-MISSING")
    context = _known_context(claims, registration)
    deployment = _check_deployment(registration, deployment_id, context)
    return _to_launch(claims, registration, deployment_id, deployment, context)


def _check_parties(claims: Mapping[str, Any], registration: Registration) -> None:
    """Exactly this issuer, exactly one audience, and that audience is us. Security Framework 5.1.3 (2) to (5)."""
    if claims.get("iss") != registration.issuer:
        raise LaunchRefused("ISSUER")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if audiences != [registration.client_id]:
        raise LaunchRefused("MIXUP" if _is_for_another_of_ours(audiences) else "AUDIENCE")
    if claims.get("azp", registration.client_id) not in (registration.client_id, None):
        raise LaunchRefused("AUDIENCE")


def _is_for_another_of_ours(audiences: list[Any]) -> bool:
    """Whether the one audience is a client of ours, only not the one whose login this was."""
    named = [each for each in audiences if isinstance(each, str) and each.isascii() and each.isalnum()]
    return len(audiences) == 1 and Registration.objects.filter(client_id__in=named).exists()


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    """Issued lately, not over yet, not made to live long; a minute of difference between clocks is forgiven."""
    issued, ends, begins = (claims.get(name) for name in ("iat", "exp", "nbf"))
    if type(issued) is not int or type(ends) is not int or not isinstance(begins, (int, type(None))):
        raise LaunchRefused("TIME")
    if max(issued, begins or 0) > now + TOLERANCE_SECONDS:
        raise LaunchRefused("TIME", hint="clock=platform-ahead")
    if now - issued > OLDEST_SECONDS + TOLERANCE_SECONDS or ends <= now - TOLERANCE_SECONDS:
        raise LaunchRefused("TIME", hint="clock=too-old")
    if ends - issued > LONGEST_LIFE_SECONDS:
        raise LaunchRefused("TIME", hint="life=too-long")


def _check_nonce(claims: Mapping[str, Any], state: LoginState) -> None:
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(_utf8(nonce), _utf8(state.nonce)):
        raise LaunchRefused("NONCE")


def _utf8(text: str) -> bytes:
    """JSON can spell half a character; it differs from every nonce of ours."""
    return text.encode("utf-8", "surrogatepass")


def _check_message(claims: dict[str, Any]) -> None:
    """The claims LTI Core 5.3 requires of a resource link launch, or Deep Linking 2.0 of a request to pick one."""
    picks = deeplink.is_request(claims)
    about = deeplink.SETTINGS if picks else c.RESOURCE_LINK
    missing = [name for name in (c.MESSAGE_TYPE, c.VERSION, c.ROLES, about, "sub") if name not in claims]
    if len(missing) > 1:
        raise LaunchRefused("CLAIMS", *missing)
    if claims.get(c.VERSION) != "1.3.0":
        raise LaunchRefused("VERSION")
    validator = ResourceMessageValidator()
    if not picks and not validator.can_validate(claims):
        raise LaunchRefused("MESSAGE-TYPE")
    if not isinstance(claims.get(c.ROLES), list):
        raise LaunchRefused("ROLES")
    if not picks:
        c.required_id(c.optional_object(claims, c.RESOURCE_LINK), "id", "RESOURCE-LINK")
    c.required_id(claims, "sub", "SUB")
    if claims.get(c.TARGET_LINK_URI) != launch_url():
        raise LaunchRefused("TARGET-CLAIM")
    try:
        if not picks:
            validator.validate(claims)
    except LtiException:
        raise LaunchRefused("CLAIMS") from None


def _known_context(claims: Mapping[str, Any], registration: Registration) -> Context | None:
    context = c.optional_object(claims, c.CONTEXT)
    if not context:
        return None
    named = Context.objects.filter(
        registration=registration, context_id=c.required_id(context, "id", "CLAIMS")
    )
    # The constraint lets there be one: `first()` would have it put in order.
    return next(iter(named.select_related("deployment")), None)


def _check_deployment(
    registration: Registration, deployment_id: str, context: Context | None
) -> Deployment | None:
    """Known and on, or new where the registration takes new ones. Deployment ids are case-sensitive."""
    if context and context.deployment.deployment_id == deployment_id:
        known: Deployment | None = context.deployment
    else:
        known = Deployment.objects.filter(registration=registration, deployment_id=deployment_id).first()
    if known is None and not registration.allow_new_deployments:
        raise LaunchRefused("DEPLOYMENT")
    if known is not None and not known.is_active:
        raise LaunchRefused("DEPLOYMENT-OFF")
    return known


def _to_launch(
    claims: Mapping[str, Any],
    registration: Registration,
    deployment_id: str,
    deployment: Deployment | None,
    known: Context | None,
) -> Launch:
    context = c.optional_object(claims, c.CONTEXT)
    custom = c.optional_object(claims, c.CUSTOM)
    presentation = c.optional_object(claims, c.LAUNCH_PRESENTATION)
    services = _services(claims, registration)
    context_id = c.required_id(context, "id", "CLAIMS") if context else ""
    return Launch(
        registration=registration,
        deployment_id=deployment_id,
        deployment=deployment,
        context=known,
        nonce=claims["nonce"],
        sub=claims["sub"],
        canvas_user_id=c.canvas_id(custom, "canvas_user_id"),
        role=role_of(c.optional_texts(claims, c.ROLES)),
        context_id=context_id,
        canvas_course_id=_course_id(custom, services) if context_id else "",
        title=c.optional_text(context, "title", c.LONGEST_TITLE),
        label=c.optional_text(context, "label", c.LONGEST_TITLE),
        return_url=_ours_or_nothing(c.optional_text(presentation, "return_url", 4_000), registration),
        locale=c.optional_text(claims, "locale", 20),
        services=services,
        deep_link=deeplink.read_request(claims, registration),
        link_tag=c.optional_text(custom, LINK_TAG, 64),
        linked_assignment_id=c.canvas_id(custom, LINKED_ASSIGNMENT),
    )


def _course_id(custom: Mapping[str, Any], services: Services) -> str:
    """The Canvas course, from the custom field, else from the address of its line items (interface 3). Both
    must mean the same one: a field set by hand on a single link could name another course."""
    course_id = c.canvas_id(custom, "canvas_course_id")
    in_path = _COURSE_IN_PATH.fullmatch(urlsplit(services.line_items_url).path)
    if course_id:
        if in_path and not _same_course(course_id, in_path[1]):
            raise LaunchRefused("COURSE-MISMATCH")
        return course_id
    if in_path:
        return in_path[1]
    if c.is_unexpanded(custom, "canvas_course_id"):
        raise LaunchRefused("COURSE-ID")
    return ""


def _same_course(one: str, other: str) -> bool:
    """Canvas names a course of another shard by its global id: shard × 10^13 + local id."""
    return int(one) % _SHARD == int(other) % _SHARD


def _services(claims: Mapping[str, Any], registration: Registration) -> Services:
    endpoint = c.optional_object(claims, c.AGS_ENDPOINT)
    members = c.optional_object(claims, c.NRPS_SERVICE)
    line_items = c.optional_text(endpoint, "lineitems", 4_000)
    memberships = c.optional_text(members, "context_memberships_url", 4_000)
    usable = [_ours_or_nothing(url, registration) for url in (line_items, memberships)]
    return Services(
        line_items_url=usable[0],
        ags_scopes=c.plain_texts(endpoint, "scope") if usable[0] else (),
        memberships_url=usable[1],
        refused=usable != [line_items, memberships],
    )


def _ours_or_nothing(url: str, registration: Registration) -> str:
    """The address if its host belongs to the registration, else ""; a claim never widens where we call."""
    if not url or len(url) > c.LONGEST_URL:
        return ""
    try:
        check_address(url, allowed_hosts(registration), "launch claim")
    except (PlatformError, ValueError):
        return ""
    return url
