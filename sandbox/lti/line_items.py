"""AGS line items (app/controllers/lti/ims/line_items_controller.rb, app/models/lti/line_item.rb; rows L1 to L29)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from flask import Response, request

from sandbox.errors import ApiError, not_found
from sandbox.lti import vocabulary as v
from sandbox.lti.advantage import Caller, advantage, answer, empty, invalid, payload, refused
from sandbox.lti.paging import page_of, with_links
from sandbox.lti.routes import blueprint
from sandbox.lti.state import platform_of, services_url
from sandbox.lti.times import parse_time
from sandbox.mirror import default_line_item
from sandbox.records import Assignment, LineItem, ResourceLink
from sandbox.world import World

LIST = "/api/lti/courses/<int:course_id>/line_items"
ITEM = LIST + "/<int:item_id>"
READ = (v.SCOPE_LINE_ITEM, v.SCOPE_LINE_ITEM_READ)
OFFLINE_TYPES = ("none", "on_paper")
NOT_LINKED = "The specified LTI link ID is not associated with the line item."
NOT_YOURS = "Tool does not have permission to view line_item"
OTHER_TOOL = "Resource link id points to Tool not associated with this Context"


@blueprint.get(LIST)
@advantage(*READ)
def list_line_items(caller: Caller) -> Response:
    """The course's line items of this developer key; filters are combined with AND."""
    site = platform_of(caller.world)
    rows = [item for item in _own_items(caller) if _fits_filters(caller.world, item)]
    page, links = page_of(rows, default=site.default_page_size, maximum=site.maximum_page_size)
    body = [shown(caller.world, item) for item in page]
    return with_links(answer(body, v.LINE_ITEM_LIST_TYPE), links)


@blueprint.get(ITEM)
@advantage(*READ)
def show_line_item(caller: Caller, item_id: int) -> Response:
    """One line item."""
    return answer(shown(caller.world, _own_item(caller, item_id)), v.LINE_ITEM_TYPE)


@blueprint.post(LIST)
@advantage(v.SCOPE_LINE_ITEM)
def create_line_item(caller: Caller) -> Response:
    """A new assignment with its line item, or a further item on an existing link's assignment."""
    fields = _read_fields(payload())
    add = _add_with_assignment if fields.resource_link_id is None else _add_to_link
    item = add(caller, fields)
    return answer(shown(caller.world, item), v.LINE_ITEM_TYPE, 201)


@blueprint.put(ITEM)
@advantage(v.SCOPE_LINE_ITEM)
def update_line_item(caller: Caller, item_id: int) -> Response:
    """Change an item; on a default item the assignment changes with it."""
    item, given = _own_item(caller, item_id), payload()
    check_link(caller.world, item, given.get("resourceLinkId"))
    _check_values(given)
    _change_item(item, given)
    default = default_line_item(caller.world, item.assignment_id)
    if default is item:
        _change_assignment(caller.world.assignments[item.assignment_id], given)
    return answer(shown(caller.world, item), v.LINE_ITEM_TYPE)


@blueprint.delete(ITEM)
@advantage(v.SCOPE_LINE_ITEM)
def delete_line_item(caller: Caller, item_id: int) -> Response:
    """Delete an item; with a default uncoupled one the whole assignment and its grades go."""
    item = _own_item(caller, item_id)
    if default_line_item(caller.world, item.assignment_id) is item:
        if item.coupled:
            raise empty(401)
        _delete_assignment(caller.world, item.assignment_id)
    item.deleted = True
    return Response(status=204)


def shown(world: World, item: LineItem) -> dict[str, Any]:
    """The wire form; what is null is absent."""
    link = world.resource_links.get(item.resource_link_id or 0)
    body = {
        "id": item_url(world, item),
        "scoreMaximum": item.score_maximum,
        "label": item.label,
        "tag": item.tag,
        "resourceId": item.resource_id,
        "resourceLinkId": link.uuid if link else None,
        **item.extensions,
    }
    if "launch_url" in request.args.getlist("include[]"):
        body[v.LAUNCH_URL_EXTENSION] = world.assignments[item.assignment_id].external_tool_url
    return {name: value for name, value in body.items() if value is not None}


