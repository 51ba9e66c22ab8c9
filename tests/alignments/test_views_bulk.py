"""Suggested pairs, columns for all outcomes and settings, through the front door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from alignments import beginnings, services
from alignments.core.definition import AssignmentTarget, ColumnTarget
from alignments.models import Alignment
from tests.alignments.classroom import Classroom, classroom
from tests.people import launch_as

pytestmark = pytest.mark.django_db(transaction=True)

SUGGESTED = "/course/alignments/suggested/"
COLUMNS = "/course/alignments/columns/"


def column_of(course: Classroom, title: str) -> str:
    [found] = [one for one in course.world.assignments.values() if one.name == title]
    return str(found.id)


def definitions(course: Classroom) -> list[Any]:
    return [one.definition for one in services.stored(course.opened.context)]


def test_pairs_are_offered_with_their_reason_and_accepted_one_by_one(client: Client) -> None:
    with classroom(client) as course:
        page = course.text(SUGGESTED)
        assert "same number and name" in page
        target = column_of(course, "1.1 Linear models")
        course.post(SUGGESTED, {"pair": [f"601:{target}"]})
        [one] = services.stored(course.opened.context)
    assert one.definition.outcome_ids == ("601",)
    assert one.definition.target == AssignmentTarget(target)
    assert one.expected_points == 1


def test_all_pairs_at_once(client: Client) -> None:
    with classroom(client) as course:
        pairs = [f"{number}:{column_of(course, name)}" for number, name in OUTCOMES]
        assert course.post(SUGGESTED, {"pair": pairs}).status_code == 302
        assert len(definitions(course)) == 5
        assert "No pairs to suggest" in course.text(SUGGESTED)


OUTCOMES = [
    (601, "1.1 Linear models"),
    (602, "1.2 Systems of equations"),
    (603, "1.3 Communicates reasoning"),
    (604, "2.1 Models with functions"),
    (605, "2.2 Uses technology"),
]


@pytest.mark.parametrize("pairs", [[], ["601:31337"], ["nonsense"]])
def test_pairs_that_are_not_suggested_are_refused_whole(client: Client, pairs: list[str]) -> None:
    with classroom(client) as course:
        assert course.post(SUGGESTED, {"pair": pairs}).status_code == 422
    assert not Alignment.objects.exists()


def test_columns_for_the_ticked_outcomes(client: Client) -> None:
    with classroom(client) as course:
        assert "2.2 Uses technology" in course.text(COLUMNS)
        course.post(COLUMNS, {"outcome": ["604", "605"], "points": "2"})
        made = definitions(course)
    assert [one.target.label for one in made] == ["2.1 Models with functions", "2.2 Uses technology"]
    assert all(isinstance(one.target, ColumnTarget) and one.target.points == 2 for one in made)


@pytest.mark.parametrize(
    "form", [{"points": "1"}, {"outcome": ["601"], "points": "-1"}, {"outcome": ["31337"], "points": "1"}]
)
def test_a_wrong_choice_makes_no_column(client: Client, form: dict[str, Any]) -> None:
    with classroom(client) as course:
        assert course.post(COLUMNS, form).status_code == 422
    assert not Alignment.objects.exists()


def test_outcomes_left_out_are_neither_suggested_nor_given_columns(client: Client) -> None:
    with classroom(client) as course:
        course.post("/course/settings/keywords/", {"words": "technology, reasoning"})
        course.post("/course/outcomes/601/exclude/")
        for page in (course.text(SUGGESTED), course.text(COLUMNS)):
            assert "2.2 Uses technology" not in page
            assert "1.1 Linear models" not in page
            assert "1.2 Systems of equations" in page


def test_canvas_being_down_says_so_on_the_review_pages(client: Client) -> None:
    with classroom(client) as course:
        pass
    for path in (SUGGESTED, COLUMNS):
        response = course.get(path)
        assert response.status_code == 409
        assert "Canvas could not be reached." in response.content.decode()


def test_settings_list_each_permission_with_its_reason(client: Client) -> None:
    with classroom(client) as course:
        page = course.text("/course/settings/")
    assert "url:GET|/api/v1/courses/:course_id/outcome_rollups" in page
    assert "to read every student&#x27;s mastery of the outcomes" in page
    assert 'action="/canvas/disconnect"' in page
    assert 'action="/lti/signout"' in page


def test_assignments_of_the_preferred_group_are_offered_first(client: Client) -> None:
    with classroom(client) as course:
        groups = {one.name: str(one.id) for one in course.world.assignment_groups.values()}
        page = course.text("/course/alignments/new/")
        assert page.index(">Evidence</p>") < page.index(">Mastery</p>")
        course.post("/course/settings/group/", {"group": groups["Mastery"]})
        page = course.text("/course/alignments/new/")
        assert page.index(">Mastery</p>") < page.index(">Evidence</p>")
        assert course.post("/course/settings/group/", {"group": "31337"}).status_code == 422


def test_too_many_words_are_refused_and_come_back(client: Client) -> None:
    opened = launch_as(client)
    words = ", ".join(f"word{number}" for number in range(51))
    response = client.post("/course/settings/keywords/", {"words": words}, **opened.headers)
    assert response.status_code == 422
    assert "word50" in response.content.decode()
    assert beginnings.course_settings(opened.context).excluded_keywords == [
        "attendance",
        "behaviour",
        "behavior",
    ]


def test_alignments_leave_as_a_file_and_come_back(client: Client) -> None:
    with classroom(client) as course:
        course.post(COLUMNS, {"outcome": ["604"], "points": "1"})
        exported = course.post("/course/settings/export/")
        assert exported["Content-Disposition"] == 'attachment; filename="alignments.json"'
        before = definitions(course)
        upload = SimpleUploadedFile("alignments.json", exported.content)
        response = course.post("/course/settings/import/", {"file": upload, "replace": "on"})
        assert response["Location"] == "/course/settings/?done=imported"
        assert definitions(course) == before


def test_a_wrong_file_changes_nothing_and_names_the_field(client: Client) -> None:
    opened = launch_as(client)
    body = json.dumps(
        {"version": 1, "alignments": [{"name": "A", "outcomes": [], "rule": {"kind": "cutoff"}}]}
    )
    upload = SimpleUploadedFile("alignments.json", body.encode())
    response = client.post("/course/settings/import/", {"file": upload}, **opened.headers)
    assert response.status_code == 422
    assert "alignments[0] &quot;A&quot;: " in response.content.decode()
    assert not Alignment.objects.exists()


def test_importing_needs_a_file(client: Client) -> None:
    opened = launch_as(client)
    response = client.post("/course/settings/import/", **opened.headers)
    assert response.status_code == 422
    assert "Choose a file first." in response.content.decode()


@pytest.mark.parametrize(
    "path", ["settings/export/", "settings/import/", "settings/keywords/", "outcomes/601/exclude/"]
)
def test_changes_are_posts_by_staff_only(client: Client, path: str) -> None:
    student = launch_as(client, "student")
    assert client.post(f"/course/{path}", **student.headers).status_code == 403
    assert client.get(f"/course/{path}", **student.headers).status_code == 405
