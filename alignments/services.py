"""Alignments of a course: read, import, save, delete, repair. Nothing here asks Canvas.

Each writer locks the course's row first, so two teachers (or a teacher and a command) take turns, and works
in one transaction: a file or a form is stored whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from alignments import sealedexceptions
from alignments.core import jsonfile
from alignments.core.definition import (
    MAX_NAME,
    AssignmentTarget,
    ColumnTarget,
    Definition,
    SectionException,
    TargetChoice,
)
from alignments.core.exceptions import Students, renamed
from alignments.core.fields import Problem
from alignments.core.jsonfile import FileErrors
from alignments.core.numbers import plain
from alignments.core.scales import Remembered, filled_in
from alignments.models import Alignment, Target, TargetKind
from canvas.values import Assignment
from lti_tool.models import Context


class TargetInUse(ValueError):
    """The target belongs to another alignment of the course; the message names both."""


@dataclass(frozen=True, slots=True)
class StoredAlignment:
    """An alignment as the course has it. `expected_points` None: taken at its first plan."""

    id: int
    definition: Definition
    target: Target
    expected_points: Decimal | None
    scales: Remembered = field(default_factory=dict)
    """The outcomes' scales it was made for, as far as they are known."""
    students: Students | None = field(default_factory=dict, repr=False)
    """Students with a rule of their own; None: there are some, and they cannot be opened any more."""

    @property
    def name(self) -> str:
        """What it is called: `Outcome 605` until the first sync knows a title."""
        return self.definition.display_name

    @property
    def place(self) -> str:
        """Where its grades go, as the gradebook calls it; its own name while the assignment's is not known."""
        return self.target.label or self.name

    @property
    def title(self) -> str:
        """Its name, and where its grades go: two alignments of one outcome have one name."""
        return self.name if self.place == self.name else f"{self.name} → {self.place}"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, in alignments."""

    added: int
    kept: int
    removed: int


def stored(context: Context) -> list[StoredAlignment]:
    """The course's alignments in the teacher's order."""
    rows = Alignment.objects.filter(context=context).select_related("target", "sealed_exceptions")
    return [_stored(row) for row in rows]


def stored_one(context: Context, alignment_id: int) -> StoredAlignment:
    """One alignment of this course; `Alignment.DoesNotExist` for another course's."""
    return _stored(_row(context, alignment_id))


def export_alignments(context: Context) -> dict[str, object]:
    """The course's alignments as the file of `import_alignments`, each with its id."""
    entries = [{"id": one.id, **jsonfile.to_json(one.definition)} for one in stored(context)]
    return {"version": jsonfile.VERSION, "alignments": entries}


@transaction.atomic
def import_alignments(context: Context, definitions: Sequence[Definition], *, replace: bool) -> Imported:
    """Adds the definitions, or makes them the course's whole list.

    Without `replace` a target in use is an error of its entry (`FileErrors`, nothing changed). With it, a
    target that stays keeps its column and its alignment's id. Expected points and the column's address are
    forgotten, so that the next plan looks again.
    """
    _lock(context)
    rows = {row.target_id: row for row in Alignment.objects.filter(context=context)}
    targets = _targets(context, definitions)
    if not replace:
        _refuse_taken(definitions, targets, rows)
    _refuse_doubled(definitions, targets, [] if replace else _aligned(context))
    start = 0 if replace else max((row.position for row in rows.values()), default=-1) + 1
    kept: list[Alignment] = []
    added: list[Alignment] = []
    for position, (definition, target) in enumerate(zip(definitions, targets, strict=True), start):
        row = rows.get(target.pk)
        (added if row is None else kept).append(
            _fill(row or Alignment(context=context), definition, target, position)
        )
    gone = {row.pk for row in rows.values()} - {row.pk for row in kept} if replace else set()
    Alignment.objects.filter(pk__in=gone).delete()
    for row in kept:
        row.save()
    Alignment.objects.bulk_create(added)
    return Imported(added=len(added), kept=len(kept), removed=len(gone))


