"""The faults switch, the call log, keep-alive and the program itself."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
import requests

from tests.sandbox.rest_client import Canvas


def grade(canvas: Canvas, essay_id: int) -> requests.Response:
    body = {"submission": {"posted_grade": "5"}}
    return canvas.call("PUT", f"./assignments/{essay_id}/submissions/1001", json=body)


@pytest.mark.parametrize(("kind", "written"), [("error_before", False), ("error_after", True)])
def test_500_before_or_after_the_effect(canvas: Canvas, kind: str, written: bool) -> None:
    essay = canvas.assignment()
    canvas.world.faults.add(kind, method="PUT", path="*/submissions/1001")
    assert grade(canvas, essay.id).status_code == 500
    assert (canvas.cell(essay, 1001)["score"] is not None) is written


@pytest.mark.parametrize(("kind", "written"), [("drop_before", False), ("drop_after", True)])
def test_the_connection_is_cut_before_or_after_the_effect(canvas: Canvas, kind: str, written: bool) -> None:
    essay = canvas.assignment()
    canvas.world.faults.add(kind, method="PUT")
    with pytest.raises(requests.ConnectionError):
        grade(canvas, essay.id)
    assert (canvas.cell(essay, 1001)["score"] is not None) is written
    assert canvas.world.calls.all(method="PUT")[0].status == 0


def test_an_answer_cut_in_its_middle(canvas: Canvas) -> None:
    canvas.world.faults.add("truncate", size=20)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        canvas.get("users/self")


def test_slow_and_counted(canvas: Canvas) -> None:
    canvas.world.faults.add("slow", seconds=0.3, count=1, skip=1)
    for _ in range(3):
        canvas.get("users/self")
    calls = canvas.world.calls.all(path="*/users/self")
    assert [call.fault for call in calls] == ["", "slow", ""]
    assert calls[1].milliseconds >= 300


def test_expired_and_revoked(canvas: Canvas) -> None:
    canvas.world.faults.add("expired")
    canvas.world.faults.add("revoked")
    texts = [canvas.get("users/self").json()["errors"][0]["message"] for _ in range(3)]
    assert texts == ["Invalid access token.", "Revoked access token.", "Revoked access token."]


def test_any_reply(canvas: Canvas) -> None:
    canvas.world.faults.add("reply", status=200, body="<html>", headers={"Content-Type": "text/html"})
    answer = canvas.get("users/self")
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (200, "<html>", "text/html")


def test_every_call_is_logged_with_its_date(canvas: Canvas) -> None:
    answer = canvas.get("users/self")
    call = canvas.world.calls.all(path="*/users/self")[0]
    assert (call.method, call.status, call.query) == ("GET", 200, "")
    assert answer.headers["Date"] == "Mon, 02 Mar 2026 12:00:00 GMT"
    assert float(answer.headers["X-Rate-Limit-Remaining"]) > 590
    assert float(answer.headers["X-Request-Cost"]) < 1


def test_connections_are_kept(canvas: Canvas) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", canvas.server.port, timeout=60)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/api/v1/users/self")
        assert connection.getresponse().read()
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1
    assert None not in sockets


def test_a_frozen_clock_moves_only_when_asked(canvas: Canvas) -> None:
    before = canvas.world.now()
    canvas.world.advance(timedelta(hours=-1))
    assert before - canvas.world.now() == timedelta(hours=1)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_program_answers_and_stops_cleanly(stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--json-ready", "--scenario", "seed-003"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        ready = json.loads(program.stdout.readline())
        status = requests.get(f"{ready['url']}/api/v1/users/self", timeout=60).status_code
        program.send_signal(stop)
        assert (status, program.wait(timeout=60)) == (401, 0)


def test_the_program_names_its_scenarios() -> None:
    command = [sys.executable, "-m", "sandbox"]
    listed = subprocess.run([*command, "--list-scenarios"], capture_output=True, text=True, check=True)
    assert "seed-003" in listed.stdout
    wrong = subprocess.run([*command, "--scenario", "x"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, "--list-scenarios" in wrong.stderr) == (2, True)
