"""What an administrator's Canvas is told about this tool: `lti_config.json` with this tool's addresses, and the
same said as a dynamic registration request. There is no second list of scopes, placements or custom fields.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

EXAMPLE = "https://mastery.school.edu"
PLATFORM_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
CANVAS = "https://canvas.instructure.com/lti/"

SCOPE_REASONS = {
    "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem": (
        "to make the gradebook columns you ask for, and find them again"
    ),
    "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly": "to look before a grade is sent",
    "https://purl.imsglobal.org/spec/lti-ags/scope/score": "to send grades to those columns",
    "https://purl.imsglobal.org/spec/lti/scope/noticehandlers": (
        "to be told that a course was copied, so that its teacher is; optional"
    ),
}
"""Why each scope of the LTI key is asked for."""


def tool_configuration() -> dict[str, Any]:
    """The JSON of a Canvas LTI developer key: lib/schemas/internal_lti_configuration.rb."""
    text = (settings.BASE_DIR / "lti_config.json").read_text(encoding="utf-8")
    text = text.replace(EXAMPLE, settings.TOOL_URL)
    text = text.replace(urlsplit(EXAMPLE).netloc, urlsplit(settings.TOOL_URL).netloc)
    configuration: dict[str, Any] = json.loads(text)
    return configuration


def registration_request(
    login_url: str, offered_scopes: Collection[str] | None, message_types: Collection[str] | None
) -> dict[str, Any]:
    """The body of a dynamic registration; None for "the platform does not say what it offers".

    https://www.imsglobal.org/spec/lti-dr/v1p0#client-registration-request, canvas-lms: doc/api/registration.md
    """
    told = tool_configuration()
    [extension] = told["extensions"]
    scopes = [one for one in told["scopes"] if offered_scopes is None or one in offered_scopes]
    messages = [_message(one) for one in extension["settings"]["placements"]]
    return {
        "application_type": "web",
        "grant_types": ["client_credentials", "implicit"],
        "response_types": ["id_token"],
        "initiate_login_uri": login_url,
        "redirect_uris": [told["target_link_uri"]],
        "client_name": told["title"],
        "client_uri": settings.TOOL_URL,
        "logo_uri": extension["settings"]["icon_url"],
        "jwks_uri": told["public_jwk_url"],
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(scopes),
        TOOL_CONFIGURATION: {
            "domain": extension["domain"],
            "target_link_uri": told["target_link_uri"],
            "description": told["description"],
            "custom_parameters": told["custom_fields"],
            "claims": ["iss", "sub"],
            "messages": [one for one in messages if message_types is None or one["type"] in message_types],
            f"{CANVAS}privacy_level": extension["privacy_level"],
            f"{CANVAS}tool_id": extension["tool_id"],
        },
    }


def _message(placement: dict[str, Any]) -> dict[str, Any]:
    """One placement of the developer key's JSON as a message of the registration."""
    name = placement["placement"]
    message = {
        "type": placement["message_type"],
        "target_link_uri": placement["target_link_uri"],
        "label": placement["text"],
        "icon_uri": placement["icon_url"],
        "placements": [name],
    }
    if "visibility" in placement:
        message[f"{CANVAS}visibility"] = placement["visibility"]
    # Where the JSON of a key has a placement's size, a registration has the message's (ims/registration.rb).
    for side in ("width", "height"):
        if f"selection_{side}" in placement:
            message[f"{CANVAS}launch_{side}"] = placement[f"selection_{side}"]
    if "default" in placement:
        message[f"{CANVAS}{name}/default_enabled"] = placement["default"] == "enabled"
    return message
