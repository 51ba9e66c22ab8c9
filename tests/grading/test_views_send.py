"""Sending from the preview, the page meanwhile, the report, undo and the history."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from django.test import Client

from grading import runs
from grading.models import Run, RunState
from tests.alignments.classroom import connect
from tests.grading.desk import Desk, desk, plain, work
from tests.people import launch_as

pytestmark = pytest.mark.django_db(transaction=True)


def gradebook(at: Desk, outcome: str) -> dict[int, str]:
    """What the column holds, by student."""
    [column] = [one.id for one in at.room.world.assignments.values() if one.name.startswith(outcome)]
    cells = at.room.world.submissions.items()
    return {
        user: str(cell.entered_score)
        for (assignment, user), cell in cells
        if assignment == column and cell.entered_score is not None
    }


def test_send_writes_what_the_page_showed_and_the_report_counts_it(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        assert gradebook(at, "1.1") == {}
        report = at.send()
        assert len(gradebook(at, "1.1")) == 4
    assert "4 grades are in the gradebook." in report and "by you" in report
    assert "In the gradebook Grade from the rule 4 cells The rule gives this grade." in report
    assert "Left as they are Not assessed yet 2 cells" in report
    assert "Undo this run" in report and "Possible until" in report
    assert at.run.sealed_plan == ""


def test_choices_that_came_with_the_button_are_shown_before_they_are_sent(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        response = at.post("send", at.form(hold=[at.ref("1.1", 1001)]))
        page = plain(response.content.decode())
        assert response.status_code == 409 and at.run.state == RunState.READY
        assert "Not sent yet" in page and "3 grades would change. Press Send again." in page
        at.send(hold=[at.ref("1.1", 1001)])
        assert 1001 not in gradebook(at, "1.1")


def test_a_stranger_digest_sends_nothing(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        assert at.post("send", {"digest": "0" * 64}).status_code == 409
        assert at.post("send", {}).status_code == 409
        assert at.run.state == RunState.READY


def test_an_unusual_change_asks_once_more_with_the_numbers(client: Client) -> None:
    with desk(client, "crowd-30x1") as at:
        lower_everything(at)
        at.align()
        at.room.post("/course/preview/start/")
        work()
        page = at.page()
        assert "would be lowered or removed. I have looked at this and want it." in page
        refused = at.post("send", at.form())
        assert refused.status_code == 409 and "Confirm that this is right." in refused.content.decode()
        assert "gradebook." in at.send(confirm_large="yes")


def lower_everything(at: Desk) -> None:
    """Send once, then take the evidence down to nothing."""
    at.preview()
    at.send()
    for result in at.room.world.results.values():
        result.score = result.percent = result.score * 0 if result.score is not None else None


def test_who_sends_needs_an_account_of_their_own(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        ta = launch_as(Client(), "ta", at.room.opened.platform, context="c101", user="u12")
        page = at.room.client.get(at.address, **ta.headers).content.decode()
        assert "Students are numbered until your own Canvas account is connected" in page
        response = client.post(f"{at.address}send/", at.form(), **ta.headers)
        assert (
            response.status_code == 409 and "not connected, so nothing was sent" in response.content.decode()
        )
        assert at.run.state == RunState.READY
        connect(ta, at.room.world, 12)
        assert client.post(f"{at.address}send/", at.form(), **ta.headers).status_code == 302
        assert at.run.account.canvas_user_id == "12" and "by teaching assistant 12" in at.page()


def test_the_page_while_sending_and_stop(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        at.post("send", at.form())
        page = at.page()
        assert "Sending grades" in page and "You can leave this page and come back" in page
        assert "Stop after this step" in page
        assert at.post("stop")["Location"] == at.address
        assert at.run.stop_requested and "Stop after this step" not in at.page()
        work()
        assert at.run.state == RunState.FINISHED
        assert "Stopped by a person Somebody pressed Stop. Preview and send again for the rest." in at.page()
        assert "banner-warning" in at.room.text(at.address)
        assert "Stopped by a person" in plain(at.room.text("/course/runs/"))


def test_a_stopped_run_says_what_was_not_sent_and_what_to_do(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        error = {"code": "stopped_by_person", "who": "teacher", "detail": "The run was stopped."}
        counts, reasons = {"send": 3, "refused": 1}, {"graded": 3, "not_reached": 1}
        fields = {
            "state": RunState.FINISHED,
            "outcome": "stopped",
            "error": error,
            "approved_at": at.run.read_at,
        }
        Run.objects.filter(pk=at.run.pk).update(
            finished_at=at.run.read_at, counts=counts, reasons=reasons, **fields
        )
        report = at.page()
    assert "3 grades are in the gradebook. 1 cell was not sent." in report
    assert (
        "Nothing you have to do Not sent 1 cell" in report and "Send again when the reason is gone" in report
    )


def test_progress_says_how_far_and_how_long(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        at.post("send", at.form())
        lease = runs.take_lease(at.run.pk, at.run.approved_at)
        assert lease is not None
        progress: dict[str, Any] = {"phase": "sending", "done": 1, "total": 4, "column": "1.1 Linear models"}
        lease.beat(at.run.approved_at, progress=progress)
        said = plain(at.room.text(f"{at.address}progress/"))
    assert "Writing grades: 1.1 Linear models" in said and "1 of 4 grades" in said and "left" in said


def test_large_numbers_are_read_with_commas_and_numbers_of_runs_without(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        run = at.run
        run.number, run.state, run.progress = (
            1234,
            RunState.SENDING,
            {"phase": "sending", "done": 4321, "total": 36290},
        )
        run.save()
        bar = at.room.text("/course/runs/1234/progress/")
        assert "4,321 of 36,290" in plain(bar) and 'max="36290" value="4321"' in bar
        run.state, run.outcome, run.finished_at = RunState.FINISHED, "partial", run.started_at
        run.counts = {"send": 36290, "unchanged": 4410, "held": 1036, "conflict": 0, "refused": 1500}
        run.reasons = {"graded": 36290, "same": 4410, "no_evidence": 1036, "unpublished": 1500}
        run.requests = {"read": 1200, "write": 73000}
        run.save()
        report = plain(at.room.text("/course/runs/1234/"))
        assert "36,290 grades are in the gradebook. 1,500 cells were not sent." in report
        assert (
            "1,036 cells" in report and "1,200 to read, 73,000 to write" in report and "Run 1234," in report
        )
        file = at.room.post("/course/runs/1234/report-csv/")
        lines = list(csv.reader(file.content.decode().splitlines()))
        assert 'filename="report-1234.csv"' in file["Content-Disposition"]
        assert ["Not published", "1500"] in [line[1:3] for line in lines] and len(lines) == 5
        history = plain(at.room.text("/course/runs/"))
        assert "36,290 4,410 1,036 0 1,500" in history and "Run 1234" in history
        assert "36,290 grades are in the gradebook" in plain(at.room.text("/course/preview/summary/"))


def test_grades_canvas_refuses_are_listed_with_the_step(client: Client) -> None:
    with desk(client) as at:
        at.preview(601, 602)
        [column] = [one for one in at.room.world.assignments.values() if one.name.startswith("1.2")]
        column.published = False
        report = at.send()
        assert at.run.outcome in ("partial", "changed")
    assert "Not sent" in report or "Nothing was sent: the course changed after the preview." in report


def test_a_course_that_changed_after_the_preview_gets_nothing(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        data = at.form()
        at.align(601, 602)
        at.post("send", data)
        work()
        report = at.page()
        assert gradebook(at, "1.1") == {}
    assert "Nothing was sent: the course changed after the preview." in report


def test_a_cell_somebody_changed_meanwhile_stays(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        [column] = [one.id for one in at.room.world.assignments.values() if one.name.startswith("1.1")]
        with at.room.world.lock:
            cell = at.room.world.submissions[column, 1001]
            cell.entered_score, cell.grader_id, cell.graded_at = column * 0 + 1, 11, at.room.world.now()
        report = at.send()
    assert "3 grades are in the gradebook." in report and "Changed since the preview" in report


def test_undo_from_the_report_puts_back_what_was_there(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        at.send()
        response = at.post("undo")
        where = response["Location"]
        assert where == "/course/runs/?undo=1"
        asked = at.room.text(where)
        assert "The undo has been asked for." in asked and "?undo=1&amp;poll=yes" in asked
        assert at.room.get("/course/runs/", undo="1", poll="yes").status_code == 204
        work()
        begun = at.room.text("/course/runs/", undo="1", poll="yes")
        assert 'hx-get="/course/runs/2/" hx-trigger="load"' in begun and "<main" not in begun
        again = at.room.text(where)
        assert "Undo of run 1: 4 cells were put back." in again and "has been asked for" not in again
        for odd in ("", "x", "-1", "9" * 30, "1'"):
            assert "has been asked for" not in at.room.text("/course/runs/", undo=odd)
        assert gradebook(at, "1.1") == {}
        assert "Undo of run 1: 4 cells were put back." in at.page() and "Put back" in at.page()
        first = plain(at.room.text("/course/runs/1/"))
        assert "Undo this run" not in first
        assert at.room.post("/course/runs/1/undo/")["Location"] == "/course/runs/1/"


def test_the_history_lists_runs_by_time_with_counts_and_no_student(client: Client) -> None:
    with desk(client) as at:
        assert "No run yet" in at.room.text("/course/runs/")
        at.preview(601)
        at.send()
        at.preview(601)
        page = plain(at.room.text("/course/runs/"))
    assert page.index("Run 2") < page.index("Run 1") and "Everything was sent" in page
    assert "Preview waiting to be sent" in page
    assert "you" in page and "Lindqvist" not in page and "1001" not in page


def test_the_history_says_of_undo_and_of_a_dry_run_what_they_did(client: Client) -> None:
    with desk(client) as at:
        at.preview(601)
        at.send()
        at.post("undo")
        work()
        assert "Undo of run 1: everything was put back" in plain(at.room.text("/course/runs/"))
        Run.objects.filter(undo_of=None).update(dry_run=True)
        page = plain(at.room.text("/course/runs/"))
        assert "Dry run: everything could be sent" in page and "Everything was sent" not in page


def test_an_ended_course_is_said_and_nothing_sent(client: Client) -> None:
    with desk(client, "concluded") as at:
        page = at.preview()
    assert "Nothing was sent." in page and "Reopen the course in its settings" in page
