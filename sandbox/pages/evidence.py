"""Evidence: give a student a result on an outcome through an assignment."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from flask import abort, request
from flask.typing import ResponseReturnValue

from sandbox.evidence import assess
from sandbox.grading import plain
from sandbox.pages.routes import blueprint
from sandbox.pages.shell import Visit, back_to, denied, render, visit
from sandbox.permissions import visible_students
from sandbox.records import Assignment, Outcome, User

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """One result, newest first on the page."""

    student: str
    outcome: str
    work: str
    score: str
    at: str


@blueprint.get("/courses/<int:course_id>/evidence")
def evidence(course_id: int) -> ResponseReturnValue:
    """The newest results, and a form for another."""
    seen = visit(course_id)
    if not seen.rights.sees_grades:
        return denied(seen)
    return render("evidence.html", "evidence", seen, choices=_choices(seen), results=_results(seen))


@blueprint.post("/courses/<int:course_id>/evidence")
def give_evidence(course_id: int) -> ResponseReturnValue:
    """Assess one student on one outcome; the same work again updates its result."""
    seen = visit(course_id)
    if not seen.rights.manage_grades:
        return denied(seen)
    student, outcome, work = _chosen(seen)
    try:
        points = Decimal(request.form.get("points", "").strip())
    except InvalidOperation:
        return back_to(
            "pages.evidence", "Nothing was recorded: type the points as a number.", course_id=course_id
        )
    if not points.is_finite() or points < 0:
        return back_to("pages.evidence", "Nothing was recorded: points are 0 or more.", course_id=course_id)
    assess(seen.world, work, student.id, outcome.id, points, seen.world.now())
    top = plain(outcome.points_possible or Decimal(0))
    message = f"{student.name}: {plain(points)} of {top} on {outcome.title}, through {work.name}."
    return back_to("pages.evidence", message, course_id=course_id)


def _chosen(seen: Visit) -> tuple[User, Outcome, Assignment]:
    choices = _choices(seen)
    student = _pick(choices.students, "user_id")
    outcome = _pick(choices.outcomes, "outcome_id")
    return student, outcome, _pick(choices.works, "assignment_id")


Record = TypeVar("Record", User, Outcome, Assignment)


def _pick(rows: list[Record], field: str) -> Record:
    """The record the form names; 404 when it is none of these."""
    found = next((row for row in rows if str(row.id) == request.form.get(field)), None)
    if found is None:
        abort(404)
    return found


@dataclass(frozen=True, slots=True)
class _Choices:
    students: list[User]
    outcomes: list[Outcome]
    works: list[Assignment]


def _choices(seen: Visit) -> _Choices:
    world = seen.world
    ids = visible_students(world, seen.user, seen.course, ("active",)) if seen.user else []
    return _Choices(
        students=sorted((world.users[number] for number in ids), key=lambda user: user.sortable_name),
        outcomes=[world.outcomes[link.outcome_id] for link in world.course_outcomes(seen.course.id)],
        works=[work for work in world.course_assignments(seen.course.id) if work.published],
    )


def _results(seen: Visit) -> list[Shown]:
    world = seen.world
    mine = [row for row in world.results.values() if row.course_id == seen.course.id and not row.deleted]
    mine.sort(key=lambda row: (row.assessed_at, row.id), reverse=True)
    return [
        Shown(
            student=world.users[row.user_id].name,
            outcome=world.outcomes[row.outcome_id].title,
            work=world.assignments[row.assignment_id].name if row.assignment_id in world.assignments else "–",
            score="–" if row.score is None else f"{plain(row.score)} of {plain(row.possible or Decimal(0))}",
            at=f"{row.assessed_at:%Y-%m-%d %H:%M}",
        )
        for row in mine[:SHOWN]
    ]
