"""Take any guard out, and a test fails: first every condition of the pure decisions, then the services' guards."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from django.utils import timezone

from canvas.values import Cell
from grading import runs, services, writers
from grading.core.decide import is_pass_fail_value
from grading.core.plan import Choices, PlannedCell
from grading.models import Run, RunState
from grading.services import sync, undo
from tests.grading.school import School, entry
from tests.grading.test_decide import PLAIN, TABLE
from tests.grading.test_runs import approved, previewed
from tests.hardening import test_faults_between as between
from tests.hardening.mutants import built, mutants, source_of, without

WORK = "1.1 Linear models"
RIGHT = {1001: "1", 1002: "1", 1003: "0", 1004: "1"}

# The pure decisions: every condition, one at a time


def decides(module: ModuleType) -> bool:
    """Whether a copy of `grading.core.decide` gives the whole table."""
    for changes, allowed, expected in TABLE:
        at: Any = replace(PLAIN, **changes)  # type: ignore[arg-type]  # the table's own
        same = module.Situation(**{each.name: getattr(at, each.name) for each in fields(at)})
        try:
            verdict = module.decide_cell(same, allowed)
        except Exception:
            return False
        if f"{verdict.decision} {verdict.reason}" != expected:
            return False
    one, none = Decimal(1), Decimal(0)
    passes = [module.is_pass_fail_value(score, one) for score in (None, none, one, Decimal("0.5"))]
    return passes == [True, True, True, False]


def planned(**given: Any) -> PlannedCell:
    cell = PlannedCell(1, "9", "0.5", "1", "send", "graded", graded_at=None, grader_id="7")
    return replace(cell, **given)


def plans(module: ModuleType) -> bool:
    """Whether a copy of `grading.core.plan` guards what is large, holds what was held, and replaces what was chosen."""

    def plan(before: str | None, after: str, some: int, of: int) -> Any:
        cells = [module.PlannedCell(1, str(n), before, after, "send", "graded") for n in range(some)]
        rest = [module.PlannedCell(1, str(n), before, before, "unchanged", "same") for n in range(some, of)]
        return module.Plan((*cells, *rest))

    large = [("0.5", "0.1", 5, 24), ("0.5", "0.9", 5, 9)]
    small = [("0.5", "0.1", 4, 4), ("0.5", "0.1", 5, 25), ("0.5", "0.9", 5, 10), (None, "1", 50, 50)]
    guards = all(plan(*one).unsafe_reason() for one in large) and not any(
        plan(*one).unsafe_reason() for one in small
    )
    conflict = module.PlannedCell(
        1, "9", "1", "0", "conflict", "graded_by_person", if_forced=module.Verdict("send", "graded")
    )
    other = module.PlannedCell(2, "8", None, "1", "send", "graded")
    both = module.Plan((conflict, other))

    def told(choices: Choices) -> list[str]:
        return [cell.decision for cell in both.with_choices(choices).cells]

    key, second = frozenset({(1, "9")}), frozenset({(2, "8")})
    sends = [cell.key for cell in both.to_send()] == [(2, "8")]
    return (
        guards
        and sends
        and [
            told(module.Choices()),
            told(module.Choices(replace=key)),
            told(module.Choices(replace=key, hold=key)),
            told(module.Choices(hold=key | second)),
            told(module.Choices(hold_students=frozenset({"8"}))),
            told(module.Choices(hold_alignments=frozenset({2}))),
        ]
        == [["conflict", "send"], ["send", "send"], ["held", "send"], *[["conflict", "held"]] * 3]
    )


def keeps_books(module: ModuleType) -> bool:
    """Whether a copy of `grading.ledger` tells a cell that is as planned from one that somebody touched."""
    now = Cell("5", "9", Decimal("0.5"), False, "7", None)
    touched = [
        replace(now, entered_score=Decimal("0.6")),
        replace(now, grader_id="8"),
        replace(now, graded_at=timezone.now()),
        replace(now, excused=True),
        None,
    ]
    as_planned = module.is_as_planned_from(now, planned()) and not any(
        module.is_as_planned_from(one, planned()) for one in touched
    )
    there = [replace(now, entered_score=Decimal("1.00001")), now, None]
    return as_planned and [module.holds(one, planned()) for one in there] == [True, False, False]


HARMLESS = {
    "_target: without `at.wanted is None` in at.blocked or at.wanted is None": "missing only where a flag is set",
    "_evidence: without `at.wanted is None`": "the step before has answered then",
    "_is_lower: without": "whoever asks has looked whether there are two numbers",
    "_kind: never": "raises for a programmer, never for a cell",
    "after: ": "such a grade has no score, so it is no grade either way",
    "holds_policy_grade: without `cell is not None`": "asked of cells that exist",
    "holds_policy_grade: without `cell.entered_score is not None`": "an empty cell counts as empty anyway",
    "holds_policy_grade: without `not cell.excused`": "an excused cell has no score",
    "is_pass_fail_value: without `score is None`": "None equals no number",
    "is_pass_fail_value: opposite of score is None": "the same",
    "_chosen: without `cell.if_forced`": "then there is nothing to put in its place",
}
"""What may be taken out without effect, and why."""
CORES = {
    "grading.core.decide": (
        decides,
        {"after", "holds_policy_grade", "decide_cell", "_who", "_target", "_evidence", "_same", "_protected",
         "_would_lower", "_is_lower", "_kind", "is_pass_fail_value"},
    ),
    "grading.core.plan": (plans, {"unsafe_reason", "with_choices", "_chosen", "holds", "_is_large", "to_send"}),
    "grading.ledger": (keeps_books, {"is_as_planned_from", "holds"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CORES)
def test_every_condition_of_the_decision_is_held_by_a_check(name: str) -> None:
    check, functions = CORES[name]
    with built(name, source_of(name)) as whole:
        assert check(whole), "the checks hold for the program as it is"
    alive = []
    count = 0
    for label, text in mutants(name, functions):
        count += 1
        with built(name, text) as mutant:
            if _passes(check, mutant) and not any(label.startswith(known) for known in HARMLESS):
                alive.append(label)
    assert count >= 3 and not alive, f"{len(alive)} of {count} guards can go unnoticed: {alive}"


def _passes(check: Callable[[ModuleType], bool], mutant: ModuleType) -> bool:
    try:
        return check(mutant)
    except Exception:
        return False


def test_pass_fail_takes_all_or_nothing_only() -> None:
    assert not is_pass_fail_value(Decimal("0.5"), Decimal(1))


# The services' guards: each with the check that fails without it


@dataclass(frozen=True)
class Guard:
    """`where` is `module:function`; `line` in its source becomes `instead`; `seen_by` then no longer holds."""

    where: str
    line: str
    instead: str
    seen_by: Callable[[School, pytest.MonkeyPatch], None]


def one_column(school: School) -> None:
    school.align(entry(601, school.assignment(WORK).id))


def an_edit_after_the_preview_stays(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    run = approved(school)
    school.edit(WORK, 1001, "0.25")
    services.apply(run.pk)
    assert school.cell(WORK, 1001) == "0.25"


def changed_points_stop_it(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    run = approved(school)
    school.enrollment(1006).state = "completed"
    services.apply(run.pk)
    assert school.writes() == 0


def another_digest_is_refused(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    run = previewed(school)
    with pytest.raises(services.NotApprovable):
        services.approve(run, by="teacher 11", digest="0" * 64)


def a_large_change_is_asked_about(school: School, patch: pytest.MonkeyPatch) -> None:
    columns = [school.assignment(name).id for name in (WORK, "1.2 Systems of equations")]
    school.align(entry(601, columns[0]), entry(602, columns[1]))
    sync(school.context)
    lower = {"kind": "cutoff", "credit": "50%"}
    school.align(entry(601, columns[0], rule=lower), entry(602, columns[1], rule=lower))
    run = previewed(school)
    with pytest.raises(services.NotApprovable):
        services.approve(run, by="teacher 11", digest=run.digest)


def clocks_that_disagree_stop_it(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    school.world.advance(timedelta(hours=1))
    sync(school.context)
    assert school.writes() == 0


def columns_with_other_points_are_blocked(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    sync(school.context, dry_run=True)
    school.assignment(WORK).points_possible = Decimal(10)
    sync(school.context)
    assert school.writes() == 0


def a_page_that_is_lost_decides_nothing(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    sync(school.context)
    body = '{"rollups":[],"linked":{"outcomes":[],"users":[]},"meta":{"pagination":{"count":6}}}'
    school.world.faults.add("reply", path="*/outcome_rollups", count=None, status=200, body=body)
    assert sync(school.context).run.outcome == "stopped"


def a_lost_lease_turns_back_at_the_fence(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    run = approved(school)
    patch.setattr(runs, "SURE_SECONDS", 0.0)
    post_job = writers.post_job

    def after_another_took_over(*given: Any) -> Any:
        Run.objects.filter(pk=run.pk).update(lease="another")
        return post_job(*given)

    patch.setattr(writers, "post_job", after_another_took_over)
    services.apply(run.pk)
    assert school.writes() == 0


def a_run_that_is_being_sent_is_nobody_elses(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    run = approved(school)
    assert runs.take_lease(run.pk, timezone.now()) is not None
    assert runs.take_lease(run.pk, timezone.now()) is None


def a_second_run_is_refused(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    approved(school)
    with pytest.raises(services.RunAlreadyOpen):
        previewed(school)


def a_column_is_made_once(school: School, patch: pytest.MonkeyPatch) -> None:
    school.align(entry(601, "Models"))
    school.world.faults.add("error_after", method="POST", path="*/line_items", count=1)
    sync(school.context)
    assert len(school.world.line_items) == 1


def what_canvas_did_not_write_is_not_called_written(school: School, patch: pytest.MonkeyPatch) -> None:
    school.align(entry(601, "Models"))
    school.world.faults.add("reply", method="POST", path="*/scores", count=1, status=200, body="{}")
    assert sync(school.context).run.outcome == "partial"


def the_same_number_typed_is_a_persons(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    sync(school.context)
    school.edit(WORK, 1001, "0.4")
    school.edit(WORK, 1001, "1")
    school.forget_evidence(1001)
    school.assess(1001, 601, "1")
    assert sync(school.context).run.reasons.get("graded_by_person") == 1


def undo_keeps_the_same_number_typed_by_a_person(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    sync(school.context)
    school.edit(WORK, 1001, "0.4")
    school.edit(WORK, 1001, "1")
    undo(school.context, started_by="command")
    assert school.column(WORK) == {1001: "1"}


def no_score_adds_an_attempt(school: School, patch: pytest.MonkeyPatch) -> None:
    school.align(entry(601, "Models"))
    sync(school.context)
    assert all(not one.attempt for one in school.world.submissions.values())


def times_of_scores_only_grow(school: School, patch: pytest.MonkeyPatch) -> None:
    school.align(entry(601, "Models"))
    sync(school.context)
    first = school.target("Models").last_timestamp
    school.world.advance(timedelta(seconds=-100))
    school.assess(1005, 601, "4")
    sync(school.context)
    second = school.target("Models").last_timestamp
    assert first and second and second > first


def stop_is_heard(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    run = approved(school)
    services.request_stop(run)
    services.apply(run.pk)
    assert school.writes() == 0


def a_write_is_known_before_it_leaves(school: School, patch: pytest.MonkeyPatch) -> None:
    """Killed right after the write: our own grade is not taken for a person's."""
    one_column(school)

    class Killed(BaseException):
        pass

    def die(*given: Any, **more: Any) -> None:
        raise Killed

    with patch.context() as patched:
        patched.setattr("grading.sending.confirm", die)
        with pytest.raises(Killed):
            sync(school.context)
    Run.objects.filter(state=RunState.SENDING).update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    sync(school.context)
    school.forget_evidence(1001)
    school.assess(1001, 601, "1")
    assert sync(school.context).run.counts["conflict"] == 0


