"""One REST call: who asks, with which token, scopes and parameters, and how the answer is written.

Imitates lib/authentication_methods.rb, app/models/access_token.rb (scopes, includes) and lib/api.rb.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, Response, jsonify, request
from werkzeug.wrappers import Request

from sandbox import errors
from sandbox.app import current_world
from sandbox.gate import TOKEN_FAULT, bearer
from sandbox.records import AccessToken, Course, User
from sandbox.rest.params import read_params
from sandbox.world import World

Row = TypeVar("Row")

blueprint = Blueprint("rest", __name__)
STRING_IDS = "application/json+canvas-string-ids"


@dataclass
class Call:
    """A request that passed authentication; ``params`` are Rails-like."""

    world: World
    request: Request
    user: User
    token: AccessToken
    params: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return self.request.host_url.rstrip("/")

    @property
    def path(self) -> str:
        return self.request.path

    def denied(self) -> errors.ApiError:
        return errors.forbidden(self.world.permission_status)

    def course(self, course_id: str) -> Course:
        """The course a path names, by id or by one of Canvas's other spellings; 404 otherwise."""
        found = find_course(self.world, course_id)
        if found is None:
            raise errors.not_found()
        return found


def endpoint(method: str, path: str) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Register ``view(call, **path_parts)`` under ``/api/v1``; it returns the JSON value or a Response."""

    def register(view: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(view)
        def answer(**parts: str) -> Response:
            call = authenticate(current_world(), request)
            result = view(call, **parts)
            response = result if isinstance(result, Response) else jsonify(_ids_as_asked(result, request))
            response.headers.update(call.headers)
            return response

        blueprint.add_url_rule(
            f"/api/v1{path}", f"{view.__module__}.{view.__name__}".replace(".", "_"), answer, methods=[method]
        )
        return answer

    return register


@blueprint.route("/api/v1/<path:rest>", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
def unknown(rest: str) -> Response:
    """An address the sandbox does not imitate."""
    raise errors.not_found()


def authenticate(world: World, incoming: Request) -> Call:
    """The call's user and token, its scope checked and its includes removed where the key wants so."""
    text = bearer(incoming)
    if text is None:
        raise errors.unauthenticated()
    token = next((one for one in world.tokens.values() if one.token == text), None)
    if token is not None and incoming.environ.get(TOKEN_FAULT) == "revoked":
        token.revoked = True
    user = world.live_user(token.user_id) if token is not None else None
    if token is None or user is None or not _usable(world, token):
        raise errors.invalid_token()
    if token.revoked:
        raise errors.invalid_token("Revoked access token.")
    if incoming.environ.get(TOKEN_FAULT) == "expired":
        raise errors.invalid_token()
    _check_scope(world, token, incoming)
    return Call(world, incoming, user, token, _allowed_params(world, token, read_params(incoming)))


def _usable(world: World, token: AccessToken) -> bool:
    key = world.keys[token.key_id]
    fresh = token.expires_at is None or token.expires_at > world.now()
    return fresh and key.active and key.enabled


def scope_covers(scope: str, method: str, path: str) -> bool:
    """Does ``url:GET|/api/v1/courses/:id`` cover this request? A ``:param`` is one path segment."""
    verb, _, pattern = scope.removeprefix("url:").partition("|")
    shape = re.sub(r":[a-z_]+", "[^/]+", pattern)
    asked = "GET" if method == "HEAD" else method
    return verb == asked and re.fullmatch(rf"{shape}(\.[a-z]+)?", path) is not None


def _check_scope(world: World, token: AccessToken, incoming: Request) -> None:
    if not world.keys[token.key_id].enforce_scopes:
        return
    if not any(scope_covers(scope, incoming.method, incoming.path) for scope in token.scopes):
        raise errors.insufficient_scopes()


def _allowed_params(world: World, token: AccessToken, params: dict[str, Any]) -> dict[str, Any]:
    """Without "Allow Include Parameters" a scoped key's includes are dropped, all but ``uuid``."""
    key = world.keys[token.key_id]
    if not key.enforce_scopes or key.allow_includes:
        return params
    kept = dict(params)
    for name in ("include", "includes"):
        value = kept.pop(name, None)
        if isinstance(value, list) and "uuid" in value:
            kept[name] = ["uuid"]
    return kept


def find_course(world: World, text: str) -> Course | None:
    """A course by id, ``sis_course_id:``, ``hex:sis_course_id:``, ``lti_context_id:`` or ``uuid:``."""
    kind, value = split_id(text)
    if kind == "":
        return world.course(int(value)) if value.isdigit() else None
    fields = {"sis_course_id": "sis_id", "lti_context_id": "lti_context_id", "uuid": "uuid"}
    return _by_field(world.courses, fields.get(kind), value)


def find_user(call: Call, text: str) -> User | None:
    """A user by id, ``self``, ``sis_user_id:``, ``lti_user_id:``, ``lti_1_3_id:`` or ``sis_login_id:``."""
    if text == "self":
        return call.user
    kind, value = split_id(text)
    if kind == "":
        return call.world.live_user(int(value)) if value.isdigit() else None
    fields = {
        "sis_user_id": "sis_id",
        "lti_user_id": "legacy_id",
        "lti_1_3_id": "lti_id",
        "sis_login_id": "login_id",
        "uuid": "lti_id",
    }
    return _by_field(call.world.users, fields.get(kind), value)


def split_id(text: str) -> tuple[str, str]:
    """("", id) or (kind, value); the hex form is unwrapped."""
    if text.startswith("hex:"):
        kind, _, value = text.removeprefix("hex:").partition(":")
        try:
            return kind, bytes.fromhex(value).decode()
        except ValueError:
            return kind, ""
    kind, colon, value = text.partition(":")
    return (kind, value) if colon else ("", text)


def _by_field(table: Mapping[int, Row], name: str | None, value: str) -> Row | None:
    if name is None:
        return None
    return next((row for row in table.values() if value and getattr(row, name) == value), None)


def _ids_as_asked(value: Any, incoming: Request) -> Any:
    return _stringify(value) if STRING_IDS in incoming.headers.get("Accept", "") else value


def _stringify(value: Any) -> Any:
    if isinstance(value, list):
        return [_stringify(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _as_text(item) if _is_id(key) else _stringify(item) for key, item in value.items()}


def _is_id(key: str) -> bool:
    return key == "id" or key.endswith(("_id", "_ids"))


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _stringify(value)
