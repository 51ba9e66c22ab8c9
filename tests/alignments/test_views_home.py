"""The list of outcomes and columns, through the front door."""

from __future__ import annotations

import pytest
from django.test import Client

from alignments import services
from alignments.beginnings import usual_definition
from alignments.core.definition import ColumnTarget
from alignments.models import Alignment, ExcludedOutcome
from canvas.models import CanvasAccount
from canvas.values import Outcome
from tests.alignments.classroom import Classroom, classroom
from tests.people import launch_as

pytestmark = pytest.mark.django_db(transaction=True)


def align(course: Classroom, outcome_id: str, label: str = "1.1 Linear models") -> int:
    """One alignment of this course with a column of its own."""
    outcome = Outcome(outcome_id, label, None, None)
    definition = usual_definition(outcome, ColumnTarget(label, points=services.Decimal(1)))
    return services.save_alignment(course.opened.context, definition).id


def test_a_teacher_sees_outcomes_by_group_with_their_class(client: Client) -> None:
    with classroom(client) as course:
        page = course.text("/course/")
    places = [page.index(one) for one in ("<h2>Unit 1", "1.1 Linear models", "<h2>Unit 2", "2.2 Uses")]
    assert places == sorted(places)
    assert "0 to 4, mastery at 3" in page
    assert "4 of 6" in page


def test_a_row_says_what_its_outcome_feeds_with_the_rule_in_words(client: Client) -> None:
    with classroom(client) as course:
        number = align(course, "601", "Column of models")
        page = course.text("/course/")
    assert f'<a href="/course/alignments/{number}/">Column of models</a>' in page
    assert "full credit at 3 of 4" in page
    assert "Three steps" not in page


def test_a_teaching_assistant_sees_the_same_list(client: Client) -> None:
    with classroom(client, role="ta") as course:
        assert "1.1 Linear models" in course.text("/course/")


def test_search_and_filters_narrow_the_list(client: Client) -> None:
    with classroom(client) as course:
        align(course, "601")
        assert "2.2 Uses technology" not in course.text("/course/", q="systems")
        unaligned = course.text("/course/", show="unaligned")
        assert "2.2 Uses technology" in unaligned
        assert "full credit" not in unaligned
        assert "No outcome fits this search" in course.text("/course/", q="zebra")


def test_without_a_connection_the_page_offers_to_connect_and_asks_canvas_nothing(client: Client) -> None:
    with classroom(client, connected=False) as course:
        page = course.text("/course/")
        assert not course.world.calls.count(path="/api/*")
    assert 'href="/canvas/authorize"' in page
    assert "Three steps" in page


def test_an_outcome_that_is_gone_is_shown_with_a_form_that_repairs_it(client: Client) -> None:
    with classroom(client) as course:
        number = align(course, "99999", "Old column")
        page = course.text("/course/")
        assert "Outcome 99999 is no longer in this course." in page
        assert f'action="/course/alignments/{number}/repair/"' in page
        course.post(f"/course/alignments/{number}/repair/", {"gone": "99999", "instead": "602"})
        assert services.stored_one(course.opened.context, number).definition.outcome_ids == ("602",)


def test_repair_refuses_an_outcome_of_another_course(client: Client) -> None:
    with classroom(client) as course:
        number = align(course, "99999", "Old column")
        response = course.post(f"/course/alignments/{number}/repair/", {"gone": "99999", "instead": "31337"})
        assert response.status_code == 422
        assert services.stored_one(course.opened.context, number).definition.outcome_ids == ("99999",)


def test_leaving_an_outcome_out_and_taking_it_back(client: Client) -> None:
    with classroom(client) as course:
        response = course.post("/course/outcomes/605/exclude/", {"q": "uses"})
        assert response["Location"] == "/course/?done=excluded&q=uses"
        assert "Left out by choice." in course.text("/course/")
        course.post("/course/outcomes/605/include/")
        assert not ExcludedOutcome.objects.exists()


def test_canvas_being_down_leaves_the_page_usable(client: Client) -> None:
    with classroom(client) as course:
        align(course, "601", "Column of models")
    page = course.text("/course/")
    assert "Canvas could not be reached." in page
    assert "Column of models" in page


def test_a_revoked_token_asks_to_connect_again(client: Client) -> None:
    with classroom(client) as course:
        align(course, "601", "Column of models")
        for token in course.world.tokens.values():
            token.revoked = True
        page = course.text("/course/")
    assert 'href="/canvas/authorize"' in page
    assert "Column of models" in page
    assert CanvasAccount.objects.get().lost_at is not None


def test_a_concluded_course_is_said_to_take_no_grades(client: Client) -> None:
    with classroom(client) as course:
        found = course.world.course(101)
        assert found is not None
        found.workflow_state = "completed"
        assert "This course has ended." in course.text("/course/")


def test_a_student_is_refused_and_sees_nobodys_data(client: Client) -> None:
    with classroom(client, role="student", connected=False) as course:
        response = course.get("/course/")
    assert response.status_code == 403
    assert "Lindqvist" not in response.content.decode()


def test_without_a_session_the_page_says_how_to_open_it(client: Client) -> None:
    assert Client().get("/course/").status_code == 401


def test_the_list_is_only_read(client: Client) -> None:
    opened = launch_as(client)
    assert client.post("/course/", **opened.headers).status_code == 405


def test_no_page_of_the_list_writes_an_alignment_by_itself(client: Client) -> None:
    with classroom(client) as course:
        course.text("/course/")
        course.text("/course/alignments/suggested/")
        course.text("/course/alignments/columns/")
        assert not Alignment.objects.exists()
