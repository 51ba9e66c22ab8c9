"""A person's grade shows in AGS too: Submission to Result (app/models/submission.rb#update_line_item_result)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sandbox.records import Assignment, LineItem, LtiResult, Submission
from sandbox.world import World

INDEX = "result_index"


def default_line_item(world: World, assignment_id: int) -> LineItem | None:
    """The oldest line item of an assignment: the only one tied to the gradebook column."""
    mine = [
        item for item in world.line_items.values() if item.assignment_id == assignment_id and not item.deleted
    ]
    return min(mine, key=lambda item: item.id, default=None)


@dataclass
class _Index:
    """Results by (line item, user); a course can hold tens of thousands."""

    rows: dict[tuple[int, int], LtiResult] = field(default_factory=dict)
    by_item: dict[int, list[LtiResult]] = field(default_factory=dict)


def _index(world: World) -> _Index:
    """The index over the world's results, made again when rows were added behind its back."""
    index = world.lti_state.get(INDEX)
    if not isinstance(index, _Index) or len(index.rows) != len(world.lti_results):
        index = world.lti_state[INDEX] = _Index()
        for row in world.lti_results.values():
            _enter(index, row)
    return index


def _enter(index: _Index, row: LtiResult) -> None:
    index.rows[(row.line_item_id, row.user_id)] = row
    index.by_item.setdefault(row.line_item_id, []).append(row)


def find_result(world: World, line_item_id: int, user_id: int) -> LtiResult | None:
    """The Result of a student on a line item, if any."""
    return _index(world).rows.get((line_item_id, user_id))


def results_of(world: World, line_item_id: int) -> list[LtiResult]:
    """The Results of a line item in id order."""
    return sorted(_index(world).by_item.get(line_item_id, []), key=lambda row: row.id)


def add_result(world: World, line_item_id: int, user_id: int, at: datetime) -> LtiResult:
    """A new, empty Result stamped ``at``."""
    index = _index(world)
    row = LtiResult(world.new_id(), line_item_id, user_id, None, None, at, at)
    world.lti_results[row.id] = row
    _enter(index, row)
    return row


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
        result = add_result(world, item.id, submission.user_id, at)
        result.submission_id = submission.id
    result.score = submission.score
    if result.maximum is None:
        result.maximum = assignment.points_possible or Decimal(0)
    result.grading_progress = "FullyGraded"
