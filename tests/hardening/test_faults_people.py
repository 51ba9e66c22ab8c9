"""The fault matrix, people and content (F30 to F48, F52): who comes, goes and edits, and what Canvas holds by then."""

from __future__ import annotations

import itertools
import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from grading import services, writers
from grading.connection import connect
from grading.services import sync, undo
from lti_tool.errors import Refused
from sandbox import records as r
from sandbox.scenarios.base import TA_ID
from tests.grading.school import LONG_AGO, School, connect_account, entry
from tests.grading.test_runs import approved

SCORES, BULK = "*/scores", "*/submissions/update_grades"
WORK, OTHER = "1.1 Linear models", "1.2 Systems of equations"
RIGHT = {1001: "1", 1002: "1", 1003: "0", 1004: "1"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grading.writers.time.sleep", lambda seconds: None)


def both_ways(school: School) -> None:
    school.align(entry(601, "Models"), entry(601, school.assignment(WORK).id))


def before_call(school: School, path: str, happens: Any, nth: int = 1) -> None:
    """Something happens in Canvas right before its `nth` call to `path` is answered. Those that come meanwhile wait:
    nothing is answered after that call and before what happens."""
    take, calls, one_at_a_time = school.world.faults.take, itertools.count(1), threading.Lock()

    def taken(method: str, given: str) -> Any:
        if path.strip("*") in given and method != "GET":
            with one_at_a_time:
                if next(calls) == nth:
                    happens()
        return take(method, given)

    school.world.faults.take = taken  # type: ignore[method-assign]  # a moment no switch can hit


@pytest.mark.parametrize("column", ["Models", WORK])
def test_f30_f31_edited_while_it_is_written(school: School, column: str) -> None:
    """A person's first grade in a column of ours makes Canvas refuse ours; in the bulk job's window it is seen."""
    both_ways(school)
    sync(school.context)
    for user in (1005, 1006):
        school.assess(user, 601, "4")
    path = SCORES if column == "Models" else BULK
    before_call(school, path, lambda: school.edit(column, 1005, "0.3"))
    run = sync(school.context).run
    assert run.outcome == "done"
    if column == "Models":
        assert school.cell(column, 1005) == "0.3" and run.reasons["changed_since_preview"] == 1
        assert sync(school.context).run.reasons["graded_by_person"] == 1


def test_f33_a_late_deduction_is_not_corrected_night_after_night(school: School) -> None:
    school.course.late_policy = r.LatePolicy(Decimal(20))
    column = school.assignment(WORK)
    column.submission_types, column.due_at = ["online_text_entry"], LONG_AGO
    work = school.world.submission(column, 1001)
    work.attempt, work.submitted_at = 1, LONG_AGO + timedelta(hours=5)
    school.align(entry(601, column.id))
    assert sync(school.context).run.outcome == "done"
    assert (work.entered_score, work.score) == (1, Decimal("0.8"))
    for _ in range(3):
        assert sync(school.context).run.requests["write"] == 0


def test_f34_nothing_but_cells_columns_and_tokens_is_ever_written(school: School) -> None:
    """A final grade typed over the total is no cell: nothing the tool sends could reach it."""
    both_ways(school)
    sync(school.context)
    undo(school.context, started_by="command")
    calls = (
        *school.world.calls.all("POST"),
        *school.world.calls.all("PUT"),
        *school.world.calls.all("DELETE"),
    )
    assert {call.path.rpartition("/")[2] for call in calls} == {
        "token",
        "line_items",
        "scores",
        "update_grades",
    }


def test_f38_two_users_are_merged_while_scores_are_sent(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The score meant for the one lands on the other: seen by reading back, and put right by the next sync."""
    school.align(entry(601, "Models"))
    # One after the other: the score of 1001 is there already when the one of 1003 comes.
    monkeypatch.setattr(writers, "SCORES_A_BATCH", 1)
    monkeypatch.setattr(writers, "SCORES_AHEAD", 0)

    def merge() -> None:
        school.world.users[1003].merged_into = 1001
        school.enrollment(1003).state = "deleted"
        school.forget_evidence(1003)

    before_call(school, SCORES, merge, nth=3)
    first = sync(school.context)
    assert first.run.counts["conflict"] >= 1 and school.cell("Models", 1001) == "0"
    assert "1001" not in {cell.user for cell in first.cells if cell.decision == "send"}
    assert sync(school.context).run.outcome == "done"
    assert school.column("Models") == {1001: "1", 1002: "1", 1004: "1"}
    assert sync(school.context).run.requests["write"] == 0


def test_f35_f36_one_leaves_and_one_comes_between_plan_and_writing(school: School) -> None:
    both_ways(school)
    before_call(school, "*/line_items", lambda: setattr(school.enrollment(1002), "state", "completed"))
    run = sync(school.context).run
    assert run.outcome == "partial"
    assert [problem["code"] for problem in run.problems] == ["not_a_student"] * 2
    assert school.column("Models").keys() == {1001, 1003, 1004} == school.column(WORK).keys()
    newcomer = school.world.add_user("New Comer", 1050)
    section = next(iter(school.world.sections.values()))
    school.world.enroll(newcomer, section, r.STUDENT)
    school.assess(1050, 601, "4")
    assert sync(school.context).run.counts["send"] == 2
    assert school.cell(WORK, 1050) == "1"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            422,
            '{"errors":{"type":"x","message":"This course has concluded. AGS requests will no longer be accepted"}}',
        ),
        (404, '{"errors":{"type":"not_found","message":"The specified resource does not exist."}}'),
    ],
)
def test_f39_the_course_ends_while_scores_are_sent(school: School, status: int, body: str) -> None:
    """Newer Canvas says so; older says that there is nothing: both stop the run with that reason, once."""
    both_ways(school)
    sync(school.context)
    for user in (1005, 1006):
        school.assess(user, 601, "4")
    school.world.faults.add("reply", method="POST", path=SCORES, count=None, status=status, body=body)
    before_call(school, SCORES, lambda: setattr(school.course, "workflow_state", "completed"))
    run = sync(school.context).run
    assert run.error is not None and (run.outcome, run.error["code"]) == ("stopped", "concluded")
    assert run.error["detail"].count("Reopen the course") == 1
    writes = school.writes()
    for _ in range(2):
        sync(school.context)
    assert school.writes() == writes, "a course that has ended is left in peace"


@pytest.mark.parametrize(
    "change",
    [
        {"published": False},
        {"deleted": True},
        {"points_possible": Decimal(10)},
        {"points_possible": Decimal(0)},
        {"grading_type": "not_graded"},
        {"group_category_id": 5},
    ],
    ids=lambda change: " ".join(change),
)
@pytest.mark.parametrize("column", ["Models", WORK])
def test_f40_a_column_that_changed_gets_nothing_and_the_other_goes_on(
    school: School, column: str, change: dict[str, Any]
) -> None:
    both_ways(school)
    sync(school.context)
    for user in (1005, 1006):
        school.assess(user, 601, "4")
    held = school.assignment(column)
    before = school.column(column)
    for name, value in change.items():
        setattr(held, name, value)
    run = sync(school.context).run
    assert (run.outcome, run.counts["send"]) == ("partial", 2)
    cells = {user: one for (work, user), one in school.world.submissions.items() if work == held.id}
    assert all(str(cells[user].entered_score) == text for user, text in before.items())
    assert cells.keys() & {1005, 1006} == set() or all(cells[u].entered_score is None for u in (1005, 1006))


def delete_course(school: School) -> None:
    school.course.workflow_state = "deleted"


@pytest.mark.parametrize("read", ["enrollments", "assignments", "students/submissions"])
def test_f40_a_course_deleted_between_preview_and_sending(school: School, read: str) -> None:
    """Whichever read meets it first, the reason names the course and nothing is written."""
    if read != "enrollments":
        both_ways(school)
    run = approved(school)
    when_read(school, f"/courses/{school.course.id}/{read}", lambda: delete_course(school))
    result = services.apply(run.pk)
    assert result is not None and (result.run.outcome, school.writes()) == ("stopped", 0)
    assert result.run.error is not None and result.run.error["code"] == "course_gone"


@pytest.mark.parametrize("path", [SCORES, BULK])
def test_f40_a_course_deleted_while_it_is_sent(school: School, path: str) -> None:
    school.align(entry(601, "Models" if path == SCORES else school.assignment(WORK).id))
    before_call(school, path, lambda: delete_course(school))
    run = sync(school.context).run
    assert run.error is not None and (run.outcome, run.error["code"]) == ("stopped", "course_gone")
    assert run.counts["send"] == 0


@pytest.mark.parametrize("later", [True, False])
def test_f40_a_course_deleted_before_it_is_taken_back(school: School, later: bool) -> None:
    both_ways(school)
    sync(school.context)
    if later:
        when_read(school, "/students/submissions", lambda: delete_course(school))
    else:
        delete_course(school)
    undone = undo(school.context, started_by="command")
    assert (undone.run.error or {}).get("code") == "course_gone" and undone.counts["restored"] == 0


def when_read(school: School, path: str, happens: Any) -> None:
    """Something happens in Canvas right before its first read of `path` is answered."""
    take, reads, one_at_a_time = school.world.faults.take, itertools.count(1), threading.Lock()

    def taken(method: str, given: str) -> Any:
        if method == "GET" and given.endswith(path):
            with one_at_a_time:
                if next(reads) == 1:
                    happens()
        return take(method, given)

    school.world.faults.take = taken  # type: ignore[method-assign]  # a moment no switch can hit


def test_f41_an_assignment_of_the_same_name_is_not_taken_for_the_old_one(school: School) -> None:
    both_ways(school)
    sync(school.context)
    old = school.assignment(WORK)
    old.deleted = True
    new = school.world.add_assignment(school.course.id, WORK, Decimal(1))
    run = sync(school.context).run
    assert (run.outcome, school.column(WORK)) == ("partial", {})
    assert (new.id, 1001) not in school.world.submissions


def test_f42_an_outcome_that_is_gone_or_another_scale_holds_its_cells(school: School) -> None:
    both_ways(school)
    sync(school.context)
    before = school.column(WORK)
    school.world.outcomes[601].title = "Renamed"
    assert sync(school.context).run.counts["send"] == 0
    school.world.outcomes[601].ratings = [("Great", Decimal(10)), ("Poor", Decimal(0))]
    school.world.outcomes[601].points_possible = Decimal(10)
    assert sync(school.context).run.counts["send"] == 0
    assert school.column(WORK) == before


@pytest.mark.parametrize("score", ["null", "-1", "7", "1e308", "2.999999999999999999999999999999"])
def test_f43_odd_scores_are_finite_and_within_the_column_or_not_sent(school: School, score: str) -> None:
    school.align(entry(601, "Models", rule={"kind": "proportional"}, points="4"))
    page = (
        '{"rollups":[{"links":{"user":"1001","section":"701"},"scores":[{"score":SCORE,"links":{"outcome":"601"}}]}],'
        '"linked":{"outcomes":[{"id":601,"title":"1.1 Linear models","points_possible":4,"mastery_points":3,'
        '"ratings":[{"points":4},{"points":0}]}],"users":[{"id":"1001"}],"outcome_groups":[],"outcome_links":[]},'
        '"meta":{"pagination":{"count":1}}}'
    ).replace("SCORE", score)
    school.world.faults.add("reply", path="*/outcome_rollups", count=None, status=200, body=page)
    sync(school.context)
    sent = [one.entered_score for one in school.world.submissions.values() if one.entered_score is not None]
    # A score above its scale is a grade above it (docs/rules.md); below 0 counts as 0.
    assert all(0 <= one <= 7 for one in sent)


def test_f44_everybodys_evidence_gone_lowers_nothing(school: School) -> None:
    both_ways(school)
    sync(school.context)
    school.world.results.clear()
    run = sync(school.context).run
    assert (run.counts["send"], run.reasons["evidence_gone"]) == (0, 8)
    assert school.column(WORK) == RIGHT == school.column("Models")


def test_f46_an_account_of_one_section_leaves_the_other_alone(school: School) -> None:
    both_ways(school)
    sync(school.context)
    section = school.world.add_section(school.course.id, "Section B", 702)
    for user in (1003, 1004):
        school.enrollment(user).section_id = section.id
    limited = next(e for e in school.world.enrollments.values() if e.user_id == TA_ID)
    limited.limit_privileges = True
    connect_account(school.server, school.context, TA_ID, at=LONG_AGO + timedelta(days=1))
    before, writes = school.column(WORK), school.writes()
    run = sync(school.context).run
    assert run.counts["send"] == 0 and school.writes() == writes
    assert school.column(WORK) == before == school.column("Models")


def test_f52_a_score_that_comes_late_is_refused_and_the_newer_stays(school: School) -> None:
    both_ways(school)
    sync(school.context)
    first = school.target("Models").last_timestamp
    for days in (60, 61, 62):
        school.assess(1003, 601, "4", days=days)
    sync(school.context)
    target = school.target("Models")
    assert first and school.cell("Models", 1003) == "1"
    to = connect(school.context, school.account)
    with pytest.raises(Refused) as late:
        to.ags.post_score(target.line_item_url, "1003", Decimal(0), Decimal(1), first)
    assert late.value.code == "superseded" and school.cell("Models", 1003) == "1"


def test_f64_one_switch_stops_and_undo_takes_back(school: School) -> None:
    both_ways(school)
    run = approved(school)
    services.request_stop(run)
    services.apply(run.pk)
    assert school.writes() == 0
    sync(school.context)
    assert undo(school.context, started_by="command").counts == {"restored": 8, "kept": 0, "refused": 0}
    assert school.column(WORK) == {} == school.column("Models")


@pytest.mark.parametrize("kind", ["error_before", "error_after"])
@pytest.mark.parametrize("path", [SCORES, BULK])
def test_f67_an_undo_that_met_a_fault_says_so_and_is_finished_by_the_next(
    school: School, kind: str, path: str
) -> None:
    both_ways(school)
    sync(school.context)
    school.world.faults.add(kind, method="POST", path=path, count=1)
    first = undo(school.context, started_by="command")
    assert first.counts["kept"] == 0
    if first.counts["refused"]:
        assert first.run.outcome == "partial"
        assert undo(school.context, started_by="command").run.outcome == "done"
    else:
        assert first.run.outcome == "done"
    assert school.column(WORK) == {} == school.column("Models")
    with pytest.raises(services.NothingToUndo):
        undo(school.context, started_by="command")


def test_f67_an_undo_in_a_course_that_has_ended(school: School) -> None:
    both_ways(school)
    sync(school.context)
    school.course.workflow_state = "completed"
    undone = undo(school.context, started_by="command")
    assert undone.run.outcome in {"stopped", "partial"} and undone.counts["restored"] == 0
    assert school.column(WORK) == RIGHT
    school.course.workflow_state = "available"
    assert undo(school.context, started_by="command").run.outcome == "done"
    assert school.column(WORK) == {}


# Beside the matrix: rows 45, 60 and 61 of the features


def test_a_large_class_goes_in_several_jobs(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "GRADES_A_JOB", 3)
    school.align(entry(601, school.assignment(WORK).id))
    assert sync(school.context).run.outcome == "done"
    assert school.column(WORK) == RIGHT
    assert school.world.calls.count("POST", BULK) == 2


def test_one_student_or_one_section_is_synced(school: School) -> None:
    both_ways(school)
    section = school.world.add_section(school.course.id, "Section B", 702)
    for user in (1003, 1004):
        school.enrollment(user).section_id = section.id
    first = sync(school.context, only=services.Only(students=frozenset({"1001"}))).run
    assert (first.counts["send"], first.reasons["not_chosen"]) == (2, 6)
    assert school.column(WORK) == {1001: "1"}
    assert sync(school.context, only=services.Only(sections=frozenset({"702"}))).run.counts["send"] == 4
    assert school.column(WORK) == {1001: "1", 1003: "0", 1004: "1"}
    assert sync(school.context).run.counts["send"] == 2


@pytest.mark.parametrize("column", ["Models", WORK])
def test_hidden_stays_hidden_and_no_label_appears(school: School, column: str) -> None:
    """Manual posting keeps grades from students until a person posts them; nobody becomes late or missing."""
    both_ways(school)
    sync(school.context)
    held = school.assignment(column)
    held.post_manually, held.due_at = True, LONG_AGO
    school.assess(1005, 601, "4")
    sync(school.context)
    cell = school.world.submission(held, 1005)
    assert (cell.entered_score, cell.posted_at) == (1, None)
    assert (cell.attempt or 0, cell.submitted_at, cell.late_policy_status, cell.comments) == (
        0,
        None,
        None,
        [],
    )
    assert timezone.now() > LONG_AGO
