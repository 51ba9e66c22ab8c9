"""What a person chose in a preview so far: read from its form, and kept sealed beside the plan until it is
sent or put away."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from django.db import transaction

from grading.core.plan import CellKey, Choices
from grading.filters import whole_number
from grading.models import Run, RunState
from grading.planning import PLAN_PURPOSE
from lti_tool.sealing import seal, unseal

CONFLICT = "conflict."
"""Begins the name of a conflict's two radio buttons, `keep` and `replace`; the cell's reference follows."""


def read_choices(posted: Mapping[str, Sequence[str]], before: Choices, roster: Sequence[str]) -> Choices:
    """What the form says for the cells, students and columns it showed; the others stay as they were.

    `shown` lists what was on the page, so that a box left empty means "no longer held".
    """
    shown = _keys(posted.get("shown", ()), roster)
    shown_students = _students(posted.get("shown_student", ()), roster)
    shown_columns = {whole_number(text, 0) for text in posted.get("shown_column", ())}
    replaced = (name.removeprefix(CONFLICT) for name in posted if _says_replace(name, posted[name]))
    held_columns = {whole_number(text, 0) for text in posted.get("hold_column", ())}
    return Choices(
        replace=(before.replace - shown) | (_keys(replaced, roster) & shown),
        hold=(before.hold - shown) | (_keys(posted.get("hold", ()), roster) & shown),
        hold_students=(before.hold_students - shown_students)
        | (_students(posted.get("hold_student", ()), roster) & shown_students),
        hold_alignments=(before.hold_alignments - shown_columns) | (held_columns & shown_columns),
    )


def only_these(before: Choices, roster: Sequence[str], inside: Collection[str]) -> Choices:
    """Every student of the preview held but those `inside`, who stay as they were."""
    outside = frozenset(roster).difference(inside)
    return replace(before, hold_students=outside | before.hold_students.intersection(inside))


def _says_replace(name: str, values: Sequence[str]) -> bool:
    return name.startswith(CONFLICT) and list(values) == ["replace"]


def _keys(refs: Iterable[str], roster: Sequence[str]) -> frozenset[CellKey]:
    """Cells named as the alignment's id and the student's place in the preview: `3.7`."""
    found = set()
    for ref in refs:
        alignment, _, number = ref.partition(".")
        place = whole_number(number, 0) - 1
        if whole_number(alignment, 0) and 0 <= place < len(roster):
            found.add((int(alignment), roster[place]))
    return frozenset(found)


def _students(numbers: Iterable[str], roster: Sequence[str]) -> frozenset[str]:
    places = (whole_number(number, 0) - 1 for number in numbers)
    return frozenset(roster[place] for place in places if 0 <= place < len(roster))


def choices_of(run: Run) -> Choices:
    """The choices made so far. Raises CannotUnseal."""
    kept = unseal(run.sealed_plan, purpose=PLAN_PURPOSE).get("choices", {})
    return Choices(
        replace=frozenset((alignment, user) for alignment, user in kept.get("replace", ())),
        hold=frozenset((alignment, user) for alignment, user in kept.get("hold", ())),
        hold_students=frozenset(kept.get("hold_students", ())),
        hold_alignments=frozenset(kept.get("hold_alignments", ())),
    )


def keep_choices(run: Run, choices: Choices) -> None:
    """Store the choices with the preview; a run that is no longer a preview stays as it is."""
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        if locked.state != RunState.READY:
            return
        kept = unseal(locked.sealed_plan, purpose=PLAN_PURPOSE)
        kept["choices"] = {
            "replace": sorted(choices.replace),
            "hold": sorted(choices.hold),
            "hold_students": sorted(choices.hold_students),
            "hold_alignments": sorted(choices.hold_alignments),
        }
        locked.sealed_plan = seal(kept, purpose=PLAN_PURPOSE)
        locked.save(update_fields=["sealed_plan"])
    run.sealed_plan = locked.sealed_plan
