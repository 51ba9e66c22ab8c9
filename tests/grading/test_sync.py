"""The command's way, against the pretend Canvas over a port: plan, send, read back."""

from __future__ import annotations

from datetime import timedelta

from grading.services import sync
from tests.grading.school import School, entry


def test_first_sync_fills_a_new_column_and_an_assignment(school: School) -> None:
    other = school.assignment("1.2 Systems of equations").id
    school.align(entry(601, "Linear models"), entry(602, other, rule={"kind": "proportional"}))
    result = sync(school.context)
    assert result.run.outcome == "done", (result.run.error, result.run.problems)
    assert school.column("Linear models") == {1001: "1", 1002: "1", 1003: "0", 1004: "1"}
    assert school.column("1.2 Systems of equations") == {1001: "0.88", 1002: "1", 1004: "0.75", 1005: "0.5"}
    assert result.run.counts == {"send": 8, "unchanged": 0, "held": 4, "conflict": 0, "refused": 0}
    assert result.run.sealed_plan == ""


def test_second_sync_writes_nothing(school: School) -> None:
    other = school.assignment("1.2 Systems of equations").id
    school.align(entry(601, "Linear models"), entry(602, other))
    sync(school.context)
    writes = school.writes()
    again = sync(school.context)
    assert again.run.outcome == "done"
    assert again.run.counts["unchanged"] == 8
    assert again.run.requests["write"] == 0
    assert school.writes() == writes


def test_scores_are_stamped_by_the_clock_that_is_behind(school: School) -> None:
    """A stamp in Canvas's future would block later corrections (lti.md 5.2)."""
    school.world.advance(timedelta(seconds=-90))
    school.align(entry(601, "Linear models"))
    sync(school.context)
    stamped = [result.updated_at for result in school.world.lti_results.values()]
    assert stamped and max(stamped) <= school.world.now()
