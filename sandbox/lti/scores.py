"""AGS scores (app/controllers/lti/ims/scores_controller.rb; lti.md 5, rows S1 to S48)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from flask import Response

from sandbox.errors import not_found
from sandbox.grading import Grade, GradeError, add_comment, grade_student, plain, submit_work
from sandbox.lti import vocabulary as v
from sandbox.lti.advantage import Caller, advantage, answer, invalid, payload
from sandbox.lti.line_items import ITEM, find_item, item_url
from sandbox.lti.routes import blueprint
from sandbox.lti.score_post import ACTIVITY, GRADING, ScorePost, as_decimal, read_score, touches_gradebook
from sandbox.mirror import add_result, find_result
from sandbox.records import LtiResult, Submission

DATA_FIELDS = {"online_url": "url", "basic_lti_launch": "url", "online_text_entry": "body"}


@blueprint.post(ITEM + "/scores")
@advantage(v.SCOPE_SCORE)
def post_score(caller: Caller, item_id: int) -> Response:
    """One student's score. The client id is *not* compared here, as in the version read (5.1)."""
    item = find_item(caller, item_id)
    if caller.world.assignments[item.assignment_id].deleted:
        raise not_found()
    post = read_score(caller, item, payload())
    in_gradebook = touches_gradebook(caller, post)
    if in_gradebook and post.hands_in:
        _hand_in(caller, post)  # outside the transaction: stays even when what follows is refused
    with _transaction(caller, post):
        if in_gradebook:
            _write_submission(caller, post)
        result = _write_result(caller, post, in_gradebook)
    url = f"{item_url(caller.world, item)}/results/{result.id}"
    return answer({"resultUrl": url, v.SUBMISSION_EXTENSION: {"content_items": []}}, v.SCORE_TYPE)


@contextmanager
def _transaction(caller: Caller, post: ScorePost) -> Iterator[None]:
    """Roll the submissions this post may touch back when saving fails (S35)."""
    table = caller.world.submissions
    keys = [(post.assignment.id, user_id) for user_id in _handed_in_for(caller, post)]
    before = {key: copy.deepcopy(table[key]) for key in keys if key in table}
    try:
        yield
    except Exception:
        table.update(before)
        raise


def _hand_in(caller: Caller, post: ScorePost) -> None:
    """Homework for the student and, on a group assignment, for every member."""
    at = post.submitted_at or caller.world.now()
    for user_id in _handed_in_for(caller, post):
        submission = submit_work(caller.world, post.assignment, user_id, at, post.submission_type)
        field = DATA_FIELDS.get(post.submission_type)
        if field is not None:
            setattr(submission, field, post.extension.get("submission_data"))


def _handed_in_for(caller: Caller, post: ScorePost) -> list[int]:
    category = post.assignment.group_category_id
    groups = [group for group in caller.world.groups.values() if category and group.category_id == category]
    mates = {member for group in groups if post.user.id in group.user_ids for member in group.user_ids}
    return sorted(mates | {post.user.id})


def _write_submission(caller: Caller, post: ScorePost) -> None:
    submission = caller.world.submission(post.assignment, post.user.id)
    if not _leaves_grade_alone(post, submission):
        grade = Grade(_grade_text(post), -caller.tool.id, caller.world.now(), prefer_points=_is_number(post))
        try:
            grade_student(caller.world, post.assignment, post.user.id, grade, refuse_only_changes=True)
        except GradeError as problem:
            raise invalid("grade", f"cannot be changed at this time: {problem.message}") from problem
    _mark_review(post, caller.world.submission(post.assignment, post.user.id))
    if post.comment:
        add_comment(caller.world, submission, post.comment, None, caller.world.now())


def _leaves_grade_alone(post: ScorePost, submission: Submission) -> bool:
    """``prioritize_non_tool_grade`` skips whenever any score is there, the tool's own included (5.5)."""
    prioritized = bool(post.extension.get("prioritize_non_tool_grade")) and submission.score is not None
    return bool(post.extension.get("preserve_score")) or prioritized


def _is_number(post: ScorePost) -> bool:
    return post.assignment.grading_type != "pass_fail"


def _grade_text(post: ScorePost) -> str:
    """The posted pair on the column's scale; empty for a reset, which clears."""
    if post.is_reset:
        return ""
    given = as_decimal(post.given)
    if given is None:
        raise invalid("score", "is not a number")
    if not _is_number(post):
        return "complete" if given > 0 else "incomplete"
    if not post.maximum:
        return plain(given)
    scaled = given * post.item.score_maximum / post.maximum
    return plain(Decimal(repr(float(scaled))))


def _mark_review(post: ScorePost, submission: Submission) -> None:
    """PendingManual asks a person to look; a later FullyGraded takes that back."""
    if post.grading_progress == "PendingManual" and post.activity_progress in ("Submitted", "Completed"):
        submission.workflow_state = "pending_review"
    elif submission.workflow_state == "pending_review":
        submission.workflow_state = "graded" if submission.score is not None else "submitted"


def _write_result(caller: Caller, post: ScorePost, in_gradebook: bool) -> LtiResult:
    """The AGS view is always written, stamped with the posted time."""
    if post.activity_progress not in ACTIVITY:
        raise invalid("activity_progress", "is not included in the list")
    if post.grading_progress not in GRADING:
        raise invalid("grading_progress", "is not included in the list")
    world = caller.world
    result = find_result(world, post.item.id, post.user.id)
    if result is None:
        result = add_result(world, post.item.id, post.user.id, post.at)
    result.score, result.maximum = as_decimal(post.given), post.maximum
    result.updated_at = post.at
    result.activity_progress, result.grading_progress = post.activity_progress, post.grading_progress
    result.comment = post.comment or result.comment
    if post.extension:
        result.extensions = {v.SUBMISSION_EXTENSION: post.extension}
    if in_gradebook:
        result.submission_id = world.submission(post.assignment, post.user.id).id
    return result
