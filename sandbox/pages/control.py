"""The control API under ``/_sandbox/``: what tests and the demo's check ask and do, as JSON.

It is documented in ``docs/sandbox.md`` and never used by the tool.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import Response, abort, jsonify, request

from sandbox.app import current_world
from sandbox.evidence import assess
from sandbox.grading import Grade, GradeError, grade_student
from sandbox.lti.claims import id_token_claims
from sandbox.lti.launch import login_parameters
from sandbox.lti.state import facts_of, open_launch, platform_of, site_url, tool_of_key
from sandbox.pages.cells import cell_of
from sandbox.pages.operations import is_service
from sandbox.pages.routes import blueprint
from sandbox.pages.settings import CHANGES
from sandbox.pages.shell import Visit, describe
from sandbox.permissions import Rights
from sandbox.records import STUDENT_TYPES, Assignment, Course, DeveloperKey, ToolInstall, User
from sandbox.session import COOKIE
from sandbox.world import World

CALLS_SHOWN = 500
PLATFORM_SETTINGS = (
    "issuer",
    "services_url",
    "storage_target",
    "login_method",
    "enforce_iso8601",
    "concluded_status",
    "default_page_size",
    "maximum_page_size",
    "members_page_size",
    "retry_without_session",
)
THROTTLE_SETTINGS = ("enabled", "mark", "maximum", "outflow", "up_front", "token_cost", "status")


@blueprint.get("/_sandbox/world")
def show_world() -> Response:
    """Addresses, courses, people, keys (without secrets) and tools."""
    world = current_world()
    return jsonify(
        scenario=world.name,
        now=world.now().isoformat(),
        platform=_addresses(world),
        courses=[_course(course) for course in world.courses.values()],
        users=[_user(world, user) for user in world.users.values()],
        keys=[_key(key) for key in world.keys.values()],
        tools=[{**asdict(tool), "deployment_id": tool.deployment_id} for tool in world.tools.values()],
    )


@blueprint.get("/_sandbox/courses/<int:course_id>/gradebook")
def show_gradebook(course_id: int) -> Response:
    """Every column, student and cell; scores as decimal text, ``null`` for none."""
    world, course = current_world(), _course_or_404(course_id)
    assignments = world.course_assignments(course.id)
    students = sorted({e.user_id for e in world.course_enrollments(course.id, STUDENT_TYPES)})
    cells = [_cell(world, assignment, user_id) for assignment in assignments for user_id in students]
    columns = [
        {
            "id": each.id,
            "name": each.name,
            "points_possible": _text(each.points_possible),
            "published": each.published,
            "closed_period": each.closed_period,
        }
        for each in assignments
    ]
    return jsonify(assignments=columns, students=students, cells=cells)


@blueprint.route("/_sandbox/calls", methods=["GET", "DELETE"])
def calls() -> Response:
    """How many calls fit ``method`` and ``path`` (``*`` allowed), and the newest; DELETE forgets them."""
    world = current_world()
    if request.method == "DELETE":
        world.calls.clear()
        return jsonify(count=0, calls=[])
    found = world.calls.all(request.args.get("method", "*"), request.args.get("path", "*"))
    if request.args.get("all") != "1":
        found = [call for call in found if is_service(call)]
    return jsonify(count=len(found), calls=[asdict(call) for call in found[-CALLS_SHOWN:]])


@blueprint.route("/_sandbox/faults", methods=["GET", "POST", "DELETE"])
def control_faults() -> Response:
    """List, add (a JSON object of ``sandbox.plumbing.Fault``'s fields) or clear the faults."""
    world = current_world()
    if request.method == "DELETE":
        world.faults.clear()
    if request.method == "POST":
        options = _json()
        try:
            world.faults.add(str(options.pop("kind", "")), **options)
        except (TypeError, ValueError) as problem:
            abort(_refusal(str(problem)))
    return jsonify(faults=[asdict(rule) for rule in world.faults.rules])


@blueprint.post("/_sandbox/clock")
def set_clock() -> Response:
    """``{"at": ISO time}`` stops the clock, ``{"at": null}`` lets it run, ``{"advance": seconds}`` moves it."""
    world, given = current_world(), _json()
    if "advance" in given:
        world.advance(timedelta(seconds=float(given["advance"])))
    else:
        world.set_clock(datetime.fromisoformat(given["at"]) if given.get("at") else None)
    return jsonify(now=world.now().isoformat())


@blueprint.post("/_sandbox/grade")
def edit_as() -> Response:
    """A person's own edit: ``{course_id, assignment_id, user_id, grader_id, grade | excuse}``."""
    world, given = current_world(), _json()
    assignment = _assignment_or_404(given)
    excuse = bool(given.get("excuse"))
    text = None if excuse else str(given.get("grade") if given.get("grade") is not None else "")
    grade = Grade(text, int(given["grader_id"]), world.now(), excuse=excuse)
    try:
        grade_student(world, assignment, int(given["user_id"]), grade)
    except GradeError as problem:
        abort(_refusal(problem.message))
    return jsonify(_cell(world, assignment, int(given["user_id"])))


@blueprint.post("/_sandbox/evidence")
def give_evidence_to() -> Response:
    """``{assignment_id, user_id, outcome_id, points}``: the result through that work, made or updated."""
    world, given = current_world(), _json()
    points = None if given.get("points") is None else Decimal(str(given["points"]))
    assignment, user_id, outcome_id = (
        _assignment_or_404(given),
        int(given["user_id"]),
        int(given["outcome_id"]),
    )
    if user_id not in world.users or outcome_id not in world.outcomes:
        abort(404)
    result = assess(world, assignment, user_id, outcome_id, points, world.now())
    return jsonify(id=result.id)


@blueprint.post("/_sandbox/courses/<int:course_id>/change")
def change_course(course_id: int) -> Response:
    """A change of the settings page by name: ``{"change": "conclude", "id": 0}``."""
    world, course, given = current_world(), _course_or_404(course_id), _json()
    change = CHANGES.get(str(given.get("change")))
    if change is None:
        abort(_refusal(f"change is one of {', '.join(CHANGES)}"))
    return jsonify(message=change(Visit(world, course, None, Rights()), int(given.get("id", 0))))


@blueprint.post("/_sandbox/settings")
def change_site() -> Response:
    """``latency_ms``, ``throttle`` {...}, ``platform`` {...}; only known names are taken."""
    world, given = current_world(), _json()
    if "latency_ms" in given:
        world.latency = float(given["latency_ms"]) / 1000
    for name, value in given.get("throttle", {}).items():
        _set(world.throttle, THROTTLE_SETTINGS, name, value)
    for name, value in given.get("platform", {}).items():
        _set(platform_of(world), PLATFORM_SETTINGS, name, value)
    return jsonify(ok=True)


@blueprint.post("/_sandbox/rotate_keys")
def rotate_keys() -> Response:
    """The platform's future key becomes the present one."""
    platform = platform_of(current_world())
    platform.keys.rotate()
    return jsonify(present=platform.keys.present.kid)


@blueprint.post("/_sandbox/launch")
def launch_as() -> Response:
    """One click on the tool's link as a person: where to post what, and the cookie that authorize needs."""
    world = current_world()
    key, tool, course, user = _launch_request(world)
    return jsonify(
        url=key.login_url,
        method=platform_of(world).login_method,
        parameters=login_parameters(world, key, tool, course, user),
        cookies={COOKIE: str(user.id)} if user else {},
    )


@blueprint.post("/_sandbox/id_token")
def id_token() -> Response:
    """The signed id_token of a launch without the round trip: ``{user_id, course_id, nonce}``."""
    world = current_world()
    key, tool, course, user = _launch_request(world)
    launch = open_launch(world, key, tool, course, user)
    claims = id_token_claims(
        facts_of(world, launch, user), nonce=str(_json().get("nonce", "")), built_at=time.time()
    )
    claims |= _json().get("claims", {})
    return jsonify(id_token=platform_of(world).keys.sign(claims), claims=claims)


def _launch_request(world: World) -> tuple[DeveloperKey, ToolInstall, Course, User | None]:
    given = _json()
    course = _course_or_404(int(given.get("course_id", 0)))
    keys = [key for key in world.keys.values() if key.kind == "lti"]
    wanted = given.get("client_id")
    key = next((each for each in keys if wanted in (None, each.client_id)), None)
    tool = tool_of_key(world, course, key) if key else None
    user = world.live_user(int(given["user_id"])) if given.get("user_id") is not None else None
    if key is None or tool is None or (user is None and given.get("user_id") is not None):
        abort(404)
    return key, tool, course, user


def _addresses(world: World) -> dict[str, str]:
    site = site_url(world)
    return {
        "issuer": platform_of(world).issuer,
        "url": site,
        "authorize_url": f"{site}/api/lti/authorize_redirect",
        "token_url": f"{site}/login/oauth2/token",
        "jwks_url": f"{site}/api/lti/security/jwks",
    }


def _course(course: Course) -> dict[str, Any]:
    names = ("id", "name", "code", "workflow_state", "lti_context_id", "account_id")
    return {name: getattr(course, name) for name in names}


def _user(world: World, user: User) -> dict[str, Any]:
    names = ("id", "name", "sortable_name", "lti_id", "legacy_id", "sis_id", "account_admin")
    enrollments = [e for e in world.enrollments.values() if e.user_id == user.id]
    held = [
        {"id": e.id, "course_id": e.course_id, "section_id": e.section_id, "type": e.type, "state": e.state}
        for e in enrollments
    ]
    return {
        **{name: getattr(user, name) for name in names},
        "role": describe(world, user),
        "enrollments": held,
    }


def _key(key: DeveloperKey) -> dict[str, Any]:
    names = (
        "id",
        "kind",
        "client_id",
        "name",
        "scopes",
        "redirect_uris",
        "login_url",
        "jwks_url",
        "active",
        "enabled",
    )
    return {name: getattr(key, name) for name in names}


def _cell(world: World, assignment: Assignment, user_id: int) -> dict[str, Any]:
    submission = world.submissions.get((assignment.id, user_id))
    cell = cell_of(world, assignment, user_id)
    return {
        "assignment_id": assignment.id,
        "user_id": user_id,
        "shown": cell.shown,
        "score": _text(submission.score) if submission else None,
        "entered_score": _text(submission.entered_score) if submission else None,
        "excused": bool(submission.excused) if submission else False,
        "grader_id": submission.grader_id if submission else None,
        "grader": cell.grader,
        "attempt": submission.attempt if submission else None,
        "hidden": cell.hidden,
        "late": cell.late,
        "graded_at": submission.graded_at.isoformat() if submission and submission.graded_at else None,
        "comments": [comment.text for comment in submission.comments] if submission else [],
    }


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _set(target: object, allowed: tuple[str, ...], name: str, value: Any) -> None:
    if name not in allowed:
        abort(_refusal(f"{name} is not one of {', '.join(allowed)}"))
    setattr(target, name, value)


def _json() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    return body if isinstance(body, dict) else {}


def _refusal(text: str) -> Response:
    response = jsonify(error=text)
    response.status_code = 422
    return response


def _course_or_404(course_id: int) -> Course:
    course = current_world().course(course_id)
    if course is None:
        abort(404)
    return course


def _assignment_or_404(given: dict[str, Any]) -> Assignment:
    assignment = current_world().assignments.get(int(given.get("assignment_id", 0)))
    if assignment is None or assignment.deleted:
        abort(404)
    return assignment
