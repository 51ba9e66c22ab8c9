"""AGS results (app/controllers/lti/ims/results_controller.rb, app/models/lti/result.rb; rows R1 to R9)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Response, request

from sandbox.errors import not_found
from sandbox.lti import vocabulary as v
from sandbox.lti.advantage import Caller, advantage, answer
from sandbox.lti.line_items import ITEM, find_item, item_url
from sandbox.lti.paging import page_of, with_links
from sandbox.lti.people import find_student
from sandbox.lti.routes import blueprint
from sandbox.lti.state import platform_of
from sandbox.mirror import results_of
from sandbox.records import LineItem, LtiResult
from sandbox.world import World


@blueprint.get(ITEM + "/results")
@advantage(v.SCOPE_RESULT_READ)
def list_results(caller: Caller, item_id: int) -> Response:
    """The item's results, or one person's; an unknown person is an empty list (R3)."""
    item, site = find_item(caller, item_id), platform_of(caller.world)
    rows = [row for row in results_of(caller.world, item.id) if _is_asked_for(caller, row)]
    page, links = page_of(rows, default=site.default_page_size, maximum=site.maximum_page_size)
    body = [shown(caller.world, item, row) for row in page]
    return with_links(answer(body, v.RESULT_TYPE), links)


@blueprint.get(ITEM + "/results/<int:result_id>")
@advantage(v.SCOPE_RESULT_READ)
def show_result(caller: Caller, item_id: int, result_id: int) -> Response:
    """One result of this line item."""
    item = find_item(caller, item_id)
    row = caller.world.lti_results.get(result_id)
    if row is None or row.line_item_id != item.id:
        raise not_found()
    return answer(shown(caller.world, item, row), v.RESULT_TYPE)


def shown(world: World, item: LineItem, row: LtiResult) -> dict[str, Any]:
    """The wire form; null keys are dropped, the user is always named by the current UUID."""
    user = world.live_user(row.user_id) or world.users[row.user_id]
    body = {
        "id": f"{item_url(world, item)}/results/{row.id}",
        "scoreOf": item_url(world, item),
        "userId": user.lti_id,
        "resultScore": result_score(world, item, row),
        "resultMaximum": row.maximum,
        "comment": row.comment,
        **row.extensions,
    }
    return {name: value for name, value in body.items() if value is not None}


def result_score(world: World, item: LineItem, row: LtiResult) -> Decimal | None:
    """Raw as posted by a tool; a person's gradebook score is brought to the Result's maximum."""
    if row.score is None or not _graded_by_person(world, item, row):
        return row.score
    points = world.assignments[item.assignment_id].points_possible or Decimal(0)
    if not points or not row.maximum:
        return row.score
    return row.score * row.maximum / points


def _graded_by_person(world: World, item: LineItem, row: LtiResult) -> bool:
    submission = world.submissions.get((item.assignment_id, row.user_id))
    if row.submission_id is None or submission is None:
        return False
    return submission.grader_id is not None and submission.grader_id > 0


def _is_asked_for(caller: Caller, row: LtiResult) -> bool:
    wanted = request.args.get("user_id")
    if wanted is None:
        return True
    student = find_student(caller.world, caller.course, wanted)
    return student is not None and student.id == row.user_id
