"""The gateways against the pretend Canvas, with exactly the scopes this tool asks for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from canvas.accounts import scope_names
from canvas.ags import Ags
from canvas.counting import CallCounter
from canvas.models import CanvasAccount
from canvas.oauth import access_purpose
from canvas.rest import EXCUSE, Rest
from canvas.throttle import _paces
from lti_tool.errors import Refused
from lti_tool.http import Http
from lti_tool.models import Registration
from lti_tool.sealing import seal
from sandbox.scenarios import NAMES
from sandbox.world import World
from tests.canvas.conftest import NOW
from tests.sandbox.rest_client import TEACHER, Canvas

pytestmark = pytest.mark.django_db
SCENARIOS = [name for name in NAMES if name not in ("large", "huge", "global-ids")]


def rest_for(school: Canvas, user: int = TEACHER) -> tuple[Rest, CallCounter]:
    _paces.clear()
    registration = Registration.objects.create(
        issuer="https://canvas.test",
        client_id="1",
        canvas_url=school.url,
        authorize_url=f"{school.url}/a",
        token_url=f"{school.url}/t",
        jwks_url=f"{school.url}/j",
    )
    token = school.token(user, scope_names()).token
    account = CanvasAccount.objects.create(
        registration=registration,
        canvas_user_id=str(user),
        connected_at=NOW,
        sealed_access_token=seal(token, purpose=access_purpose(registration.pk, str(user))),
    )
    counter = CallCounter()
    return Rest(account, Http(), counter), counter


@pytest.fixture
def small() -> Iterator[Canvas]:
    with Canvas("small") as school:
        yield school


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_course_is_read_whole(scenario: str) -> None:
    with Canvas(scenario) as school:
        rest, _ = rest_for(school)
        course = str(school.course.id)
        assert rest.course(course).id == course
        evidence, students = rest.evidence(course), rest.students(course)
        assert set(evidence.rollups) == set(students)
        assert set(evidence.outcomes) == {
            str(link.outcome_id) for link in school.world.course_outcomes(school.course.id)
        }
        assert rest.sections(course)
        groups, assignments = rest.assignment_groups(course), rest.assignments(course)
        assert {one.assignment_group_id for one in assignments.values()} <= set(groups)
        cells = rest.cells(course, [one.id for one in assignments.values() if one.published])
        assert {user for _, user in cells} <= set(students)
        assert rest.closed_grading_periods(course) is not None
        assert rest.grading_scheme(rest.course(course), None) is not None


def test_a_large_course_costs_what_the_design_says() -> None:
    with Canvas("large") as school:
        rest, counter = rest_for(school)
        course = str(school.course.id)
        rest.evidence(course)
        assert counter.read == 3
        students = rest.students(course)
        assert counter.read == 6
        columns = [one.id for one in rest.assignments(course).values() if one.published]
        before = counter.read
        cells = rest.cells(course, columns)
        assert len(cells) == len(columns) * len(students)
        assert counter.read - before == -(-len(cells) // 100)


def test_grades_arrive_as_they_were_meant(small: Canvas) -> None:
    rest, counter = rest_for(small)
    course = str(small.course.id)
    column = next(one.id for one in rest.assignments(course).values() if one.published)
    users = sorted(user for user, one in rest.students(course).items() if one.is_active)[:3]
    progress = rest.post_grades(course, column, {users[0]: "0.85", users[1]: EXCUSE, users[2]: ""})
    assert rest.wait_for(progress).workflow_state == "completed"
    cells = rest.cells(course, [column], users)
    assert cells[column, users[0]].entered_score == Decimal("0.85")
    assert cells[column, users[1]].excused
    assert cells[column, users[2]].is_empty
    assert counter.write == 1
    put = rest.put_grade(course, column, users[2], "0.5")
    assert put.entered_score == Decimal("0.5")
    rest.set_omit_from_final(course, column)
    assert rest.assignments(course)[column].omit_from_final_grade


def test_ids_beyond_floats_stay_exact() -> None:
    with Canvas("global-ids") as school:
        rest, _ = rest_for(school, next(iter(teachers(school))))
        evidence = rest.evidence(str(school.course.id))
        world_ids = {str(link.outcome_id) for link in school.world.course_outcomes(school.course.id)}
        assert set(evidence.outcomes) == world_ids


def teachers(school: Canvas) -> set[int]:
    enrolments: Any = school.world.course_enrollments(school.course.id, ["TeacherEnrollment"])
    return {one.user_id for one in enrolments}


@pytest.mark.django_db(transaction=True)
def test_a_column_is_made_graded_and_emptied(columns: tuple[Ags, World]) -> None:
    ags, world = columns
    assert ags.line_items() == []
    item = ags.create_line_item("1.1 Linear", Decimal("1"), "alignment-1")
    assert ags.line_items() == [item]
    student = next(one for one in world.enrollments.values() if one.type == "StudentEnrollment")
    user = str(student.user_id)
    ags.post_score(item.url, user, Decimal("0.85"), item.score_maximum, NOW)
    assert [result.score for result in ags.results(item.url)] == [Decimal("0.85")]
    ags.post_score(item.url, user, None, item.score_maximum, NOW + timedelta(milliseconds=1))
    assert [result.score for result in ags.results(item.url)] == [None]
    with pytest.raises(Refused) as caught:
        ags.post_score(item.url, user, Decimal("0.5"), item.score_maximum, NOW)
    assert caught.value.code == "superseded"
    with pytest.raises(Refused) as caught:
        ags.post_score(item.url, "11", Decimal("0.5"), item.score_maximum, NOW)
    assert caught.value.code == "not_a_student"
    with pytest.raises(Refused) as caught:
        ags.post_score(f"{item.url}99", user, Decimal("0.5"), item.score_maximum, NOW)
    assert caught.value.code == "column_gone"
