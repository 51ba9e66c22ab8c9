"""What a page says of a cell ends in exactly the number that is posted, whatever the rule, scores and exceptions."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from alignments.core.calculations import calculate, on_scale
from alignments.core.definition import AssignmentTarget, LeftOut, Scheme, SectionException
from canvas.values import Assignment, Outcome, OutcomeResult, Rollup, Student
from grading.core.columns import assignment_column
from grading.core.decide import Ownership
from grading.core.plan import Inputs, PlannedAlignment, make_plan
from grading.evidence import from_rows, grounds_of, to_rows
from tests.alignments import strategies as some
from tests.alignments.examples import CANVAS_DEFAULT
from tests.grading.desk import desk, plain

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
USERS = ("1", "2", "3")
"""The second has a rule of their own; the third is in a section with one."""
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
WORDS = {"excused": "the student is excused.", "cleared": "the cell is emptied."}


@st.composite
def courses(draw: st.DrawFn) -> Inputs:
    """One alignment of any kind, three students, results where it calculates itself."""
    definition = replace(draw(some.definitions()), target=AssignmentTarget("9"))
    ids, tops = definition.outcome_ids, st.sampled_from([Decimal(4), Decimal(4), Decimal(5)])
    outcomes = {key: Outcome(key, f"Skill {key}", draw(tops), Decimal(3)) for key in ids}
    own, for_section = (draw(other_rules(ids)) for _ in range(2))
    definition = replace(definition, sections=(SectionException("70", for_section),))
    scores = st.none() | some.numbers
    canvas = {user: {key: draw(scores) for key in ids} for user in USERS}
    calculated = None
    if definition.calculation is not None:
        calculated = {
            user: {key: draw(calculating(definition, outcomes[key])) for key in ids} for user in USERS
        }
    points = draw(st.sampled_from(["1", "10", "100", "0.5", "7"]).map(Decimal))
    assignment = Assignment("9", "Essay", points)
    column = assignment_column(assignment, "9", points, None)
    aligned = PlannedAlignment(
        1, 1, definition, column, CANVAS_DEFAULT, scores=calculated, students={"2": own}
    )
    return Inputs(
        alignments=[aligned],
        students={u: Student(u, frozenset({"active"}), active_section_ids=frozenset({"70"} if u == "3" else ()))
                  for u in USERS},
        rollups={u: Rollup(u, canvas[u], dict.fromkeys(ids, AT)) for u in USERS},
        outcomes=outcomes,
        cells={},
        ownership=lambda target, cell: Ownership(),
    )  # fmt: skip


def other_rules(ids: Any) -> Any:
    rules = some.rules("share", len(ids)).filter(lambda rule: not isinstance(rule, Scheme))
    if len(ids) == 1:
        return st.none() | rules
    left = st.lists(st.sampled_from(ids), min_size=1, max_size=len(ids) - 1, unique=True).map(tuple)
    return st.none() | rules | st.builds(LeftOut, left, st.none() | rules)


@st.composite
def calculating(draw: st.DrawFn, definition: Any, outcome: Outcome) -> Any:
    """One student's score on one outcome, from up to four results."""
    results = [
        OutcomeResult(str(number), "1", outcome.id, score, AT, outcome.points_possible, None, None, False)
        for number, score in enumerate(draw(st.lists(some.numbers, max_size=4)))
    ]
    return calculate(definition.calculation, outcome, [on_scale(one, outcome) for one in results])


@given(courses())
@settings(max_examples=150)
def test_the_last_number_said_is_the_grade_posted(inputs: Inputs) -> None:
    plan, [one] = make_plan(inputs), inputs.alignments
    grounds = from_rows(json.loads(json.dumps(to_rows(grounds_of(inputs)))))
    for cell in plan.cells:
        if one.id not in grounds or cell.reason in {"broken_alignment", "column_blocked"}:
            continue
        said = grounds[one.id].explain(cell.user)
        assert said.endswith("."), said
        if cell.after is not None and cell.after != "EX":
            assert Decimal(NUMBER.findall(said)[-1]) == Decimal(cell.after), said
        elif cell.reason in WORDS:
            assert said.endswith(WORDS[cell.reason]), said


@pytest.mark.django_db(transaction=True)
def test_evidence_newer_than_a_persons_grade_is_told(client: Client) -> None:
    newer = "Work assessed since then says otherwise"
    with desk(client, "graded-by-people") as at:
        assert newer not in at.preview()
        with at.room.world.lock:
            for one in at.room.world.results.values():
                if one.user_id == 1002 and one.outcome_id == 601:
                    one.submitted_at = datetime(2026, 6, 1, tzinfo=UTC)
        page = at.preview()
        assert page.count(newer) == 1
        assert "A person gave this grade." in plain(at.room.text(f"{at.address}students/2/"))
        assert newer in plain(at.room.text(f"{at.address}students/2/"))
