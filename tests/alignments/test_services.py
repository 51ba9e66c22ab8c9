"""Alignments in the database: imported, saved, moved, repaired, deleted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from alignments import services
from alignments.core import jsonfile
from alignments.core.definition import Definition
from alignments.models import Alignment, Target
from canvas.values import Assignment
from lti_tool.models import Context
from tests.alignments.examples import definition

CUTOFF = {"kind": "cutoff"}


def feeding(label: str, outcome_id: str = "605", **more: Any) -> Definition:
    """An alignment that feeds a column, or an assignment where the label is a number."""
    target = {"assignment": label} if label.isdigit() else {"column": {"label": label, "points": "1"}}
    return definition(CUTOFF, {outcome_id: "1"}, target=target, **more)


def add(course: Context, *definitions: Definition) -> list[services.StoredAlignment]:
    services.import_alignments(course, definitions, replace=False)
    return services.stored(course)


def test_what_is_imported_is_what_is_stored(course: Context) -> None:
    definitions = [feeding("Lines"), feeding("9", name="Second", round=4)]
    assert [one.definition for one in add(course, *definitions)] == definitions


def test_an_import_adds_after_what_is_there(course: Context) -> None:
    add(course, feeding("B"), feeding("A"))
    names = [one.target.label for one in add(course, feeding("C"))]
    assert names == ["B", "A", "C"]


def test_a_target_in_use_is_an_error_of_its_entry_and_changes_nothing(course: Context) -> None:
    add(course, feeding("A", name="Lines"))
    with pytest.raises(jsonfile.FileErrors) as caught:
        add(course, feeding("B"), feeding("A", name="Again"))
    [line] = caught.value.lines
    assert line.startswith('alignments[1] "Again": target: the column "A" is already fed by "Lines"')
    assert (Alignment.objects.count(), Target.objects.count()) == (1, 1)


def test_a_column_that_was_made_is_not_fed_as_an_assignment_too(course: Context) -> None:
    """Two alignments of one cell would write over each other's grade at every sync."""
    made, other = add(course, feeding("A", name="Lines"), feeding("B"))
    Target.objects.filter(pk=made.target.pk).update(assignment_id="555")
    for replace, rest in ((False, []), (True, [feeding("A", name="Lines")])):
        with pytest.raises(jsonfile.FileErrors) as caught:
            services.import_alignments(course, [*rest, feeding("555", name="Again")], replace=replace)
        [line] = caught.value.lines
        expected = 'target: assignment 555 is the same assignment in Canvas as the column "A"'
        assert line.startswith(f'alignments[{len(rest)}] "Again": {expected}')
    with pytest.raises(services.TargetInUse, match='as the column "A", which "Lines" feeds'):
        services.save_alignment(course, feeding("555"), alignment_id=other.id)
    assert [one.target.label for one in services.stored(course)] == ["A", "B"]
    services.save_alignment(course, feeding("A", "700"), alignment_id=made.id)
    services.delete_alignment(course, made.id)
    add(course, feeding("555"))


def test_replace_keeps_columns_and_ids_where_the_target_is_the_same(course: Context) -> None:
    before = {str(one.target): one for one in add(course, feeding("A"), feeding("B"), feeding("9"))}
    done = services.import_alignments(
        course, [feeding("9", "700"), feeding("C"), feeding("A", "700")], replace=True
    )
    after = {str(one.target): one for one in services.stored(course)}
    assert (done.added, done.kept, done.removed) == (1, 2, 1)
    assert list(after) == ["assignment 9", "C", "A"]
    assert after["A"].id == before["A"].id
    assert after["A"].target.resource_id == before["A"].target.resource_id
    assert after["A"].definition.outcome_ids == ("700",)


def test_a_column_that_comes_back_is_the_same_column(course: Context) -> None:
    [before] = add(course, feeding("A"))
    services.delete_alignment(course, before.id)
    [after] = add(course, feeding("A"))
    assert after.target.resource_id == before.target.resource_id
    assert after.id != before.id


def test_an_import_forgets_points_and_the_column_s_address(course: Context) -> None:
    [one] = add(course, feeding("A"))
    services.remember_points(course, one.id, Decimal("1"))
    Target.objects.update(line_item_url="https://canvas/line_items/1")
    services.import_alignments(course, [feeding("A")], replace=True)
    [again] = services.stored(course)
    assert (again.expected_points, again.target.line_item_url) == (None, "")


