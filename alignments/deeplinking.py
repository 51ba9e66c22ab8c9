"""Alignments picked in Canvas's assignment form (LTI Deep Linking): prepared before the assignment exists, made
when it is seen.

The link Canvas keeps carries a tag of ours and, as custom parameter, the variable for its assignment's id; its line
item carries the tag as `resourceId`. Whichever comes first, a launch of the link or a teacher's look at the course,
makes the alignment, once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.urls import reverse

from alignments import services
from alignments.core import jsonfile
from alignments.core.definition import (
    MAX_NAME,
    AssignmentTarget,
    ColumnTarget,
    Cutoff,
    Definition,
    Evidence,
    WeightedOutcome,
)
from alignments.models import DeepLinkedAlignment, Target
from canvas.ags import Ags
from canvas.counting import CallCounter
from canvas.values import Assignment, LineItem
from lti_tool.addresses import launch_url
from lti_tool.errors import PlatformError
from lti_tool.http import shared_http
from lti_tool.launch import LINK_TAG, LINKED_ASSIGNMENT, Launch
from lti_tool.models import Context, LaunchRole
from lti_tool.roles import STAFF

KEEP_UNSEEN = timedelta(days=180)
"""How long a picked alignment waits for its assignment to be saved."""
ITEM_TAG = "mastery-gradebook"


def prepare(
    context: Context, outcome_ids: Sequence[str], title: str, points: Decimal, now: datetime
) -> DeepLinkedAlignment:
    """Remember what was picked: full credit at mastery of these outcomes, for an assignment still to come."""
    DeepLinkedAlignment.objects.filter(bound_at=None, created_at__lt=now - KEEP_UNSEEN).delete()
    outcomes = tuple(WeightedOutcome(one) for one in outcome_ids)
    name = title.strip()[:MAX_NAME]
    definition = Definition(name, outcomes, Cutoff(), ColumnTarget(name, points), Evidence(at_least=1))
    return DeepLinkedAlignment.objects.create(
        context=context, definition=jsonfile.to_json(definition), created_at=now
    )


def content_item(picked: DeepLinkedAlignment) -> dict[str, Any]:
    """The link as Canvas is to keep it, with the line item its gradebook column comes from."""
    definition = jsonfile.parse_definition(picked.definition)
    assert isinstance(definition.target, ColumnTarget)
    return {
        "type": "ltiResourceLink",
        "title": definition.name,
        "url": launch_url(),
        "custom": {LINK_TAG: picked.tag, LINKED_ASSIGNMENT: "$Canvas.assignment.id"},
        "lineItem": {
            "label": definition.name,
            # JSON needs a number, and Canvas keeps points as a binary float itself.
            "scoreMaximum": float(definition.target.points),
            "resourceId": picked.tag,
            "tag": ITEM_TAG,
        },
    }


def page_of_link(context: Context, launch: Launch, now: datetime) -> str:
    """Where a launch of a link that was picked here leads; "" where it is no link of this course's."""
    picked = DeepLinkedAlignment.objects.filter(context=context, tag=launch.link_tag).first()
    if picked is None:
        return ""
    if launch.linked_assignment_id:
        picked = bind(picked, launch.linked_assignment_id, now)
    if launch.role in STAFF:
        return reverse("alignments:change", args=[picked.alignment_id]) if picked.alignment_id else ""
    return reverse("alignments:linked", args=[picked.pk]) if launch.role == LaunchRole.STUDENT else ""


@transaction.atomic
def bind(picked: DeepLinkedAlignment, assignment_id: str, now: datetime) -> DeepLinkedAlignment:
    """Make the alignment with this assignment, the first time. Where another alignment feeds the assignment
    already, that one stays and is what the link leads to."""
    row = DeepLinkedAlignment.objects.select_for_update().select_related("context").get(pk=picked.pk)
    if row.bound_at is not None:
        return row
    definition = jsonfile.parse_definition(row.definition)
    target = AssignmentTarget(assignment_id)
    row.bound_at = now
    try:
        with transaction.atomic():
            made = services.save_alignment(row.context, replace(definition, target=target))
        row.alignment_id = made.id
    except services.TargetInUse:
        pass
    row.save(update_fields=["bound_at", "alignment"])
    return row


def bind_seen(context: Context, assignments: Mapping[str, Assignment], now: datetime) -> int:
    """Make the alignments whose line item is there by now; how many. Canvas is asked only where some wait, and
    its troubles leave them waiting."""
    waiting = {one.tag: one for one in DeepLinkedAlignment.objects.filter(context=context, bound_at=None)}
    if not waiting or not context.line_items_url:
        return 0
    try:
        items = list(Ags(context.registration, context, shared_http(), CallCounter()).line_items())
    except PlatformError:
        return 0
    taken = set(Target.objects.filter(context=context).values_list("assignment_id", flat=True))
    found = [
        (waiting[item.resource_id], assignment_id)
        for item in items
        if item.resource_id in waiting
        and (assignment_id := _assignment_behind(item, assignments.values(), taken)) is not None
    ]
    for picked, assignment_id in found:
        bind(picked, assignment_id, now)
    return len(found)


def _assignment_behind(
    item: LineItem, assignments: Collection[Assignment], taken: Collection[str]
) -> str | None:
    """The only external-tool assignment with the item's name and points; AGS does not say which it is."""
    fitting = [
        one.id
        for one in assignments
        if "external_tool" in one.submission_types
        and (one.name, one.points_possible) == (item.label, item.score_maximum)
        and one.id not in taken
    ]
    return fitting[0] if len(fitting) == 1 else None
