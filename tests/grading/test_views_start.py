"""Who may see the grading pages, and starting a preview."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from canvas.gateway import Gateway
from canvas.models import CanvasAccount
from grading.models import Run, RunState
from tests.grading.desk import Desk, desk, plain, work
from tests.people import launch_as

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = ["preview/", "preview/summary/", "runs/", "runs/1/", "runs/1/progress/", "runs/1/students/1/"]
STEPS = [
    "preview/start/",
    *(f"runs/1/{step}/" for step in ("choices", "send-bar", "send", "discard", "stop", "undo", "csv")),
]


def test_every_page_answers_a_teacher_and_a_ta(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        ta = launch_as(Client(), "ta", at.room.opened.platform, context="c101", user="u12")
        assert ta.context == at.room.opened.context
        for path in PAGES:
            assert at.room.get(f"/course/{path}").status_code in (200, 302)
            assert at.room.client.get(f"/course/{path}", **ta.headers).status_code in (200, 302)


@pytest.mark.parametrize("role", ["student", "observer", "designer"])
def test_others_see_no_page_and_no_grade(client: Client, role: str) -> None:
    with desk(client) as at:
        at.preview(601)
        other = launch_as(Client(), role, at.room.opened.platform, context="c101", user="u99")
        for path in PAGES:
            response = client.get(f"/course/{path}", **other.headers)
            assert response.status_code == 403 and "Lindqvist" not in response.content.decode()
        for path in STEPS:
            assert client.post(f"/course/{path}", **other.headers).status_code == 403
        assert at.run.state == RunState.READY and at.room.world.calls.all("PUT") == []


def test_the_teacher_of_another_course_finds_no_such_run(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        other = launch_as(Client(), "teacher", at.room.opened.platform, context="c102", user="u12")
        for path in PAGES[3:]:
            assert client.get(f"/course/{path}", **other.headers).status_code == 404
        for path in STEPS[1:]:
            assert client.post(f"/course/{path}", **other.headers).status_code == 404


def test_without_a_session_nothing_is_shown(client: Client) -> None:
    for path in PAGES:
        assert client.get(f"/course/{path}").status_code in (401, 403)


def test_what_changes_something_takes_no_get_and_what_shows_takes_no_post(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        for path in set(STEPS) - {"runs/1/choices/"}:
            assert at.room.get(f"/course/{path}").status_code == 405
        for path in PAGES:
            assert at.room.post(f"/course/{path}").status_code == 405
        assert at.room.get("/course/runs/1/choices/").status_code == 302


def test_before_anything_is_aligned_the_page_says_what_to_do_first(client: Client) -> None:
    with desk(client) as at:
        assert "Nothing is aligned yet" in at.room.text("/course/preview/")
        at.room.post("/course/preview/start/")
        assert Run.objects.count() == 0
        at.align(601)
        assert "A preview writes nothing." in at.room.text("/course/preview/")


def test_a_preview_starts_shows_that_it_reads_and_becomes_the_page(client: Client) -> None:
    with desk(client) as at:
        at.align(601)
        response = at.room.post("/course/preview/start/")
        assert response["Location"] == "/course/runs/1/"
        assert "Reading Canvas" in at.page() and "by you" in at.page()
        assert "Waiting for its turn" in at.page()
        assert 'hx-trigger="every 1s"' in at.room.text("/course/runs/1/progress/")
        again = at.room.post("/course/preview/start/")
        assert again["Location"] == "/course/runs/1/"
        work()
        over = at.room.text("/course/runs/1/progress/")
        assert 'hx-trigger="load"' in over and "Done, opening the page" in over
        assert at.room.get("/course/preview/")["Location"] == "/course/runs/1/"
        assert "Preview: 4 grades would change." in at.page()


@contextmanager
def at_work_until(monkeypatch: pytest.MonkeyPatch, path: str) -> Iterator[None]:
    """A worker beside the person at the page. Canvas gives the first page of this list, and the next one, where there
    is one, only when this ends; the worker is done then."""
    go_on, pages_of = threading.Event(), Gateway._pages

    def slow(self: Gateway, asked: str, *more: Any) -> Iterator[Any]:
        for page in pages_of(self, asked, *more):
            yield page
            if asked.endswith(path):
                assert go_on.wait(300)

    def working() -> None:
        work()
        connection.close()

    monkeypatch.setattr(Gateway, "_pages", slow)
    thread = threading.Thread(target=working)
    thread.start()
    try:
        yield
    finally:
        go_on.set()
        thread.join(300)
        monkeypatch.undo()


def wait_until_it_says(at: Desk, words: str) -> None:
    """The page, asked again and again as its script does."""
    until = time.monotonic() + 240
    while words not in (said := plain(at.room.text(f"{at.address}progress/"))):
        assert time.monotonic() < until, said
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("outcome_rollups", "Reading outcome results 100 of 130 students"),
        ("enrollments", "Reading who is in the course…"),
        ("students/submissions", "Reading the gradebook 100 of about 260 cells"),
    ],
)
def test_while_a_preview_is_read_the_page_says_how_far_it_is(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str, words: str
) -> None:
    with desk(client, scenario="crowd-130x2") as at:
        at.align()
        at.room.post("/course/preview/start/")
        with at_work_until(monkeypatch, path):
            wait_until_it_says(at, words)
            assert "Canvas is being read." in at.room.text("/course/preview/summary/")
        assert at.run.state == RunState.READY and at.run.progress == {}
        assert "would change" in at.page()


def test_an_undo_under_way_is_not_called_reading(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with desk(client) as at:
        at.preview(601)
        at.send()
        assert at.post("undo").status_code == 302
        with at_work_until(monkeypatch, "students/submissions"):
            wait_until_it_says(at, "Grades put back 0 of 4 grades")
            assert "Undoing run 1" in at.page() and "Reading Canvas" not in at.page()
            assert "Run 1 is being undone." in at.room.text("/course/preview/summary/")
        assert "4 cells were put back" in at.page()


def test_while_grades_are_sent_the_page_says_which_and_how_many(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk(client) as at:
        at.preview(601)
        assert at.post("send", at.form()).status_code == 302
        assert "Waiting for its turn" in at.page() and "Stop after this step" in at.page()
        with at_work_until(monkeypatch, "students/submissions"):
            wait_until_it_says(at, "Checking that nothing changed since the preview 0 of 4 grades")
        assert "4 grades are in the gradebook." in at.page()


def test_without_a_connected_account_a_preview_leads_to_connecting(client: Client) -> None:
    with desk(client, connected=False) as at:
        at.align(601)
        assert at.room.post("/course/preview/start/")["Location"] == "/course/"
        assert Run.objects.count() == 0


def test_canvas_down_while_it_is_read_is_said_with_the_step(client: Client) -> None:
    with desk(client) as at:
        at.align(601)
        at.room.world.faults.add("error_before", path="*", method="GET", status=503, count=None)
        at.room.post("/course/preview/start/")
        work()
        page = at.page()
    assert "Nothing was sent." in page and "Canvas" in page
    assert at.run.state == RunState.FINISHED and at.run.outcome == "stopped"


def test_the_summary_says_what_waits_and_the_last_sync(client: Client) -> None:
    with desk(client) as at:
        first = plain(at.room.text("/course/preview/summary/"))
        assert first == (
            "Preview to see what a sync would change now. It reads the gradebook and writes nothing. Preview changes"
        )
        assert at.room.world.calls.all("GET") == []
        at.preview(601)
        waiting = "A preview is waiting: 4 grades would change. Canvas was read just now."
        assert waiting in plain(at.room.text("/course/preview/summary/"))
        at.send()
        said = at.room.text("/course/preview/summary/")
    assert "4 grades are in the gradebook. Undo" in plain(said) and "by you" in said
    assert "Preview to see what a sync would change now." in said


def test_home_says_what_is_under_way_also_where_canvas_cannot_be_asked(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        at.send()
        at.room.world.faults.add("error_before", path="*", method="GET", status=503, count=None)
        assert 'hx-get="/course/preview/summary/"' in at.room.text("/course/")
        assert "4 grades are in the gradebook. Undo" in plain(at.room.text("/course/preview/summary/"))
        CanvasAccount.objects.update(lost_at=timezone.now(), lost_code="revoked")
        assert 'hx-get="/course/preview/summary/"' in at.room.text("/course/")
        said = plain(at.room.text("/course/preview/summary/"))
    assert said.startswith("No sync is under way. Last sync: ") and "Preview changes" not in said


def test_a_day_stays_on_one_line(client: Client) -> None:
    """Broken after the comma or not at all: "3 Mar 2026, 10:15 MST"."""
    with desk(client) as at:
        at.preview(601)
        student = at.room.get(f"{at.address}students/1/").content.decode()
        at.send()
        tied = r"\d{1,2}\xa0[A-Z][a-z]{2}\xa0\d{4}, \d\d:\d\d\xa0M[SD]T"
        for path in ("/course/preview/summary/", at.address, "/course/runs/"):
            assert re.search(tied, at.room.get(path).content.decode()), path
    assert "12\xa0January\xa02026" in student
