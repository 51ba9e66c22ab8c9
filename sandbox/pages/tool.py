"""The page a tool opens in (app/controllers/external_tools_controller.rb): an iframe and a posted login."""

from __future__ import annotations

from flask import abort
from flask.typing import ResponseReturnValue

from sandbox.lti.launch import login_parameters
from sandbox.lti.state import platform_of, reachable_tools
from sandbox.pages.routes import blueprint
from sandbox.pages.shell import denied, render, visit


@blueprint.get("/courses/<int:course_id>/external_tools/<int:tool_id>")
def external_tool(course_id: int, tool_id: int) -> ResponseReturnValue:
    """Open the tool from the course navigation. ``default: enabled``, ``visibility: members``."""
    seen = visit(course_id)
    tool = next((each for each in reachable_tools(seen.world, seen.course) if each.id == tool_id), None)
    if tool is None:
        abort(404)
    if not (seen.rights.read or (seen.course.public and seen.course.published)):
        return denied(seen)
    key = seen.world.keys[tool.key_id]
    return render(
        "tool.html",
        f"tool-{tool.id}",
        seen,
        tool=tool,
        login_url=key.login_url,
        login_method=platform_of(seen.world).login_method,
        parameters=login_parameters(seen.world, key, tool, seen.course, seen.user),
    )
