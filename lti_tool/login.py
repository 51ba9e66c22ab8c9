"""OIDC third-party login initiation: which registration asks, and where the browser goes next.

https://www.imsglobal.org/spec/security/v1p0/#openid_connect_launch_flow
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from django.http import HttpRequest, QueryDict

from lti_tool.addresses import launch_url
from lti_tool.models import Registration
from lti_tool.refusals import LaunchRefused
from lti_tool.states import LoginState

LONGEST_HINT = 4_096
LONGEST_PARAMETER = 500
_FRAME_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
FRAMES = ("iframe", "frame", "embed", "object")


@dataclass(frozen=True, slots=True)
class Initiation:
    """What the platform sent; hints are opaque and go back byte for byte."""

    issuer: str
    client_id: str
    login_hint: str = field(repr=False)
    message_hint: str | None = field(repr=False)
    target_link_uri: str
    deployment_id: str
    storage_target: str

    def to_query(self) -> str:
        """The same initiation once more, for a tab of its own, where platform storage is neither had nor needed."""
        values = {
            "iss": self.issuer,
            "client_id": self.client_id,
            "login_hint": self.login_hint,
            "lti_message_hint": self.message_hint or "",
            "target_link_uri": self.target_link_uri,
            "lti_deployment_id": self.deployment_id,
        }
        return urlencode({name: value for name, value in values.items() if value}, quote_via=quote, safe="")


def read_initiation(params: QueryDict) -> Initiation:
    """The parameters, each at most once, not too long, without NUL. Raises LaunchRefused."""
    storage_target = _single(params, "lti_storage_target") or ""
    initiation = Initiation(
        issuer=_single(params, "iss") or "",
        client_id=_single(params, "client_id") or "",
        login_hint=_single(params, "login_hint", LONGEST_HINT) or "",
        message_hint=_single(params, "lti_message_hint", LONGEST_HINT),
        target_link_uri=_single(params, "target_link_uri") or "",
        deployment_id=_single(params, "lti_deployment_id") or _single(params, "deployment_id") or "",
        storage_target=storage_target if _FRAME_NAME.fullmatch(storage_target) else "",
    )
    if not initiation.issuer or not initiation.login_hint:
        raise LaunchRefused("LOGIN-PARAM")
    if initiation.target_link_uri != launch_url():
        raise LaunchRefused("TARGET")
    return initiation


def find_registration(initiation: Initiation, key: str) -> Registration:
    """The one registration that fits, by the key in the path or by issuer and client id; never a guess.

    What was registered by link has a login address of its own in its Canvas, so where it says the same issuer and
    client id as one that the operator entered, the plain address belongs to the operator's: whoever holds a link
    cannot shut that school out. Two that the operator entered stay ambiguous.
    """
    if "\0" in key:
        raise LaunchRefused("PLATFORM-UNKNOWN")
    fitting = Registration.objects.filter(issuer=initiation.issuer)
    if key:
        fitting = fitting.filter(key=key)
    if initiation.client_id:
        fitting = fitting.filter(client_id=initiation.client_id)
    found = list(fitting[:2])
    if len(found) > 1:
        found = list(fitting.filter(link=None)[:2]) or found
    if not found:
        raise LaunchRefused("PLATFORM-UNKNOWN")
    if len(found) > 1:
        raise LaunchRefused("AMBIGUOUS")
    if not found[0].is_active:
        raise LaunchRefused("REGISTRATION-OFF")
    return found[0]


def registration_with_key(key: str) -> Registration | None:
    """The one a login address of its own names, whatever else the login lacks."""
    return None if "\0" in key or not key else Registration.objects.filter(key=key).first()


def authorize_address(
    registration: Registration, initiation: Initiation, state_text: str, state: LoginState
) -> str:
    """Where the platform authenticates the person and posts the id_token back. Security Framework 5.1.1.2."""
    values = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": registration.client_id,
        "redirect_uri": launch_url(),
        "login_hint": initiation.login_hint,
        "state": state_text,
        "nonce": state.nonce,
    }
    if initiation.message_hint is not None:
        values["lti_message_hint"] = initiation.message_hint
    separator = "&" if "?" in registration.authorize_url else "?"
    return f"{registration.authorize_url}{separator}{urlencode(values, quote_via=quote, safe='')}"


def may_be_framed(request: HttpRequest, initiation: Initiation) -> bool:
    """Whether this page may appear inside another one, where cookies may not stay.

    Browsers before 2023 do not say so; from them the offer of platform storage counts. Other programs have no frames.
    """
    destination = request.headers.get("Sec-Fetch-Dest")
    if destination is not None:
        return destination in FRAMES
    return bool(initiation.storage_target) and request.headers.get("User-Agent", "").startswith("Mozilla/")


def _single(params: QueryDict, name: str, longest: int = LONGEST_PARAMETER) -> str | None:
    values = params.getlist(name)
    if len(values) > 1 or (values and (len(values[0].encode()) > longest or "\0" in values[0])):
        raise LaunchRefused("LOGIN-PARAM")
    return values[0] if values else None
