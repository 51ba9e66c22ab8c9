"""The pretend Canvas as the model needs it: every cell's place, from the world's own tables and the log."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from alignments import sealedexceptions
from alignments import services as alignments
from alignments.core import jsonfile
from alignments.models import Alignment
from sandbox import records as r
from sandbox.rollups import student_scores
from tests.grading.school import School
from tests.soak.course import results_of
from tests.soak.model import Answer, CellState, Place, Scale, calculated, decide, is_broken, wish
from tests.soak.truth import Key, Owner, Truth, shown

CellId = tuple[int, str]
"""An alignment's id and a student."""


@dataclass
class Book:
    """What is aligned now: the file's entries by alignment id, and the points each target had when saved."""

    school: School
    truth: Truth
    entries: dict[int, dict[str, Any]] = field(default_factory=dict)
    expected: dict[int, Fraction] = field(default_factory=dict)
    resource_ids: dict[int, str] = field(default_factory=dict)
    gone_before: set[int] = field(default_factory=set)
    """Line items that were deleted before the alignments were saved: a new column may take their place."""
    scales: dict[int, dict[str, Fraction]] = field(default_factory=dict)
    """The tops of the scales each alignment was saved with."""
    students: dict[int, dict[str, dict[str, Any] | None]] = field(default_factory=dict)
    """Students with a rule of their own; None: not assessed."""

    def align(self, entries: list[dict[str, Any]]) -> None:
        rows = self.school.align(*entries)
        self.entries = {row.pk: entry for row, entry in zip(rows, entries, strict=True)}
        self.expected = {}
        self.students = {}
        for row in rows:
            sealedexceptions.remove_all(self.school.context, row.pk)
        now = self._scales()
        self.scales = {
            row.pk: {one["id"]: top for one in entry["outcomes"] if (top := now.get(one["id"], (None,))[0])}
            for row, entry in zip(rows, entries, strict=True)
        }
        self.gone_before = {i.id for i in self.school.world.line_items.values() if i.deleted}
        self._note_targets()

    def _note_targets(self) -> None:
        targets = Alignment.objects.filter(context=self.school.context).select_related("target")
        self.resource_ids = {row.pk: row.target.resource_id for row in targets}

    def realign(self, alignment: int, target: dict[str, Any], points: Decimal | None = None) -> None:
        """One alignment is saved again with this target, and the points it has in Canvas now."""
        one = alignments.stored_one(self.school.context, alignment)
        entry = {**self.entries[alignment], "target": target}
        chosen = jsonfile.parse_definition(entry).target
        alignments.save_alignment(
            self.school.context,
            replace(one.definition, target=chosen),
            alignment_id=alignment,
            expected_points=points,
        )
        self.entries[alignment] = entry
        self.expected.pop(alignment, None)
        if points is not None:
            self.expected[alignment] = Fraction(points)
        now = self._scales()
        tops = {one["id"]: now.get(one["id"], (None,))[0] for one in entry["outcomes"]}
        self.scales[alignment] = {key: top for key, top in tops.items() if top}
        self._note_targets()

    def except_student(self, alignment: int, user: str, rule: dict[str, Any] | None) -> None:
        """From now on another rule counts for this student, or none."""
        parsed = None
        if rule is not None:
            parsed = jsonfile.parse_definition({**self.entries[alignment], "rule": rule}).rule
        sealedexceptions.put(self.school.context, alignment, user, parsed)
        self.students.setdefault(alignment, {})[user] = rule

    def knows_scales(self) -> bool:
        """Whether every alignment was saved while all its outcomes had a scale, as all have now."""
        known = all(self.knows_scale(outcome) for outcome in self.school.world.outcomes)
        return known and all(one.points_possible for one in self.school.world.outcomes.values())

    def knows_scale(self, outcome: int) -> bool:
        """Whether every alignment that uses the outcome was saved while it had a scale."""
        users = [a for a, e in self.entries.items() if any(o["id"] == str(outcome) for o in e["outcomes"])]
        return all(str(outcome) in self.scales[alignment] for alignment in users)

    def _instead(self, alignment: int, user: int) -> tuple[bool, dict[str, Any] | None]:
        """Whether there is an exception for the student, and its rule; None: not assessed."""
        own = self.students.get(alignment, {})
        if str(user) in own:
            return True, own[str(user)]
        rows = self.school.world.user_enrollments(user, self.school.course.id)
        mine = {str(e.section_id) for e in rows if e.type == r.STUDENT and e.state == "active"}
        for one in self.entries[alignment].get("sections", ()):
            if one["section"] in mine:
                return True, one.get("rule")
        return False, None

    def assignment(self, alignment: int) -> r.Assignment | None:
        """The target's assignment, if it is there."""
        world, target = self.school.world, self.entries[alignment]["target"]
        if "assignment" in target:
            found = world.assignments.get(int(target["assignment"]))
            return found if found and not found.deleted else None
        items = self.line_items(alignment)
        return world.assignments[items[0].assignment_id] if items else None

    def line_items(self, alignment: int) -> list[r.LineItem]:
        wanted = self.resource_ids[alignment]
        rows = self.school.world.line_items.values()
        return [i for i in rows if not i.deleted and i.resource_id == wanted]

    def cell_key(self, alignment: int, user: str) -> Key | None:
        found = self.assignment(alignment)
        return (str(found.id), user) if found else None

    def places(self) -> dict[CellId, Place]:
        """Every student × alignment as it is at this moment."""
        world, course = self.school.world, self.school.course
        with world.lock:
            rows = world.course_enrollments(course.id, r.STUDENT_TYPES)
            testers = {e.user_id for e in rows if e.type == r.TEST_STUDENT}
            users = sorted({e.user_id for e in rows} - testers)
            outcomes = {link.outcome_id for link in world.course_outcomes(course.id)}
            found = student_scores(world, course, users, outcomes, world.results.values())
            scores = {
                user: {
                    str(one.outcome_id): None if one.score is None else Fraction(repr(one.score))
                    for one in mine
                }
                for user, mine in found.items()
            }
            return {
                (alignment, str(user)): self._place(
                    alignment, user, self._own_scores(alignment, user) or scores.get(user, {})
                )
                for alignment in self.entries
                for user in users
            }

    def _own_scores(self, alignment: int, user: int) -> dict[str, Fraction | None]:
        """Where the alignment has its own calculation: what it makes of the student's results."""
        entry, world = self.entries[alignment], self.school.world
        calculation = entry.get("calculation")
        if calculation is None:
            return {}
        ids = {one["id"]: results_of(world, user, int(one["id"])) for one in entry["outcomes"]}
        rows = {key: [Fraction(world.results[n].score or 0) for n in mine] for key, mine in ids.items()}
        return {key: calculated(calculation, mine) for key, mine in rows.items()}

    def _scales(self) -> dict[str, Scale]:
        world = self.school.world
        account = world.accounts[self.school.course.account_id]
        if r.ACCOUNT_SCALES in account.features and account.proficiency:
            shared = account.proficiency
            scale = (Fraction(shared.points_possible), Fraction(shared.mastery_points))
            return {str(link.outcome_id): scale for link in world.course_outcomes(self.school.course.id)}
        return {
            str(link.outcome_id): (
                _fraction(world.outcomes[link.outcome_id].points_possible),
                _fraction(world.outcomes[link.outcome_id].mastery_points),
            )
            for link in world.course_outcomes(self.school.course.id)
        }

    def _place(self, alignment: int, user: int, scores: dict[str, Fraction | None]) -> Place:
        entry, column, world = self.entries[alignment], self.assignment(alignment), self.school.world
        scales = self._scales()
        there_is, instead = self._instead(alignment, user)
        not_assessed = there_is and instead is None
        changed = any(
            (now := scales.get(key, (None, None))[0]) and now != top
            for key, top in self.scales[alignment].items()
        )
        broken = changed or is_broken({**entry, "rule": instead or entry["rule"]}, scales)
        points = self._points(alignment, entry, column)
        wanted = None
        if not broken and points and not not_assessed:
            rule = instead or entry["rule"]
            standard = (
                world.grading_standards[int(rule["grading_standard_id"])]
                if rule["kind"] == "scheme"
                else None
            )
            letters = [(name, Fraction(bound)) for name, bound in standard.scheme] if standard else ()
            wanted = wish(entry, scales, scores, points, letters, instead)
        cell = None
        assigned = column is None or not column.published or world.is_assigned(column, user)
        if column is not None and column.published and assigned:
            row, owner = world.submission(column, user), self.owner(column.id, user)
            cell = CellState(shown(row), row.grader_id is not None, owner.ours, owner.written)
        return Place(
            is_student=world.has_student(self.school.course.id, user),
            assigned=assigned,
            broken=broken,
            blocked=self._blocked(alignment, column, points) or _is_half(column, wanted and wanted.grade),
            closed=column is not None and column.closed_period,
            wish=wanted,
            cell=cell,
            overwrite=entry.get("overwrite", "ours"),
            direction=entry.get("direction", "both"),
            not_assessed=not_assessed,
        )

    def owner(self, assignment: int, user: int) -> Owner:
        return self.truth.owners.get((str(assignment), str(user)), Owner())

    def _points(self, alignment: int, entry: dict[str, Any], column: r.Assignment | None) -> Fraction | None:
        if column is not None:
            if alignment not in self.expected and column.points_possible:
                self.expected[alignment] = Fraction(column.points_possible)
            return _fraction(column.points_possible)
        if "assignment" in entry["target"] or self._was_made(alignment):
            return None
        return Fraction(entry["target"]["column"]["points"])

    def _was_made(self, alignment: int) -> bool:
        """People delete a column only once the tool has noted where it is."""
        wanted, items = self.resource_ids[alignment], self.school.world.line_items.values()
        return any(i.resource_id == wanted and i.id not in self.gone_before for i in items)

    def _blocked(self, alignment: int, column: r.Assignment | None, points: Fraction | None) -> bool:
        if column is None:
            return points is None
        wrong = column.group_category_id is not None and not column.grade_individually
        wrong = wrong or column.moderated or not column.published or not points or points <= 0
        return wrong or points != self.expected.get(alignment, points)

    def answers(self, places: dict[CellId, Place], *, approved: bool = False) -> dict[CellId, Answer]:
        return {key: decide(place, approved=approved) for key, place in places.items()}


def _fraction(number: Any) -> Fraction | None:
    return None if number is None else Fraction(number)


def _is_half(column: r.Assignment | None, grade: str | None) -> bool:
    """Complete or incomplete takes no value in between."""
    if (
        column is None
        or column.grading_type != "pass_fail"
        or grade in (None, "EX")
        or not column.points_possible
    ):
        return False
    return Fraction(grade) not in (0, Fraction(column.points_possible))
