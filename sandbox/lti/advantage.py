"""The checks every LTI Advantage call passes, in Canvas's order (lti.md 0; rows G1 to G16).

Source: app/controllers/lti/ims/concerns/{lti_services,advantage_services,gradebook_services}.rb,
lib/lti/ims/advantage_errors.rb, lib/lti/ims/advantage_access_token*.rb.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, request

from sandbox.app import current_world
from sandbox.errors import ApiError, not_found
from sandbox.gate import TOKEN_FAULT, TOKEN_PATH, bearer
from sandbox.lti import vocabulary as v
from sandbox.lti.jwts import AccessToken, InvalidToken, read_access_token
from sandbox.lti.state import platform_of, tool_of_key
from sandbox.records import Course, DeveloperKey, ToolInstall
from sandbox.world import World

CONCLUDED = "This course has concluded. AGS requests will no longer be accepted for this course."


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls about what: passed every check up to the course."""

    world: World
    key: DeveloperKey
    tool: ToolInstall
    course: Course


View = Callable[..., Response]


def refused(status: int, message: str) -> ApiError:
    """An error in the shape of Canvas's LTI code: a hash under ``errors``."""
    kind = (
        HTTPStatus(status)
        .phrase.lower()
        .replace(" ", "_")
        .replace("unprocessable_content", "unprocessable_entity")
    )
    return ApiError(status, {"errors": {"type": kind, "message": message}})


def invalid(field: str, message: str) -> ApiError:
    """A model's validation error: 422 with a list of fields."""
    return ApiError(422, {"errors": [{"field": field, "message": message, "error_code": None}]})


def empty(status: int) -> ApiError:
    """A ``head`` answer: a status without a body."""
    return ApiError(status, None)


def advantage(*scopes: str, gradebook: bool = True) -> Callable[[View], Callable[..., Response]]:
    """Run the checks; the view gets a Caller. One of ``scopes`` must be held."""

    def wrap(view: View) -> Callable[..., Response]:
        @functools.wraps(view)
        def checked(course_id: int, **more: Any) -> Response:
            caller = _caller(current_world(), course_id, scopes)
            if gradebook and caller.course.is_concluded(caller.world.now()):
                raise _concluded(caller.world)
            return view(caller, **more)

        return checked

    return wrap


def calling_key(world: World, *scopes: str) -> DeveloperKey:
    """The key whose token this call carries, up to the check of the context."""
    token = _access_token(world)
    key = world.key_by_client_id(token.client_id)
    if key is None or not key.active:
        raise refused(401, "Unknown or inactive Developer Key")
    if not token.scopes & set(scopes):
        raise refused(401, "Insufficient permissions")
    if not key.enabled:
        raise refused(401, "Invalid Developer Key")
    return key


def _caller(world: World, course_id: int, scopes: tuple[str, ...]) -> Caller:
    key = calling_key(world, *scopes)
    if course_id not in world.courses:
        raise not_found()
    course = world.course(course_id)
    if course is None:
        raise refused(404, "Context is deleted or not found")
    tool = tool_of_key(world, course, key)
    if tool is None:
        raise refused(401, "Access Token not linked to a Tool associated with this Context")
    return Caller(world, key, tool, course)


def _access_token(world: World) -> AccessToken:
    text = bearer(request)
    if text is None:
        raise refused(401, "Missing access token")
    if request.environ.get(TOKEN_FAULT) == "expired":
        raise refused(401, "Access token expired")
    if request.environ.get(TOKEN_FAULT) == "revoked":
        raise refused(401, "Unknown or inactive Developer Key")
    hosts = [f"https://{host}" for host in v.UNIVERSAL_HOSTS]
    audiences = [f"{root.rstrip('/')}{TOKEN_PATH}" for root in (request.url_root, *hosts)]
    try:
        return read_access_token(platform_of(world).secret, text, audiences=audiences, now=time.time())
    except InvalidToken as problem:
        raise refused(401, str(problem)) from problem


def _concluded(world: World) -> ApiError:
    return refused(422, CONCLUDED) if platform_of(world).concluded_status == 422 else not_found()


def payload() -> dict[str, Any]:
    """The request's JSON object with exact decimals; an empty one when there is none."""
    try:
        body = json.loads(request.get_data() or b"{}", parse_float=Decimal)
    except ValueError as problem:
        raise ApiError(400, {"errors": [{"message": "Invalid JSON"}]}) from problem
    return body if isinstance(body, dict) else {}


def answer(body: Any, media_type: str, status: int = 200) -> Response:
    """A JSON answer with an IMS media type."""
    response = jsonify(body)
    response.status_code = status
    response.content_type = f"{media_type}; charset=utf-8"
    return response
