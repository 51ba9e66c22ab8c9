"""Access tokens for tools: the client_credentials grant (lti.md 3; rows T1 to T7).

Source: lib/canvas/oauth/grant_types/client_credentials.rb and
lib/canvas/oauth/{asymmetric_,}client_credentials_provider.rb.
Runs without the world's lock: the tool's JWKS is fetched on every request, as Canvas does.
"""

from __future__ import annotations

import time
from typing import Any

import jwt
import requests
from flask import Response, jsonify, request

from sandbox.app import current_world
from sandbox.grants import grant
from sandbox.lti.jwts import ACCESS_TOKEN_LIFETIME, InvalidToken, assertion_problems, make_access_token
from sandbox.lti.state import platform_of
from sandbox.records import DeveloperKey
from sandbox.world import MAIN_ACCOUNT

FETCH_SECONDS = 5.0
BAD_SIGNATURE = "JWS signature invalid."


class GrantRefused(Exception):
    """An OAuth error answer."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@grant("client_credentials")
def client_credentials() -> Response:
    """Verify the tool's assertion against the tool's keys and issue a token, all scopes or none."""
    try:
        return _issue(request.form.get("client_assertion", ""), request.form.get("scope", "").split())
    except GrantRefused as refusal:
        response = jsonify(error=refusal.error, error_description=refusal.description)
        response.status_code = refusal.status
        if refusal.status == 401:
            response.headers["WWW-Authenticate"] = "Canvas OAuth 2.0"
        return response


def _issue(assertion: str, scopes: list[str]) -> Response:
    world = current_world()
    token_url = request.base_url
    claims = _unverified(assertion)
    key = _key_of(claims, token_url)
    verify_signature(assertion, public_keys(key))
    problems = assertion_problems(claims, token_url=token_url, now=time.time())
    if problems:
        raise GrantRefused("invalid_request", " | ".join(problems))
    refused = [scope for scope in scopes if scope not in key.scopes]
    if refused:
        raise GrantRefused(
            "invalid_scope", f"A requested scope is invalid, unknown, malformed: {' '.join(refused)}"
        )
    with world.lock:
        token = make_access_token(
            platform_of(world).secret,
            client_id=key.client_id,
            scopes=scopes,
            token_url=token_url,
            account_uuid=world.accounts[MAIN_ACCOUNT].uuid,
            issued_at=time.time(),
        )
    body = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": ACCESS_TOKEN_LIFETIME,
        "scope": " ".join(scopes),
    }
    response = jsonify(body)
    response.headers["Cache-Control"] = "no-store"
    return response


def _unverified(assertion: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError as problem:
        raise GrantRefused("invalid_request", BAD_SIGNATURE) from problem
    return claims


def _key_of(claims: dict[str, Any], token_url: str) -> DeveloperKey:
    """``sub`` picks the developer key; without it only the claims can be complained about."""
    if not claims.get("sub"):
        raise GrantRefused(
            "invalid_request", " | ".join(assertion_problems(claims, token_url=token_url, now=time.time()))
        )
    world = current_world()
    with world.lock:
        key = world.key_by_client_id(str(claims["sub"]))
    if key is None or not (key.active and key.enabled):
        raise GrantRefused("invalid_client", "unknown client", 401)
    return key


def public_keys(key: DeveloperKey) -> list[dict[str, Any]]:
    """The tool's JWKS; a URL wins over a stored key (T3)."""
    if not key.jwks_url:
        return [key.public_jwk] if key.public_jwk else []
    try:
        answer = requests.get(key.jwks_url, timeout=FETCH_SECONDS)
        answer.raise_for_status()
    except requests.RequestException as problem:
        raise GrantRefused("invalid_request", f"JWK Error: {type(problem).__name__}") from problem
    try:
        body = answer.json()
    except ValueError as problem:
        raise GrantRefused("invalid_request", "JWK Error: Invalid JSON") from problem
    keys = body.get("keys") if isinstance(body, dict) else None
    if not isinstance(keys, list):
        raise GrantRefused("invalid_request", "JWK Error: Invalid JSON")
    return [each for each in keys if isinstance(each, dict)]


def verify_signature(assertion: str, jwks: list[dict[str, Any]]) -> None:
    """RS256 with the key named by ``kid``, or the only one there is (T2)."""
    kid = jwt.get_unverified_header(assertion).get("kid")
    candidates = [each for each in jwks if kid is None or each.get("kid") == kid]
    try:
        if not candidates:
            raise InvalidToken(BAD_SIGNATURE)
        public = jwt.PyJWK(candidates[0], algorithm="RS256").key
        jwt.decode(assertion, public, algorithms=["RS256"], options=_SIGNATURE_ONLY)
    except (jwt.PyJWTError, InvalidToken) as problem:
        raise GrantRefused("invalid_request", BAD_SIGNATURE) from problem


_SIGNATURE_ONLY: Any = {
    "verify_exp": False,
    "verify_aud": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
