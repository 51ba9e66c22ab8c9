"""Codes and tokens: what Canvas hands out and when it refuses.

Imitates lib/canvas/oauth/{provider,token,request_error,grant_types/*}.rb and app/models/access_token.rb.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from flask import Response, jsonify
from werkzeug.wrappers import Request

from sandbox.records import AccessToken, AuthCode, DeveloperKey, User
from sandbox.world import World

CODE_LIFE = timedelta(minutes=10)
TOKEN_LIFE = timedelta(hours=1)
SHARD = 10**13


class OAuthRefusal(Exception):
    """A refused token request: error, description and status."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status

    def response(self) -> Response:
        answer = jsonify(error=self.error, error_description=self.description)
        answer.status_code = self.status
        if self.status == 401:
            answer.headers["WWW-Authenticate"] = "Canvas OAuth 2.0"
        return answer


def authenticate_client(world: World, request: Request) -> DeveloperKey:
    """The API key of ``client_id`` and ``client_secret``, in the form or as HTTP Basic."""
    basic = request.authorization
    from_basic = basic is not None and basic.type == "basic"
    client_id = (basic.username if basic and from_basic else request.form.get("client_id")) or ""
    secret = (basic.password if basic and from_basic else request.form.get("client_secret")) or ""
    key = world.key_by_client_id(client_id)
    if key is None or key.kind != "api" or not key.active:
        raise OAuthRefusal("invalid_client", "unknown client", 401)
    if not secrets.compare_digest(key.secret.encode(), secret.encode()):
        raise OAuthRefusal("invalid_client", "invalid client", 401)
    return key


def new_code(world: World, key: DeveloperKey, user: User, redirect_uri: str, scopes: list[str]) -> AuthCode:
    code = AuthCode(secrets.token_hex(32), key.id, user.id, redirect_uri, scopes, world.now() + CODE_LIFE)
    world.auth_codes[code.code] = code
    return code


def redeem_code(world: World, key: DeveloperKey, text: str) -> AuthCode:
    """A code works once and for ten minutes."""
    code = world.auth_codes.get(text)
    if code is None or code.expires_at < world.now():
        raise OAuthRefusal("invalid_grant", "authorization_code not found")
    if code.key_id != key.id:
        raise OAuthRefusal("invalid_grant", "incorrect client")
    del world.auth_codes[text]
    return code


def new_token(world: World, key: DeveloperKey, user_id: int, scopes: list[str]) -> AccessToken:
    token = AccessToken(
        world.new_id(),
        key.id,
        user_id,
        f"1~{secrets.token_urlsafe(48)}",
        f"1~{secrets.token_urlsafe(48)}",
        list(scopes),
        world.now() + TOKEN_LIFE if key.expires_tokens else None,
    )
    world.tokens[token.id] = token
    return token


def drop_tokens(world: World, key: DeveloperKey, user_id: int) -> None:
    """``replace_tokens``: the user's other tokens of this key end."""
    for token in [one for one in world.tokens.values() if one.key_id == key.id and one.user_id == user_id]:
        del world.tokens[token.id]


def refresh(world: World, key: DeveloperKey, text: str) -> AccessToken:
    """A new access token in the same record: the previous one stops working at once."""
    found = next(
        (one for one in world.tokens.values() if one.refresh_token == text and one.key_id == key.id), None
    )
    if found is None or found.revoked or world.live_user(found.user_id) is None:
        raise OAuthRefusal("invalid_request", "refresh_token not found")
    found.token = f"1~{secrets.token_urlsafe(48)}"
    found.expires_at = world.now() + TOKEN_LIFE if key.expires_tokens else None
    return found


def token_json(world: World, token: AccessToken, with_refresh: bool) -> dict[str, Any]:
    user = world.users[token.user_id]
    answer: dict[str, Any] = {
        "access_token": token.token,
        "token_type": "Bearer",
        "user": {
            "id": user.id,
            "name": user.name,
            "global_id": str(user.id if user.id > SHARD else SHARD + user.id),
            "effective_locale": user.locale,
        },
        "canvas_region": "unknown",
    }
    if with_refresh:
        answer["refresh_token"] = token.refresh_token
    if token.expires_at is not None:
        answer["expires_in"] = int((token.expires_at - world.now()).total_seconds())
    return answer
