"""The frame around every page: who is acting, where they are, and the course's links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox.app import current_world
from sandbox.lti.state import reachable_tools
from sandbox.permissions import Rights, rights_of
from sandbox.records import Course, Enrollment, User
from sandbox.session import session_user
from sandbox.world import World

KINDS = {
    "TeacherEnrollment": "teacher",
    "TaEnrollment": "TA",
    "DesignerEnrollment": "designer",
    "ObserverEnrollment": "observer",
    "StudentEnrollment": "student",
    "StudentViewEnrollment": "Test Student",
}
ORDER = tuple(KINDS.values())
PEOPLE_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Person:
    """One choice of "act as"."""

    id: int
    label: str


@dataclass(frozen=True, slots=True)
class Link:
    """One line of the course navigation."""

    key: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Visit:
    """A person on a page of a course, with what they may do there."""

    world: World
    course: Course
    user: User | None
    rights: Rights


def visit(course_id: int) -> Visit:
    """Who is looking at this course; 404 when there is none."""
    world = current_world()
    course = world.course(course_id)
    if course is None:
        abort(404)
    user = session_user(world, request)
    return Visit(world, course, user, rights_of(world, user, course) if user else Rights())


def render(template: str, place: str, seen: Visit | None = None, **values: Any) -> str:
    """A whole page inside the frame."""
    world = current_world()
    return render_template(
        f"pages/{template}",
        place=place,
        me=session_user(world, request),
        people=people(world),
        course=seen.course if seen else None,
        rights=seen.rights if seen else None,
        navigation=navigation(seen) if seen else [],
        **values,
    )


def denied(seen: Visit) -> tuple[str, int]:
    """Canvas's page for a person who may not be here."""
    return render("denied.html", "denied", seen), 403


def back_to(endpoint: str, message: str, **values: Any) -> Response:
    """After a form: say what happened on the page it came from."""
    flash(message)
    return redirect(url_for(endpoint, **values))


def people(world: World) -> list[Person]:
    """Whom to act as: staff first, then students, by name; a big course shows its first students."""
    held = _enrollments_by_user(world)
    living = [user for user in world.users.values() if not user.deleted and user.merged_into is None]
    named = [(user, _words(user, held.get(user.id, []))) for user in living]
    named.sort(key=lambda row: (_rank(row[1]), row[0].sortable_name))
    return [Person(user.id, f"{user.name} ({words})") for user, words in named[:PEOPLE_SHOWN]]


def describe(world: World, user: User) -> str:
    """What a person is, in words: ``teacher``, ``student, 2 sections``, ``account admin``, ``stranger``."""
    return _words(user, _enrollments_by_user(world).get(user.id, []))


def _enrollments_by_user(world: World) -> dict[int, list[Enrollment]]:
    held: dict[int, list[Enrollment]] = {}
    for enrollment in world.enrollments.values():
        if enrollment.state != "deleted":
            held.setdefault(enrollment.user_id, []).append(enrollment)
    return held


def _words(user: User, held: list[Enrollment]) -> str:
    if user.account_admin:
        return "account admin"
    kinds = sorted({KINDS[e.type] for e in held}, key=ORDER.index)
    if not kinds:
        return "stranger"
    sections = {e.section_id for e in held if e.type == "StudentEnrollment"}
    return ", ".join(kinds) + (f", {len(sections)} sections" if len(sections) > 1 else "")


def _rank(words: str) -> int:
    """Staff, then admins and strangers, then the Test Student, students of two sections, the others."""
    first = ("teacher", "TA", "designer", "observer", "account admin", "stranger", "Test Student")
    kind = words.partition(",")[0]
    if kind in first:
        return first.index(kind)
    return len(first) + (0 if "sections" in words else 1)


def navigation(seen: Visit) -> list[Link]:
    """The links this person sees; the tool's own links among them."""
    number, rights = seen.course.id, seen.rights
    links = [Link("home", "Home", url_for("pages.course_home", course_id=number))]
    if rights.sees_grades:
        links.append(Link("gradebook", "Grades", url_for("pages.gradebook", course_id=number)))
        links.append(Link("evidence", "Evidence", url_for("pages.evidence", course_id=number)))
    elif rights.own_student or rights.observed:
        links.append(Link("grades", "Grades", url_for("pages.student_grades", course_id=number)))
    if rights.read:
        links.append(
            Link("assignments", "Assignments", url_for("pages.course_assignments", course_id=number))
        )
    if rights.read or seen.course.public:
        links += _tool_links(seen)
    if rights.sees_grades:
        links.append(Link("settings", "Settings", url_for("pages.course_settings", course_id=number)))
    return links


def _tool_links(seen: Visit) -> list[Link]:
    """One link for each key; the course's own install wins over its account's."""
    number, links, keys = seen.course.id, [], set()
    for tool in reachable_tools(seen.world, seen.course):
        if tool.key_id not in keys and "course_navigation" in seen.world.keys[tool.key_id].placements:
            keys.add(tool.key_id)
            url = url_for("pages.external_tool", course_id=number, tool_id=tool.id)
            links.append(Link(f"tool-{tool.id}", tool.name, url))
    return links
