"""The fault matrix, network and server (F01 to F13): Canvas fails, and every cell is as it was or as it should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grading.services import sync
from lti_tool.http import Http, shared_http
from tests.grading.school import School, entry
from tests.hardening.certificates import make_certificate, tls_server
from tests.hardening.test_faults_people import before_call

SCORES, BULK = "*/scores", "*/submissions/update_grades"
RIGHT = {1001: "1", 1002: "1", 1003: "0", 1004: "1"}
WORK = "1.1 Linear models"
READS = (
    "*/courses/101",
    "*/outcome_rollups",
    "*/enrollments",
    "*/assignments",
    "*/students/submissions",
    "*/line_items",
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of seconds between two tries are the point of none of these. Canvas's own slowness stays."""
    monkeypatch.setattr(shared_http(), "_sleep", lambda seconds: None)
    monkeypatch.setattr("grading.writers.rest_a_while", lambda attempt, beat: beat())


def both_ways(school: School) -> None:
    school.align(entry(601, "Models"), entry(601, school.assignment(WORK).id))


def is_right(school: School) -> bool:
    columns = {one.name for one in school.world.assignments.values()}
    return "Models" in columns and school.column("Models") == RIGHT == school.column(WORK)


def assert_nothing_doubled(school: School) -> None:
    assert len(school.world.line_items) == 1
    assert all(len(one.versions) <= 1 and not one.comments for one in school.world.submissions.values())


