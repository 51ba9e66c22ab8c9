"""Rows 48, 118, 119, 120 and 125 of the REST table: the sandbox as canvasapi meets it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import canvasapi
import pytest
from canvasapi.exceptions import BadRequest, CanvasException, Forbidden, RateLimitExceeded

from tests.sandbox.rest_client import Canvas


@contextmanager
def api(canvas: Canvas) -> Iterator[canvasapi.Canvas]:
    """canvasapi as the teacher; it never closes its session itself."""
    client = canvasapi.Canvas(canvas.url, canvas.token().token)
    try:
        yield client
    finally:
        client._Canvas__requester._session.close()


def test_row_48_none_sends_nothing(canvas: Canvas) -> None:
    essay = canvas.assignment()
    with api(canvas) as client:
        course = client.get_course(101)
        with pytest.raises(BadRequest, match="grade_data"):
            course.submissions_bulk_update(grade_data={essay.id: {1001: {"posted_grade": None}}})


def test_bulk_grades_and_their_progress(canvas: Canvas) -> None:
    essay = canvas.assignment()
    with api(canvas) as client:
        job = client.get_course(101).submissions_bulk_update(
            grade_data={essay.id: {1001: {"posted_grade": "8"}}}
        )
        assert job.query().workflow_state == "completed"
    assert canvas.cell(essay, 1001)["score"] == 8.0


@pytest.mark.parametrize(("status", "error"), [(403, Forbidden), (429, RateLimitExceeded)])
def test_row_118_the_throttles_refusals(canvas: Canvas, status: int, error: type[CanvasException]) -> None:
    """canvasapi 3.4 knew the 403 for what it is and not the 429; with 3.6 it is the other way round."""
    canvas.world.throttle.status = status
    canvas.world.faults.add("throttled")
    with api(canvas) as client, pytest.raises(error, match="Rate Limit Exceeded") as caught:
        client.get_course(101)
    assert type(caught.value) is error


def test_row_119_the_last_per_page_wins(canvas: Canvas) -> None:
    with api(canvas) as client:
        list(client.get_course(101).get_sections(per_page=10))
    query = canvas.world.calls.all(path="*/sections")[-1].query
    assert "per_page=10&" in f"{query}&"
    assert "per_page=100" in query
    sized = canvas.call("GET", "./sections?per_page=10&per_page=100")
    assert "per_page=100" in sized.links["current"]["url"]


def test_row_120_one_page_of_rollups(canvas: Canvas) -> None:
    with canvas.world.lock:
        section = next(iter(canvas.world.sections.values()))
        for number in range(24):
            canvas.world.enroll(canvas.world.add_user(f"Extra {number}"), section)
    with api(canvas) as client:
        body = client.get_course(101).get_outcome_result_rollups(include=["users"])
    assert body["meta"]["pagination"]["count"] == 30
    assert len(body["linked"]["users"]) == 10


def test_row_125_links_of_another_host_break_canvasapi(canvas: Canvas) -> None:
    client = canvasapi.Canvas(canvas.url.replace("localhost", "127.0.0.1"), canvas.token().token)
    other = f'<{canvas.url}/api/v1/courses/101/sections?page=2>; rel="next"'
    canvas.world.faults.add("reply", path="*/sections", status=200, body="[]", headers={"Link": other})
    with pytest.raises(AttributeError, match="group"):
        list(client.get_course(101).get_sections())
    client._Canvas__requester._session.close()
