"""A platform that offers dynamic registration on a free port, and an administrator who opens links in it."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.core.management import call_command
from django.test import Client

from tests.plugins.local_server import Answer, LocalServer

CONFIGURATION = "/api/lti/security/openid-configuration"
REGISTRATIONS = "/api/lti/registrations"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoxfQ.c2lnbmF0dXJl"


def description(server: LocalServer, **changes: Any) -> dict[str, Any]:
    """What a self-hosted Canvas says of itself; a change to None leaves the field out."""
    url = server.url
    said = {
        "issuer": "https://canvas.instructure.com",
        "authorization_endpoint": f"{url}/api/lti/authorize_redirect",
        "registration_endpoint": f"{url}{REGISTRATIONS}",
        "jwks_uri": f"{url}/api/lti/security/jwks",
        "token_endpoint": f"{url}/login/oauth2/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "scopes_supported": [
            "openid",
            "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem",
            "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly",
            "https://purl.imsglobal.org/spec/lti-ags/scope/score",
            "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
            "https://purl.imsglobal.org/spec/lti/scope/noticehandlers",
        ],
        "response_types_supported": ["id_token"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "https://purl.imsglobal.org/spec/lti-platform-configuration": {
            "product_family_code": "canvas",
            "messages_supported": [
                {"type": "LtiResourceLinkRequest", "placements": ["https://canvas.instructure.com/lti/course_navigation"]},
                {"type": "LtiDeepLinkingRequest", "placements": ["https://canvas.instructure.com/lti/assignment_selection"]},
            ],
        },
    }  # fmt: skip
    return {name: value for name, value in (said | changes).items() if value is not None}


class Registrar:
    """One school's Canvas with its administrator. `answer` is what registration gives back."""

    def __init__(self, server: LocalServer, client: Client) -> None:
        self.server, self.client = server, client
        self.describe()
        self.answer = Answer({"client_id": "10000000000777"}, 200)
        server.routes["POST", REGISTRATIONS] = lambda seen: self.answer

    def describe(self, **changes: Any) -> None:
        self.server.routes["GET", CONFIGURATION] = Answer(description(self.server, **changes))

    def open(self, link: str, **changes: Any) -> Any:
        """Canvas opens the link in a frame, with what it adds; a change to None leaves a parameter out."""
        query = dict(parse_qsl(urlsplit(link).query)) | {
            "openid_configuration": f"{self.server.url}{CONFIGURATION}",
            "registration_token": TOKEN,
        }
        given = {name: value for name, value in (query | changes).items() if value is not None}
        return self.client.get(urlsplit(link).path, given)

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The registration requests that arrived."""
        return [seen.json() for seen in self.server.calls("POST", REGISTRATIONS)]


def new_link(*arguments: str) -> str:
    """A link as the operator gets it."""
    out = io.StringIO()
    call_command("registration_link", "--json", *arguments, stdout=out)
    link: str = json.loads(out.getvalue())["url"]
    return link