def test_points_are_remembered_once(course: Context) -> None:
    [one] = add(course, feeding("9"))
    services.remember_points(course, one.id, Decimal("10"))
    services.remember_points(course, one.id, Decimal("20"))
    assert services.stored_one(course, one.id).expected_points == Decimal("10")


def test_a_form_saves_with_the_points_it_saw(course: Context) -> None:
    made = services.save_alignment(course, feeding("9"), expected_points=Decimal("12.5"))
    changed = services.save_alignment(
        course, feeding("9", round=0), alignment_id=made.id, expected_points=Decimal("13")
    )
    assert (changed.id, changed.definition.round, changed.expected_points) == (made.id, 0, Decimal("13"))
    assert services.stored(course) == [changed]


def test_a_form_cannot_take_another_alignment_s_target(course: Context) -> None:
    one, two = add(course, feeding("A", name="Lines"), feeding("B"))
    with pytest.raises(services.TargetInUse, match='The column "A" is already fed by "Lines"'):
        services.save_alignment(course, feeding("A"), alignment_id=two.id)
    services.remember_places(
        add(course, feeding("9", name="Lines too")), {"9": Assignment("9", "Essay", Decimal(10))}
    )
    with pytest.raises(services.TargetInUse, match='The assignment "Essay" is already fed by "Lines too"'):
        services.save_alignment(course, feeding("9"), alignment_id=two.id)
    one, two, _ = services.stored(course)
    assert [one.definition.target, two.definition.target] == [feeding("A").target, feeding("B").target]


def test_leaving_a_column_out_of_the_final_grade_is_kept_until_said_otherwise(course: Context) -> None:
    made = services.save_alignment(course, feeding("A"), omit_from_final_grade=True)
    services.save_alignment(course, feeding("A", round=1), alignment_id=made.id)
    assert services.stored_one(course, made.id).target.omit_from_final_grade


def test_two_courses_may_feed_columns_of_the_same_label(course: Context, other_course: Context) -> None:
    [ours], [theirs] = add(course, feeding("A")), add(other_course, feeding("A"))
    assert ours.target.resource_id != theirs.target.resource_id
    services.import_alignments(course, [feeding("B")], replace=True)
    assert services.stored(other_course) == [theirs]


def test_another_course_s_alignment_is_not_found(course: Context, other_course: Context) -> None:
    [theirs] = add(other_course, feeding("A"))
    for call in (services.stored_one, services.delete_alignment):
        with pytest.raises(Alignment.DoesNotExist):
            call(course, theirs.id)
    with pytest.raises(Alignment.DoesNotExist):
        services.save_alignment(course, feeding("B"), alignment_id=theirs.id)


def test_a_missing_name_is_filled_in_once(course: Context) -> None:
    [one] = add(course, feeding("A"))
    assert one.name == "Outcome 605"
    assert services.fill_in_name(course, one.id, " 1.1 Linear models ") == "1.1 Linear models"
    assert services.fill_in_name(course, one.id, "Renamed in Canvas") == "1.1 Linear models"
    assert services.stored_one(course, one.id).definition.name == "1.1 Linear models"


def test_the_export_is_a_file_that_can_be_imported(course: Context, other_course: Context) -> None:
    first, second = add(course, feeding("A"), feeding("9", name="Second"))
    file = services.export_alignments(course)
    entries: Any = file["alignments"]
    assert [entry["id"] for entry in entries] == [first.id, second.id]
    assert [entry["name"] for entry in entries] == ["Outcome 605", "Second"]
    definitions = [jsonfile.parse_definition(entry) for entry in entries]
    services.import_alignments(other_course, definitions, replace=True)
    assert [one.definition for one in services.stored(other_course)] == [first.definition, second.definition]


def test_a_lost_outcome_is_replaced_with_its_weight(course: Context) -> None:
    [one] = add(course, definition(CUTOFF, {"605": "2", "606": "1"}))
    repaired = services.replace_outcome(course, one.id, "605", "700")
    assert [(each.outcome_id, str(each.weight)) for each in repaired.definition.outcomes] == [
        ("700", "2"),
        ("606", "1"),
    ]
    with pytest.raises(ValueError, match="already part"):
        services.replace_outcome(course, one.id, "700", "606")


def test_points_with_many_decimals_stay_exact_in_the_definition(course: Context) -> None:
    target = {"column": {"label": "A", "points": "0.123456789012345678901234567"}}
    [one] = add(course, definition(CUTOFF, target=target))
    assert jsonfile.to_json(one.definition)["target"] == target
