"""A platform's OpenID configuration, fetched and judged before anything is sent to where it points.

https://www.imsglobal.org/spec/lti-dr/v1p0#openid-configuration, canvas-lms: doc/api/registration.md,
app/controllers/security_controller.rb. Everything here was said by whoever opened the link: hosts, types and
sizes are checked, and only public addresses are asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lti_tool import registering
from lti_tool.addresses import origin_of
from lti_tool.commands import BadUsage
from lti_tool.configuration import PLATFORM_CONFIGURATION
from lti_tool.errors import AccessLost, PlatformError
from lti_tool.http import Policy, host_of, public_http
from lti_tool.registration_refusals import RegistrationRefused

MAX_BYTES = 262_144
DEADLINE_SECONDS = 8.0
TIMEOUT = (3.0, 5.0)
ONCE = Policy(attempts=1)
INSTRUCTURE = ("instructure.com", "canvaslms.com")
"""Hosted schools share these for keys, logins and tokens, whatever host their own Canvas has (lti.md 1.2)."""
HOSTED_ISSUERS = frozenset(
    {
        "https://canvas.instructure.com",
        "https://canvas.beta.instructure.com",
        "https://canvas.test.instructure.com",
    }
)
"""A self-hosted Canvas calls itself by the first one too, unless somebody changed it."""
ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint")


@dataclass(frozen=True, slots=True)
class PlatformMetadata:
    """A description that passed every check. None: the platform does not say."""

    issuer: str
    authorize_url: str
    token_url: str
    jwks_url: str
    registration_url: str
    scopes: frozenset[str] | None
    message_types: frozenset[str] | None

    @property
    def canvas_url(self) -> str:
        """The school's own Canvas: registrations are made at its host."""
        return origin_of(self.registration_url)


def fetch_metadata(address: str, token: str) -> PlatformMetadata:
    """Ask the platform who it is, and believe what fits together. Raises RegistrationRefused."""
    address = _checked_address("openid_configuration", address, "REG-ADDRESS")
    try:
        reply = public_http().request(
            "GET",
            address,
            allow_hosts={host_of(address)},
            headers={"Accept": "application/json", "Authorization": f"Bearer {token}"},
            timeout=TIMEOUT,
            deadline=DEADLINE_SECONDS,
            max_bytes=MAX_BYTES,
            where="GET openid configuration",
            policy=ONCE,
        )
        body = reply.json()
    except AccessLost as error:
        raise RegistrationRefused("REG-TOKEN", hint=f"cause={error.code}") from error
    except PlatformError as error:
        # One answer whatever it was: who holds a link must not learn which inner addresses exist or listen.
        raise RegistrationRefused(
            "REG-UNREACHABLE", hint=f"cause={error.code} status={error.status}"
        ) from error
    if not isinstance(body, dict):
        raise RegistrationRefused("REG-METADATA")
    return judge(body, address)


def judge(body: Mapping[str, Any], address: str) -> PlatformMetadata:
    """The description that stands at `address`, if it fits together. Raises RegistrationRefused."""
    _check_family(body.get(PLATFORM_CONFIGURATION))
    issuer = _checked_address("issuer", body.get("issuer"), "REG-METADATA")
    urls = {name: _checked_address(name, body.get(name), "REG-METADATA") for name in ADDRESSES}
    _check_issuer(issuer, address)
    _check_hosts(urls, address)
    _require("token_endpoint_auth_methods_supported", body, "private_key_jwt")
    _require("id_token_signing_alg_values_supported", body, "RS256")
    _require("response_types_supported", body, "id_token")
    return PlatformMetadata(
        issuer=issuer,
        authorize_url=urls["authorization_endpoint"],
        token_url=urls["token_endpoint"],
        jwks_url=urls["jwks_uri"],
        registration_url=urls["registration_endpoint"],
        scopes=_texts(body, "scopes_supported"),
        message_types=_message_types(body.get(PLATFORM_CONFIGURATION)),
    )


def _check_family(configuration: Any) -> None:
    """Moodle and others speak LTI too, but outcomes and grades are read and written by Canvas's own interface. Who
    does not say what it is gets the benefit of the doubt: the field is Canvas's habit, not the standard's."""
    family = configuration.get("product_family_code") if isinstance(configuration, dict) else None
    if family is not None and (not isinstance(family, str) or family.strip().lower() != "canvas"):
        raise RegistrationRefused("REG-NOT-CANVAS")


def _checked_address(name: str, value: Any, code: str) -> str:
    """An https address with a plain host, as `register_platform` takes it."""
    if not isinstance(value, str):
        raise RegistrationRefused(code, name)
    longest = registering.LONGEST_ID if name == "issuer" else registering.LONGEST_URL
    try:
        return registering.checked_url(name, value, longest)
    except BadUsage:
        raise RegistrationRefused(code, name) from None


def _check_issuer(issuer: str, address: str) -> None:
    """The name has to be the host's own, or the one all Canvases share."""
    if host_of(issuer) != host_of(address) and issuer not in HOSTED_ISSUERS:
        raise RegistrationRefused("REG-ISSUER")


def _check_hosts(urls: Mapping[str, str], address: str) -> None:
    """Every address at the platform's own host, or at Instructure's. The description of a hosted school may
    itself lie at Instructure's; then the registration's host is the school's own."""
    own = {host_of(address)}
    if _is_instructure(address):
        own.add(host_of(urls["registration_endpoint"]))
    foreign = [name for name, url in urls.items() if host_of(url) not in own and not _is_instructure(url)]
    if foreign:
        raise RegistrationRefused("REG-HOSTS", *foreign)


def _is_instructure(url: str) -> bool:
    host = (urlsplit(url).hostname or "").lower()
    return any(host.endswith(f".{domain}") for domain in INSTRUCTURE)


def _require(name: str, body: Mapping[str, Any], wanted: str) -> None:
    offered = _texts(body, name)
    if offered is not None and wanted not in offered:
        raise RegistrationRefused("REG-UNSUITABLE", name)


def _texts(body: Mapping[str, Any], name: str) -> frozenset[str] | None:
    """A list of texts; None where it is absent. Raises RegistrationRefused for anything else."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > 1_000 or not all(isinstance(one, str) for one in value):
        raise RegistrationRefused("REG-METADATA", name)
    return frozenset(value)


def _message_types(configuration: Any) -> frozenset[str] | None:
    messages = configuration.get("messages_supported") if isinstance(configuration, dict) else None
    if not isinstance(messages, list):
        return None
    return frozenset(
        one["type"] for one in messages if isinstance(one, dict) and isinstance(one.get("type"), str)
    )
