"""The gradebook: a table that keeps itself fresh, and a teacher's own edits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.app import current_world
from sandbox.grading import Grade, GradeError, grade_student
from sandbox.pages.cells import Cell, cell_of
from sandbox.pages.routes import blueprint
from sandbox.pages.shell import Visit, back_to, denied, render, visit
from sandbox.permissions import visible_students
from sandbox.records import Assignment, User

PAGE = 50
ACTIONS = ("set", "clear", "excuse")


@dataclass(frozen=True, slots=True)
class Row:
    """One student with a cell for each column."""

    user: User
    sections: str
    state: str
    cells: list[Cell]


@blueprint.get("/courses/<int:course_id>/gradebook")
def gradebook(course_id: int) -> ResponseReturnValue:
    """Students against assignments."""
    seen = visit(course_id)
    if not seen.rights.sees_grades:
        return denied(seen)
    return render("gradebook.html", "gradebook", seen, **_table(seen), **_form(seen))


@blueprint.get("/courses/<int:course_id>/gradebook/table")
def gradebook_table(course_id: int) -> ResponseReturnValue:
    """The table alone; 304 while nothing changed."""
    seen = visit(course_id)
    if not seen.rights.sees_grades:
        return Response(status=403)
    body = render_template(
        "pages/_gradebook_table.html", course=seen.course, rights=seen.rights, **_table(seen)
    )
    answer = make_response(body)
    answer.set_etag(hashlib.sha256(body.encode()).hexdigest()[:20])
    return answer.make_conditional(request)


@blueprint.post("/courses/<int:course_id>/gradebook")
def edit_grade(course_id: int) -> ResponseReturnValue:
    """Set, clear or excuse one grade as the person acting."""
    seen = visit(course_id)
    if seen.user is None or not seen.rights.manage_grades:
        return denied(seen)
    student, assignment = _chosen(seen)
    action, text = request.form.get("action", ""), request.form.get("grade", "").strip()
    if action not in ACTIONS:
        abort(400)
    if action == "set" and not text:
        message = "Nothing was changed: type a grade, or choose Clear."
    else:
        message = _apply(seen, seen.user, student, assignment, action, text)
    return back_to("pages.gradebook", message, course_id=course_id, page=request.form.get("page") or None)


def _apply(seen: Visit, teacher: User, student: User, assignment: Assignment, action: str, text: str) -> str:
    excuse = action == "excuse"
    given = None if excuse else text if action == "set" else ""
    grade = Grade(given, teacher.id, seen.world.now(), excuse=excuse)
    try:
        grade_student(seen.world, assignment, student.id, grade)
    except GradeError as problem:
        return f"Nothing was changed: {problem.message}."
    done = {"set": f"set to {text}", "clear": "cleared", "excuse": "excused"}[action]
    return f"{student.name}, {assignment.name}: {done}."


def _chosen(seen: Visit) -> tuple[User, Assignment]:
    """The student and the column of the form, both of this course."""
    world, course_id = seen.world, seen.course.id
    student = world.live_user(_number("user_id"))
    assignment = world.assignments.get(_number("assignment_id"))
    if student is None or not world.user_enrollments(student.id, course_id):
        abort(404)
    if assignment is None or assignment.deleted or assignment.course_id != course_id:
        abort(404)
    return student, assignment


def _number(name: str) -> int:
    text = request.values.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _table(seen: Visit) -> dict[str, Any]:
    """The rows of this page; ``pages`` counts from 1."""
    world = seen.world
    assignments = sorted(world.course_assignments(seen.course.id), key=lambda each: each.id)
    students = [world.users[number] for number in _students(seen)]
    students.sort(key=lambda user: user.sortable_name)
    pages = max((len(students) + PAGE - 1) // PAGE, 1)
    page = min(max(_number("page"), 1), pages)
    shown = students[(page - 1) * PAGE : page * PAGE]
    rows = [_row(seen, user, assignments) for user in shown]
    return {"assignments": assignments, "rows": rows, "page": page, "pages": pages, "total": len(students)}


def _students(seen: Visit) -> list[int]:
    if seen.user is None:
        return []
    return visible_students(seen.world, seen.user, seen.course, ("active", "inactive", "completed"))


def _row(seen: Visit, user: User, assignments: list[Assignment]) -> Row:
    world = seen.world
    held = [e for e in world.user_enrollments(user.id, seen.course.id) if e.type.startswith("Student")]
    names = sorted({world.sections[e.section_id].name for e in held})
    states = {e.state for e in held}
    state = "" if "active" in states else ", ".join(sorted(states))
    return Row(user, ", ".join(names), state, [cell_of(world, each, user.id) for each in assignments])


def _form(seen: Visit) -> dict[str, Any]:
    """The edit form's choices, with the cell of the address chosen."""
    students = sorted(
        (current_world().users[number] for number in _students(seen)), key=lambda user: user.sortable_name
    )
    return {
        "students": students,
        "chosen_user": _number("user_id"),
        "chosen_assignment": _number("assignment_id"),
    }
