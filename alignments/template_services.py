"""The templates of an installation: kept, renamed, deleted, made its usual set-up, applied to a course.

A template belongs to the deployment: every teacher there may apply it, the staff of the course it was made in
may change it, and while it is the school's usual set-up only the administrator. Nothing here asks Canvas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Func, IntegerField

from alignments import services
from alignments.core import jsonfile, templatejson
from alignments.core.definition import Definition
from alignments.core.scales import Remembered
from alignments.core.templates import Template
from alignments.models import Template as Row
from lti_tool.models import Context, Deployment


class NameTaken(ValueError):
    """The installation has a template of this name; `own` where it could be replaced by this course."""

    def __init__(self, name: str, *, own: bool) -> None:
        super().__init__(f'There is a template "{name}" already.')
        self.own = own


@dataclass(frozen=True, slots=True)
class Kept:
    """A template as the installation has it. `may_change`: by the course that asked."""

    id: int
    name: str
    count: int
    is_default: bool
    made_here: bool

    @property
    def may_change(self) -> bool:
        return self.made_here and not self.is_default


def listed(context: Context) -> list[Kept]:
    """The installation's templates: the usual set-up first, then by name."""
    rows = Row.objects.filter(deployment=context.deployment_id).defer("body")
    counted = rows.annotate(
        count=Func(F("body__alignments"), function="jsonb_array_length", output_field=IntegerField())
    )
    return [_kept(row, context, row.count) for row in counted]


def one(context: Context, template_id: int) -> tuple[Kept, Template]:
    """A template of the course's installation; `Row.DoesNotExist` for another's."""
    row = Row.objects.get(deployment=context.deployment_id, pk=template_id)
    return _kept(row, context, count(row)), content(row)


def content(row: Row) -> Template:
    """What the template holds, under the name it has now."""
    return replace(templatejson.read_template(row.body, with_ids=True), name=row.name)


@transaction.atomic
def keep(context: Context, template: Template, *, instead: bool = False) -> Kept:
    """A new template of this course. `instead`: in the place of the one with this name, if that was made here.
    `NameTaken` otherwise."""
    _lock(context.deployment)
    row = Row.objects.filter(deployment=context.deployment_id, name=template.name).first()
    own = row is not None and row.made_in_id == context.pk and not row.is_default
    if row is not None and not (instead and own):
        raise NameTaken(template.name, own=own)
    row = row or Row(deployment=context.deployment, made_in=context, name=template.name)
    row.body = templatejson.to_json(template, with_ids=True)
    row.save()
    return _kept(row, context, count(row))


@transaction.atomic
def rename(context: Context, template_id: int, name: str) -> None:
    """`Row.DoesNotExist` where this course may not; `NameTaken`."""
    _lock(context.deployment)
    row = _own(context, template_id)
    if Row.objects.filter(deployment=context.deployment_id, name=name).exclude(pk=row.pk).exists():
        raise NameTaken(name, own=False)
    row.name = name
    row.save(update_fields=["name", "updated_at"])


def delete(context: Context, template_id: int) -> None:
    """What was applied stays. `Row.DoesNotExist` where this course may not."""
    _own(context, template_id).delete()


@transaction.atomic
def set_usual(deployment: Deployment, row: Row | None) -> None:
    """The usual set-up of the installation from now on, or none."""
    _lock(deployment)
    Row.objects.filter(deployment=deployment, is_default=True).update(is_default=False)
    if row is not None:
        Row.objects.filter(deployment=deployment, pk=row.pk).update(is_default=True)


@transaction.atomic
def keep_for_school(deployment: Deployment, template: Template) -> Row:
    """A template of no course, as an administrator gives it; an earlier one of that name gets this content.
    `NameTaken` where a course's teachers have that name."""
    _lock(deployment)
    row = Row.objects.filter(deployment=deployment, name=template.name).first()
    if row is not None and row.made_in_id is not None:
        raise NameTaken(template.name, own=False)
    row = row or Row(deployment=deployment, name=template.name)
    row.body = templatejson.to_json(template, with_ids=True)
    row.save()
    return row


@dataclass(frozen=True, slots=True)
class Application:
    """One alignment a template makes in a course; `replaces`: the alignment whose rule it becomes."""

    definition: Definition
    replaces: int | None = None
    expected_points: Decimal | None = None
    omit_from_final_grade: bool | None = None
    scales: Remembered | None = None


@transaction.atomic
def apply(context: Context, wanted: Sequence[Application]) -> None:
    """All of them or none. `services.TargetInUse`, and `jsonfile.FileErrors` where an exception of a replaced
    alignment does not fit its new rule."""
    known = {one.id: one.definition for one in services.stored(context)}
    for each in wanted:
        definition = each.definition
        if each.replaces is not None:
            definition = replace(definition, sections=known[each.replaces].sections)
        services.save_alignment(
            context,
            jsonfile.parse_definition(jsonfile.to_json(definition)),
            alignment_id=each.replaces,
            expected_points=each.expected_points,
            omit_from_final_grade=each.omit_from_final_grade,
            scales=each.scales,
        )


def count(row: Row) -> int:
    """How many alignments the template holds."""
    return len(row.body["alignments"])


def _own(context: Context, template_id: int) -> Row:
    return Row.objects.get(
        deployment=context.deployment_id, made_in=context, is_default=False, pk=template_id
    )


def _kept(row: Row, context: Context, alignments: int) -> Kept:
    return Kept(row.pk, row.name, alignments, row.is_default, row.made_in_id == context.pk)


def _lock(deployment: Deployment) -> None:
    Deployment.objects.select_for_update().get(pk=deployment.pk)
