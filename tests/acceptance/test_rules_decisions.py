"""Who may write over what: every protection and direction of interface 5.5, from both doors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest
from django.test import Client

from sandbox import records as r
from sandbox.grading import Grade, grade_student
from sandbox.scenarios.base import TEACHER_ID, TERM_START
from sandbox.world import World
from tests.acceptance.rule_decisions import DIRECTION, OVERWRITE, STORIES
from tests.acceptance.rule_doors import DOORS, FIRST_STUDENT, Case, opened, staged, synced
from tests.acceptance.rule_examples import PROPORTIONAL, Example

pytestmark = pytest.mark.django_db(transaction=True)

OTHERWISE = ("leave", "zero", "excuse", "clear")
DRY = ("--dry-run", "--confirm-large")
PROTECTIONS = [
    Example(f"{otherwise} {overwrite} {direction}", PROPORTIONAL, "A", {}, "4", more={
        "overwrite": overwrite, "direction": direction, "evidence": {"at_least": 1, "otherwise": otherwise},
    })
    for otherwise, overwrite, direction in product(OTHERWISE, OVERWRITE, DIRECTION)
]  # fmt: skip


def course() -> tuple[World, list[Case]]:
    """Every combination of protections, and a student for every story with the score they start from."""
    return staged(PROTECTIONS, [{"A": one.before} for one in STORIES])


def meanwhile(world: World, cases: Sequence[Case]) -> None:
    """What people do between the two syncs, in every column; then the new evidence."""
    world.advance(timedelta(seconds=2))
    for place, story in enumerate(STORIES):
        user = FIRST_STUDENT + place
        for case in cases:
            if story.person:
                grade_student(world, world.assignments[case.assignment], user, acted(world, story.person))
        mine = [one for one in world.results.values() if one.user_id == user]
        assess(world, mine, user, story.after)


def acted(world: World, what: str) -> Grade:
    """`clear`, `excuse`, `missing 0` (a grade without a grader), or the grade typed."""
    if what == "excuse":
        return Grade(None, TEACHER_ID, world.now(), excuse=True)
    if what.startswith("missing "):
        return Grade(what.removeprefix("missing "), None, world.now())
    return Grade("" if what == "clear" else what, TEACHER_ID, world.now())


def assess(world: World, mine: Sequence[r.OutcomeResult], user: int, score: str) -> None:
    """The student's one result becomes this score, or goes."""
    for one in mine:
        del world.results[one.id]
    if score != "-":
        work = next(one for one in world.assignments.values() if one.name == "Project")
        value, number = Decimal(score), world.new_id()
        at = TERM_START + timedelta(days=30)
        world.results[number] = r.OutcomeResult(
            number, work.course_id, user, 601, work.id, score=value, possible=Decimal(4), percent=value / 4,
            title="x, Project", submitted_at=at, assessed_at=at,
        )  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_every_protection(client: Client, tmp_path: Path, door: str) -> None:
    world, cases = course()
    with opened(client, world) as room:
        DOORS[door](room, cases, tmp_path)
        first, _ = synced(room)
        assert first["status"] == "done", first
        meanwhile(world, cases)
        usual, forced = synced(room, *DRY)[1], synced(room, *DRY, "--force-conflicts")[1]
    wrong = {}
    for case, (place, story) in product(cases, enumerate(STORIES)):
        otherwise, overwrite, direction = case.example.what.split()
        if otherwise != story.otherwise:
            continue
        key = case.assignment, str(FIRST_STUDENT + place)
        wanted = [story.reason(overwrite, direction, forced=force) for force in (False, True)]
        if (found := [usual[key]["reason"], forced[key]["reason"]]) != wanted:
            wrong[story.what, overwrite, direction] = (found, wanted)
    assert wrong == {}
