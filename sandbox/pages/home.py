"""Dashboard, "act as", the course's front page and a student's own grades."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from flask import Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as AnyResponse

from sandbox.app import current_world
from sandbox.grading import plain
from sandbox.pages.cells import show_score
from sandbox.pages.routes import blueprint
from sandbox.pages.shell import denied, describe, render, visit
from sandbox.records import Course, Submission, User
from sandbox.session import session_user, sign_in, sign_out
from sandbox.world import World


@blueprint.get("/")
def dashboard() -> str:
    """The courses, and the people to act as."""
    world = current_world()
    me = session_user(world, request)
    courses = [course for course in world.courses.values() if course.workflow_state != "deleted"]
    rows = [{"course": course, "role": _role_here(world, me, course)} for course in courses]
    return render("dashboard.html", "dashboard", rows=rows, scenario=world.name, next=safe_next("next", ""))


@blueprint.get("/login")
def login() -> AnyResponse:
    """Where a person without a session is sent; the dashboard lets them choose who they are."""
    return redirect(url_for("pages.dashboard", next=safe_next("next", "") or None))


@blueprint.post("/login/act_as")
def act_as() -> AnyResponse:
    """Become a person, or nobody."""
    world, chosen = current_world(), request.form.get("user_id", "")
    answer = Response(status=302, headers={"Location": safe_next("next", url_for("pages.dashboard"))})
    if not chosen:
        return sign_out(answer)
    user = world.live_user(int(chosen)) if chosen.isdigit() else None
    if user is None:
        abort(404)
    return sign_in(answer, user)


def safe_next(name: str, otherwise: str) -> str:
    """A path of this site to go on to, or ``otherwise``."""
    target = request.values.get(name, "")
    parts = urlsplit(target)
    is_ours = (
        target.startswith("/") and not target.startswith("//") and not parts.netloc and "\\" not in target
    )
    return target if is_ours else otherwise


def _role_here(world: World, user: User | None, course: Course) -> str:
    if user is None:
        return ""
    if user.account_admin or not world.user_enrollments(user.id, course.id):
        return "account admin" if user.account_admin else "not enrolled"
    return describe(world, user)


@blueprint.get("/courses/<int:course_id>")
def course_home(course_id: int) -> ResponseReturnValue:
    """The course's front page: what is in it."""
    seen = visit(course_id)
    if not (seen.rights.read or seen.course.public):
        return denied(seen)
    world = seen.world
    facts = {
        "students": len({e.user_id for e in world.course_enrollments(course_id, ["StudentEnrollment"])}),
        "sections": [section.name for section in world.sections.values() if section.course_id == course_id],
        "assignments": len(world.course_assignments(course_id)),
        "outcomes": len(world.course_outcomes(course_id)),
        "concluded": seen.course.is_concluded(world.now()),
    }
    return render("course.html", "home", seen, facts=facts)


@dataclass(frozen=True, slots=True)
class _OwnGrade:
    title: str
    shown: str
    points: str


@blueprint.get("/courses/<int:course_id>/grades")
def student_grades(course_id: int) -> ResponseReturnValue:
    """What a student or an observer sees: posted grades only."""
    seen = visit(course_id)
    if seen.user is None or not (seen.rights.own_student or seen.rights.observed):
        return denied(seen)
    ids = sorted(seen.rights.observed) if seen.rights.observed else [seen.user.id]
    tables = [(seen.world.users[number].name, _own_grades(seen.world, course_id, number)) for number in ids]
    return render("student_grades.html", "grades", seen, tables=tables)


def _own_grades(world: World, course_id: int, user_id: int) -> list[_OwnGrade]:
    rows: list[_OwnGrade] = []
    for assignment in world.course_assignments(course_id):
        if not assignment.published or not world.is_assigned(assignment, user_id):
            continue
        submission: Submission | None = world.submissions.get((assignment.id, user_id))
        posted = submission is not None and (submission.posted_at is not None or not assignment.post_manually)
        text = show_score(submission) if submission is not None and posted else "–"
        rows.append(_OwnGrade(assignment.name, text, show_points(assignment.points_possible)))
    return rows


@blueprint.app_template_filter("points")
def show_points(points: Decimal | None) -> str:
    """Points possible as a person reads them."""
    return "–" if points is None else plain(points)
