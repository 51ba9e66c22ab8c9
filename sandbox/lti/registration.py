"""Dynamic registration: the platform's description of itself and the endpoint that makes an LTI key.

Source: doc/api/registration.md, app/controllers/security_controller.rb,
app/controllers/lti/ims/dynamic_registration_controller.rb (lti.md 8). The new key is off until an administrator
switches it on (sandbox.pages.admin).
"""

from __future__ import annotations

from typing import Any

import jwt
from flask import Response, jsonify, request

from sandbox.app import current_world
from sandbox.errors import ApiError
from sandbox.lti.routes import blueprint
from sandbox.lti.state import platform_of, site_url
from sandbox.records import DeveloperKey, User
from sandbox.scopes import LTI_SCOPES
from sandbox.world import MAIN_ACCOUNT, World

TOKEN_LIFETIME = 3600  # seconds
PURPOSE = "registration"
PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
CANVAS = "https://canvas.instructure.com/lti/"
PLACEMENTS = {
    "LtiResourceLinkRequest": ("course_navigation",),
    "LtiDeepLinkingRequest": ("assignment_selection",),
}
REQUIRED = ("initiate_login_uri", "redirect_uris", "client_name", "jwks_uri", TOOL)
FIXED: dict[str, Any] = {
    "application_type": "web",
    "token_endpoint_auth_method": "private_key_jwt",
}


def registration_token(world: World, user: User, *, issued_at: float) -> str:
    """What Canvas adds to the tool's address: user, account, start; one hour."""
    claims = {
        "purpose": PURPOSE,
        "user_id": user.id,
        "root_account_global_id": MAIN_ACCOUNT,
        "initiated_at": int(issued_at),
        "exp": int(issued_at) + TOKEN_LIFETIME,
    }
    return jwt.encode(claims, platform_of(world).secret, algorithm="HS256")


def configuration_url(world: World, token: str) -> str:
    """Where the description stands: Canvas puts the token into this address too (`oidc_configuration_url`)."""
    return f"{site_url(world)}/api/lti/security/openid-configuration?registration_token={token}"


@blueprint.get("/api/lti/security/openid-configuration")
def openid_configuration() -> Response:
    """Who this platform is; 401 without a registration token that is still good."""
    world = current_world()
    _require_token(world)
    site, platform = site_url(world), platform_of(world)
    messages = [
        {"type": kind, "placements": [f"{CANVAS}{name}" for name in names]}
        for kind, names in PLACEMENTS.items()
    ]
    return jsonify(
        {
            "issuer": platform.issuer,
            "authorization_endpoint": f"{site}/api/lti/authorize_redirect",
            "registration_endpoint": f"{site}/api/lti/registrations",
            "jwks_uri": f"{site}/api/lti/security/jwks",
            "token_endpoint": f"{site}/login/oauth2/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", *LTI_SCOPES],
            "response_types_supported": ["id_token"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "picture", "email", "name", "given_name", "family_name", "locale"],
            "subject_types_supported": ["public"],
            "authorization_server": site.partition("://")[2],
            PLATFORM: {
                "product_family_code": "canvas",
                "version": "OpenSource",
                "messages_supported": messages,
                "variables": [],
                f"{CANVAS}account_name": world.accounts[MAIN_ACCOUNT].name,
                f"{CANVAS}account_lti_guid": f"{world.accounts[MAIN_ACCOUNT].uuid}:canvas-lms",
            },
        }
    )


@blueprint.post("/api/lti/registrations")
def create_registration() -> Response:
    """Make an LTI developer key from the tool's request; it is off and installed nowhere."""
    world = current_world()
    _require_token(world)
    given = request.get_json(force=True, silent=True)
    if not isinstance(given, dict):
        raise _invalid("the body is no JSON object")
    _check(given)
    key = _new_key(world, given)
    return jsonify({**given, "client_id": key.client_id, "scope": " ".join(key.scopes)})


def _require_token(world: World) -> None:
    """As a bearer token or as a query parameter."""
    header = request.headers.get("Authorization", "")
    text = header.removeprefix("Bearer ") or request.args.get("registration_token", "")
    try:
        claims = jwt.decode(text, platform_of(world).secret, algorithms=["HS256"])
    except jwt.PyJWTError as problem:
        raise _unauthorized() from problem
    if claims.get("purpose") != PURPOSE or world.live_user(int(claims["user_id"])) is None:
        raise _unauthorized()


def _unauthorized() -> ApiError:
    return ApiError(401, {"errorMessage": "Invalid registration token"})


def _invalid(problem: str) -> ApiError:
    return ApiError(422, {"errors": [{"message": problem}]})


def _check(given: dict[str, Any]) -> None:
    missing = [name for name in REQUIRED if not given.get(name)]
    if missing:
        raise _invalid(f"missing: {', '.join(missing)}")
    wrong = [name for name, value in FIXED.items() if given.get(name) != value]
    if wrong or "id_token" not in given.get("response_types", ()):
        raise _invalid(f"not as LTI 1.3 asks: {', '.join(wrong or ['response_types'])}")
    unknown = [scope for scope in _scopes(given) if scope not in LTI_SCOPES]
    if unknown:
        raise _invalid(f"unknown scopes: {', '.join(unknown)}")
    known = {name for names in PLACEMENTS.values() for name in names}
    foreign = [name for name in _placements(given) if name not in known]
    if foreign:
        raise _invalid(f"unknown placements: {', '.join(foreign)}")


def _scopes(given: dict[str, Any]) -> list[str]:
    return str(given.get("scope", "")).split()


def _placements(given: dict[str, Any]) -> list[str]:
    """The placements of all messages; Canvas takes both the bare and the advertised names."""
    messages = given[TOOL].get("messages", [])
    return [name.removeprefix(CANVAS) for message in messages for name in message.get("placements", [])]


def _new_key(world: World, given: dict[str, Any]) -> DeveloperKey:
    tool = given[TOOL]
    return world.add_key(
        "lti",
        str(10_000_000_000_000 + world.new_id()),
        name=given["client_name"],
        title=given["client_name"],
        redirect_uris=list(given["redirect_uris"]),
        login_url=given["initiate_login_uri"],
        target_link_uri=tool["target_link_uri"],
        jwks_url=given["jwks_uri"],
        scopes=_scopes(given),
        custom_fields=dict(tool.get("custom_parameters", {})),
        privacy_level=tool.get(f"{CANVAS}privacy_level", "anonymous"),
        placements=_placements(given),
        icon_url=given.get("logo_uri", ""),
        enabled=False,
    )
