"""One cell of the gradebook as a person reads it."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.grading import plain
from sandbox.records import Assignment, Submission
from sandbox.world import World

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell. ``grader``: tool, quiz, person, policy or nothing."""

    assignment_id: int
    shown: str
    entered: str
    deducted: str
    hidden: bool
    late: bool
    grader: str
    grader_name: str
    needs_review: bool
    assigned: bool


def cell_of(world: World, assignment: Assignment, user_id: int) -> Cell:
    """The cell of a student; nothing is created by looking."""
    submission = world.submissions.get((assignment.id, user_id)) or Submission(0, assignment.id, user_id)
    kind, name = grader_of(world, submission)
    graded = submission.score is not None or bool(submission.excused)
    return Cell(
        assignment_id=assignment.id,
        shown=show_score(submission),
        entered="" if submission.entered_score is None else plain(submission.entered_score),
        deducted=plain(submission.points_deducted) if submission.points_deducted else "",
        hidden=graded and submission.posted_at is None,
        late=submission.late_policy_status == "late" or _is_late(assignment, submission),
        grader=kind if graded else "",
        grader_name=name if graded else "",
        needs_review=submission.workflow_state == "pending_review",
        assigned=world.is_assigned(assignment, user_id),
    )


def show_score(submission: Submission) -> str:
    """``EX``, the score with a letter or word where the grade says more, or a dash."""
    if submission.excused:
        return "EX"
    if submission.score is None:
        return NOTHING
    score = plain(submission.score)
    return score if submission.grade in (None, score) else f"{score} ({submission.grade})"


def grader_of(world: World, submission: Submission) -> tuple[str, str]:
    """Who graded: (kind, name). Canvas's sign convention (lib/api/v1/submission.rb)."""
    number = submission.grader_id
    if number is None:
        return ("policy", "missing policy") if submission.score is not None else ("", "")
    if number > 0:
        person = world.users.get(number)
        return "person", person.name if person else f"user {number}"
    tool = world.tools.get(-number)
    return ("tool", tool.name) if tool else ("quiz", f"quiz {-number}")


def _is_late(assignment: Assignment, submission: Submission) -> bool:
    if submission.submitted_at is None or assignment.due_at is None or submission.late_policy_status:
        return False
    return submission.submitted_at > assignment.due_at
