"""A random course, and what people may do in it from one day to the next."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from alignments.models import Alignment, Target
from sandbox import records as r
from sandbox.grading import Grade, grade_student, run_missing_policy, set_score
from sandbox.rollups import default_proficiency
from sandbox.scenarios.base import TA_ID, TEACHER_ID, Options, Stage
from sandbox.world import World
from tests.grading.school import School
from tests.soak.entries import STANDARD, has_results
from tests.soak.truth import Truth, shown

SCALES = (("4", "3"), ("4", "3"), ("5", "3"), ("10", "7.5"), ("3", "3"), ("2.5", "1"))
ODD_SCORES = (
    "0",
    "1",
    "2",
    "2.5",
    "2.99",
    "3",
    "3.005",
    "3.33",
    "4",
    "4.5",
    "-1",
    "0.004",
    "2.9999999999999996",
)
PLAIN_SCORES = ("0", "1", "2", "2.5", "3", "3.25", "4")
PEOPLES_GRADES = ("0.37", "0.61", "0.5", "1", "0", "2.25", "77.7")
LETTERS = (("A", "0.9"), ("B", "0.8"), ("C", "0.795"), ("D", "0.5"), ("F", "0"))
POINTS = ("1", "1", "10", "100", "7.5", "3")


def make_world(rng: random.Random) -> World:
    """Some students in two sections, some outcomes on various scales, some assignments."""
    stage = Stage(Options())
    course = stage.open_course("Soak", 101, [(701, "A"), (702, "B")])
    world = stage.world
    if rng.random() < 0.4:
        course.late_policy = r.LatePolicy(Decimal(rng.choice((10, 20, 50))), Decimal(0), Decimal(0))
    for number in range(1001, 1001 + rng.randint(3, 7)):
        places = rng.choice(((0,), (0,), (1,), (0, 1)))
        state = rng.choice(("active",) * 7 + ("inactive", "invited", "completed"))
        stage.student(f"Pupil {number}", number, *places, state=state)
    stage.student("Test Student", 1999, type=r.TEST_STUDENT)
    outcomes = []
    for number in range(601, 601 + rng.randint(2, 4)):
        top, mastery = rng.choice(SCALES)
        outcomes.append(stage.outcome(number, f"Outcome no. {number}", mastery=mastery))
        outcomes[-1].points_possible = Decimal(top)
    if rng.random() < 0.1:
        outcomes[-1].mastery_points = None
    for number in range(rng.randint(1, 3)):
        kind = rng.choice(("points", "points", "points", "percent", "pass_fail", "letter_grade"))
        work = ["online_text_entry"] if rng.random() < 0.5 else ["none"]
        points = Decimal(rng.choice(POINTS))
        world.add_assignment(course.id, f"Work {number}", points, grading_type=kind, submission_types=work)
    world.add_assignment(course.id, "Somebody's homework", 10)
    scheme = [(label, Decimal(bound)) for label, bound in LETTERS]
    world.grading_standards[STANDARD] = r.GradingStandard(STANDARD, "Course", course.id, "Letters", scheme)
    for user in pupils(world):
        for outcome in outcomes:
            if rng.random() < 0.7:
                assess(rng, world, user, outcome.id)
    return world


def assess(rng: random.Random, world: World, user: int, outcome: int) -> str:
    """One more result, or another rollup. Results are a minute apart, so that their order is plain."""
    course = next(iter(world.courses.values()))
    if not has_results(outcome):
        drop_evidence(world, user, outcome)
        score = Decimal(rng.choice(ODD_SCORES))
        world.stored_rollups.append(r.StoredRollup(course.id, user, outcome, score))
        return str(score)
    number, score = world.new_id(), Decimal(rng.choice(PLAIN_SCORES))
    at = datetime(2026, 1, 12, tzinfo=UTC) + timedelta(minutes=number)
    world.results[number] = r.OutcomeResult(
        number, course.id, user, outcome, None, score, None, None, "x, y", submitted_at=at, assessed_at=at
    )
    return str(score)


def drop_evidence(world: World, user: int, outcome: int) -> None:
    rows = world.stored_rollups
    rows[:] = [one for one in rows if (one.user_id, one.outcome_id) != (user, outcome)]
    for number in results_of(world, user, outcome):
        del world.results[number]


def results_of(world: World, user: int, outcome: int) -> list[int]:
    """A student's results for an outcome, oldest first."""
    mine = [one for one in world.results.values() if (one.user_id, one.outcome_id) == (user, outcome)]
    return [one.id for one in sorted(mine, key=lambda one: one.id)]


