"""Whose grade is it? What this tool remembers of the cells it wrote, as keyed tags that reveal nothing.

A cell is ours when its present state is the one we read back after writing (`state_tag`), when it holds the
grade we were about to leave when a crash came between (`intended_tag`), or, in a column of ours, when Canvas
names our tool as the grader (`grader_id` = minus the external tool's id, canvas-lms app/models/submission.rb).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F

from alignments.models import Target, TargetKind
from canvas.values import Cell
from grading.core.decide import Ownership
from grading.core.grades import GradeText, comparable, grade_text
from grading.core.plan import PlannedCell
from grading.models import Fingerprint
from lti_tool.models import Context
from lti_tool.sealing import FINGERPRINT_PURPOSE, unseal


class Tagger:
    """Makes the tags of one course's cells, with the registration's own random key."""

    def __init__(self, context: Context) -> None:
        sealed = context.registration.sealed_fingerprint_key
        self._key = str(unseal(sealed, purpose=FINGERPRINT_PURPOSE)).encode()
        self._course = context.canvas_course_id

    def cell(self, assignment_id: str, user_id: str) -> bytes:
        """Names a cell: we have written here."""
        return self._tag("cell", self._course, assignment_id, user_id)

    def state(self, cell: Cell) -> bytes:
        """Names a cell in its present state: this is what we left."""
        text = grade_text(cell.entered_score, cell.excused)
        return self.state_of(cell.assignment_id, cell.user_id, text, cell.graded_at)

    def state_of(
        self, assignment_id: str, user_id: str, text: GradeText, graded_at: datetime | None
    ) -> bytes:
        """The same, of a cell known by its grade and when it was graded."""
        at = graded_at.isoformat() if graded_at else ""
        return self._tag("state", self._course, assignment_id, user_id, _known(comparable(text)), at)

    def intention(self, assignment_id: str, user_id: str, text: GradeText) -> bytes:
        """Names a grade we are about to leave; when it was graded is not known yet."""
        return self._tag("intention", self._course, assignment_id, user_id, _known(comparable(text)))

    def _tag(self, *parts: str) -> bytes:
        # Parts are ids, times and plain numbers: none can hold the separator.
        return hmac.digest(self._key, "\x1f".join(parts).encode(), "sha256")


def _known(text: GradeText) -> str:
    return "" if text is None else text


def is_by_person(cell: Cell) -> bool:
    """Whether Canvas names a person as the grader: tools and quizzes have negative ids. Of a cell written with a
    teacher's token it does so too."""
    return cell.grader_id is not None and cell.grader_id.isdigit()


LATEST_ARRIVAL = timedelta(hours=1)
"""After a write was meant: how late Canvas may carry it out and be believed to. Then the same grade is a person's."""


@dataclass(frozen=True, slots=True)
class Tags:
    """`by_ags`: in a column of ours; `at`: when the intention was noted."""

    state: bytes
    intended: bytes
    by_ags: bool
    at: datetime


