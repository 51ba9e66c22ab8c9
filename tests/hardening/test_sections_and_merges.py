"""Who sees only a part of the class, and who is two persons in Canvas's records: through the pages, from the first
look to the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from canvas import structure
from grading.services import sync, undo
from sandbox import records as r
from sandbox.world import World
from tests.alignments.classroom import connect
from tests.grading.desk import Desk, desk, plain
from tests.grading.school import LONG_AGO, School, connect_account, entry
from tests.people import launch_as

pytestmark = pytest.mark.django_db(transaction=True)

LENA = 17
"""Teaches section B of two: 1002 (in both), 1004, 1005 and 1006; 1001 has left it for A; 1003 was never in it."""
MODELS = "1.1 Linear models"
BULK = "*/submissions/update_grades"


def grades(world: World) -> dict[int, Decimal]:
    """What the gradebook holds in the column of the first outcome."""
    [column] = [one.id for one in world.assignments.values() if one.name == MODELS]
    return {
        user: found.score
        for (assignment, user), found in world.submissions.items()
        if assignment == column and found.score is not None
    }


def lena(client: Client) -> Any:
    return desk(client, "two-sections", user=LENA, connected=False)


def enter(at: Desk) -> None:
    connect(at.room.opened, at.room.world, LENA)


def before_bulk(world: World, happens: Callable[[], None]) -> None:
    """Something happens in Canvas right before its next bulk write."""
    take = world.faults.take

    def taken(method: str, path: str) -> Any:
        if method == "POST" and path.endswith(BULK.strip("*")):
            happens()
        return take(method, path)

    world.faults.take = taken  # type: ignore[method-assign]  # a moment no switch can hit


def test_a_teacher_of_one_section_previews_and_sends_that_section(client: Client) -> None:
    with lena(client) as at:
        enter(at)
        assert "You see the students of your own sections only." in plain(at.room.text("/course/"))
        page = at.preview(601)
        assert {cell.user for cell in at.cells()} == {"1001", "1002", "1004", "1005", "1006"}
        assert "are not shown" not in page and "Marchetti" not in page
        report = at.send()
        assert "2 grades are in the gradebook." in report and "Marchetti" not in report
        assert grades(at.room.world) == {1002: 1, 1004: 1}


def test_who_sees_the_whole_class_reads_no_such_note(client: Client) -> None:
    with desk(client, "two-sections") as at:
        assert "own sections only" not in plain(at.room.text("/course/"))
        at.preview(601)
        assert "1003" in {cell.user for cell in at.cells()}


def test_a_student_who_leaves_the_section_while_it_is_written(client: Client) -> None:
    """The others get their grades; of this one the report says what Canvas says, and what that may mean."""
    with lena(client) as at:
        enter(at)
        at.preview(601)
        world = at.room.world
        [place] = [one for one in world.enrollments.values() if (one.user_id, one.section_id) == (1004, 702)]
        before_bulk(world, lambda: setattr(place, "section_id", 701))
        report = at.send()
        assert "Canvas found no such student among those the connected account may grade" in report
        assert "are in a section it does not see" in report
        assert grades(world) == {1002: 1}


def test_own_calculations_of_one_section_are_of_that_section(school: School) -> None:
    """Canvas tells this account everybody's results, as it does everybody's mastery."""
    section = school.world.add_section(school.course.id, "Section B", 702)
    for user in (1001, 1002, 12):
        school.enrollment(user).section_id = section.id
    school.enrollment(12).limit_privileges = True
    school.account.delete()
    connect_account(school.server, school.context, 12, at=LONG_AGO)
    school.align(entry(601, school.assignment(MODELS).id, calculation={"method": "highest"}))
    run = sync(school.context).run
    assert (
        sum(run.counts[name] for name in ("send", "skip", "conflict", "blocked") if name in run.counts) == 2
    )
    assert "no_enrolment" not in run.reasons and set(school.column(MODELS)) == {1001, 1002}


def test_an_account_that_may_no_longer_grade_writes_nothing(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B94, where Canvas says it with the course: nothing is even tried."""
    parse = structure.parse_course
    monkeypatch.setattr(structure, "parse_course", lambda row: replace(parse(row), may_grade=False))
    school.align(entry(601, "Models"), entry(601, school.assignment(MODELS).id))
    run = sync(school.context).run
    assert (run.outcome, (run.error or {})["code"], school.writes()) == ("stopped", "no_permission", 0)


