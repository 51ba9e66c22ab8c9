"""The OAuth2 addresses: authorize, login, consent, token (app/controllers/oauth2_provider_controller.rb)."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from sandbox.app import current_world, unlocked
from sandbox.errors import ApiError, invalid_token
from sandbox.gate import bearer
from sandbox.grants import GRANTS, grant
from sandbox.oauth import provider
from sandbox.records import DeveloperKey, User
from sandbox.session import session_user, sign_in, sign_out
from sandbox.world import World

blueprint = Blueprint("oauth", __name__, template_folder="templates")


# --- the browser's half ---------------------------------------------------------------------


@blueprint.get("/login/oauth2/auth")
def authorize() -> BaseResponse:
    """Check the request, find out who asks, show the consent page."""
    world = current_world()
    key = _known_client(world)
    refused = _refusal(key)
    if refused is not None:
        return _back(request.args["redirect_uri"], error=refused[0], error_description=refused[1])
    user = session_user(world, request)
    quiet = request.args.get("prompt") == "none"
    if user is None or request.args.get("force_login") == "1":
        if quiet:
            return _back(
                request.args["redirect_uri"], error="login_required", error_description="login required"
            )
        return _login_page(world)
    if key.trusted:
        return _grant_code(world, key, user, request.args.to_dict())
    if quiet:
        return _back(
            request.args["redirect_uri"],
            error="interaction_required",
            error_description="interaction required",
        )
    return _consent_page(world, key, user)


def _known_client(world: World) -> DeveloperKey:
    key = world.key_by_client_id(request.args.get("client_id", ""))
    if key is None or key.kind != "api" or not key.active:
        raise ApiError(401, {"error": "invalid_client", "error_description": "unknown client"})
    if request.args.get("redirect_uri", "") not in key.redirect_uris:
        text = "redirect_uri does not match client settings"
        raise ApiError(400, {"error": "invalid_request", "error_description": text})
    return key


def _refusal(key: DeveloperKey) -> tuple[str, str] | None:
    """What is sent back to the client instead of asking the person."""
    if request.args.get("response_type") != "code":
        return "unsupported_response_type", "Only response_type=code is permitted"
    if not key.enabled:
        return "unauthorized_client", "Client does not have access to the specified Canvas account."
    if key.enforce_scopes:
        asked = request.args.get("scope", "").split()
        missing = [scope for scope in asked if scope not in key.scopes]
        if not asked or missing:
            names = ", ".join(missing)
            return (
                "invalid_scope",
                f"A requested scope is invalid, unknown, malformed, or exceeds the scope: {names}",
            )
    return None


def _back(redirect_uri: str, **values: str) -> BaseResponse:
    if request.values.get("state"):
        values["state"] = request.values["state"]
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return redirect(f"{redirect_uri}{joint}{urlencode(values)}", 302)


def _login_page(world: World) -> Response:
    """Choose who to be; ``next`` leads back here without ``force_login``."""
    kept = {name: value for name, value in request.args.items() if name != "force_login"}
    following = f"{request.path}?{urlencode(kept)}"
    people = [user for user in world.users.values() if not user.deleted and user.merged_into is None]
    return _page("oauth/login.html", people=people[:200], following=following)


def _page(template: str, **values: Any) -> Response:
    """A page of Canvas itself: other sites may not frame it."""
    page = render_template(template, **values)
    return Response(page, headers={"X-Frame-Options": "SAMEORIGIN"}, content_type="text/html; charset=utf-8")


@blueprint.post("/login/oauth2/login")
def login() -> BaseResponse:
    """Log in as the chosen user and go on."""
    chosen = request.form.get("user_id", "")
    user = current_world().live_user(int(chosen)) if chosen.isdigit() else None
    following = request.form.get("next", "/")
    if user is None or not following.startswith("/") or following.startswith("//"):
        raise ApiError(400, {"message": "choose a user"})
    answer = Response(status=302, headers={"Location": following})
    return sign_in(answer, user)


def _consent_page(world: World, key: DeveloperKey, user: User) -> Response:
    ticket = secrets.token_hex(16)
    pending: dict[str, Any] = world.lti_state.setdefault("oauth_consents", {})
    pending[ticket] = (key.id, user.id, request.args.to_dict())
    scopes = request.args.get("scope", "").split()
    return _page("oauth/consent.html", key=key, user=user, scopes=scopes, ticket=ticket)


def _take_consent(world: World) -> tuple[DeveloperKey, User, dict[str, str]]:
    pending = world.lti_state.get("oauth_consents", {}).pop(request.form.get("ticket", ""), None)
    user = session_user(world, request)
    if pending is None or user is None or user.id != pending[1]:
        raise ApiError(400, {"message": "this consent is no longer open"})
    return world.keys[pending[0]], user, pending[2]


@blueprint.post("/login/oauth2/accept")
def accept() -> BaseResponse:
    world = current_world()
    key, user, asked = _take_consent(world)
    return _grant_code(world, key, user, asked)


@blueprint.post("/login/oauth2/deny")
def deny() -> BaseResponse:
    _, _, asked = _take_consent(current_world())
    return _answer_to(
        asked,
        error="access_denied",
        error_description="The resource owner or authorization server denied the request",
    )


def _grant_code(world: World, key: DeveloperKey, user: User, asked: dict[str, str]) -> BaseResponse:
    code = provider.new_code(world, key, user, asked["redirect_uri"], asked.get("scope", "").split())
    return _answer_to(asked, code=code.code)


def _answer_to(asked: dict[str, str], **values: str) -> BaseResponse:
    if asked.get("state"):
        values["state"] = asked["state"]
    joint = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    return redirect(f"{asked['redirect_uri']}{joint}{urlencode(values)}", 302)


# --- the server's half ----------------------------------------------------------------------


@blueprint.post("/login/oauth2/token")
@unlocked
def token() -> Response:
    """One address for every grant; an unknown one is refused."""
    answer = GRANTS.get(request.form.get("grant_type", ""))
    try:
        if answer is None:
            text = "The grant_type you requested is not supported"
            raise provider.OAuthRefusal("unsupported_grant_type", text)
        return answer()
    except provider.OAuthRefusal as refusal:
        return refusal.response()


@grant("authorization_code")
def code_grant() -> Response:
    world = current_world()
    with world.lock:
        key = provider.authenticate_client(world, request)
        text = request.form.get("code")
        if not text:
            raise provider.OAuthRefusal("invalid_request", "You must provide the code parameter")
        code = provider.redeem_code(world, key, text)
        if request.form.get("replace_tokens") == "1":
            provider.drop_tokens(world, key, code.user_id)
        made = provider.new_token(world, key, code.user_id, code.scopes)
        return jsonify(provider.token_json(world, made, with_refresh=True))


@grant("refresh_token")
def refresh_grant() -> Response:
    world = current_world()
    with world.lock:
        key = provider.authenticate_client(world, request)
        text = request.form.get("refresh_token")
        if not text:
            raise provider.OAuthRefusal("invalid_request", "You must provide the refresh_token parameter")
        return jsonify(provider.token_json(world, provider.refresh(world, key, text), with_refresh=False))


@blueprint.delete("/login/oauth2/token")
def delete_token() -> Response:
    """Log out: the token and its refresh token end; ``expire_sessions=1`` ends the web session too."""
    world, text = current_world(), bearer(request)
    if text is None:
        message = "can't delete OAuth access token when not using an OAuth access token"
        raise ApiError(400, {"message": message})
    found = next((one for one in world.tokens.values() if one.token == text), None)
    if found is None:
        raise invalid_token()
    del world.tokens[found.id]
    answer = jsonify({})
    return sign_out(answer) if request.values.get("expire_sessions") == "1" else answer
