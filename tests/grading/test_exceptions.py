"""Another rule, or none, for a section or for single students: what is sent then, and what the page says."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from alignments import sealedexceptions, services
from alignments.core.definition import Cutoff, LeftOut, Percent, PointsLine, Proportional
from alignments.models import SealedExceptions
from canvas import throttle
from grading import planning
from grading.services import Result, apply, approve, prepare, sync
from sandbox.scenarios import build
from sandbox.server import SandboxServer
from tests.grading.school import School, entry, open_school

HALF = {"kind": "cutoff", "credit": "50%"}
NONE = {"section": "702", "not_assessed": True}


@pytest.fixture
def two_sections(db: None) -> Iterator[School]:
    """Section 701 has 1001, 1002 and 1003; section 702 has 1002, 1004, 1005 and 1006."""
    throttle._paces.clear()
    with SandboxServer(build("two-sections")) as server:
        yield open_school(server)


def decided(result: Result) -> dict[int, tuple[str | None, str]]:
    return {int(cell.user): (cell.after, cell.reason) for cell in result.cells}


def with_sections(*sections: dict[str, Any]) -> dict[str, Any]:
    return entry(601, "Models", sections=list(sections))


def test_a_section_with_a_rule_of_its_own(two_sections: School) -> None:
    two_sections.align(with_sections({"section": "702", "rule": HALF}))
    result = sync(two_sections.context)
    assert result.run.outcome == "done"
    assert two_sections.column("Models") == {1001: "1", 1002: "0.5", 1003: "0", 1004: "0.5"}
    assert sync(two_sections.context).run.counts["send"] == 0


def test_a_section_that_is_not_assessed_is_left_alone(two_sections: School) -> None:
    two_sections.align(with_sections(NONE))
    result = sync(two_sections.context)
    assert decided(result)[1004] == (None, "not_assessed")
    assert result.run.outcome == "done" and result.run.reasons["not_assessed"] == 4
    assert two_sections.column("Models") == {1001: "1", 1003: "0"}


def test_a_section_is_not_assessed_on_one_outcome(two_sections: School) -> None:
    """With the lowest of both, one outcome without evidence is too little; without that outcome it is not."""
    both: dict[str, Any] = {"combine": "max", "rule": {"kind": "proportional"}}
    two_sections.align(entry([601, 602], "Both", **both))
    before = decided(sync(two_sections.context, dry_run=True))
    two_sections.align(
        entry([601, 602], "Both", sections=[{"section": "702", "not_assessed": ["601"]}], **both)
    )
    after = decided(sync(two_sections.context))
    two_sections.align(entry(602, "Alone", rule={"kind": "proportional"}))
    alone = decided(sync(two_sections.context, dry_run=True))
    assert after[1001] == before[1001]
    assert [after[user] for user in (1002, 1004, 1006)] == [alone[user] for user in (1002, 1004, 1006)]
    assert after != before


def test_a_student_is_not_assessed_on_one_outcome_and_the_page_says_so(two_sections: School) -> None:
    [one] = two_sections.align(entry([601, 602], "Both", rule={"kind": "proportional"}))
    sealedexceptions.put(two_sections.context, one.pk, "1001", LeftOut(("601",)))
    sealedexceptions.put(two_sections.context, one.pk, "1002", LeftOut(("601", "602")))
    assert services.stored_one(two_sections.context, one.pk).students == {
        "1001": LeftOut(("601",)),
        "1002": LeftOut(("601", "602")),
    }
    run = prepare(two_sections.context, two_sections.account, started_by="teacher 11")
    said = planning.open_plan(run.sealed_plan).grounds[one.pk].explain("1001")
    title = two_sections.world.outcomes[601].title
    assert said.startswith(f"Not assessed for this student, so not counted: {title}.")
    assert f"{title}:" not in said
    assert decided(sync(two_sections.context, dry_run=True))[1002] == (None, "not_assessed")


def test_a_repaired_outcome_stays_left_out(two_sections: School) -> None:
    sections = [{"section": "702", "not_assessed": ["601"]}]
    [one] = two_sections.align(entry([601, 602], "Both", sections=sections))
    sealedexceptions.put(two_sections.context, one.pk, "1001", LeftOut(("601",)))
    services.replace_outcome(two_sections.context, one.pk, "601", "603")
    repaired = services.stored_one(two_sections.context, one.pk)
    assert repaired.definition.sections[0].rule == LeftOut(("603",))
    assert repaired.students == {"1001": LeftOut(("603",))}


def test_in_several_sections_the_first_of_the_file_counts(two_sections: School) -> None:
    """1002 is in both; 1001 is inactive in 702, which makes no student of that section."""
    two_sections.align(with_sections({"section": "701", "rule": HALF}, NONE))
    found = decided(sync(two_sections.context))
    assert found[1001] == found[1002] == ("0.5", "graded")
    two_sections.align(with_sections(NONE, {"section": "701", "rule": HALF}))
    assert decided(sync(two_sections.context, dry_run=True))[1002] == (None, "not_assessed")


def test_a_students_own_exception_comes_before_the_sections(two_sections: School) -> None:
    [one] = two_sections.align(with_sections(NONE))
    sealedexceptions.put(two_sections.context, one.pk, "1004", Cutoff(credit=Percent(Decimal(80))))
    sealedexceptions.put(two_sections.context, one.pk, "1001", None)
    found = decided(sync(two_sections.context))
    assert (found[1004], found[1001]) == (("0.8", "graded"), (None, "not_assessed"))
    sealedexceptions.remove(two_sections.context, one.pk, "1001")
    sealedexceptions.remove(two_sections.context, one.pk, "1004")
    assert not SealedExceptions.objects.exists()
    assert decided(sync(two_sections.context))[1001] == ("1", "graded")


def test_what_a_grade_of_ours_was_stays_once_nobody_assesses_it(school: School) -> None:
    [one] = school.align(entry(601, "Models"))
    sync(school.context)
    sealedexceptions.put(school.context, one.pk, "1001", None)
    cell = next(cell for cell in sync(school.context).cells if cell.user == "1001")
    assert (cell.before, cell.after, cell.decision, cell.reason) == ("1", None, "held", "not_assessed")
    assert school.cell("Models", 1001) == "1"


def test_who_it_is_rests_sealed_and_is_not_exported(school: School) -> None:
    [one] = school.align(entry(601, "Models"))
    # Longer than any number of a row, and than what a sealed text or a column's name would hold by chance.
    somebody = "700000001001"
    sealedexceptions.put(school.context, one.pk, somebody, Proportional())
    [kept] = SealedExceptions.objects.all()
    assert somebody not in kept.sealed and "proportional" not in kept.sealed
    assert somebody not in str(services.export_alignments(school.context))
    assert somebody not in repr(services.stored(school.context))


def test_exceptions_nobody_can_open_hold_the_whole_alignment(school: School) -> None:
    """The usual rule for a student who was to be spared would be the worst way to fail."""
    [one] = school.align(entry(601, "Models"))
    sealedexceptions.put(school.context, one.pk, "1001", None)
    SealedExceptions.objects.update(sealed="other")
    result = sync(school.context)
    assert result.run.reasons == {"broken_alignment": 6}
    assert "cannot be opened" in result.run.problems[0]["detail"]
    sealedexceptions.remove_all(school.context, one.pk)
    assert sync(school.context).run.counts["send"] == 4


def test_a_rule_for_some_that_became_meaningless_holds_only_them(school: School) -> None:
    [one] = school.align(entry([601, 602], "Models", combine="share", evidence={"at_least": 1}))
    at_three = Cutoff(at=PointsLine(Decimal(3)))
    sealedexceptions.put(school.context, one.pk, "1001", at_three)
    result = sync(school.context)
    assert decided(result)[1001][1] == "broken_alignment"
    assert result.run.reasons["broken_alignment"] == 1
    assert "percentage" in result.run.problems[0]["detail"]


def test_an_exception_set_after_the_preview_makes_it_old(school: School) -> None:
    [one] = school.align(entry(601, "Models"))
    run = prepare(school.context, school.account, started_by="teacher 11")
    sealedexceptions.put(school.context, one.pk, "1001", None)
    approve(run, by="teacher 11", digest=run.digest)
    result = apply(run.pk)
    assert result is not None and result.run.outcome == "changed"
    assert school.writes() == 0


def test_the_explanation_says_which_rule_applied(two_sections: School) -> None:
    [one] = two_sections.align(with_sections({"section": "702", "rule": HALF}))
    sealedexceptions.put(two_sections.context, one.pk, "1001", None)
    sealedexceptions.put(two_sections.context, one.pk, "1003", Proportional())
    run = prepare(two_sections.context, two_sections.account, started_by="teacher 11")
    grounds = planning.open_plan(run.sealed_plan).grounds[one.pk]
    assert "set for this student's section" in grounds.explain("1004")
    assert grounds.explain("1004").endswith("50\N{NO-BREAK SPACE}% of 1 point is 0.5.")
    assert (
        grounds.explain("1001") == "This student is marked as not assessed here, so the cell is left alone."
    )
    assert grounds.explain("1003").startswith("A rule of its own was set for this student.")
    assert "in proportion" in grounds.explain("1003")