@transaction.atomic
def save_alignment(
    context: Context,
    definition: Definition,
    *,
    alignment_id: int | None = None,
    expected_points: Decimal | None = None,
    omit_from_final_grade: bool | None = None,
    scales: Remembered | None = None,
) -> StoredAlignment:
    """Adds one alignment, or changes the one with this id, as a form saw it. `TargetInUse` where another
    alignment has the target. `expected_points` and `scales`: the target's points and the outcomes' scales in
    Canvas at this moment."""
    _lock(context)
    row = Alignment(context=context, position=_next_position(context))
    if alignment_id is not None:
        row = _row(context, alignment_id)
    [target] = _targets(context, [definition])
    owner = Alignment.objects.filter(target=target).exclude(pk=row.pk).first()
    if owner is not None:
        raise TargetInUse(
            f'{_describe(target, definition.target)} is already fed by "{_stored(owner).name}".'
        )
    if doubled := _doubled([target], _aligned(context).exclude(alignment=row.pk)):
        other = Alignment.objects.get(target=doubled[0])
        raise TargetInUse(
            f"{_describe(target, definition.target)} is the same assignment in Canvas as "
            f'{jsonfile.describe_target(_choice_of(doubled[0]))}, which "{_stored(other).name}" feeds.'
        )
    if omit_from_final_grade is not None:
        target.omit_from_final_grade = omit_from_final_grade
        target.save(update_fields=["omit_from_final_grade"])
    _fill(row, definition, target, row.position, expected_points)
    row.scales = _scales_to_json(scales or {})
    row.save()
    return _stored(row)


@transaction.atomic
def set_sections(context: Context, alignment_id: int, sections: Sequence[SectionException]) -> None:
    """The alignment's exceptions for sections, in this order; everything else stays."""
    _lock(context)
    row = _row(context, alignment_id)
    body = jsonfile.to_json(replace(_stored(row).definition, sections=tuple(sections)))
    del body["name"]
    row.definition = body
    row.save(update_fields=["definition", "updated_at"])


@transaction.atomic
def delete_alignment(context: Context, alignment_id: int) -> None:
    """The alignment goes; its target stays, because what we wrote there is remembered."""
    _lock(context)
    _row(context, alignment_id).delete()


@transaction.atomic
def fill_in_name(context: Context, alignment_id: int, title: str) -> str:
    """Gives an alignment without a name its first outcome's title; returns the name it has then."""
    _lock(context)
    row = _row(context, alignment_id)
    title = title.strip()[:MAX_NAME]
    if not row.name and title:
        row.name = title
        row.save(update_fields=["name", "updated_at"])
    return _stored(row).name


def remember_places(alignments: Iterable[StoredAlignment], assignments: Mapping[str, Assignment]) -> None:
    """The names of the assignments that grades go to, as Canvas has them now, for pages that do not ask Canvas."""
    for one in alignments:
        known = assignments.get(one.target.assignment_id)
        if one.target.kind == TargetKind.ASSIGNMENT and known and one.target.label != known.name[:MAX_NAME]:
            one.target.label = known.name[:MAX_NAME]
            one.target.save(update_fields=["label"])


def remember_points(context: Context, alignment_id: int, points: Decimal) -> None:
    """The target's points at the alignment's first plan; later plans must find the same."""
    Alignment.objects.filter(context=context, pk=alignment_id, expected_points=None).update(
        expected_points=points
    )


def remember_scales(context: Context, one: StoredAlignment, now: Remembered) -> None:
    """The outcomes' scales at the alignment's first plan; later plans must find the same."""
    known = filled_in(one.scales, now)
    if known != one.scales:
        unchanged = Alignment.objects.filter(context=context, pk=one.id, scales=_scales_to_json(one.scales))
        unchanged.update(scales=_scales_to_json(known))


@transaction.atomic
def replace_outcome(context: Context, alignment_id: int, gone: str, instead: str) -> StoredAlignment:
    """Repairs a link to an outcome that is gone: the new one takes its place and weight."""
    definition = stored_one(context, alignment_id).definition
    if instead in definition.outcome_ids:
        raise ValueError(f"Outcome {instead} is already part of this alignment.")
    outcomes = tuple(
        replace(one, outcome_id=instead) if one.outcome_id == gone else one for one in definition.outcomes
    )
    sections = tuple(replace(one, rule=renamed(one.rule, gone, instead)) for one in definition.sections)
    sealedexceptions.replace_outcome(context, alignment_id, gone, instead)
    repaired = replace(definition, outcomes=outcomes, sections=sections)
    return save_alignment(context, repaired, alignment_id=alignment_id)


def _fill(
    row: Alignment,
    definition: Definition,
    target: Target,
    position: int,
    expected_points: Decimal | None = None,
) -> Alignment:
    """The row with everything the definition says; not saved."""
    body = jsonfile.to_json(definition)
    del body["name"]
    row.target, row.name, row.position = target, definition.name, position
    row.definition, row.expected_points, row.scales = body, expected_points, {}
    return row


