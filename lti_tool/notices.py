"""Platform notices: Canvas tells that something happened that no launch shows, such as a course that was copied.

https://www.imsglobal.org/spec/lti/v1p3/pns ; lti.md 9: `{"notices": [{"jwt": …}]}`, sent once, without a password:
each notice is a token of the platform, and its signature says whose it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from lti_tool import claims as c
from lti_tool import marks
from lti_tool.deliveries import DeliveryRefused
from lti_tool.jws import key_id, unverified_claims, verified_claims
from lti_tool.models import Context, CourseMark, Deployment, Registration
from lti_tool.platform_keys import public_key
from lti_tool.refusals import LaunchRefused
from lti_tool.states import consume_nonce

NOTICE = "https://purl.imsglobal.org/spec/lti/claim/notice"
COPIED = "LtiContextCopyNotice"
MOST_NOTICES = 50
TOLERANCE_SECONDS = 60
LONGEST_LIFE_SECONDS = 7_200
MOST_CANDIDATES = 20


@dataclass(frozen=True, slots=True)
class Notice:
    """One verified notice. `context_id` is the course it is about, "" for none."""

    registration: Registration
    nonce: str
    kind: str
    context_id: str
    at: datetime


def read_notices(body: bytes, now: datetime) -> list[Notice]:
    """All notices of a delivery, or DeliveryRefused: nothing is done for some of them only."""
    try:
        sent = json.loads(body.decode("utf-8"))
        tokens = [one["jwt"] for one in sent["notices"]]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise DeliveryRefused(400, "NOTICE-SHAPE") from None
    if not 0 < len(tokens) <= MOST_NOTICES or not all(isinstance(token, str) for token in tokens):
        raise DeliveryRefused(400, "NOTICE-SHAPE")
    return [_verified(token, now) for token in tokens]


@transaction.atomic
def take_in(notices: list[Notice], now: datetime) -> int:
    """Do what they ask for, each once; how many were new."""
    new = 0
    for notice in notices:
        try:
            consume_nonce(notice.registration, notice.nonce, now)
        except LaunchRefused:
            continue
        new += 1
        if notice.kind == COPIED and notice.context_id:
            copied = Context.objects.filter(registration=notice.registration, context_id=notice.context_id)
            marks.mark(copied, CourseMark.Kind.COPIED, notice.at, now)
    return new


def _verified(token: str, now: datetime) -> Notice:
    """Whose notice this is, by the signature: of several registrations with the same issuer and client id,
    the one whose Canvas signed it."""
    try:
        kid = key_id(token)
        candidates = _candidates(token)
    except (LaunchRefused, ValueError, KeyError, TypeError):
        raise DeliveryRefused(400, "NOTICE-SHAPE") from None
    last = "NOTICE-UNKNOWN-PLATFORM"
    for registration in candidates:
        try:
            claims = verified_claims(token, public_key(registration, kid))
            return _checked(claims, registration, now)
        except LaunchRefused as refused:
            last = f"NOTICE-{refused.code}"
    raise DeliveryRefused(503 if last.endswith("PLATFORM-KEYS") else 401, last)


def _candidates(token: str) -> list[Registration]:
    """The registrations the token claims to be for. Nothing of it is believed yet."""
    claims = unverified_claims(token)
    audience = claims["aud"]
    [client_id] = map(str, audience if isinstance(audience, list) else [audience])
    issuer = c.required_id(claims, "iss", "AUDIENCE")
    if not client_id.isprintable():
        raise LaunchRefused("AUDIENCE")
    named = Registration.objects.filter(issuer=issuer, client_id=client_id, is_active=True)
    return list(named.order_by("pk")[:MOST_CANDIDATES])


def _checked(claims: Mapping[str, Any], registration: Registration, now: datetime) -> Notice:
    """The claims lti.md 9 lists. Raises LaunchRefused."""
    audience = claims.get("aud")
    if claims.get("iss") != registration.issuer or audience not in (
        registration.client_id,
        [registration.client_id],
    ):
        raise LaunchRefused("AUDIENCE")
    _check_times(claims, now.timestamp())
    nonce = c.required_id(claims, "nonce", "NONCE")
    if claims.get(c.VERSION) != "1.3.0":
        raise LaunchRefused("VERSION")
    deployment = c.required_id(claims, c.DEPLOYMENT_ID, "DEPLOYMENT-MISSING")
    if not Deployment.objects.filter(
        registration=registration, deployment_id=deployment, is_active=True
    ).exists():
        raise LaunchRefused("DEPLOYMENT")
    notice = c.optional_object(claims, NOTICE)
    kind = c.required_id(notice, "type", "CLAIMS")
    context = c.optional_object(claims, c.CONTEXT)
    context_id = c.required_id(context, "id", "CLAIMS") if context else ""
    return Notice(registration, nonce, kind, context_id, _moment(notice.get("timestamp")) or now)


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    issued, ends = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(ends) is not int:
        raise LaunchRefused("TIME")
    if issued > now + TOLERANCE_SECONDS or ends <= now - TOLERANCE_SECONDS:
        raise LaunchRefused("TIME")
    if ends - issued > LONGEST_LIFE_SECONDS:
        raise LaunchRefused("TIME")


def _moment(value: Any) -> datetime | None:
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None
