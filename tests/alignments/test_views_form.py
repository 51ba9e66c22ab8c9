"""The alignment form, through the front door."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from alignments import services
from alignments.core.definition import (
    AssignmentTarget,
    ColumnTarget,
    Cutoff,
    Percent,
    PointsLine,
    Proportional,
)
from alignments.core.jsonfile import parse_definition
from alignments.models import Alignment
from tests.alignments.classroom import Classroom, classroom
from tests.people import launch_as

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "/course/alignments/new/"


def filled(**changes: Any) -> dict[str, Any]:
    """The form as it stands for one outcome, with some blanks filled otherwise."""
    usual = {
        "outcomes": ["601"],
        "target": "column",
        "label": "Models",
        "points": "1",
        "rule": "cutoff",
        "line": "mastery",
        "credit": "100",
        "below": "0",
        "overwrite": "ours",
        "direction": "both",
        "round": "2",
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def saved(course: Classroom) -> Any:
    [one] = services.stored(course.opened.context)
    return one


def homework(course: Classroom) -> Any:
    [one] = [one for one in course.world.assignments.values() if one.name == "Homework 1"]
    return one


def test_the_form_opens_with_the_chosen_outcome_and_its_name(client: Client) -> None:
    with classroom(client) as course:
        page = course.text(NEW, outcome="601")
    assert 'name="outcomes" value="601" checked' in page
    assert 'value="1.1 Linear models"' in page


def test_a_new_column_with_full_credit_at_mastery(client: Client) -> None:
    with classroom(client) as course:
        response = course.post(NEW, filled(omit="on"))
        assert response["Location"] == "/course/?done=saved"
        one = saved(course)
    assert one.definition.target == ColumnTarget("Models", Decimal(1))
    assert one.definition.rule == Cutoff()
    assert one.definition.name == "1.1 Linear models"
    assert one.target.omit_from_final_grade


def test_several_weighted_outcomes_feed_an_assignment_in_proportion(client: Client) -> None:
    with classroom(client) as course:
        number = str(homework(course).id)
        weights = {"outcomes": ["601", "602"], "weight-601": "2", "weight-602": "0.5"}
        course.post(NEW, filled(target="assignment", assignment=number, rule="proportional", **weights))
        one = saved(course)
    assert [str(outcome.weight) for outcome in one.definition.outcomes] == ["2", "0.5"]
    assert one.definition.target == AssignmentTarget(number)
    assert one.definition.rule == Proportional()
    assert one.expected_points == Decimal(10)


def test_partial_credit_at_a_line_in_points(client: Client) -> None:
    with classroom(client) as course:
        course.post(NEW, filled(line="points", at="2.5", credit="90%", below="12.5"))
        assert saved(course).definition.rule == Cutoff(
            PointsLine(Decimal("2.5")), Percent(Decimal(90)), Percent(Decimal("12.5"))
        )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"outcomes": []}, "Choose at least one outcome."),
        ({"outcomes": ["31337"]}, "Outcome 31337 is not in this course. Choose one that is."),
        ({"weight-601": "two"}, "Type a number such as 1 or 0.85."),
        ({"label": " "}, "Give the column a name: students see it in Grades."),
        ({"points": ""}, "Type how many points the column is worth, such as 1."),
        ({"points": "0"}, "Type a number above 0 to 1000000."),
        ({"points": "0,85"}, "Use a point, not a comma."),
        ({"target": None}, "Choose where the grade goes."),
        ({"target": "assignment"}, "Choose the assignment the grade goes to."),
        ({"target": "assignment", "assignment": "31337"}, "That assignment is not in this course."),
        ({"line": "points", "at": "5"}, "Nobody could reach 5: this scale ends at 4."),
        ({"line": "percent", "at": ""}, "Type where the line is, such as 3 points or 75 percent."),
        ({"credit": "1e2"}, "Type a number such as 1 or 0.85."),
        ({"rule": "table"}, "look over what is filled in below, then save."),
        ({"rule": "keep"}, "Select a valid choice."),
        ({"round": "9"}, "Select a valid choice."),
    ],
)
def test_each_mistake_is_told_beside_its_field_and_nothing_is_saved(
    client: Client, changes: dict[str, Any], sentence: str
) -> None:
    with classroom(client) as course:
        response = course.post(NEW, filled(**changes))
        page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert "everything you typed is still here" in page
    assert not Alignment.objects.exists()


def test_what_was_typed_comes_back_with_the_errors(client: Client) -> None:
    with classroom(client) as course:
        page = course.post(NEW, filled(label="My <column>", points="abc", below="33")).content.decode()
    assert 'value="My &lt;column&gt;"' in page
    assert 'value="abc"' in page
    assert 'value="33"' in page


def test_a_blank_the_choice_above_hides_is_no_error(client: Client) -> None:
    with classroom(client) as course:
        number = str(homework(course).id)
        response = course.post(
            NEW, filled(target="assignment", assignment=number, label="", points="x", at="?")
        )
        assert response.status_code == 302


def test_an_unpublished_assignment_is_offered_with_its_reason_and_refused(client: Client) -> None:
    with classroom(client) as course:
        homework(course).published = False
        assert "Not published. Publish it in Canvas first." in course.text(NEW)
        response = course.post(NEW, filled(target="assignment", assignment=str(homework(course).id)))
        assert response.status_code == 422


def test_one_target_belongs_to_one_alignment(client: Client) -> None:
    with classroom(client) as course:
        course.post(NEW, filled())
        response = course.post(NEW, filled(outcomes=["602"]))
        assert response.status_code == 409
        assert "is already fed by &quot;1.1 Linear models&quot;" in response.content.decode()


def test_changing_keeps_the_alignment_and_takes_the_new_rule(client: Client) -> None:
    with classroom(client) as course:
        course.post(NEW, filled())
        number = saved(course).id
        assert 'value="Models"' in course.text(f"/course/alignments/{number}/")
        course.post(f"/course/alignments/{number}/", filled(rule="proportional"))
        assert saved(course).id == number
        assert saved(course).definition.rule == Proportional()


def test_an_imported_calculation_the_form_has_no_blanks_for_is_kept(client: Client) -> None:
    entry = {
        "outcomes": [{"id": "601"}, {"id": "602"}],
        "rule": {"kind": "proportional"},
        "calculation": {"method": "latest"},
        "target": {"column": {"label": "Models", "points": "1"}},
    }
    with classroom(client) as course:
        before = services.save_alignment(course.opened.context, parse_definition(entry))
        course.post(f"/course/alignments/{before.id}/", filled(outcomes=["601", "602"], points="2"))
        after = saved(course).definition
    assert after.calculation == before.definition.calculation
    assert after.target == ColumnTarget("Models", Decimal(2))


def test_showing_the_class_counts_grades_and_saves_nothing(client: Client) -> None:
    with classroom(client) as course:
        page = course.post(NEW, filled(outcomes=["602"], show="1")).content.decode()
    assert "The class under this rule" in page
    assert "1 of 1" in page
    assert "Too little evidence: the cell is left as it is" in page
    assert not Alignment.objects.exists()


def test_deleting_asks_first_and_keeps_the_target(client: Client) -> None:
    with classroom(client) as course:
        course.post(NEW, filled())
        number = saved(course).id
        assert "The column and the grades already in the gradebook stay" in course.text(
            f"/course/alignments/{number}/delete/"
        )
        assert Alignment.objects.exists()
        course.post(f"/course/alignments/{number}/delete/")
        assert not Alignment.objects.exists()
        assert course.opened.context.targets.count() == 1


def test_another_courses_alignment_is_not_found(client: Client) -> None:
    with classroom(client) as course:
        course.post(NEW, filled())
        number = saved(course).id
        other = launch_as(Client(), "teacher", course.opened.platform, context="c102", user="u11")
        for path in ("", "delete/"):
            address = f"/course/alignments/{number}/{path}"
            assert client.get(address, **other.headers).status_code == 404
            assert client.post(address, filled(), **other.headers).status_code == 404
        assert client.post(f"/course/alignments/{number}/repair/", **other.headers).status_code == 404
    assert Alignment.objects.count() == 1


def test_saving_while_canvas_is_down_loses_nothing_that_was_typed(client: Client) -> None:
    with classroom(client) as course:
        pass
    response = course.post(NEW, filled(label="Typed name"))
    assert response.status_code == 409
    assert "Canvas could not be reached." in response.content.decode()
    assert 'value="Typed name"' in response.content.decode()
    assert 'value="601" checked' in response.content.decode()


@pytest.mark.parametrize("role", ["student", "observer", "designer"])
def test_others_may_neither_see_nor_save(client: Client, role: str) -> None:
    with classroom(client, role=role, connected=False) as course:
        assert course.get(NEW).status_code == 403
        assert course.post(NEW, filled()).status_code == 403
    assert not Alignment.objects.exists()


def test_a_form_without_scripts_carries_the_session_in_a_field_and_a_cookie_alone_does_not_do(
    client: Client,
) -> None:
    with classroom(client) as course:
        assert client.post(NEW, filled()).status_code == 401
        response = client.post(NEW, filled(session_token=course.opened.token))
        assert response.status_code == 302


def test_two_alignments_of_one_name_are_told_apart_by_where_their_grades_go(client: Client) -> None:
    """An assignment is called as Canvas calls it now, once the list of outcomes was looked at."""
    with classroom(client) as course:
        course.post(NEW, filled())
        course.post(NEW, filled(target="assignment", assignment=str(homework(course).id)))
        course.text("/course/")
        first, second = services.stored(course.opened.context)
        assert (first.title, second.title) == ("1.1 Linear models → Models", "1.1 Linear models → Homework 1")
        homework(course).name = "Homework one"
        course.text("/course/")
        for page in ("", "exceptions/", "delete/"):
            assert "1.1 Linear models → Homework one" in course.text(f"/course/alignments/{second.id}/{page}")


def test_a_saved_alignment_opens_folded_with_a_line_for_each_part(client: Client) -> None:
    with classroom(client) as course:
        course.post(NEW, filled(below="50", round="1"))
        page = course.text(f"/course/alignments/{saved(course).id}/")
        new = course.text(NEW)
        wrong = course.post(NEW, filled(label="", open="known")).content.decode()
        again = course.post(
            "/course/alignments/class/", filled(open=["known", "fold-score"])
        ).content.decode()
    for line in (
        "the column “Models”, 1 point",
        "Full credit at 3 of 4, 50 % below.",
        "up and down; 1 decimal",
    ):
        assert line in page
    assert 'id="fold-outcomes">' in page and 'id="fold-target">' in page
    assert 'id="fold-outcomes" open>' in new and 'id="fold-target" open>' in new
    assert 'id="fold-target" open>' in wrong and 'id="fold-outcomes">' in wrong
    assert '<span class="fold-set" id="set-target" hx-swap-oob="true">the column “Models”, 1 point' in again