def _stored(row: Alignment) -> StoredAlignment:
    body: dict[str, Any] = {**row.definition, "name": row.name} if row.name else row.definition
    definition = jsonfile.parse_definition(body)
    scales, students = _scales(row.scales), sealedexceptions.of(row)
    return StoredAlignment(row.pk, definition, row.target, row.expected_points, scales, students)


def _scales(body: dict[str, list[str | None]]) -> Remembered:
    return {key: (_decimal(top), _decimal(mastery)) for key, (top, mastery) in body.items()}


def _scales_to_json(scales: Remembered) -> dict[str, list[str | None]]:
    return {key: [_text(top), _text(mastery)] for key, (top, mastery) in scales.items()}


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _text(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def _row(context: Context, alignment_id: int) -> Alignment:
    return Alignment.objects.select_related("target", "sealed_exceptions").get(
        context=context, pk=alignment_id
    )


def _lock(context: Context) -> None:
    Context.objects.select_for_update().get(pk=context.pk)


def _next_position(context: Context) -> int:
    last = Alignment.objects.filter(context=context).order_by("position").last()
    return 0 if last is None else last.position + 1


def _targets(context: Context, definitions: Sequence[Definition]) -> list[Target]:
    """The definitions' targets in order, the known ones found again (same `resource_id`), the others made.
    All forget their column's address: the next sync looks for the column again."""
    known = {_key_of(target): target for target in Target.objects.filter(context=context)}
    found, made, changed = [], [], []
    for definition in definitions:
        key = jsonfile.target_key(definition.target)
        target = known.get(key)
        if target is None:
            target = known[key] = _new_target(context, definition.target)
            made.append(target)
        else:
            changed.append(target)
        target.line_item_url = ""
        if isinstance(definition.target, ColumnTarget):
            target.points = definition.target.points
        found.append(target)
    Target.objects.bulk_update(changed, ["line_item_url", "points"])
    Target.objects.bulk_create(made)
    return found


def _key_of(target: Target) -> str:
    return jsonfile.target_key(_choice_of(target))


def _choice_of(target: Target) -> TargetChoice:
    if target.kind == TargetKind.COLUMN:
        return ColumnTarget(target.label, target.points or Decimal(1))
    return AssignmentTarget(target.assignment_id)


def _aligned(context: Context) -> QuerySet[Target]:
    return Target.objects.filter(context=context, alignment__isnull=False)


def _doubled(targets: Sequence[Target], others: Iterable[Target]) -> dict[int, Target]:
    """By place in `targets`: another target that is the same assignment in Canvas. A column that this tool made is an
    assignment too, and a file may name it as one."""
    seen = {one.assignment_id: one for one in others}
    found: dict[int, Target] = {}
    for place, one in enumerate(targets):
        other = seen.setdefault(one.assignment_id, one)
        if one.assignment_id and other.pk != one.pk:
            found[place] = other
    return found


def _new_target(context: Context, choice: TargetChoice) -> Target:
    if isinstance(choice, ColumnTarget):
        return Target(context=context, kind=TargetKind.COLUMN, label=choice.label, points=choice.points)
    return Target(context=context, kind=TargetKind.ASSIGNMENT, assignment_id=choice.assignment_id)


def _refuse_taken(
    definitions: Sequence[Definition], targets: Sequence[Target], rows: dict[int, Alignment]
) -> None:
    problems = []
    for index, (definition, target) in enumerate(zip(definitions, targets, strict=True)):
        row = rows.get(target.pk)
        if row is not None:
            label = jsonfile.entry_label(index, definition.name)
            what = f'{jsonfile.describe_target(definition.target)} is already fed by "{_stored(row).name}"'
            problems.append(Problem(label, "target", f"{what}: use another, or import with --replace."))
    if problems:
        raise FileErrors(problems)


def _refuse_doubled(
    definitions: Sequence[Definition], targets: Sequence[Target], others: Iterable[Target]
) -> None:
    problems = []
    for index, other in _doubled(targets, others).items():
        definition = definitions[index]
        mine, its = (jsonfile.describe_target(one) for one in (definition.target, _choice_of(other)))
        text = (
            f"{mine} is the same assignment in Canvas as {its}, which another alignment feeds: use another."
        )
        problems.append(Problem(jsonfile.entry_label(index, definition.name), "target", text))
    if problems:
        raise FileErrors(problems)


def _describe(target: Target, choice: TargetChoice) -> str:
    """By the name it has in Canvas, once a page has learnt an assignment's."""
    if target.kind == TargetKind.ASSIGNMENT and target.label:
        return f'The assignment "{target.label}"'
    words = jsonfile.describe_target(choice)
    return words[:1].upper() + words[1:]
