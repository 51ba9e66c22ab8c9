"""Course settings: what a teacher does elsewhere in Canvas that a tool has to live with."""

from __future__ import annotations

from collections.abc import Callable

from flask import abort, request
from flask.typing import ResponseReturnValue

from sandbox.pages.routes import blueprint
from sandbox.pages.shell import Visit, back_to, denied, render, visit
from sandbox.records import Assignment, Enrollment

Change = Callable[[Visit, int], str]


@blueprint.get("/courses/<int:course_id>/settings")
def course_settings(course_id: int) -> ResponseReturnValue:
    """The course, its assignments, its students and its outcomes, with what can be done to them."""
    seen = visit(course_id)
    if not seen.rights.sees_grades:
        return denied(seen)
    world = seen.world
    return render(
        "settings.html",
        "settings",
        seen,
        concluded=seen.course.is_concluded(world.now()),
        assignments=world.course_assignments(course_id),
        enrollments=_student_rows(seen),
        outcomes=[(link.id, world.outcomes[link.outcome_id]) for link in world.course_outcomes(course_id)],
    )


@blueprint.post("/courses/<int:course_id>/settings")
def change_settings(course_id: int) -> ResponseReturnValue:
    """One change by name; ``id`` says what it is about."""
    seen = visit(course_id)
    may = seen.rights.change_course_state or seen.rights.manage_grades
    change = CHANGES.get(request.form.get("change", ""))
    if change is None:
        abort(400)
    if not may:
        return denied(seen)
    text = request.form.get("id", "0")
    message = change(seen, int(text) if text.isdigit() else 0)
    return back_to("pages.course_settings", message, course_id=course_id)


def _student_rows(seen: Visit) -> list[tuple[Enrollment, str, str]]:
    """Every student enrolment, dropped ones too so that they can come back."""
    world = seen.world
    rows = [
        (
            enrollment,
            world.users[enrollment.user_id].sortable_name,
            world.sections[enrollment.section_id].name,
        )
        for enrollment in world.enrollments.values()
        if enrollment.course_id == seen.course.id and enrollment.type == "StudentEnrollment"
    ]
    return sorted(rows, key=lambda row: (row[1], row[2]))


def _conclude(seen: Visit, _: int) -> str:
    seen.course.workflow_state = "completed"
    return "The course is concluded."


def _reopen(seen: Visit, _: int) -> str:
    seen.course.workflow_state, seen.course.end_at = "available", None
    return "The course is open again."


def _unpublish_course(seen: Visit, _: int) -> str:
    seen.course.workflow_state = "claimed"
    return "The course is unpublished."


def _assignment(seen: Visit, number: int) -> Assignment:
    found = seen.world.assignments.get(number)
    if found is None or found.course_id != seen.course.id or found.deleted:
        abort(404)
    return found


def _publish(seen: Visit, number: int) -> str:
    assignment = _assignment(seen, number)
    assignment.published = not assignment.published
    return f"{assignment.name} is {'published' if assignment.published else 'unpublished'}."


def _post_policy(seen: Visit, number: int) -> str:
    assignment = _assignment(seen, number)
    assignment.post_manually = not assignment.post_manually
    return f"Grades of {assignment.name} are posted {'by hand' if assignment.post_manually else 'at once'}."


def _post_grades(seen: Visit, number: int) -> str:
    assignment, now = _assignment(seen, number), seen.world.now()
    for submission in seen.world.submissions.values():
        if submission.assignment_id == assignment.id and submission.posted_at is None:
            submission.posted_at = now
    return f"The grades of {assignment.name} are posted."


def _delete_assignment(seen: Visit, number: int) -> str:
    assignment = _assignment(seen, number)
    assignment.deleted = True
    return f"{assignment.name} is deleted."


def _enrollment(seen: Visit, number: int) -> tuple[Enrollment, str]:
    found = seen.world.enrollments.get(number)
    if found is None or found.course_id != seen.course.id:
        abort(404)
    return found, seen.world.users[found.user_id].name


def _drop(seen: Visit, number: int) -> str:
    enrollment, name = _enrollment(seen, number)
    enrollment.state = "deleted"
    return f"{name} is no longer in this section."


def _deactivate(seen: Visit, number: int) -> str:
    enrollment, name = _enrollment(seen, number)
    enrollment.state = "inactive"
    return f"{name} is inactive."


def _activate(seen: Visit, number: int) -> str:
    enrollment, name = _enrollment(seen, number)
    enrollment.state = "active"
    return f"{name} is active."


def _remove_outcome(seen: Visit, number: int) -> str:
    link = seen.world.outcome_links.get(number)
    if link is None or link.course_id != seen.course.id:
        abort(404)
    del seen.world.outcome_links[number]
    return f"{seen.world.outcomes[link.outcome_id].title} is no longer in this course."


CHANGES: dict[str, Change] = {
    "conclude": _conclude,
    "reopen": _reopen,
    "unpublish_course": _unpublish_course,
    "publish": _publish,
    "post_policy": _post_policy,
    "post_grades": _post_grades,
    "delete_assignment": _delete_assignment,
    "drop": _drop,
    "deactivate": _deactivate,
    "activate": _activate,
    "remove_outcome": _remove_outcome,
}
