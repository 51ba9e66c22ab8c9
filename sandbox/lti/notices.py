"""Platform notices: which handlers a tool asked for, and the notice of a copied course.

Source: app/controllers/lti/ims/notice_handlers_controller.rb, lib/lti/platform_notification_service.rb, doc/api/pns.md
(lti.md 9). Canvas sends a notice once, without a password, and does not try again.
"""

from __future__ import annotations

import secrets
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify

from sandbox.app import current_world
from sandbox.lti import vocabulary as v
from sandbox.lti.advantage import calling_key, payload, refused
from sandbox.lti.routes import blueprint
from sandbox.lti.state import platform_of, reachable_tools
from sandbox.records import Course, ToolInstall
from sandbox.world import World

COPIED = "LtiContextCopyNotice"
KINDS = ("LtiHelloWorldNotice", COPIED)
HANDLERS = "notice_handlers"
LIFETIME = 3600  # seconds
PATH = "/api/lti/notice-handlers/<int:tool_id>"


@blueprint.get(PATH)
def notice_handlers(tool_id: int) -> Response:
    """Every kind, with "" where the tool asked for none."""
    world = current_world()
    tool = _own_tool(world, tool_id)
    wanted = _handlers(world, tool.id)
    return jsonify(
        {
            "client_id": world.keys[tool.key_id].client_id,
            "deployment_id": tool.deployment_id,
            "notice_handlers": [{"notice_type": kind, "handler": wanted.get(kind, "")} for kind in KINDS],
        }
    )


@blueprint.put(PATH)
def set_notice_handler(tool_id: int) -> Response:
    """One handler for a kind; "" ends it."""
    world = current_world()
    tool = _own_tool(world, tool_id)
    given = payload()
    kind, handler = given.get("notice_type"), given.get("handler")
    if not isinstance(handler, str):
        raise refused(400, "handler must be a valid URL or an empty string")
    if kind not in KINDS:
        raise refused(400, f"Validation failed: Notice type unknown, must be one of [{', '.join(KINDS)}]")
    domain = urlsplit(world.keys[tool.key_id].target_link_uri).hostname
    if handler and urlsplit(handler).hostname != domain:
        raise refused(400, "Validation failed: Url must match the tool's domain")
    _handlers(world, tool.id)[str(kind)] = handler
    return jsonify({"notice_type": kind, "handler": handler})


def copy_notices(world: World, course: Course, origin: str) -> list[tuple[str, dict[str, Any]]]:
    """What Canvas sends when content of the course `origin` (its opaque id) was imported into `course`: addresses
    and bodies, one for each tool that asked."""
    sent = []
    for tool in reachable_tools(world, course):
        handler = _handlers(world, tool.id).get(COPIED)
        if handler:
            token = platform_of(world).keys.sign(_claims(world, tool, course, origin))
            sent.append((handler, {"notices": [{"jwt": token}]}))
    return sent


def _claims(world: World, tool: ToolInstall, course: Course, origin: str) -> dict[str, Any]:
    now, client_id = int(time.time()), world.keys[tool.key_id].client_id
    return {
        "iss": platform_of(world).issuer,
        "aud": client_id,
        "azp": client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "nonce": secrets.token_hex(16),
        v.LTI + "version": "1.3.0",
        v.LTI + "deployment_id": tool.deployment_id,
        v.LTI + "notice": {
            "id": str(uuid.uuid4()),
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            "type": COPIED,
        },
        v.LTI + "context": {
            "id": course.lti_context_id,
            "label": course.code,
            "title": course.name,
            "type": [v.COURSE_OFFERING],
        },
        v.LTI + "origin_contexts": [origin],
    }


def _own_tool(world: World, tool_id: int) -> ToolInstall:
    key = calling_key(world, v.SCOPE_NOTICES)
    tool = world.tools.get(tool_id)
    if tool is None or tool.deleted:
        raise refused(404, "not found")
    if tool.key_id != key.id:
        raise refused(403, "permission denied")
    return tool


def _handlers(world: World, tool_id: int) -> dict[str, str]:
    wanted: dict[str, str] = world.lti_state.setdefault(HANDLERS, {}).setdefault(tool_id, {})
    return wanted
