"""A person's grade shows in AGS too: Submission to Result (app/models/submission.rb#update_line_item_result)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sandbox.records import Assignment, LineItem, LtiResult, Submission
from sandbox.world import World


def default_line_item(world: World, assignment_id: int) -> LineItem | None:
    """The oldest line item of an assignment: the only one tied to the gradebook column."""
    mine = [
        item for item in world.line_items.values() if item.assignment_id == assignment_id and not item.deleted
    ]
    return min(mine, key=lambda item: item.id, default=None)


def find_result(world: World, line_item_id: int, user_id: int) -> LtiResult | None:
    """The Result of a student on a line item, if any."""
    rows = world.lti_results.values()
    return next((row for row in rows if (row.line_item_id, row.user_id) == (line_item_id, user_id)), None)


def mirror_edit(world: World, assignment: Assignment, submission: Submission, at: datetime) -> None:
    """Called on every saved change of a submission's score.

    Nothing happens for a tool or an automatic grader. A person's grade on a student without a Result
    makes one, stamped ``at``; on an existing one it sets the raw score and leaves ``updated_at`` alone.
    """
    if submission.grader_id is None or submission.grader_id < 0:
        return
    item = default_line_item(world, assignment.id)
    if item is None:
        return
    result = find_result(world, item.id, submission.user_id)
    if result is None:
        result = LtiResult(
            world.new_id(), item.id, submission.user_id, None, None, at, at, submission_id=submission.id
        )
        world.lti_results[result.id] = result
    result.score = submission.score
    if result.maximum is None:
        result.maximum = assignment.points_possible or Decimal(0)
    result.grading_progress = "FullyGraded"