@pytest.mark.parametrize("path", [SCORES, BULK])
def test_f03_canvas_does_not_answer_in_time(
    school: School, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The write arrives, the answer does not: given up, read back, not written twice."""
    both_ways(school)
    request = Http.request

    def impatient(http: Http, method: str, url: str, **given: Any) -> Any:
        # For these writes only: beside other work anything else may take as long.
        short = {"timeout": (30.0, 5.0)} if method == "POST" and path.strip("*") in url else {}
        return request(http, method, url, **(given | short))

    monkeypatch.setattr(Http, "request", impatient)
    school.world.faults.add("slow", method="POST", path=path, count=1, seconds=8)
    run = sync(school.context).run
    assert run.outcome == "done"
    assert caplog.text.count("kind=MaybeSent") == 1
    # Where it had not arrived when it was read back, it is sent once more, with the same time.
    once = 4 if path == SCORES else 1
    assert school.world.calls.count("POST", path) in (once, once + 1)
    assert is_right(school)
    assert_nothing_doubled(school)


@pytest.mark.parametrize("path", [SCORES, BULK])
@pytest.mark.parametrize(("kind", "again"), [("error_before", 1), ("error_after", 0)])
def test_a_write_sent_again_is_counted_as_such(school: School, path: str, kind: str, again: int) -> None:
    """Canvas says 500: one that had not arrived is sent once more, one that had is not."""
    both_ways(school)
    school.world.faults.add(kind, method="POST", path=path, count=1, status=500)
    assert sync(school.context).run.requests["retried"] == again
    assert is_right(school)


@pytest.mark.parametrize("calls", [1, 5, 50])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_f04_faults_of_canvas_for_a_while(school: School, calls: int, status: int) -> None:
    both_ways(school)
    school.world.faults.add("error_before", method="POST", count=calls, status=status, skip=2)
    result = sync(school.context)
    assert result.run.outcome in {"done", "partial", "stopped"}
    school.world.faults.clear()
    assert sync(school.context).run.outcome == "done"
    assert is_right(school)
    assert_nothing_doubled(school)


def test_f05_f06_down_for_hours_and_back(school: School) -> None:
    """Each try ends at once with the reason; the first one afterwards does all there is to do."""
    both_ways(school)
    school.world.faults.add("error_before", count=None, status=503)
    for _ in range(3):
        run = sync(school.context).run
        assert (run.outcome, run.error and run.error["code"]) == ("stopped", "no_answer")
        assert run.requests["write"] == 0 and run.requests["read"] <= 4
    school.world.faults.clear()
    assert sync(school.context).run.counts["send"] == 8
    assert is_right(school)


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("size", [0, 30, 90])
def test_f07_a_read_that_is_cut_off_decides_nothing(school: School, path: str, size: int) -> None:
    both_ways(school)
    sync(school.context)
    before, writes = school.column("Models"), school.writes()
    kind = "truncate" if size else "drop_after"
    school.world.faults.add(kind, method="GET", path=path, count=None, size=max(size, 1))
    run = sync(school.context).run
    assert run.outcome == "stopped" and run.error and run.error["detail"]
    assert (school.column("Models"), school.writes()) == (before, writes)


@pytest.mark.parametrize("path", [SCORES, BULK])
@pytest.mark.parametrize("size", [1, 40])
def test_f07_a_write_whose_answer_is_cut_off(school: School, path: str, size: int) -> None:
    both_ways(school)
    school.world.faults.add("truncate", method="POST", path=path, count=2, size=size)
    assert sync(school.context).run.outcome == "done"
    assert is_right(school)
    assert_nothing_doubled(school)


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": "<!DOCTYPE html><title>Log in to Canvas</title>"},
        {"status": 302, "body": "", "headers": {"Location": "http://localhost/login"}},
    ],
    ids=["login page", "redirect"],
)
def test_f08_a_login_page_is_no_answer(school: School, path: str, answer: dict[str, Any]) -> None:
    both_ways(school)
    school.world.faults.add("reply", method="GET", path=path, count=None, **answer)
    run = sync(school.context).run
    assert (run.outcome, school.writes()) == ("stopped", 0)
    assert (
        run.error and "instead of" in run.error["detail"] and "So nothing was decided" in run.error["detail"]
    )


@pytest.mark.parametrize("body", ["<!DOCTYPE html><title>Log in to Canvas</title>", "null", "[]"])
@pytest.mark.parametrize("path", [SCORES, BULK])
def test_f08_a_login_page_takes_no_grade(school: School, path: str, body: str) -> None:
    """200 to a write that never reached Canvas, and then nobody can look: nothing is called sent."""
    target = "Models" if path == SCORES else school.assignment(WORK).id
    school.align(entry(601, target))
    faults = school.world.faults
    faults.add("reply", method="POST", path=path, count=None, status=200, body=body)
    lost = {"method": "GET", "path": "*/students/submissions", "count": None, "status": 503}
    before_call(school, path, lambda: faults.add("error_before", **lost))
    run = sync(school.context).run
    assert run.error and run.error["code"] == "no_answer" and run.counts["send"] == 0
    faults.clear()
    assert sync(school.context).run.outcome == "done"
    assert school.column("Models" if path == SCORES else WORK) == RIGHT


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("body", ["null", "{}", "[]", "[null]", '"x"', "[NaN]", '[{"id": 1e999}]', "[[]]"])
def test_f09_the_right_status_and_the_wrong_shape(school: School, path: str, body: str) -> None:
    """An empty list is a shape: then nobody is a student, or nothing is there, and nothing is lowered."""
    both_ways(school)
    sync(school.context)
    before, writes = school.column("Models"), school.writes()
    headers = {"Link": '<http://localhost/>; rel="current"'}
    school.world.faults.add(
        "reply", method="GET", path=path, count=None, status=200, body=body, headers=headers
    )
    run = sync(school.context).run
    assert run.counts["send"] == 0
    assert (school.column("Models"), school.writes()) == (before, writes)


def test_f10_nobody_there_and_no_certificate(school: School) -> None:
    both_ways(school)
    registration = school.context.registration
    registration.canvas_url = "http://localhost:9"
    registration.save()
    school.account.refresh_from_db()
    run = sync(school.context).run
    assert run.error and (run.error["code"], run.error["who"]) == ("unreachable", "operator")
    registration.canvas_url = f"https://localhost:{school.server.port}"
    registration.save()
    run = sync(school.context).run
    assert run.error and (run.error["code"], run.error["who"]) == ("tls", "operator")
    assert school.writes() == 0


@pytest.mark.parametrize("wrong", ["", "another host's", "ended", "signed by nobody we know"])
def test_f10_a_certificate_that_is_not_to_be_trusted(
    school: School, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: str
) -> None:
    """Before a token is sent. With a good one the same server gets as far as an answer that is none."""
    names = "canvas.example.edu" if wrong == "another host's" else "localhost"
    days = -1 if wrong == "ended" else 1
    certificate = make_certificate(tmp_path, names, days=days)
    school.align(entry(601, "Models"))
    if wrong != "signed by nobody we know":
        monkeypatch.setattr(shared_http()._session, "verify", str(certificate))
    with tls_server(certificate) as (port, asked):
        registration = school.context.registration
        registration.canvas_url = f"https://localhost:{port}"
        registration.save()
        school.account.refresh_from_db()
        run = sync(school.context).run
    assert run.outcome == "stopped" and run.error
    assert (run.error["code"] == "tls") == bool(wrong) == (not asked)


def test_f13_reads_work_and_writes_do_not(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """Maintenance: no endless loop, every cell named, the next sync does it."""
    school.align(entry(601, school.assignment(WORK).id))
    for method in ("POST", "PUT"):
        school.world.faults.add("error_before", method=method, path="*/submissions/*", count=None, status=503)
    run = sync(school.context).run
    assert (run.outcome, run.reasons["no_answer"]) == ("partial", 4)
    assert run.requests["write"] <= 8
    school.world.faults.clear()
    assert sync(school.context).run.counts["send"] == 4