class Memory:
    """What is remembered of a course's cells, read once; ask it about any cell."""

    def __init__(self, context: Context) -> None:
        self.tagger = Tagger(context)
        tool = context.deployment.external_tool_id
        self._our_grader_id = f"-{tool}" if tool.isdigit() else None
        self._known = _load(context)
        self._columns = set(
            Target.objects.filter(context=context, kind=TargetKind.COLUMN).values_list("pk", flat=True)
        )

    def ownership(self, target_id: int, cell: Cell) -> Ownership:
        """Whether this cell is as we left it, and whether we ever wrote it."""
        tags = self._known.get(self.tagger.cell(cell.assignment_id, cell.user_id))
        ours = tags is not None and self._is_as_left(tags, cell)
        if not ours and target_id in self._columns:
            ours = self._is_graded_by_tool(cell) or (
                tags is not None and self._was_emptied_by_tool(tags, cell)
            )
        written = tags is not None and (bool(tags.state) or self._was_emptied_since(tags, cell))
        return Ownership(ours=ours, written_before=written)

    def was_intended(self, cell: Cell) -> bool:
        """Whether the cell holds what we were about to leave when the last attempt broke off."""
        tags = self._known.get(self.tagger.cell(cell.assignment_id, cell.user_id))
        return tags is not None and bool(tags.intended) and self._holds_intention(tags, cell)

    def was_not_cleared(self, cell: Cell) -> bool:
        """Whether the cell is as we left it though we were about to empty it when the last attempt broke off. Who
        empties it later is a person."""
        tags = self._known.get(self.tagger.cell(cell.assignment_id, cell.user_id))
        if tags is None or not tags.intended or tags.state != self.tagger.state(cell):
            return False
        return tags.intended == self.tagger.intention(cell.assignment_id, cell.user_id, None)

    def was_graded_since(self, cell: Cell) -> bool:
        """Whether the cell holds another grade than we were about to leave when the last attempt broke off, given after
        that: whatever became of our write, the next grade there is a person's, also if it is the same as ours."""
        tags = self._known.get(self.tagger.cell(cell.assignment_id, cell.user_id))
        if tags is None or not tags.intended or cell.is_empty or cell.graded_at is None:
            return False
        return cell.graded_at > tags.at and not self._is_as_left(tags, cell)

    def _is_as_left(self, tags: Tags, cell: Cell) -> bool:
        if tags.state and hmac.compare_digest(tags.state, self.tagger.state(cell)):
            return True
        # An empty cell may simply never have been reached.
        return not cell.is_empty and bool(tags.intended) and self._holds_intention(tags, cell)

    def _holds_intention(self, tags: Tags, cell: Cell) -> bool:
        if tags.by_ags and is_by_person(cell):
            # Ours never arrived, or a person graded after it: by chance the same.
            return False
        if cell.graded_at is not None and cell.graded_at > tags.at + LATEST_ARRIVAL:
            # A person, who gave by hand what a run that died had meant to give.
            return False
        text = grade_text(cell.entered_score, cell.excused)
        expected = self.tagger.intention(cell.assignment_id, cell.user_id, text)
        return hmac.compare_digest(tags.intended, expected)

    def _is_graded_by_tool(self, cell: Cell) -> bool:
        has_score = cell.entered_score is not None and not cell.excused
        return has_score and self._our_grader_id is not None and cell.grader_id == self._our_grader_id

    def _was_emptied_since(self, tags: Tags, cell: Cell) -> bool:
        """Whether it was graded after we meant to write it first, by us or a person, and emptied then: emptying leaves
        the moment of the last grade."""
        if not (cell.is_empty and tags.intended and cell.graded_at is not None):
            return False
        # Canvas keeps whole seconds.
        if cell.graded_at < tags.at.replace(microsecond=0):
            return False
        return not self._holds_intention(tags, cell)

    def _was_emptied_by_tool(self, tags: Tags, cell: Cell) -> bool:
        """Whether it was to be emptied, nobody answered, and it was: whoever empties a cell becomes its grader, and
        so does who grades it after that (canvas-lms app/models/abstract_assignment.rb)."""
        is_by_tool = self._our_grader_id is not None and cell.grader_id == self._our_grader_id
        return cell.is_empty and is_by_tool and bool(tags.intended) and self._holds_intention(tags, cell)


def remember_intentions(
    context: Context, target: Target, assignment_id: str, grades: Mapping[str, GradeText], now: datetime
) -> None:
    """Before a write: note for each student (by id) the grade about to be left."""
    tagger = Tagger(context)
    rows = [
        (tagger.cell(assignment_id, user_id), b"", tagger.intention(assignment_id, user_id, text))
        for user_id, text in grades.items()
    ]
    _upsert(target, rows, now, keep_states=True)


def remember_as_found(
    context: Context, target: Target, assignment_id: str, cells: Iterable[PlannedCell], now: datetime
) -> None:
    """Before writing over cells that are ours: as they are now they are ours, should the write never arrive. An
    intention alone, of a write nobody saw the end of, would be lost with the next intention."""
    tagger = Tagger(context)
    rows = [
        (
            tagger.cell(assignment_id, cell.user),
            tagger.state_of(assignment_id, cell.user, cell.before, cell.graded_at),
            b"",
        )
        for cell in cells
    ]
    _upsert(target, rows, now, keep_states=False)


def remember_arrivals(context: Context, cells: Iterable[Cell], now: datetime) -> None:
    """Cells just read that hold what an unanswered write was to leave: it arrived, so they are ours as they are,
    and that we have written there stays known whatever a person does with them later. The same for cells that
    hold what we left and were to be emptied. In cells a person graded since, nothing is ours any more."""
    waiting = Fingerprint.objects.filter(target__context=context).exclude(intended_tag=b"")
    targets = {bytes(row.cell_tag): row.target for row in waiting.select_related("target")}
    if not targets:
        return
    memory = Memory(context)
    arrived: dict[Target, list[Cell]] = {}
    overtaken: dict[Target, list[tuple[str, str]]] = {}
    for cell in cells:
        target = targets.get(memory.tagger.cell(cell.assignment_id, cell.user_id))
        # An empty cell may simply never have been reached.
        if target is None or cell.is_empty:
            continue
        if memory.was_intended(cell) or memory.was_not_cleared(cell):
            arrived.setdefault(target, []).append(cell)
        elif memory.was_graded_since(cell):
            overtaken.setdefault(target, []).append((cell.assignment_id, cell.user_id))
    for target, keys in overtaken.items():
        remember_written(context, target, keys)
    for target, found in arrived.items():
        remember_states(context, target, found, now)


