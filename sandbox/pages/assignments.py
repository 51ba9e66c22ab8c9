"""External-tool assignments: making one, opening one (app/controllers/assignments_controller.rb)."""

from __future__ import annotations

import uuid
from decimal import Decimal, InvalidOperation

from flask import abort, request
from flask.typing import ResponseReturnValue

from sandbox.lti.deep_linking import PLACEMENT, PickedContent, take_picked
from sandbox.lti.launch import login_parameters
from sandbox.lti.state import platform_of, reachable_tools
from sandbox.pages.routes import blueprint
from sandbox.pages.shell import Visit, back_to, denied, render, visit
from sandbox.records import Assignment, LineItem, ResourceLink, ToolInstall
from sandbox.world import World


@blueprint.get("/courses/<int:course_id>/assignments")
def course_assignments(course_id: int) -> ResponseReturnValue:
    """The course's assignments; teachers can make one with a tool."""
    seen = visit(course_id)
    if not seen.rights.read:
        return denied(seen)
    listed = [
        one for one in seen.world.course_assignments(course_id) if one.published or seen.rights.sees_grades
    ]
    tools = _pickers(seen) if seen.rights.manage_assignments else []
    return render("assignments.html", "assignments", seen, assignments=listed, tools=tools)


@blueprint.get("/courses/<int:course_id>/external_tools/<int:tool_id>/resource_selection")
def resource_selection(course_id: int, tool_id: int) -> ResponseReturnValue:
    """Find the tool's content for a new assignment: the deep linking launch."""
    seen = visit(course_id)
    if not seen.rights.manage_assignments:
        return denied(seen)
    tool = next((one for one in _pickers(seen) if one.id == tool_id), None)
    if tool is None:
        abort(404)
    return _open_tool(seen, tool, placement=PLACEMENT)


@blueprint.post("/courses/<int:course_id>/assignments")
def save_assignment(course_id: int) -> ResponseReturnValue:
    """Save the form: the assignment, its resource link and its line item come into being together."""
    seen = visit(course_id)
    if not seen.rights.manage_assignments:
        return denied(seen)
    picked = take_picked(seen.world, course_id, request.form.get("picked", ""))
    if picked is None:
        return back_to("pages.course_assignments", "This form is no longer open.", course_id=course_id)
    name = request.form.get("name", "").strip() or picked.title
    made = attach(seen.world, picked, name, _points(request.form.get("points", ""), picked))
    return back_to("pages.show_assignment", f"{name} is saved.", course_id=course_id, assignment_id=made.id)


@blueprint.get("/courses/<int:course_id>/assignments/<int:assignment_id>")
def show_assignment(course_id: int, assignment_id: int) -> ResponseReturnValue:
    """An assignment; one of a tool opens the tool."""
    seen = visit(course_id)
    assignment = seen.world.assignments.get(assignment_id)
    if assignment is None or assignment.deleted or assignment.course_id != course_id:
        abort(404)
    if not seen.rights.read:
        return denied(seen)
    link = next(
        (one for one in seen.world.resource_links.values() if one.assignment_id == assignment_id), None
    )
    if link is None:
        return back_to("pages.course_assignments", f"{assignment.name} has no page.", course_id=course_id)
    return _open_tool(seen, seen.world.tools[link.tool_id], link=link)


def attach(world: World, picked: PickedContent, name: str, points: Decimal) -> Assignment:
    """The coupled model: Canvas owns the line item, the tool may score to it and not delete it (L27)."""
    assignment = world.add_assignment(
        picked.course_id, name, None, submission_types=["external_tool"], external_tool_url=picked.url
    )
    assignment.points_possible = points
    link = ResourceLink(
        world.new_id(),
        str(uuid.uuid4()),
        picked.course_id,
        picked.tool_id,
        assignment.id,
        name,
        picked.custom,
    )
    world.resource_links[link.id] = link
    item = LineItem(
        id=world.new_id(),
        course_id=picked.course_id,
        assignment_id=assignment.id,
        key_id=world.tools[picked.tool_id].key_id,
        label=name,
        score_maximum=points,
        tag=picked.tag,
        resource_id=picked.resource_id,
        resource_link_id=link.id,
        coupled=True,
    )
    world.line_items[item.id] = item
    return assignment


def _pickers(seen: Visit) -> list[ToolInstall]:
    """The installed tools that offer content for assignments."""
    return [
        tool
        for tool in reachable_tools(seen.world, seen.course)
        if PLACEMENT in seen.world.keys[tool.key_id].placements
    ]


def _points(text: str, picked: PickedContent) -> Decimal:
    try:
        points = Decimal(text)
    except InvalidOperation:
        points = Decimal(str(picked.points))
    return points if points.is_finite() and points >= 0 else Decimal(str(picked.points))


def _open_tool(
    seen: Visit, tool: ToolInstall, *, placement: str = "", link: ResourceLink | None = None
) -> ResponseReturnValue:
    key = seen.world.keys[tool.key_id]
    return render(
        "tool.html",
        "assignments",
        seen,
        tool=tool,
        login_url=key.login_url,
        login_method=platform_of(seen.world).login_method,
        parameters=login_parameters(
            seen.world, key, tool, seen.course, seen.user, placement=placement, link=link
        ),
    )
