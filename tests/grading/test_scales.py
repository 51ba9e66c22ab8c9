"""An outcome's scale that Canvas changes later stops its alignments until somebody says that it is right."""

from __future__ import annotations

from decimal import Decimal

from alignments import services
from alignments.core.definition import Definition
from alignments.models import Alignment
from grading.services import sync
from sandbox import records as r
from sandbox.rollups import default_proficiency
from tests.grading.school import School, entry

SCALE = 'The scale of outcome "1.1 Linear models" changed from 4 to 5 points, mastery from 3 to 4. '
AGAIN = "Save the alignment again if that is right."


def rescale(school: School, outcome: int, top: str, mastery: str) -> None:
    with school.world.lock:
        found = school.world.outcomes[outcome]
        found.points_possible, found.mastery_points = Decimal(top), Decimal(mastery)


def definition(school: School) -> Definition:
    return services.stored(school.context)[0].definition


def test_a_changed_scale_holds_its_cells_and_nothing_else(school: School) -> None:
    one, _ = school.align(entry(601, "Models"), entry(602, "Systems"))
    sync(school.context)
    rescale(school, 601, "5", "4")
    result = sync(school.context)
    assert result.run.outcome == "partial" and result.run.counts["send"] == 0
    assert result.run.problems == [{"alignment": one.pk, "code": "broken_alignment", "detail": SCALE + AGAIN}]
    assert school.column("Models") == {1001: "1", 1002: "1", 1003: "0", 1004: "1"}
    assert result.run.reasons["same"] == 4


def test_it_is_remembered_by_a_dry_run_too_and_never_overwritten(school: School) -> None:
    school.align(entry(601, "Models"))
    sync(school.context, dry_run=True)
    rescale(school, 601, "5", "4")
    for _ in range(2):
        assert sync(school.context, dry_run=True).run.reasons["broken_alignment"] == 6
    rescale(school, 601, "4.0", "3.00")
    assert sync(school.context).run.counts["send"] == 4


def test_importing_again_forgets_the_old_scale(school: School) -> None:
    school.align(entry(601, "Models"))
    sync(school.context)
    rescale(school, 601, "5", "4")
    school.align(entry(601, "Models"))
    assert sync(school.context, confirm_large=True).run.outcome == "done"
    assert Alignment.objects.get().scales == {"601": ["5", "4"]}


def test_saving_takes_the_scale_the_form_saw(school: School) -> None:
    [one] = school.align(entry(601, "Models"))
    seen = {"601": (Decimal(4), Decimal(3))}
    services.save_alignment(school.context, definition(school), alignment_id=one.pk, scales=seen)
    rescale(school, 601, "5", "4")
    assert sync(school.context).run.reasons == {"broken_alignment": 6}


def test_a_mastery_level_no_rule_asks_for_may_change(school: School) -> None:
    school.align(entry(601, "Models", rule={"kind": "proportional"}), entry(601, "At mastery"))
    sync(school.context)
    rescale(school, 601, "4", "2")
    result = sync(school.context)
    assert result.run.reasons["broken_alignment"] == 6
    detail = 'The mastery level of outcome "1.1 Linear models" changed from 3 to 2. '
    assert [problem["detail"] for problem in result.run.problems] == [detail + AGAIN]


def test_the_accounts_scale_switched_on_counts_as_a_change(school: School) -> None:
    school.align(entry(601, "Models"))
    rescale(school, 601, "5", "4")
    sync(school.context)
    with school.world.lock:
        account = school.world.accounts[1]
        account.features.add(r.ACCOUNT_SCALES)
        account.proficiency = default_proficiency()
    result = sync(school.context)
    assert result.run.reasons == {"broken_alignment": 6}
    assert "changed from 5 to 4 points" in result.run.problems[0]["detail"]


def test_a_scale_that_was_missing_is_learnt_when_it_is_there(school: School) -> None:
    with school.world.lock:
        school.world.outcomes[601].mastery_points = None
    school.align(entry(601, "Models"))
    assert sync(school.context).run.reasons == {"broken_alignment": 6}
    rescale(school, 601, "4", "3")
    assert sync(school.context).run.outcome == "done"
    assert Alignment.objects.get().scales == {"601": ["4", "3"]}