def item_url(world: World, item: LineItem) -> str:
    """The item's id."""
    return f"{services_url(world)}/api/lti/courses/{item.course_id}/line_items/{item.id}"


def find_item(caller: Caller, item_id: int) -> LineItem:
    """A live item of this course, whoever's it is; 404 otherwise."""
    item = caller.world.line_items.get(item_id)
    if item is None or item.deleted or item.course_id != caller.course.id:
        raise not_found()
    return item


def check_link(world: World, item: LineItem, link_id: Any) -> None:
    """412 when a ``resourceLinkId`` is given and is not the item's (L17)."""
    if link_id is None:
        return
    link = world.resource_links.get(item.resource_link_id or 0)
    if link is None or link.uuid != link_id:
        raise refused(412, NOT_LINKED)


def _own_item(caller: Caller, item_id: int) -> LineItem:
    item = find_item(caller, item_id)
    if caller.world.assignments[item.assignment_id].deleted:
        raise empty(404)
    if item.key_id != caller.key.id:
        raise refused(412, NOT_YOURS)
    return item


def _own_items(caller: Caller) -> list[LineItem]:
    world = caller.world
    return [
        item
        for item in sorted(world.line_items.values(), key=lambda each: each.id)
        if item.course_id == caller.course.id
        and item.key_id == caller.key.id
        and not item.deleted
        and not world.assignments[item.assignment_id].deleted
    ]


def _fits_filters(world: World, item: LineItem) -> bool:
    link = world.resource_links.get(item.resource_link_id or 0)
    values = {
        "tag": item.tag,
        "resource_id": item.resource_id,
        "resource_link_id": link.uuid if link else None,
    }
    return all(request.args[name] == value for name, value in values.items() if name in request.args)


@dataclass(frozen=True, slots=True)
class _Fields:
    """A checked creation request."""

    label: str
    score_maximum: Decimal
    tag: str | None
    resource_id: str | None
    resource_link_id: str | None
    start_at: datetime | None
    end_at: datetime | None
    submission_type: dict[str, Any] | None


def _read_fields(given: dict[str, Any]) -> _Fields:
    extension = given.get(v.SUBMISSION_TYPE_EXTENSION)
    if isinstance(extension, dict) and extension.get("type") not in (*OFFLINE_TYPES, "external_tool"):
        text = f"Invalid submission_type for new assignment: {extension.get('type')}"
        raise ApiError(400, {"error": text})
    for name in ("label", "scoreMaximum"):
        if given.get(name) in (None, ""):
            raise invalid(name, "can't be blank")
    _check_values(given)
    return _Fields(
        label=str(given["label"]),
        score_maximum=_decimal(given["scoreMaximum"]),
        tag=given.get("tag"),
        resource_id=given.get("resourceId"),
        resource_link_id=given.get("resourceLinkId"),
        start_at=parse_time(given.get("startDateTime")),
        end_at=parse_time(given.get("endDateTime")),
        submission_type=extension if isinstance(extension, dict) else None,
    )


def _check_values(given: dict[str, Any]) -> None:
    """What the model would refuse: a blank label, a maximum that is no number or is negative."""
    if "label" in given and not str(given["label"] or "").strip():
        raise invalid("label", "can't be blank")
    if "scoreMaximum" in given:
        try:
            number = _decimal(given["scoreMaximum"])
        except ArithmeticError as problem:
            raise invalid("score_maximum", "is not a number") from problem
        if not number.is_finite() or number < 0:
            raise invalid("score_maximum", "must be greater than or equal to 0")


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))