def remember_states(context: Context, target: Target, cells: Iterable[Cell], now: datetime) -> None:
    """After a write was read back: the cells are ours as they are now."""
    tagger = Tagger(context)
    rows = [(tagger.cell(cell.assignment_id, cell.user_id), tagger.state(cell), b"") for cell in cells]
    _upsert(target, rows, now, keep_states=False)


def remember_emptied(
    context: Context, target: Target, assignment_id: str, cells: Iterable[PlannedCell], now: datetime
) -> None:
    """Cells that Canvas said it emptied and that could not be read back. Emptying leaves the moment of the last grade
    (canvas-lms app/models/abstract_assignment.rb), so how they are now is known all the same; what a person graded
    since has another moment, also once they emptied it. The intention stays, for an undo that is repeated."""
    tagger = Tagger(context)
    rows = [
        (
            tagger.cell(assignment_id, cell.user),
            tagger.state_of(assignment_id, cell.user, None, cell.graded_at),
            tagger.intention(assignment_id, cell.user, None),
        )
        for cell in cells
    ]
    _upsert(target, rows, now, keep_states=False)


def forget_intentions(context: Context, target: Target, keys: Iterable[tuple[str, str]]) -> None:
    """The writes to these (assignment, student) cells did not happen: what was known before counts again."""
    tagger = Tagger(context)
    tags = [tagger.cell(assignment_id, user_id) for assignment_id, user_id in keys]
    with transaction.atomic():
        rows = Fingerprint.objects.filter(target=target, cell_tag__in=tags)
        rows.filter(state_tag=b"").delete()
        rows.update(intended_tag=b"")


def remember_written(
    context: Context, target: Target, keys: Iterable[tuple[str, str]], *, seen: bool = True
) -> None:
    """These (assignment, student) cells were written and changed by a person before they were read back: we
    have written there, and nothing that can be seen now is what we left. Not `seen`: they could not be read
    back, so what was intended may still be there."""
    tagger = Tagger(context)
    tags = [tagger.cell(assignment_id, user_id) for assignment_id, user_id in keys]
    with transaction.atomic():
        rows = Fingerprint.objects.filter(target=target, cell_tag__in=tags)
        # An intention is never the tag of a state, so it matches no cell.
        rows.filter(state_tag=b"").update(state_tag=F("intended_tag"))
        if seen:
            rows.update(intended_tag=b"")


def forget_cells(context: Context, keys: Iterable[tuple[str, str]]) -> None:
    """These (assignment, student) cells count as never written."""
    tagger = Tagger(context)
    tags = [tagger.cell(assignment_id, user_id) for assignment_id, user_id in keys]
    Fingerprint.objects.filter(target__context=context, cell_tag__in=tags).delete()


def _load(context: Context) -> dict[bytes, Tags]:
    rows = Fingerprint.objects.filter(target__context=context).order_by("written_at", "pk")
    columns = rows.values_list("cell_tag", "state_tag", "intended_tag", "target__kind", "written_at")
    return {
        bytes(cell): Tags(bytes(state), bytes(intended), kind == TargetKind.COLUMN, at)
        for cell, state, intended, kind, at in columns.iterator()
    }


_UPSERT = """
INSERT INTO grading_fingerprint (target_id, cell_tag, state_tag, intended_tag, written_at)
SELECT %(target)s, cell, state, intended, %(now)s
FROM unnest(%(cells)s::bytea[], %(states)s::bytea[], %(intended)s::bytea[]) AS given (cell, state, intended)
ON CONFLICT (target_id, cell_tag) DO UPDATE SET
  state_tag = CASE WHEN %(keep)s THEN grading_fingerprint.state_tag ELSE EXCLUDED.state_tag END,
  intended_tag = EXCLUDED.intended_tag,
  written_at = EXCLUDED.written_at
"""


def _upsert(
    target: Target, rows: Sequence[tuple[bytes, bytes, bytes]], now: datetime, *, keep_states: bool
) -> None:
    """Rows of cell, state and intention. In SQL, because `bulk_create` takes several times as long for a course's
    thousands of rows, twice a sync."""
    if not rows:
        return
    cells, states, intended = (list(tags) for tags in zip(*rows, strict=True))
    tags = {"cells": cells, "states": states, "intended": intended}
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, {"target": target.pk, "now": now, "keep": keep_states, **tags})
