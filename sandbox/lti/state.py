"""What the LTI half keeps beside the world's records: keys, open launches, site settings."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import request

from sandbox.lti.facts import LaunchFacts
from sandbox.lti.keys import KeyRing, new_key_ring
from sandbox.mirror import default_line_item
from sandbox.records import Account, Course, DeveloperKey, ToolInstall, User
from sandbox.world import World

STATE = "platform"
LAUNCH_LIFETIME = timedelta(minutes=5)
DEFAULT_ISSUER = "https://canvas.instructure.com"


@dataclass
class OpenLaunch:
    """A launch made at click time and waiting for its authorize request; used once (A10)."""

    verifier: str
    key_id: int
    tool_id: int
    course_id: int
    user_id: int | None
    expires_at: datetime
    storage_target: str = "post_message_forwarding"
    placement: str = "course_navigation"
    link_id: int | None = None
    """The resource link that was opened; None for a placement's own launch."""


@dataclass
class Platform:
    """The site's LTI settings. Every default is what a self-hosted Canvas does."""

    issuer: str = DEFAULT_ISSUER
    """config/security.yml's ``lti_iss``; self-hosted sites rarely change it (lti.md 1.2)."""
    secret: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    keys: KeyRing = field(default_factory=new_key_ring, repr=False)
    launches: dict[str, OpenLaunch] = field(default_factory=dict)
    services_url: str = ""
    """The address in AGS and NRPS ids when it differs from the one called (lti.md 2)."""
    storage_target: str = "post_message_forwarding"
    login_method: str = "POST"
    enforce_iso8601: bool = False
    concluded_status: int = 422
    """422 in current Canvas, 404 in older ones (L9)."""
    default_page_size: int = 10
    maximum_page_size: int = 100
    members_page_size: int = 50
    retry_without_session: bool = True
    """The newest versions show a page that tries once more when the session cookie is missing (A6)."""


def platform_of(world: World) -> Platform:
    """The LTI settings of a world, made at first use."""
    found = world.lti_state.get(STATE)
    if not isinstance(found, Platform):
        found = world.lti_state[STATE] = Platform()
    return found


def site_url(world: World) -> str:
    """The school's own origin: the configured one, else the one this request came to."""
    return (world.public_url or request.url_root).rstrip("/")


def services_url(world: World) -> str:
    """The origin used in ids of line items and results."""
    return platform_of(world).services_url.rstrip("/") or site_url(world)


def open_launch(
    world: World,
    key: DeveloperKey,
    tool: ToolInstall,
    course: Course,
    user: User | None,
    placement: str = "course_navigation",
    link_id: int | None = None,
) -> OpenLaunch:
    """Remember one click on the tool's link."""
    platform = platform_of(world)
    launch = OpenLaunch(
        secrets.token_hex(32),
        key.id,
        tool.id,
        course.id,
        user.id if user else None,
        world.now() + LAUNCH_LIFETIME,
        platform.storage_target,
        placement,
        link_id,
    )
    platform.launches[launch.verifier] = launch
    return launch


def take_launch(world: World, verifier: str) -> OpenLaunch | None:
    """The launch, which is then gone; None when consumed, unknown or expired."""
    launch = platform_of(world).launches.pop(verifier, None)
    return launch if launch is not None and launch.expires_at > world.now() else None


def root_account(world: World, course: Course) -> Account:
    """The root of the course's account chain."""
    return world.account_chain(course.account_id)[-1]


def facts_of(world: World, launch: OpenLaunch, user: User | None) -> LaunchFacts:
    """What this launch says about this person (None: a visitor)."""
    course = world.courses[launch.course_id]
    enrollments = [e for e in world.enrollments.values() if user is not None and e.user_id == user.id]
    sections = {e.section_id for e in enrollments if e.course_id == course.id and e.state == "active"}
    mentored = [
        e.associated_user_id for e in enrollments if e.course_id == course.id and e.associated_user_id
    ]
    return LaunchFacts(
        key=world.keys[launch.key_id],
        tool=world.tools[launch.tool_id],
        course=course,
        root_account=root_account(world, course),
        user=user,
        enrollments=enrollments,
        sections=[world.sections[number] for number in sorted(sections)],
        mentored=[world.users[number] for number in mentored],
        issuer=platform_of(world).issuer,
        base_url=services_url(world),
        placement=launch.placement,
        link=world.resource_links.get(launch.link_id or 0),
        secret=platform_of(world).secret,
        line_item_url=_line_item_url(world, launch),
    )


def _line_item_url(world: World, launch: OpenLaunch) -> str:
    """The default line item of the opened link's assignment; "" for other launches."""
    link = world.resource_links.get(launch.link_id or 0)
    item = default_line_item(world, link.assignment_id) if link and link.assignment_id else None
    return f"{services_url(world)}/api/lti/courses/{item.course_id}/line_items/{item.id}" if item else ""


def reachable_tools(world: World, course: Course) -> list[ToolInstall]:
    """Installed tools a course sees: its own first, then up the account chain."""
    places = [
        ("Course", course.id),
        *(("Account", account.id) for account in world.account_chain(course.account_id)),
    ]
    return [
        tool
        for kind, number in places
        for tool in world.tools.values()
        if not tool.deleted and (tool.context_type, tool.context_id) == (kind, number)
    ]


def tool_of_key(world: World, course: Course, key: DeveloperKey) -> ToolInstall | None:
    """The nearest install of this key that the course sees (G12 to G14)."""
    return next((tool for tool in reachable_tools(world, course) if tool.key_id == key.id), None)