def _add_with_assignment(caller: Caller, fields: _Fields) -> LineItem:
    """The uncoupled model: a published assignment of its own (L1, L6, L7)."""
    world, extension = caller.world, fields.submission_type or {}
    launchable = extension.get("type") == "external_tool"
    assignment = world.add_assignment(
        caller.course.id,
        fields.label,
        None,
        submission_types=[str(extension.get("type", "none"))],
        unlock_at=fields.start_at,
        due_at=fields.end_at,
        external_tool_url=extension.get("external_tool_url"),
    )
    assignment.points_possible = fields.score_maximum
    link = None
    if launchable and _is_tools_url(caller, str(extension.get("external_tool_url", ""))):
        link = ResourceLink(
            world.new_id(), str(uuid.uuid4()), caller.course.id, caller.tool.id, assignment.id, fields.label
        )
        world.resource_links[link.id] = link
    return _add_item(caller, fields, assignment, link)


def _is_tools_url(caller: Caller, url: str) -> bool:
    return urlsplit(url).netloc == urlsplit(caller.key.target_link_uri).netloc


def _add_to_link(caller: Caller, fields: _Fields) -> LineItem:
    """A further item on the assignment of an existing resource link (L2 to L5)."""
    world = caller.world
    links = [link for link in world.resource_links.values() if link.uuid == fields.resource_link_id]
    if not links:
        raise not_found()
    link = links[0]
    assignment = world.assignments.get(link.assignment_id or 0)
    known = any(item.resource_link_id == link.id and not item.deleted for item in world.line_items.values())
    if not known or link.course_id != caller.course.id or assignment is None or assignment.deleted:
        raise empty(412)
    if world.tools[link.tool_id].key_id != caller.key.id:
        raise refused(422, OTHER_TOOL)
    return _add_item(caller, fields, assignment, link)


def _add_item(caller: Caller, fields: _Fields, assignment: Assignment, link: ResourceLink | None) -> LineItem:
    world = caller.world
    extensions = {v.SUBMISSION_TYPE_EXTENSION: fields.submission_type} if fields.submission_type else {}
    item = LineItem(
        id=world.new_id(),
        course_id=caller.course.id,
        assignment_id=assignment.id,
        key_id=caller.key.id,
        label=fields.label,
        score_maximum=fields.score_maximum,
        tag=fields.tag,
        resource_id=fields.resource_id,
        resource_link_id=link.id if link else None,
        start_at=fields.start_at,
        end_at=fields.end_at,
        extensions=extensions,
    )
    world.line_items[item.id] = item
    return item


def _change_item(item: LineItem, given: dict[str, Any]) -> None:
    item.label = str(given.get("label", item.label))
    if "scoreMaximum" in given:
        item.score_maximum = _decimal(given["scoreMaximum"])
    item.tag = given.get("tag", item.tag)
    item.resource_id = given.get("resourceId", item.resource_id)
    if "startDateTime" in given:
        item.start_at = parse_time(given["startDateTime"])
    if "endDateTime" in given:
        item.end_at = parse_time(given["endDateTime"])


def _change_assignment(assignment: Assignment, given: dict[str, Any]) -> None:
    """Points already given are not rescaled; a date present with null is cleared."""
    assignment.name = str(given.get("label", assignment.name))
    if "scoreMaximum" in given:
        assignment.points_possible = _decimal(given["scoreMaximum"])
    if "startDateTime" in given:
        assignment.unlock_at = parse_time(given["startDateTime"])
    if "endDateTime" in given:
        assignment.due_at = parse_time(given["endDateTime"])


def _delete_assignment(world: World, assignment_id: int) -> None:
    world.assignments[assignment_id].deleted = True
    for item in world.line_items.values():
        item.deleted = item.deleted or item.assignment_id == assignment_id
    gone = [link.id for link in world.resource_links.values() if link.assignment_id == assignment_id]
    for link_id in gone:
        del world.resource_links[link_id]
