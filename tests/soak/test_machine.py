"""The same course under Hypothesis: it chooses what happens next, and shrinks what went wrong to a few steps.

After every step of the tool, `Walk.operate` holds I1 to I13 against the log of what really happened and against the
model; `look` and `clean` hold every cell of a plan and of a finished run against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.soak.scrub import scrub
from tests.soak.walk import Tally, Walk
from tests.soak.weather import no_waiting

DICE = st.integers(0, 2**16)
DEEDS = (
    "grade", "clear", "excuse", "late", "missing", "evidence", "no_evidence", "enrol", "column", "outcome", "account",
)  # fmt: skip
OPERATIONS = ("sync", "preview", "undo", "pair")


class Course(RuleBasedStateMachine):
    """People and the tool in one course. `dice` decides what Hypothesis does not: which cell, which weather."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()

    @initialize(dice=DICE)
    def open(self, dice: int) -> None:
        self.walk = Walk(dice, Tally())
        self.stack.enter_context(self.walk.opened())
        self.walk.align()

    @rule(deed=st.sampled_from(DEEDS), dice=DICE)
    def somebody_does(self, deed: str, dice: int) -> None:
        self.walk.rng.seed(dice)
        self.walk.step(2)
        with self.walk.school.world.lock:
            self.walk.said.append(f"{deed}: {getattr(self.walk.people, deed)()}")

    @rule(dice=DICE)
    def everybody_is_assessed(self, dice: int) -> None:
        self.walk.rng.seed(dice)
        self.walk.people.reassess()

    @rule(name=st.sampled_from(OPERATIONS), dice=DICE)
    def the_tool_works_in_bad_weather(self, name: str, dice: int) -> None:
        self.walk.rng.seed(dice)
        self.walk.operate(getattr(self.walk, name))

    @precondition(lambda self: self.walk.has_open_run())
    @rule(dice=DICE)
    def the_next_worker_meets_other_alignments(self, dice: int) -> None:
        self.walk.rng.seed(dice)
        self.walk.retarget_and_take_over()

    @precondition(lambda self: not self.walk.has_open_run())
    @rule(seconds=st.sampled_from((-80, -60, 0, 45, 80)))
    def clocks_drift(self, seconds: int) -> None:
        self.walk.set_skew(seconds)

    @rule(dice=DICE)
    def the_rules_change(self, dice: int) -> None:
        self.walk.rng.seed(dice)
        self.walk.align()

    @rule(dice=DICE)
    def the_course_ends_for_a_while(self, dice: int) -> None:
        self.walk.rng.seed(dice)
        self.walk.conclude()

    @rule()
    def clocks_are_far_apart(self) -> None:
        self.walk.refuse_skew()

    @rule()
    def a_clean_run_makes_everything_right(self) -> None:
        self.walk.clean()

    def teardown(self) -> None:
        try:
            self.stack.close()
        finally:
            scrub()


@pytest.fixture
def fast(transactional_db: None) -> Iterator[None]:
    with no_waiting():
        yield


def test_whatever_happens_no_grade_is_wrong(fast: None) -> None:
    """The first steps of many courses; `make soak` goes on for as long as one likes."""
    few = settings(
        max_examples=6,
        stateful_step_count=10,
        deadline=None,
        derandomize=True,
        # A step is a sync over HTTP: slow by Hypothesis's measure.
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(Course, settings=few)
