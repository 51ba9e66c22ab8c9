"""The page of one alignment's exceptions, through the front door."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from django.test import Client

from alignments import services
from alignments.core.definition import Cutoff, LeftOut, Proportional, SectionException
from alignments.core.jsonfile import parse_definition
from alignments.models import SealedExceptions
from tests.alignments.classroom import Classroom, classroom
from tests.alignments.test_views_form import filled, homework
from tests.alignments.test_views_home import align
from tests.alignments.test_views_rules import (
    CLASS,
    CRITERIA,
    CRITERIA_JSON,
    TABLE,
    TABLE_JSON,
    both,
    class_table,
    dry_run,
    entry,
)
from tests.inclear import in_clear

pytestmark = pytest.mark.django_db(transaction=True)

TYPED = {"who": "student:1002", "kind": "cutoff", "line": "points", "at": "2.5", "credit": "90", "below": "x"}
"""An exception as somebody is typing it: its last field is no number yet."""


def test_a_student_gets_a_rule_of_their_own_and_loses_it_again(client: Client) -> None:
    with classroom(client) as course:
        number = align(course, "601")
        page = f"/course/alignments/{number}/exceptions/"
        assert "Nobody: the rule counts for the whole class." in course.text(page)
        saved = course.post(page, {"who": "student:1001", "kind": "cutoff", "line": "points", "at": "2"})
        assert saved.status_code == 302 and "1001" not in saved["Location"].removeprefix(page)
        shown = course.text(page)
        assert "full credit at 2 of 4" in shown and "Lindqvist, Ada" in shown
        assert not in_clear("1001", SealedExceptions.objects.get().sealed)
        assert course.post(page, {"remove": "student:1001"}).status_code == 302
        assert not SealedExceptions.objects.exists()


def test_a_section_is_not_assessed(client: Client) -> None:
    with classroom(client, scenario="two-sections") as course:
        number = align(course, "601")
        page = f"/course/alignments/{number}/exceptions/"
        course.post(page, {"who": "section:702", "kind": "not_assessed"})
        stored = services.stored_one(course.opened.context, number)
        assert stored.definition.sections == (SectionException("702", None),)
        assert "Section B" in course.text(page) and "not assessed" in course.text(page)
        course.post(page, {"who": "section:702", "kind": "cutoff"})
        stored = services.stored_one(course.opened.context, number)
        assert stored.definition.sections == (SectionException("702", Cutoff()),)
        course.post(page, {"remove": "section:702"})
        assert services.stored_one(course.opened.context, number).definition.sections == ()


def test_what_makes_no_sense_is_said_and_nothing_is_saved(client: Client) -> None:
    with classroom(client) as course:
        page = f"/course/alignments/{align(course, '601')}/exceptions/"
        for data, words in [
            ({"who": "student:999", "kind": "not_assessed"}, "Choose a student or a section"),
            ({"who": "section:999", "kind": "not_assessed"}, "Choose a student or a section"),
            ({"who": "student:1001", "kind": "cutoff", "line": "points"}, "Type where the line is"),
            ({"who": "student:1001", "kind": "magic"}, "Select a valid choice"),
            ({"who": "student:1001", "kind": "cutoff", "credit": "1,5"}, "Use a point, not a comma."),
        ]:
            answer = course.post(page, data)
            assert answer.status_code == 422 and words in answer.content.decode(), data
        assert not SealedExceptions.objects.exists()


def test_lost_exceptions_are_told_and_can_be_removed(client: Client) -> None:
    with classroom(client) as course:
        number = align(course, "601")
        page = f"/course/alignments/{number}/exceptions/"
        course.post(page, {"who": "student:1001", "kind": "not_assessed"})
        SealedExceptions.objects.update(sealed="other")
        assert "cannot be opened any more" in course.text(page)
        assert "cannot be opened any more" in course.text("/course/")
        answer = course.post(page, {"who": "student:1002", "kind": "not_assessed"})
        assert answer.status_code == 422
        course.post(page, {"remove": "all"})
        assert not SealedExceptions.objects.exists()


def test_saving_the_alignments_form_keeps_its_exceptions(client: Client) -> None:
    with classroom(client) as course:
        number = align(course, "601")
        course.post(
            f"/course/alignments/{number}/exceptions/", {"who": "student:1001", "kind": "not_assessed"}
        )
        services.set_sections(course.opened.context, number, [SectionException("701", None)])
        form = {
            "outcomes": ["601"], "weight-601": "1", "target": "column", "label": "1.1 Linear models", "points": "1",
            "rule": "cutoff", "line": "mastery", "credit": "90", "below": "0", "overwrite": "ours",
            "direction": "both", "round": "2", "combine": "mean", "at_least": "1", "otherwise": "leave",
        }  # fmt: skip
        answer = course.post(f"/course/alignments/{number}/", form)
        assert answer.status_code == 302, answer.content.decode()[:500]
        stored = services.stored_one(course.opened.context, number)
        assert stored.definition.sections == (SectionException("701", None),)
        assert stored.students == {"1001": None}
        assert stored.scales["601"] == (services.Decimal(4), services.Decimal(3))


def test_a_scale_that_changed_is_told_on_the_list_before_any_sync(client: Client) -> None:
    with classroom(client) as course:
        number = align(course, "601")
        stored = services.stored_one(course.opened.context, number)
        seen = {"601": (services.Decimal(5), services.Decimal(4))}
        services.save_alignment(course.opened.context, stored.definition, alignment_id=number, scales=seen)
        assert "changed from 5 to 4 points, mastery from 4 to 3" in course.text("/course/", show="attention")


def two(course: Classroom) -> str:
    """An alignment of two outcomes; the address of its exceptions."""
    course.post("/course/alignments/new/", filled(outcomes=["601", "602"]))
    return f"/course/alignments/{services.stored(course.opened.context)[0].id}/exceptions/"


def students_of(course: Classroom) -> Any:
    return services.stored(course.opened.context)[0].students


def test_an_outcome_is_not_assessed_for_a_student_and_for_a_section(client: Client) -> None:
    with classroom(client) as course:
        page = two(course)
        assert (
            "Outcomes not assessed for them"
            in course.post(page, {"do": "kind", "kind": "left_out"}).content.decode()
        )
        course.post(page, {"who": "student:1001", "kind": "left_out", "left_out": ["602"]})
        course.post(page, {"who": "student:1002", "kind": "proportional", "left_out": ["601", "999"]})
        assert students_of(course) == {"1001": LeftOut(("602",)), "1002": LeftOut(("601",), Proportional())}
        shown = course.text(page)
        assert "1.2 Systems of equations not assessed; of the others: full credit at 3 of 4" in shown
        sealed = SealedExceptions.objects.get().sealed
        assert not in_clear("1001", sealed) and not in_clear("602", sealed)
        course.post(page, {"who": "section:701", "kind": "left_out", "left_out": ["602"]})
        [one] = services.stored(course.opened.context)
        assert one.definition.sections == (SectionException("701", LeftOut(("602",))),)
        for left_out, words in [([], "Tick the outcomes"), (["601", "602"], "Every outcome is ticked")]:
            answer = course.post(page, {"who": "student:1003", "kind": "left_out", "left_out": left_out})
            assert answer.status_code == 422 and words in answer.content.decode()


@pytest.mark.parametrize(("blanks", "rule"), [(TABLE, TABLE_JSON), (CRITERIA, CRITERIA_JSON)])
def test_tables_and_criteria_are_exceptions_too(
    client: Client, blanks: dict[str, str], rule: dict[str, Any]
) -> None:
    with classroom(client) as course:
        page = two(course)
        kind = {"kind": blanks["rule"], "who": "student:1001"}
        usual = course.post(page, kind | {"do": "kind"}).content.decode()
        assert f'<option value="{blanks["rule"]}" selected>' in usual and "aria-invalid" not in usual
        unseen = course.post(page, kind)
        assert unseen.status_code == 422 and "look over what is filled in" in unseen.content.decode()
        assert course.post(page, kind | blanks).status_code == 302
        want = parse_definition(entry(rule, {}, {"assignment": "1"})).rule
        assert students_of(course) == {"1001": want}
        again = course.post(page, {"edit": "student:1001"}).content.decode()
        shown = dict(re.findall(r'name="((?:level|grade)-\d-(?:at|credit))" value="([^"]*)"', again))
        assert shown == {
            name: value for name, value in blanks.items() if re.match(r".*-\d-(at|credit)$", name)
        }
        assert '<option value="student:1001" selected>' in again
        less = course.post(
            page, kind | blanks | {"do": f"remove-{'level' if 'unit' in blanks else 'grade'}-0"}
        )
        assert less.content.decode().count('value="remove-') < again.count('value="remove-')
        assert students_of(course) == {"1001": want}


def test_a_wrong_blank_of_a_table_is_marked_beside_it(client: Client) -> None:
    with classroom(client) as course:
        wrong = TABLE | {"kind": "table", "who": "student:1001", "level-1-credit": "1,5"}
        answer = course.post(two(course), wrong)
        assert answer.status_code == 422
        assert 'id="id_level-1-credit_error"' in answer.content.decode()
        assert not SealedExceptions.objects.exists()


def test_names_are_hidden_for_the_projector(client: Client) -> None:
    with classroom(client) as course:
        page = two(course)
        course.post(page, {"who": "student:1001", "kind": "not_assessed"})
        names = [user.sortable_name for user in course.world.users.values() if user.id >= 1000]
        assert any(name in course.text(page) for name in names)
        course.post("/lti/names", {"hide": "yes", "back": page})
        hidden = course.text(page)
        assert not any(name in hidden for name in names)
        assert re.search(r'<th scope="row">Student \d</th>', hidden)
        refused = course.post(page, {"who": "", "kind": "not_assessed"}).content.decode()
        assert not any(name in refused for name in names)
        assert f'name="back" value="{page}"' in refused


def test_hiding_names_keeps_what_is_typed(client: Client) -> None:
    """The switch changes in place; then the page asks for itself with what is in its form, and saves nothing."""
    with classroom(client) as course:
        page = two(course)
        shown = course.text(page)
        assert 'hx-vals=\'{"in_place": "yes"}\'' in shown and 'id="exception"' in shown
        assert 'hx-trigger="names-switched from:body" hx-include="#exception"' in shown
        course.post("/lti/names", {"hide": "yes", "in_place": "yes", "back": page})
        again = course.post(page, TYPED | {"do": "kind"})
        text = again.content.decode()
        assert again.status_code == 200 and "Okafor" not in text and not SealedExceptions.objects.exists()
        assert re.search(r'<option value="student:1002" selected>Student \d</option>', text)
        assert all(f'value="{value}"' in text for value in ("2.5", "90", "x")) and "Not saved yet" not in text


def test_a_changed_section_keeps_its_place_and_says_how_many_it_is_for(client: Client) -> None:
    with classroom(client, scenario="two-sections") as course:
        number = align(course, "601")
        page = f"/course/alignments/{number}/exceptions/"
        for who, kind in [("701", "not_assessed"), ("702", "not_assessed"), ("701", "proportional")]:
            course.post(page, {"who": f"section:{who}", "kind": kind})
        stored = services.stored_one(course.opened.context, number).definition.sections
        assert [one.section_id for one in stored] == ["701", "702"]
        assert re.search(r'<span class="muted small">\d students</span>', course.text(page))
        again = course.post(page, {"edit": "section:701"}).content.decode()
        assert '<option value="proportional" selected>' in again


def test_the_class_counts_exceptions_as_a_sync_does(client: Client) -> None:
    with classroom(client, scenario="two-sections") as course:
        blanks = both({}, target="assignment", assignment=str(homework(course).id))
        course.post("/course/alignments/new/", blanks)
        [one] = services.stored(course.opened.context)
        page = f"/course/alignments/{one.id}/exceptions/"
        course.post(
            page, {"who": "section:702", "kind": "cutoff", "line": "percent", "at": "10", "credit": "37"}
        )
        course.post(page, {"who": "student:1001", "kind": "left_out", "left_out": ["601"]})
        course.post(page, {"who": "student:1004", "kind": "not_assessed"})
        shown = course.post(CLASS, blanks | {"alignment": str(one.id)}).content.decode()
        table = class_table(shown)
        planned = Counter(cell["to"] for cell in dry_run(course) if cell["reason"] != "not_a_student")
    grades = {label.removesuffix(" of 10"): count for label, count in table.items() if " of 10" in label}
    assert grades == {to: count for to, count in planned.items() if to is not None}
    assert table["Not assessed, by an exception"] == 1
    assert re.search(r"\d students have a rule of their own and 1 is not assessed", shown)
    assert "Of the students this rule counts for." in shown


def test_without_scripts_the_forms_own_switch_hides_names_and_keeps_what_is_typed(client: Client) -> None:
    with classroom(client) as course:
        page = two(course)
        assert 'name="do" value="names-hide"' in course.text(page)
        answer = course.post(page, TYPED | {"do": "names-hide"})
        text = answer.content.decode()
        assert answer.status_code == 200 and "Okafor" not in text and not SealedExceptions.objects.exists()
        assert re.search(r'<option value="student:1002" selected>Student \d</option>', text)
        assert 'value="2.5"' in text and 'value="x"' in text and 'value="names-show"' in text
        assert "Okafor" not in course.text(page)