def merge(world: World, gone: int, stays: int) -> None:
    """As Canvas does it (lib/user_merge.rb): what the one has becomes the other's, where that has nothing there."""
    with world.lock:
        world.users[gone].merged_into = stays
        world.users[stays].past_lti_ids.append(world.users[gone].lti_id)
        held = {(one.course_id, one.section_id, one.type) for one in _enrolments(world, stays)}
        for one in _enrolments(world, gone):
            if (one.course_id, one.section_id, one.type) in held:
                one.state = "deleted"
            one.user_id = stays
        for result in world.results.values():
            result.user_id = stays if result.user_id == gone else result.user_id
        for key in [key for key in world.submissions if key[1] == gone]:
            mine = world.submissions.get((key[0], stays))
            if mine is None or mine.score is None:
                moved = world.submissions.pop(key)
                moved.user_id = stays
                world.submissions[key[0], stays] = moved


def _enrolments(world: World, user: int) -> list[r.Enrollment]:
    return [one for one in world.enrollments.values() if one.user_id == user]


@pytest.mark.parametrize("column", ["Models", MODELS])
def test_of_two_merged_students_the_one_that_is_left_has_one_grade(school: School, column: str) -> None:
    """1005 has no evidence, and gets that of 1002 with the grade this tool wrote. Nothing is written twice. Where the
    rule gives another grade later, a column of ours still shows who graded; in one of the teacher's the cell is not
    known as ours any more, and it is they who decide."""
    school.align(entry(601, column if column == "Models" else school.assignment(column).id))
    sync(school.context)
    assert school.column(column) == {1001: "1", 1002: "1", 1003: "0", 1004: "1"}
    merge(school.world, 1002, 1005)
    after = {1001: "1", 1003: "0", 1004: "1", 1005: "1"}
    run = sync(school.context).run
    assert (run.outcome, run.requests["write"]) == ("done", 0)
    assert {user: grade for user, grade in school.column(column).items() if user != 1002} == after
    school.forget_evidence(1005)
    school.assess(1005, 601, "1")
    run = sync(school.context).run
    if column == "Models":
        assert school.cell(column, 1005) == "0"
    else:
        assert run.requests["write"] == 0 and run.reasons["graded_by_person"] == 1


def test_an_undo_after_a_merge_leaves_what_it_does_not_know(school: School) -> None:
    school.align(entry(601, school.assignment(MODELS).id))
    sync(school.context)
    merge(school.world, 1002, 1005)
    undone = undo(school.context, started_by="command")
    assert undone.counts["restored"] == 3 and undone.counts["kept"] + undone.counts["refused"] == 1
    assert school.column(MODELS) == {1005: "1"}


def test_a_teacher_who_was_merged_connects_again_and_the_night_goes_on(
    client: Client, school: School
) -> None:
    """Canvas keeps the token and gives it to the one that is left; the pages know people by their number."""
    world = school.world
    one = world.add_user("Tess of tomorrow", 9_011)
    merge(world, int(school.account.canvas_user_id), one.id)
    school.align(entry(601, school.assignment(MODELS).id))
    assert sync(school.context).run.outcome == "done"
    assert set(school.column(MODELS)) == {1001, 1002, 1003, 1004}


def test_people_are_known_by_number_whichever_name_the_launch_has(client: Client) -> None:
    """Canvas goes on sending a merged person's old `sub` in courses of the past (`lookup_lti_id`)."""
    with desk(client) as at:
        assert "Connected." in plain(at.room.text("/course/"))
        for sub in ("a-sub-of-the-past", "another"):
            again = Client()
            platform = at.room.opened.platform
            seen = launch_as(again, platform=platform, context="c101", user="u11", claims={"sub": sub})
            assert "Connected." in plain(again.get("/course/", **seen.headers).content.decode())
        other = launch_as(Client(), platform=platform, context="c101", user="u12", claims={"sub": "u11"})
        assert "Connected." not in plain(client.get("/course/", **other.headers).content.decode())
