"""Deep linking: the platform asks which resource a link should open, and waits at an address for the answer.

https://www.imsglobal.org/spec/lti-dl/v2p0/, canvas-lms: doc/api/content_item.md. The address is believed only on a
host of the registration; the answer is signed with the tool's own key.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt

from lti_tool import claims as c
from lti_tool.errors import PlatformError
from lti_tool.http import check_address, rest_hosts
from lti_tool.keys import private_pem, signing_key
from lti_tool.models import LaunchSession, Registration
from lti_tool.refusals import LaunchRefused
from lti_tool.sealing import seal, unseal

MESSAGE = "LtiDeepLinkingRequest"
ANSWER = "LtiDeepLinkingResponse"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
SETTINGS = f"{DL}deep_linking_settings"
RESOURCE_LINK = "ltiResourceLink"
LONGEST_RETURN_URL = 4_000
LONGEST_DATA = 8_000
ANSWER_LIFE = timedelta(minutes=5)
PURPOSE = "launch_session.deep_link"


@dataclass(frozen=True, slots=True)
class DeepLinkRequest:
    """Where the answer goes, and what the platform wants back with it."""

    return_url: str
    data: str = field(repr=False)
    """Opaque; "" where there was none."""


def is_request(claims: Mapping[str, Any]) -> bool:
    return claims.get(c.MESSAGE_TYPE) == MESSAGE


def read_request(claims: Mapping[str, Any], registration: Registration) -> DeepLinkRequest | None:
    """The request of a verified launch; None for a launch of another kind. Raises LaunchRefused."""
    if not is_request(claims):
        return None
    settings = c.optional_object(claims, SETTINGS)
    if RESOURCE_LINK not in c.optional_texts(settings, "accept_types"):
        raise LaunchRefused("DEEP-LINK", "accept_types")
    c.optional_texts(settings, "accept_presentation_document_targets")
    data = settings.get("data")
    if not isinstance(data, str | None) or len(data or "") > LONGEST_DATA:
        raise LaunchRefused("DEEP-LINK", "data")
    return DeepLinkRequest(_checked_return(settings, registration), data or "")


def _checked_return(settings: Mapping[str, Any], registration: Registration) -> str:
    url = settings.get("deep_link_return_url")
    if not isinstance(url, str) or not 0 < len(url) <= LONGEST_RETURN_URL or not url.isprintable():
        raise LaunchRefused("DEEP-LINK", "deep_link_return_url")
    try:
        check_address(url, rest_hosts(registration), "deep linking return")
    except (PlatformError, ValueError):
        raise LaunchRefused("DEEP-LINK-HOST") from None
    return url


def sealed(request: DeepLinkRequest | None) -> str:
    """The request as a session keeps it; "" for none."""
    return seal([request.return_url, request.data], purpose=PURPOSE) if request else ""


def request_of(session: LaunchSession) -> DeepLinkRequest | None:
    """What this visit was opened to pick for. Raises CannotUnseal."""
    if not session.sealed_deep_link:
        return None
    return DeepLinkRequest(*unseal(session.sealed_deep_link, purpose=PURPOSE))


def signed_answer(
    session: LaunchSession, request: DeepLinkRequest, items: Sequence[Mapping[str, Any]], now: datetime
) -> str:
    """The response message as the platform verifies it, five minutes good. Raises CannotUnseal."""
    registration, key = session.registration, signing_key()
    claims: dict[str, Any] = {
        "iss": registration.client_id,
        "aud": registration.issuer,
        "iat": int(now.timestamp()),
        "exp": int((now + ANSWER_LIFE).timestamp()),
        "nonce": secrets.token_urlsafe(24),
        "jti": secrets.token_urlsafe(24),
        c.MESSAGE_TYPE: ANSWER,
        c.VERSION: "1.3.0",
        c.DEPLOYMENT_ID: session.deployment.deployment_id,
        f"{DL}content_items": list(items),
    }
    if request.data:
        claims[f"{DL}data"] = request.data
    return jwt.encode(claims, private_pem(key), algorithm="RS256", headers={"kid": key.kid})
