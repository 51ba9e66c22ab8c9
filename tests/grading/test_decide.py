"""Steps 0 to 10 of the decision as a table, then their promises for any cell at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignments.core.rules import Wanted
from canvas.values import Cell
from grading.core.decide import Ownership, Permission, Situation, decide_cell
from grading.core.grades import EXCUSED, same_grade

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OURS = Ownership(ours=True, written_before=True)
BEFORE = Ownership(ours=False, written_before=True)
NEVER = Ownership()
FORCED = Permission(forced=True, approved=True)
READ = Permission(approved=True)
NOBODY = Permission()


def cell(score: str | None = None, *, excused: bool = False, grader: str | None = "7") -> Cell:
    number = Decimal(score) if score is not None else None
    return Cell("5", "9", number, excused, grader, NOW)


def graded(score: str = "1") -> Wanted:
    return Wanted("graded", Decimal(score), 1)


NOT_ENOUGH, NONE = Wanted("not_enough", None, 1), Wanted("not_enough", None, 0)
ZERO, EXCUSE, CLEAR = Wanted("zeroed", Decimal(0), 0), Wanted("excused", None, 0), Wanted("cleared", None, 0)
EMPTY, EX = cell(grader=None), cell(excused=True)
POLICY = cell("0", grader=None)
PLAIN = Situation(True, True, EMPTY, graded(), False, False, False, NEVER, "ours", "both")

TABLE = [
    # Who, and steps 0 and 1
    ({"is_student": False, "assigned": False, "broken": True}, NOBODY, "held not_a_student"),
    ({"assigned": False, "cell": None, "broken": True}, NOBODY, "held not_assigned"),
    ({"broken": True, "blocked": True, "wanted": None}, NOBODY, "held broken_alignment"),
    ({"blocked": True, "wanted": NONE}, FORCED, "held column_blocked"),
    ({"not_assessed": True}, FORCED, "held not_assessed"),
    # Step 2
    ({"wanted": NOT_ENOUGH, "cell": cell("1"), "ownership": OURS}, NOBODY, "held evidence_gone"),
    ({"wanted": NONE, "cell": EX, "ownership": OURS}, NOBODY, "held evidence_gone"),
    ({"wanted": NONE, "cell": cell("1")}, NOBODY, "held no_evidence"),
    ({"wanted": NOT_ENOUGH}, NOBODY, "held too_little_evidence"),
    ({"wanted": NONE, "ownership": OURS}, NOBODY, "held no_evidence"),
    # Step 3
    ({"cell": cell("1.00004")}, NOBODY, "unchanged same"),
    ({"cell": cell("1.00005")}, NOBODY, "conflict graded_by_person"),
    ({"cell": EX, "wanted": EXCUSE}, NOBODY, "unchanged same"),
    ({"wanted": CLEAR, "closed": True, "ownership": BEFORE}, NOBODY, "unchanged same"),
    ({"cell": POLICY, "wanted": ZERO}, NOBODY, "unchanged same"),
    # Step 4 and 5
    ({"cell": EX, "closed": True}, NOBODY, "conflict excused_by_person"),
    ({"cell": EX, "overwrite": "empty"}, NOBODY, "conflict excused_by_person"),
    ({"cell": EX, "overwrite": "all"}, READ, "conflict excused_by_person"),
    ({"cell": EX, "closed": True}, FORCED, "conflict closed_period"),
    ({"cell": EX}, FORCED, "send graded"),
    ({"cell": EX, "overwrite": "empty"}, FORCED, "held already_graded"),
    # A score the policy left under an excuse makes no empty cell of it.
    ({"cell": cell("0", excused=True, grader=None), "overwrite": "empty"}, FORCED, "held already_graded"),
    ({"closed": True}, FORCED, "conflict closed_period"),
    ({"cell": cell("0"), "closed": True, "overwrite": "empty"}, NOBODY, "conflict closed_period"),
    # Step 6
    ({"cell": cell("0"), "overwrite": "empty"}, FORCED, "held already_graded"),
    ({"cell": cell("0")}, READ, "conflict graded_by_person"),
    ({"cell": cell("0")}, FORCED, "send graded"),
    ({"cell": cell("0"), "overwrite": "all"}, READ, "send graded"),
    ({"cell": cell("0"), "overwrite": "all"}, NOBODY, "conflict graded_by_person"),
    ({"cell": cell("0"), "ownership": BEFORE}, NOBODY, "conflict graded_by_person"),
    ({"cell": cell("0", grader="-3")}, NOBODY, "conflict graded_by_person"),
    # Step 7
    ({"ownership": BEFORE}, NOBODY, "conflict cleared_by_person"),
    ({"ownership": BEFORE, "overwrite": "empty"}, NOBODY, "conflict cleared_by_person"),
    ({"ownership": BEFORE, "cell": POLICY}, NOBODY, "conflict cleared_by_person"),
    ({"ownership": BEFORE}, FORCED, "send graded"),
    ({"ownership": OURS}, NOBODY, "send graded"),
    # Step 8
    ({"cell": cell("0"), "ownership": OURS, "overwrite": "empty"}, FORCED, "held already_graded"),
    ({"cell": EX, "ownership": OURS, "overwrite": "empty"}, NOBODY, "held already_graded"),
    ({"cell": POLICY, "ownership": OURS, "overwrite": "empty"}, NOBODY, "held already_graded"),
    # Step 9
    ({"cell": cell("2"), "ownership": OURS, "direction": "up"}, NOBODY, "held would_lower"),
    ({"cell": cell("0.5"), "ownership": OURS, "direction": "up"}, NOBODY, "send graded"),
    ({"cell": cell("2"), "direction": "up"}, FORCED, "held would_lower"),
    ({"cell": cell("1"), "ownership": OURS, "direction": "up", "wanted": CLEAR}, NOBODY, "held would_lower"),
    ({"cell": cell("1"), "ownership": OURS, "direction": "up", "wanted": EXCUSE}, NOBODY, "held would_lower"),
    ({"cell": EX, "ownership": OURS, "direction": "up"}, NOBODY, "held would_lower"),
    ({"cell": EX, "direction": "up"}, FORCED, "send graded"),
    ({"cell": POLICY, "direction": "up", "wanted": CLEAR}, NOBODY, "held would_lower"),
    ({"direction": "up", "wanted": EXCUSE}, NOBODY, "send excused"),
    # Step 10
    ({}, NOBODY, "send graded"),
    ({"wanted": ZERO}, NOBODY, "send zeroed"),
    ({"wanted": EXCUSE}, NOBODY, "send excused"),
    ({"cell": cell("1"), "ownership": OURS, "wanted": CLEAR}, NOBODY, "send cleared"),
    ({"cell": EX, "ownership": OURS}, NOBODY, "send graded"),
    ({"cell": POLICY, "overwrite": "empty"}, NOBODY, "send graded"),
    ({"cell": None}, NOBODY, "send graded"),
]


@pytest.mark.parametrize(("changes", "allowed", "expected"), TABLE)
def test_the_table(changes: dict[str, object], allowed: Permission, expected: str) -> None:
    verdict = decide_cell(replace(PLAIN, **changes), allowed)  # type: ignore[arg-type]  # the table's own
    assert f"{verdict.decision} {verdict.reason}" == expected


cells = st.builds(
    cell,
    st.sampled_from([None, "0", "0.5", "1", "7"]),
    excused=st.just(False),
    grader=st.sampled_from([None, "7", "-3"]),
) | st.just(EX)
situations = st.builds(
    Situation,
    is_student=st.booleans(),
    assigned=st.just(True),
    cell=st.none() | cells,
    wanted=st.sampled_from([graded(), graded("0.5"), NONE, NOT_ENOUGH, ZERO, EXCUSE, CLEAR]),
    broken=st.booleans(),
    blocked=st.booleans(),
    closed=st.booleans(),
    ownership=st.sampled_from([OURS, BEFORE, NEVER]),
    overwrite=st.sampled_from(["empty", "ours", "all"]),
    direction=st.sampled_from(["both", "up"]),
)


@given(situations)
def test_nothing_of_a_persons_is_ever_sent_without_a_person(at: Situation) -> None:
    verdict = decide_cell(at, NOBODY)
    if verdict.decision == "send":
        held_grade = at.before is not None and not at.holds_policy_grade
        assert not held_grade or at.ownership.ours
        assert at.is_student
        assert not (at.closed or at.broken or at.blocked)


@given(situations, st.sampled_from([NOBODY, READ, FORCED]))
def test_after_a_cell_is_sent_it_is_the_same(at: Situation, allowed: Permission) -> None:
    if decide_cell(at, allowed).decision == "send":
        after = cell(None if at.after in {None, EXCUSED} else at.after, excused=at.after == EXCUSED)
        again = decide_cell(replace(at, cell=after, ownership=OURS), allowed)
        assert again.reason == "same"


@given(situations)
def test_up_never_lowers_and_same_is_never_sent(at: Situation) -> None:
    verdict = decide_cell(at, FORCED)
    if verdict.decision == "send":
        assert not same_grade(at.before, at.after)
        if at.direction == "up" and at.before not in {None, EXCUSED}:
            assert at.after not in {None, EXCUSED}
            assert Decimal(at.after or 0) > Decimal(at.before or 0)