def an_unpublished_course_is_told(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    school.course.workflow_state = "claimed"
    sync(school.context)
    assert school.writes() == 0


def an_ended_course_is_left_alone(school: School, patch: pytest.MonkeyPatch) -> None:
    one_column(school)
    school.course.workflow_state = "completed"
    sync(school.context)
    assert school.writes() == 0


GUARDS = {
    "look again: cells": Guard(
        "grading.looking_again:still_as_planned",
        "on.assignment_id(planned) is None or is_as_planned_from(cell, planned)",
        "True",
        an_edit_after_the_preview_stays,
    ),
    "look again: in time": Guard(
        "grading.writing:_in_time",
        "if cell is None or is_as_planned_from(cell, planned):",
        "if True:",
        between.test_a_grade_given_while_many_are_sent_is_seen_before_its_turn,
    ),
    "fence: in time": Guard(
        "canvas.fencing:Fence.__call__",
        'if time.monotonic() > getattr(self._own, "moment", inf):',
        "if False:",
        lambda school, patch: between.test_a_grade_given_while_canvas_lets_us_wait_is_seen(
            school, patch, "Models", between.SCORES, False, "0.25"
        ),
    ),
    "fence: jobs in time": Guard(
        "grading.writers:_start_job",
        "with _in_turn(to, ledger, batch.until):\n            return to.rest.post_grades",
        "if True:\n            return to.rest.post_grades",
        lambda school, patch: between.test_a_grade_given_while_canvas_lets_us_wait_is_seen(
            school, patch, WORK, between.BULK, True, "0.25"
        ),
    ),
    "look again: outdated": Guard(
        "grading.looking_again:_can_be_written",
        "if cell.alignment in on.outdated:",
        "if False:",
        lambda school, _: between.test_a_run_taken_over_writes_nothing_into_a_target_chosen_since(school),
    ),
    "undo: only what is seen": Guard(
        "grading.undoing:Undoer._seen",
        "if not limited:",
        "if True:",
        lambda school, _: between.test_an_undo_by_an_account_of_one_section_leaves_the_rest_to_others(school),
    ),
    "look again: basis": Guard(
        "grading.looking_again:check_basis",
        "if what and not on.lease.was_broken_off:",
        "if False:",
        changed_points_stop_it,
    ),
    "approve: digest": Guard(
        "grading.approving:approve", "or locked.digest != digest", "", another_digest_is_refused
    ),
    "approve: large change": Guard(
        "grading.approving:approve",
        "if unsafe and not confirm_large:",
        "if False:",
        a_large_change_is_asked_about,
    ),
    "clocks": Guard(
        "grading.connection:check_clocks",
        "if abs(skew) > MOST_SKEW:",
        "if False:",
        clocks_that_disagree_stop_it,
    ),
    "points": Guard(
        "grading.core.columns:blocked_reason",
        "if expected is not None and not same_points(points, expected):",
        "if False:",
        columns_with_other_points_are_blocked,
    ),
    "whole reads": Guard(
        "canvas.outcomes:_Rows.check_count",
        "if self.counts and len(self.scores) < max(self.counts):",
        "if False:",
        a_page_that_is_lost_decides_nothing,
    ),
    "fence": Guard(
        "grading.runs:Lease.fence",
        "if time.monotonic() - self.seen_at > SURE_SECONDS:",
        "if False:",
        a_lost_lease_turns_back_at_the_fence,
    ),
    "lease": Guard(
        "grading.runs:take_lease",
        "if run.state == RunState.SENDING and not (is_stale or left):",
        "if False:",
        a_run_that_is_being_sent_is_nobody_elses,
    ),
    "one run": Guard(
        "grading.runs:_give_way",
        "raise RunAlreadyOpen(busy)",
        "Run.objects.filter(pk=busy.pk).update(state=RunState.FINISHED)",
        a_second_run_is_refused,
    ),
    "one column": Guard(
        "grading.making:find_or_create", "if found is not None:", "if False:", a_column_is_made_once
    ),
    "read back": Guard(
        "grading.reading_back:_settle",
        "if cell is not None and holds(cell, planned) and not theirs:",
        "if cell is not None:",
        what_canvas_did_not_write_is_not_called_written,
    ),
    "fingerprint: time": Guard(
        "grading.fingerprints:Tagger.state_of",
        'at = graded_at.isoformat() if graded_at else ""',
        'at = ""',
        the_same_number_typed_is_a_persons,
    ),
    "undo: only ours": Guard(
        "grading.undoing:Undoer._as_we_left",
        "if cell is not None and ours and same_grade(text, entry.after):",
        "if cell is not None and same_grade(text, entry.after):",
        undo_keeps_the_same_number_typed_by_a_person,
    ),
    "no attempt": Guard("canvas.scores:score_body", ", SYNC]", "]", no_score_adds_an_attempt),
    "times": Guard(
        "grading.making:stamp",
        "if last is not None:",
        "if False:",
        times_of_scores_only_grow,
    ),
    "stop": Guard(
        "grading.delivery:Delivery.between_batches",
        "if self.lease.stop_requested:",
        "if False:",
        stop_is_heard,
    ),
    "intention": Guard(
        "grading.delivery:Delivery.intend",
        "fingerprints.remember_intentions(*where, grades, now)",
        "pass",
        a_write_is_known_before_it_leaves,
    ),
    "ended course": Guard(
        "grading.preparing:plan_course",
        "if reading.course.concluded and reading.course.may_grade is not True and prepared.plan.to_send():",
        "if False:",
        an_ended_course_is_left_alone,
    ),
    "unpublished course": Guard(
        "grading.preparing:plan_course",
        'if reading.course.workflow_state == "unpublished" and prepared.plan.cells:',
        "if False:",
        an_unpublished_course_is_told,
    ),
}


COMMITTED = {"fence"}
"""Where a helper thread has to see the run."""
each_guard = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.django_db(transaction=True)] if name in COMMITTED else [])
        for name in GUARDS
    ],
)


@each_guard
def test_the_guard_is_there_and_seen(school: School, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With it the check holds."""
    GUARDS[name].seen_by(school, monkeypatch)


@each_guard
def test_without_the_guard_its_check_fails(
    school: School, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    guard = GUARDS[name]
    module, _, path = guard.where.partition(":")
    with built(module, without(module, guard.line, guard.instead)) as mutant:
        monkeypatch.setattr(_at(sys.modules[module], path), "__code__", _at(mutant, path).__code__)
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            guard.seen_by(school, monkeypatch)


def _at(module: ModuleType, path: str) -> Any:
    found: Any = module
    for name in path.split("."):
        found = getattr(found, name)
    return found