def pupils(world: World) -> list[int]:
    return sorted(
        {e.user_id for e in world.enrollments.values() if e.type == r.STUDENT and e.state != "deleted"}
    )


@dataclass
class People:
    """What people do in Canvas, at random. `step` moves every clock on, so that no two edits share a second."""

    rng: random.Random
    school: School
    truth: Truth
    step: Callable[[float], None]
    done: list[str] = field(default_factory=list)
    tops: dict[int, Decimal | None] = field(default_factory=dict)
    may_change_scale: Callable[[int], bool] = lambda outcome: False
    may_change_scales: Callable[[], bool] = lambda: False

    def reassess(self) -> None:
        with self.school.world.lock:
            self.done.append(self.term())

    def act(self) -> None:
        """One thing, as often as people do it."""
        kinds = (
            [self.grade] * 4
            + [self.clear] * 2
            + [self.excuse, self.late, self.missing]
            + [self.evidence] * 6
            + [self.no_evidence] * 2
            + [self.enrol] * 2
            + [self.column] * 2
            + [self.outcome, self.outcome, self.account]
        )
        kind = self.rng.choice(kinds)
        self.step(2)
        with self.school.world.lock:
            said = kind()
        if said:
            self.done.append(said)

    def edit(self) -> None:
        """One thing that may happen at any moment, between two calls of the tool."""
        self.step(1.1)
        with self.school.world.lock:
            said = self.rng.choice(
                (self.grade, self.grade, self.clear, self.excuse, self.evidence, self.enrol)
            )()
        self.done.append(f"meanwhile {said}")

    def _cell(self) -> tuple[r.Assignment, int] | None:
        world = self.school.world
        users = [u for u in pupils(world) if world.has_student(self.school.course.id, u)]
        live = [
            a for a in world.course_assignments(self.school.course.id) if a.published and not a.closed_period
        ]
        if not users or not live:
            return None
        assignment, user = self.rng.choice(live), self.rng.choice(users)
        return (assignment, user) if world.is_assigned(assignment, user) else None

    def _save(self, text: str | None, *, excuse: bool = False) -> str:
        found = self._cell()
        if found is None:
            return ""
        assignment, user = found
        if text == "":
            submission = self.school.world.submission(assignment, user)
            if shown(submission) is None:
                return ""
        grader = self.rng.choice((TEACHER_ID, TEACHER_ID, TA_ID))
        with self.truth.person():
            now = self.school.world.now()
            grade_student(self.school.world, assignment, user, Grade(text, grader, now, excuse))
        return f"{assignment.name} {user} = {'EX' if excuse else text!r}"

    def grade(self) -> str:
        found = self._cell()
        if found and self.rng.random() < 0.15:
            # The same again, by hand: it is theirs from now on.
            text = shown(self.school.world.submission(*found))
            if text not in (None, "EX"):
                with self.truth.person():
                    grade = Grade(text, TEACHER_ID, self.school.world.now(), prefer_points=True)
                    grade_student(self.school.world, *found, grade)
                return f"{found[0].name} {found[1]} = {text} again"
        return self._save(self.rng.choice(PEOPLES_GRADES))

    def clear(self) -> str:
        return self._save("")

    def excuse(self) -> str:
        return self._save(None, excuse=True)

    def late(self) -> str:
        found = self._cell()
        if found is None:
            return ""
        submission = self.school.world.submission(*found)
        submission.late_policy_status = "late"
        submission.seconds_late_override = self.rng.choice((3600, 200_000))
        set_score(self.school.world, found[0], submission)
        return f"{found[0].name} {found[1]} late"

    def missing(self) -> str:
        found = self._cell()
        if found is None:
            return ""
        before = {key: shown(one) for key, one in self.school.world.submissions.items()}
        found[0].due_at = self.school.world.now() - timedelta(hours=3)
        run_missing_policy(self.school.world, self.school.course.id)
        for key, one in self.school.world.submissions.items():
            if before.get(key) != shown(one):
                with self.truth.person():
                    self.truth.note((str(key[0]), str(key[1])), before.get(key), shown(one))
        return f"missing policy on {found[0].name}"

    def evidence(self) -> str:
        world = self.school.world
        user, outcome = self.rng.choice(pupils(world)), self.rng.choice(list(world.outcomes))
        return f"evidence {user} {outcome} {assess(self.rng, world, user, outcome)}"

    def term(self) -> str:
        """Everybody is assessed anew, so that the next sync has much to send."""
        for user in pupils(self.school.world):
            for outcome in self.school.world.outcomes:
                if not has_results(outcome) or self.rng.random() < 0.3:
                    drop_evidence(self.school.world, user, outcome)
                if self.rng.random() < 0.85:
                    assess(self.rng, self.school.world, user, outcome)
        return "everybody is assessed anew"

    def no_evidence(self) -> str:
        user = self.rng.choice(pupils(self.school.world))
        outcome = self.rng.choice(list(self.school.world.outcomes))
        world, left = self.school.world, results_of(self.school.world, user, outcome)
        if left and self.rng.random() < 0.5:
            del world.results[left[-1]]
            return f"the newest result of {user} {outcome} is gone"
        drop_evidence(world, user, outcome)
        return f"no evidence {user} {outcome}"

    def enrol(self) -> str:
        world = self.school.world
        rows = [e for e in world.enrollments.values() if e.type == r.STUDENT]
        if self.rng.random() < 0.2:
            user = world.add_user(f"New {len(rows)}", 1100 + len(rows))
            section = self.rng.choice(list(world.sections.values()))
            world.enroll(user, section)
            return f"{user.id} joins"
        row = self.rng.choice(rows)
        row.state = self.rng.choice((*("active",) * 5, "inactive", "completed", "deleted", "rejected"))
        return f"{row.user_id} is {row.state}"

    def outcome(self) -> str:
        outcome = self.rng.choice(list(self.school.world.outcomes.values()))
        if self.rng.random() < 0.4:
            return self.mend()
        if self.rng.random() < 0.5:
            if outcome.deleted and not self.may_change_scale(outcome.id):
                # An alignment was saved meanwhile, whose scale of it nobody but the tool would learn.
                return self.mend()
            outcome.deleted = not outcome.deleted
            return f"outcome {outcome.id} deleted {outcome.deleted}"
        if outcome.points_possible and not outcome.deleted and self.may_change_scale(outcome.id):
            top = self.tops.setdefault(outcome.id, outcome.points_possible)
            assert top
            outcome.points_possible = top if outcome.points_possible != top else top + 1
            return f"outcome {outcome.id} changed to {outcome.points_possible}"
        # The scale that comes back is the one that went: another would have to be saved again first.
        top = self.tops.setdefault(outcome.id, outcome.points_possible)
        outcome.points_possible = None if outcome.points_possible else top
        return f"outcome {outcome.id} of {outcome.points_possible}"

    def mend(self) -> str:
        """Outcomes and their scales are as they were at first: what was held can be sent again."""
        for outcome in self.school.world.outcomes.values():
            outcome.deleted = False
            outcome.points_possible = self.tops.get(outcome.id, outcome.points_possible)
        self.school.world.accounts[self.school.course.account_id].features.discard(r.ACCOUNT_SCALES)
        return "outcomes are mended"

    def account(self) -> str:
        """The account's own scale is switched on or off."""
        if not self.may_change_scales() or self.rng.random() < 0.7:
            return ""
        account = self.school.world.accounts[self.school.course.account_id]
        account.proficiency = account.proficiency or default_proficiency()
        account.features ^= {r.ACCOUNT_SCALES}
        return f"account's scale {account.features}"

    def column(self) -> str:
        """A column is changed in Canvas, only where the tool has planned it before: what it expects is known."""
        targets = [
            row.target
            for row in Alignment.objects.filter(context=self.school.context).select_related("target")
            if row.expected_points is not None and row.target.assignment_id and self._live(row.target)
        ]
        if not targets:
            return ""
        target = self.rng.choice(targets)
        one = self.school.world.assignments[int(target.assignment_id)]
        kind = self.rng.randrange(9)
        if kind <= 1:
            one.published = not one.published
        elif kind == 2:
            one.closed_period = not one.closed_period
        elif kind == 3:
            one.points_possible = Decimal(self.rng.choice(POINTS)) if one.points_possible else Decimal(1)
        elif kind == 4:
            one.name = f"Renamed {self.rng.randrange(1000)}"
        elif kind == 5:
            one.moderated = not one.moderated
        elif kind == 8:
            one.group_category_id = None if one.group_category_id and self.rng.random() < 0.6 else 9001
            one.grade_individually = self.rng.random() < 0.4
        elif kind == 6 and self.rng.random() < 0.4:
            one.deleted = True
            for item in self.school.world.line_items.values():
                item.deleted = item.deleted or item.assignment_id == one.id
        else:
            one.only_visible_to_overrides = not one.only_visible_to_overrides
            one.assigned_user_ids = set(pupils(self.school.world)[self.rng.randrange(2) :][:2])
        return f"column {one.id} kind {kind}: {one}"

    def _live(self, target: Target) -> bool:
        found = self.school.world.assignments.get(int(target.assignment_id))
        return (
            found is not None and not found.deleted and bool(target.kind != "column" or target.line_item_url)
        )
