"""Giving a student a result on an outcome (app/models/rubric_assessment.rb).

One result for each (alignment, assignment, student): assessing again updates it, so the count stays.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sandbox.records import Assignment, OutcomeResult
from sandbox.world import World


def assess(
    world: World,
    assignment: Assignment,
    user_id: int,
    outcome_id: int,
    points: Decimal | None,
    at: datetime,
    *,
    possible: Decimal | None = None,
    rubric_id: int | None = None,
) -> OutcomeResult:
    """Assess an outcome's rubric row; ``points`` None keeps the row and takes the score away."""
    outcome, user = world.outcomes[outcome_id], world.users[user_id]
    out_of = possible if possible is not None else outcome.points_possible
    submission = world.submission(assignment, user_id)
    found = next(
        (
            result
            for result in world.results.values()
            if result.user_id == user_id
            and result.outcome_id == outcome_id
            and result.assignment_id == assignment.id
            and result.kind == "rubric"
            and not result.deleted
        ),
        None,
    )
    if found is None:
        found = OutcomeResult(
            world.new_id(),
            assignment.course_id,
            user_id,
            outcome_id,
            assignment.id,
            score=None,
            possible=out_of,
            percent=None,
            title=f"{user.name}, {assignment.name}"[:250],
            submitted_at=submission.submitted_at,
            assessed_at=at,
            rubric_id=rubric_id,
        )
        world.results[found.id] = found
    found.score, found.possible, found.assessed_at = points, out_of, at
    found.submitted_at = submission.submitted_at
    found.percent = points / out_of if points is not None and out_of else None
    return found
