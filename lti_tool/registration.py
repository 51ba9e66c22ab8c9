"""Dynamic registration: one opened link becomes one registration, or nothing at all.

The link is used up before the platform is asked to register the tool, and given back only if the platform
certainly did nothing; what is stored is stored in one transaction.
https://www.imsglobal.org/spec/lti-dr/v1p0
"""

from __future__ import annotations

import logging
import re
import secrets
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.urls import reverse

from lti_tool import registering
from lti_tool.addresses import absolute
from lti_tool.commands import BadUsage
from lti_tool.configuration import TOOL_CONFIGURATION, registration_request
from lti_tool.errors import AccessLost, NeverSent, PlatformError, Refused, Throttled
from lti_tool.http import host_of, public_http
from lti_tool.models import Deployment, Registration, RegistrationLink, new_key
from lti_tool.registration_links import find_link, give_back, take_link
from lti_tool.registration_metadata import (
    DEADLINE_SECONDS,
    MAX_BYTES,
    ONCE,
    TIMEOUT,
    PlatformMetadata,
    fetch_metadata,
)
from lti_tool.registration_refusals import RegistrationRefused
from lti_tool.sealing import FINGERPRINT_PURPOSE, seal

log = logging.getLogger(__name__)

LONGEST_TOKEN = 8_192
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")


def open_link(key: str, now: datetime) -> RegistrationLink:
    """The link, if it may still register a Canvas. Raises RegistrationRefused."""
    if not key:
        raise RegistrationRefused("LINK-MISSING")
    link = find_link(key)
    if link is None:
        raise RegistrationRefused("LINK-UNKNOWN")
    if link.used_at is not None:
        raise RegistrationRefused("LINK-USED")
    if link.expires_at <= now:
        raise RegistrationRefused("LINK-OVER")
    return link


def register_by_link(link: RegistrationLink, address: str, token: str, now: datetime) -> Registration:
    """Register the platform that describes itself at `address`. Raises RegistrationRefused, having stored
    nothing."""
    if not _TOKEN.fullmatch(token) or len(token) > LONGEST_TOKEN:
        raise RegistrationRefused("REG-PARAM", "registration_token")
    metadata = fetch_metadata(address, token)
    key = new_key()
    if not take_link(link, now):
        raise RegistrationRefused("LINK-USED")
    answer = _ask(link, metadata, token, key)
    client_id, deployment_id = _read(answer)
    return _store(link, metadata, key, client_id, deployment_id)


def _ask(link: RegistrationLink, metadata: PlatformMetadata, token: str, key: str) -> Any:
    """The platform's answer to our registration request, as JSON."""
    body = registration_request(
        absolute(reverse("lti:login-for", args=[key])), metadata.scopes, metadata.message_types
    )
    try:
        reply = public_http().request(
            "POST",
            metadata.registration_url,
            allow_hosts={host_of(metadata.registration_url)},
            headers={"Accept": "application/json", "Authorization": f"Bearer {token}"},
            json=body,
            timeout=TIMEOUT,
            deadline=DEADLINE_SECONDS,
            max_bytes=MAX_BYTES,
            where="POST registration",
            policy=ONCE,
        )
        return reply.json()
    except (Refused, NeverSent, Throttled, AccessLost) as error:
        give_back(link)
        raise RegistrationRefused("REG-REFUSED", hint=_cause(error)) from error
    except PlatformError as error:
        raise RegistrationRefused("REG-NO-ANSWER", hint=_cause(error)) from error


def _cause(error: PlatformError) -> str:
    return f"cause={error.code} status={error.status}"


def _read(answer: Any) -> tuple[str, str]:
    """Client id and, where newer platforms give one, deployment id ("" otherwise): beside the client id, or in the
    tool's configuration, where the standard has it."""
    given = answer if isinstance(answer, dict) else {}
    tool = given.get(TOOL_CONFIGURATION)
    deployment_id = given.get("deployment_id") or (
        tool.get("deployment_id") if isinstance(tool, dict) else None
    )
    try:
        client_id = registering.checked_id("client_id", _text(given.get("client_id")))
        if deployment_id is not None:
            deployment_id = registering.checked_id("deployment_id", _text(deployment_id))
    except BadUsage:
        raise RegistrationRefused("REG-ANSWER") from None
    return client_id, deployment_id or ""


def _text(value: Any) -> str:
    """Canvas's specs show client ids as numbers now and then."""
    return str(value) if type(value) in (str, int) else ""


def _store(
    link: RegistrationLink, metadata: PlatformMetadata, key: str, client_id: str, deployment_id: str
) -> Registration:
    """The registration and what belongs to it, all or nothing. An existing one is never changed: the platform
    chose the client id, and could choose another school's."""
    named = Registration.objects.filter(issuer=metadata.issuer, client_id=client_id)
    # The same keys too: the same developer key, at another address for teachers' consent. Self-hosted schools that
    # share issuer and client id have keys of their own.
    if named.filter(jwks_url=metadata.jwks_url).exists():
        raise RegistrationRefused("REG-KNOWN")
    fingerprint_key = seal(secrets.token_hex(32), purpose=FINGERPRINT_PURPOSE)
    try:
        with transaction.atomic():
            registration = Registration.objects.create(
                key=key,
                issuer=metadata.issuer,
                client_id=client_id,
                canvas_url=metadata.canvas_url,
                authorize_url=metadata.authorize_url,
                token_url=metadata.token_url,
                jwks_url=metadata.jwks_url,
                sealed_fingerprint_key=fingerprint_key,
                allow_new_deployments=True,
            )
            if deployment_id:
                Deployment.objects.create(registration=registration, deployment_id=deployment_id)
            RegistrationLink.objects.filter(pk=link.pk).update(registration=registration)
    except IntegrityError:
        raise RegistrationRefused("REG-KNOWN") from None
    log.info("registered registration=%s", registration.key)
    return registration
