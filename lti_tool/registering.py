"""Creating or updating one registration from what an administrator typed, with every value checked by name."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from lti_tool.addresses import origin_of
from lti_tool.commands import BadUsage
from lti_tool.http import host_of, is_loopback
from lti_tool.models import Deployment, Registration
from lti_tool.sealing import API_SECRET_PURPOSE, FINGERPRINT_PURPOSE, seal

LONGEST_ID = 255
LONGEST_URL = 500
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Platform:
    """One developer key of one Canvas as given; None means "leave as it is"."""

    issuer: str
    client_id: str
    canvas_url: str
    authorize_url: str
    token_url: str
    jwks_url: str
    allow_new_deployments: bool = False
    deployment_ids: tuple[str, ...] = ()
    service_hosts: tuple[str, ...] | None = None
    api_client_id: str | None = None
    api_client_secret: str | None = field(default=None, repr=False)


@transaction.atomic
def register(platform: Platform) -> tuple[Registration, bool]:
    """Store the registration; whether it is new. Its key and its fingerprint key are made once and kept."""
    registration, created = Registration.objects.get_or_create(
        issuer=platform.issuer,
        client_id=platform.client_id,
        canvas_url=platform.canvas_url,
        defaults={"sealed_fingerprint_key": seal(secrets.token_hex(32), purpose=FINGERPRINT_PURPOSE)},
    )
    registration.authorize_url = platform.authorize_url
    registration.token_url = platform.token_url
    registration.jwks_url = platform.jwks_url
    registration.allow_new_deployments = platform.allow_new_deployments
    if platform.service_hosts is not None:
        registration.service_hosts = list(platform.service_hosts)
    if platform.api_client_id is not None and platform.api_client_secret is not None:
        registration.api_client_id = platform.api_client_id
        registration.sealed_api_client_secret = seal(platform.api_client_secret, purpose=API_SECRET_PURPOSE)
    registration.save()
    for deployment_id in platform.deployment_ids:
        Deployment.objects.get_or_create(registration=registration, deployment_id=deployment_id)
    return registration, created


def checked_url(option: str, text: str, longest: int = LONGEST_URL) -> str:
    """An https address (http on this machine with ALLOW_HTTP) kept as typed. Raises BadUsage."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise BadUsage(f"{option}: this is no web address.") from None
    plain = text.isascii() and text.isprintable() and " " not in text
    if not plain or not host or parts.scheme not in ("https", "http"):
        raise BadUsage(f"{option}: give a whole address such as https://canvas.school.edu/…")
    # The host goes into headers: anything else in it could add words to the content security policy.
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host):
        raise BadUsage(
            f"{option}: the host may have letters, digits, dots and hyphens (punycode for others)."
        )
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadUsage(f"{option}: leave out user names, passwords and fragments.")
    if not settings.ALLOW_HTTP and (parts.scheme != "https" or is_loopback(host)):
        raise BadUsage(
            f"{option}: use https and a host that others can reach (ALLOW_HTTP is for tests and demo)."
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise BadUsage(f"{option}: http is allowed for this machine only; use https.")
    if len(text) > longest:
        raise BadUsage(f"{option}: at most {longest} characters.")
    return text


def checked_origin(option: str, text: str) -> str:
    """`https://host[:port]`, in the one way browsers write it. Raises BadUsage."""
    parts = urlsplit(checked_url(option, text, LONGEST_ID))
    if parts.path not in ("", "/") or parts.query:
        raise BadUsage(f"{option}: give scheme, host and port only.")
    return origin_of(text)


def checked_id(option: str, text: str) -> str:
    """1 to 255 printable ASCII characters without spaces around. Raises BadUsage."""
    if (
        not 0 < len(text) <= LONGEST_ID
        or not text.isascii()
        or not text.isprintable()
        or text != text.strip()
    ):
        raise BadUsage(f"{option}: give 1 to {LONGEST_ID} plain characters.")
    return text


def checked_host(option: str, text: str) -> str:
    """`host[:port]`. Raises BadUsage."""
    if not _HOST.fullmatch(text) or not host_of(f"https://{text}"):
        raise BadUsage(f"{option}: give a host such as canvas.school.edu, without https:// and path.")
    return host_of(f"https://{text}")


def secret_in(option: str, path: str) -> str:
    """The secret in a file, without the line break at its end. Raises BadUsage, never repeating the content."""
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise BadUsage(f"{option}: cannot read {path}: {type(error).__name__}.") from None
    if not secret:
        raise BadUsage(f"{option}: {path} is empty.")
    return secret
