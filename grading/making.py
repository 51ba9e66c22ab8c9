"""Making the columns a run needs: found by `resourceId`, else created; never twice, never in a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from alignments import services as alignments
from alignments.models import Target
from alignments.services import StoredAlignment
from canvas.values import Assignment, LineItem
from grading.connection import STOPS_RUN, Connection, stopped_by
from grading.core.columns import Column, unknown_assignment
from grading.ledger import Receipt, refused
from grading.reading import assignment_of, read_line_items
from lti_tool.errors import MaybeSent, PlatformError, Refused

ATTEMPTS = 3


def make_columns(
    to: Connection,
    wanted: Sequence[StoredAlignment],
    stored: Sequence[StoredAlignment],
    known: Mapping[str, Assignment],
) -> tuple[dict[int, Column], dict[int, Receipt]]:
    """Make these alignments' columns. Returns the columns by alignment id, and why one could not be made.

    `known` are the assignments before: the new one with the column's name is the column's.
    """
    made: dict[int, LineItem] = {}
    failed: dict[int, Receipt] = {}
    for one in wanted:
        try:
            made[one.id] = find_or_create(to, one.target)
        except Refused as error:
            if error.code in STOPS_RUN:
                raise stopped_by(error) from error
            failed[one.id] = refused(error.code)
        except PlatformError as error:
            raise stopped_by(error) from error
    if not made:
        return {}, failed
    assignments = to.rest.assignments(to.course_id)
    claimed = {one.target.assignment_id for one in stored} | set(known)
    columns: dict[int, Column] = {}
    for one in wanted:
        item = made.get(one.id)
        if item is None:
            continue
        assignment = assignment_of(one.target, item, assignments, claimed)
        if assignment is None:
            failed[one.id] = refused("column_blocked", unknown_assignment(one.target.label))
            continue
        columns[one.id] = _remember(to, one, item, assignment)
    return columns, failed


def find_or_create(to: Connection, target: Target) -> LineItem:
    """One line item with the target's resource id, whatever happens on the way."""
    last: MaybeSent | None = None
    for _ in range(ATTEMPTS):
        try:
            if target.points is None:
                raise Refused("The column has no points here.", code="points_changed")
            item = to.ags.create_line_item(target.label, target.points, target.resource_id)
            break
        except MaybeSent as error:
            last = error
            # It may have been made all the same: look before making another.
            found = read_line_items(to).get(target.resource_id)
            if found is not None:
                item = found
                break
    else:
        raise last or MaybeSent()
    target.line_item_url, target.assignment_id = item.url, ""
    target.save(update_fields=["line_item_url", "assignment_id"])
    return item


def _remember(to: Connection, one: StoredAlignment, item: LineItem, assignment: Assignment) -> Column:
    """Keep the column's addresses and points, and keep it out of the final grade where that was asked."""
    one.target.assignment_id = assignment.id
    one.target.save(update_fields=["assignment_id"])
    alignments.remember_points(to.context, one.id, item.score_maximum)
    if one.target.omit_from_final_grade and not assignment.omit_from_final_grade:
        try:
            to.rest.set_omit_from_final(to.course_id, assignment.id)
        except PlatformError as error:
            raise stopped_by(error) from error
    return Column(assignment.name, assignment.points_possible, "", assignment, item)


def stamp(target: Target, read_at: datetime) -> datetime:
    """The AGS timestamp of this run for this column: when we read, and later than the last one used by anybody: a
    worker that was frozen for long knows an old one."""
    moment = read_at.replace(microsecond=read_at.microsecond // 1000 * 1000)
    with transaction.atomic():
        rows = Target.objects.select_for_update().filter(pk=target.pk)
        last = rows.values_list("last_timestamp", flat=True).get()
        if last is not None:
            moment = max(moment, last + timedelta(milliseconds=1))
        rows.update(last_timestamp=moment)
    target.last_timestamp = moment
    return moment
