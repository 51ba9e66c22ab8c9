"""Deep linking from the assignment form: the request's claims and the address the tool answers to.

Source: doc/api/content_item.md, lib/lti/messages/deep_linking_request.rb,
app/controllers/lti/ims/deep_linking_controller.rb, …/concerns/deep_linking_services.rb. The answer is verified as any
JWT of the tool; the assignment itself is made when the teacher saves the form.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from flask import Response, make_response, render_template, request

from sandbox.app import current_world, unlocked
from sandbox.lti import vocabulary as v
from sandbox.lti.facts import LaunchFacts
from sandbox.lti.routes import blueprint
from sandbox.lti.state import platform_of
from sandbox.lti.token_grant import GrantRefused, public_keys, verify_signature
from sandbox.records import DeveloperKey, ToolInstall
from sandbox.world import World

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
REQUEST, ANSWER = "LtiDeepLinkingRequest", "LtiDeepLinkingResponse"
DATA_LIFETIME = 3600  # seconds
PLACEMENT = "assignment_selection"
PICKED = "picked_content"


class AnswerRefused(Exception):
    """The tool's answer is not one; the text goes onto the page."""


@dataclass
class PickedContent:
    """A content item between the tool's answer and the saved assignment form."""

    course_id: int
    tool_id: int
    title: str
    points: float
    url: str
    custom: dict[str, str] = field(default_factory=dict)
    tag: str | None = None
    resource_id: str | None = None


def deep_linking_settings(facts: LaunchFacts, secret: str, *, built_at: float) -> dict[str, Any]:
    """The claim that says where the answer goes and what may be in it. Canvas takes line items without saying so:
    it never sends `accept_lineitem` (lib/lti/messages/deep_linking_request.rb)."""
    data = {
        "course_id": facts.course.id,
        "tool_id": facts.tool.id,
        "placement": PLACEMENT,
        "exp": int(built_at) + DATA_LIFETIME,
    }
    signed = jwt.encode(data, secret, algorithm="HS256")
    return {
        "deep_link_return_url": f"{facts.course_url}/deep_linking_response?data={signed}",
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["iframe", "window"],
        "accept_media_types": "application/vnd.ims.lti.v1.ltilink",
        "auto_create": False,
        "accept_multiple": False,
    }


@blueprint.post("/courses/<int:course_id>/deep_linking_response")
@unlocked
def deep_linking_response(course_id: int) -> Response:
    """Verify the tool's answer and show the filled-in form; it asks for no session, the data says who."""
    world = current_world()
    try:
        key, tool = _asked(world, course_id)
        claims = _verified(world, key, request.form.get("JWT", ""))
        picked = _content(claims, course_id, tool)
    except AnswerRefused as problem:
        return make_response(render_template("lti/deep_linking.html", problem=str(problem)), 400)
    with world.lock:
        ticket = secrets.token_hex(16)
        world.lti_state.setdefault(PICKED, {})[ticket] = picked
    return make_response(
        render_template("lti/deep_linking.html", picked=picked, ticket=ticket, course_id=course_id)
    )


def take_picked(world: World, course_id: int, ticket: str) -> PickedContent | None:
    """What was picked, once, in this course."""
    found = world.lti_state.get(PICKED, {}).get(ticket)
    if not isinstance(found, PickedContent) or found.course_id != course_id:
        return None
    del world.lti_state[PICKED][ticket]
    return found


def _asked(world: World, course_id: int) -> tuple[DeveloperKey, ToolInstall]:
    """The key and install whose request this answers."""
    try:
        data = jwt.decode(request.args.get("data", ""), platform_of(world).secret, algorithms=["HS256"])
    except jwt.PyJWTError as problem:
        raise AnswerRefused("The address of the answer is not ours or too old.") from problem
    with world.lock:
        tool = world.tools.get(int(data.get("tool_id", 0)))
        if tool is None or tool.deleted or data.get("course_id") != course_id:
            raise AnswerRefused("The tool is not installed here.")
        return world.keys[tool.key_id], tool


def _verified(world: World, key: DeveloperKey, token: str) -> dict[str, Any]:
    """The claims of an answer signed by the tool, for us, lately."""
    try:
        verify_signature(token, public_keys(key))
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except (GrantRefused, jwt.PyJWTError) as problem:
        raise AnswerRefused("JWT verification failure") from problem
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    now = time.time()
    checks = {
        "the 'iss' must be the client id": str(claims.get("iss")) == key.client_id,
        "the 'aud' is invalid": platform_of(world).issuer in audiences,
        "the JWT has expired": isinstance(claims.get("exp"), int) and claims["exp"] > now,
        "the 'iat' must not be in the future": isinstance(claims.get("iat"), int)
        and claims["iat"] <= now + 30,
        "the 'nonce' is missing": bool(claims.get("nonce")),
        "the message type is wrong": claims.get(v.LTI + "message_type") == ANSWER,
        "the version is wrong": claims.get(v.LTI + "version") == "1.3.0",
    }
    wrong = [text for text, holds in checks.items() if not holds]
    if wrong:
        raise AnswerRefused(" | ".join(wrong))
    return claims


def _content(claims: dict[str, Any], course_id: int, tool: ToolInstall) -> PickedContent:
    if claims.get(v.LTI + "deployment_id") != tool.deployment_id:
        raise AnswerRefused("the deployment is wrong")
    items = claims.get(DL + "content_items")
    links = [one for one in items or [] if isinstance(one, dict) and one.get("type") == "ltiResourceLink"]
    if len(links) != 1:
        raise AnswerRefused("exactly one resource link is accepted here")
    link, item = links[0], links[0].get("lineItem") or {}
    return PickedContent(
        course_id,
        tool.id,
        str(item.get("label") or link.get("title") or "Assignment"),
        item.get("scoreMaximum", 0),
        str(link.get("url", "")),
        {str(name): str(value) for name, value in (link.get("custom") or {}).items()},
        item.get("tag"),
        item.get("resourceId"),
    )
