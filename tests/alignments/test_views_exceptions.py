"""The page of one alignment's exceptions, through the front door."""

from __future__ import annotations

import pytest
from django.test import Client

from alignments import services
from alignments.core.definition import Cutoff, SectionException
from alignments.models import SealedExceptions
from tests.alignments.classroom import classroom
from tests.alignments.test_views_home import align

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_student_gets_a_rule_of_their_own_and_loses_it_again(client: Client) -> None:
    with classroom(client) as course:
        number = align(course, "601")
        page = f"/course/alignments/{number}/exceptions/"
        assert "Nobody: the rule counts for the whole class." in course.text(page)
        saved = course.post(page, {"who": "student:1001", "kind": "cutoff", "line": "points", "at": "2"})
        assert saved.status_code == 302 and "1001" not in saved["Location"]
        shown = course.text(page)
        assert "full credit at 2 of 4" in shown and "Lindqvist, Ada" in shown
        assert "1001" not in SealedExceptions.objects.get().sealed
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
