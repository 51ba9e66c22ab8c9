"""Everything that can go wrong on the way: Canvas failing, people editing meanwhile, this process killed."""

from __future__ import annotations

import io
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

from canvasapi.canvas_object import CanvasObject
from requests import PreparedRequest

import canvas.gradebook
import canvas.throttle
import grading.fingerprints
import grading.journal
import grading.runs
import grading.writers
import grading.writing
from canvas.fencing import Fence
from lti_tool.errors import Outdated
from lti_tool.http import Http
from sandbox.world import World
from tests.soak.truth import Key, Read, Truth

PATHS = (
    "*/outcome_rollups",
    "*/outcome_results",
    "*/enrollments",
    "*/assignments",
    "*/students/submissions",
    "*/students/submissions",
    "*/line_items",
    *["*/scores"] * 5,
    *["*/update_grades"] * 5,
    "*/progress/*",
    "*/login/oauth2/token",
    "*/submissions/*",
    "*/courses/*",
    "*",
)
HTML = "<!DOCTYPE html><html><body>Log in to Canvas</body></html>"
UNAUTHORIZED = '{"status":"unauthorized","errors":[{"message":"user not authorized to perform that action"}]}'
KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("error_before", {}),
    ("error_after", {}),
    ("error_after", {}),
    ("drop_before", {}),
    ("drop_after", {}),
    ("drop_after", {}),
    ("truncate", {"size": 60}),
    ("truncate", {"size": 250}),
    ("throttled", {}),
    ("expired", {}),
    ("revoked", {}),
    ("slow", {"seconds": 0.02}),
    ("reply", {"status": 200, "body": HTML, "headers": {"Content-Type": "text/html"}}),
    ("reply", {"status": 200, "body": '{"surprise": 1}'}),
    ("reply", {"status": 200, "body": "[]"}),
    ("reply", {"status": 200, "body": "null"}),
    (
        "reply",
        {"status": 200, "body": "[]", "headers": {"Link": '<http://127.0.0.1:9/api/v1/next>; rel="next"'}},
    ),
    ("reply", {"status": 403, "body": UNAUTHORIZED}),
    ("reply", {"status": 401, "body": UNAUTHORIZED}),
    (
        "reply",
        {
            "status": 429,
            "body": "429 Too Many Requests (Rate Limit Exceeded)",
            "headers": {"Retry-After": "30"},
        },
    ),
    ("reply", {"status": 302, "body": "", "headers": {"Location": "http://localhost/login"}}),
    (
        "reply",
        {"status": 422, "body": '{"errors":{"message":"User not found in course or is not a student"}}'},
    ),
    ("reply", {"status": 404, "body": ""}),
)
KILL_POINTS = (
    (grading.fingerprints, "remember_intentions"),
    (grading.fingerprints, "remember_states"),
    (grading.fingerprints, "forget_intentions"),
    (grading.fingerprints, "forget_cells"),
    (grading.journal, "keep"),
)


WORKER = "X-Soak-Worker"
"""Header of a second worker's calls."""
LATE = ("/scores", "/update_grades", "/login/oauth2/token")
"""Calls that may take effect after everybody has given them up."""


class Killed(BaseException):
    """kill -9, as near as one process can come: nothing of the tool runs on."""


@dataclass
class Tap:
    """Between the network and the pretend Canvas: logs reads, and makes things happen before the n-th call."""

    app: Any
    truth: Truth
    calls: int = 0
    surprises: dict[int, Callable[[], None]] = field(default_factory=dict)
    late_calls: set[int] = field(default_factory=set)
    """Writes that are answered with 504 and take effect a few calls later."""
    paces: Counter[str] = field(default_factory=Counter)
    """Calls under way, by who asks."""
    most: int = 0
    """The most that were ever under way for one of them."""
    throttled: int = 0
    """Answers that asked for a pause."""
    others: int = 0
    """Writes of a second worker, tokens aside."""
    _waiting: list[tuple[int, dict[str, Any], bytes, int]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        token, worker = environ.get("HTTP_AUTHORIZATION", ""), environ.get("HTTP_X_SOAK_WORKER", "")
        writes = environ["REQUEST_METHOD"] != "GET" and not environ["PATH_INFO"].endswith("/token")
        who = f"{worker} {token}"
        with self._lock:
            self.paces[who] += 1
            self.most = max(self.most, self.paces[who] if token else 0)
            self.others += bool(worker and writes)
        try:
            return self._take(environ, start_response)
        finally:
            with self._lock:
                self.paces[who] -= 1

    def wait_until_idle(self) -> None:
        """What a process sent before it was struck has arrived."""
        while True:
            time.sleep(0.005)
            with self._lock:
                if not any(self.paces.values()):
                    return

    def _take(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._lock:
            self.calls += 1
            number = self.calls
            surprise = self.surprises.pop(number, None)
            due = [one for one in self._waiting if one[0] <= number]
            self._waiting = [one for one in self._waiting if one[0] > number]
        for one in due:
            self._take_effect(one)
        if surprise is not None:
            surprise()
        origin = self.truth.tick()
        mode = environ.get("HTTP_X_SOAK_WORKER") or self.truth.mode
        self.truth.modes[origin] = (mode, self.truth.restoring)
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if number in self.late_calls and method == "POST" and path.endswith(LATE):
            body = environ["wsgi.input"].read()
            # A refresh ends the token of the one that was asked for after it: right when that is first used.
            due_at = number + (2 if path.endswith("/token") else 3)
            with self._lock:
                self._waiting.append((due_at, environ, body, origin))
            start_response("504 Gateway Timeout", [("Content-Type", "text/html")])
            return [b"<html>504</html>"]
        with self.truth.request(origin):
            answer = list(self.app(environ, start_response))
        if method == "GET" and path.endswith("/students/submissions"):
            self.truth.reads.append(Read(origin, _covered(environ["QUERY_STRING"], b"".join(answer))))
        with self._lock:
            self.throttled += b"Rate Limit Exceeded" in b"".join(answer)
        return answer

    def _take_effect(self, one: tuple[int, dict[str, Any], bytes, int]) -> None:
        _, environ, body, origin = one
        with self.truth.request(origin):
            again = {**environ, "wsgi.input": io.BytesIO(body)}
            list(self.app(again, lambda *given: None))

    def calm(self) -> None:
        """What was still under way arrives now; nothing further happens by itself."""
        self.surprises.clear()
        self.late_calls.clear()
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            self._take_effect(one)


def _covered(query: str, answer: bytes) -> Callable[[Key], bool]:
    """Which cells an answer shows: a page shows some of those that were asked for. Where it cannot be read, all."""
    try:
        rows = json.loads(answer)
        shown = {(str(one["assignment_id"]), str(one["user_id"])) for one in rows}
    except (ValueError, TypeError, KeyError):
        asked = parse_qs(query)
        assignments, users = asked.get("assignment_ids[]", []), asked.get("student_ids[]", [])
        return lambda key: key[0] in assignments and (key[1] in users or "all" in users)
    return lambda key: key in shown


@dataclass
class Killer:
    """Kills this process's tool at a chosen moment: every later call dies as well, until `revive`."""

    at_call: int = 0
    after_answer: bool = False
    point: tuple[Any, str] | None = None
    point_after: bool = False
    dead: bool = False
    calls: int = 0

    def revive(self) -> None:
        self.at_call, self.point, self.dead, self.calls = 0, None, False, 0

    def check(self) -> None:
        if self.dead:
            raise Killed

    def die(self) -> None:
        self.dead = True
        raise Killed


@dataclass
class Outside:
    """What left this process: the hosts every token was sent to, and how often a pace was told to rest."""

    hosts: dict[str, set[str]] = field(default_factory=dict)
    rests: int = 0
    worker: str = ""
    """In a second worker: what it does, said with each of its calls."""
    writes: int = 0
    too_late: set[int] = field(default_factory=set)
    """Of the writes that come to the fence with a look behind them: those whose turn comes too late."""

    def sent(self, request: PreparedRequest) -> None:
        if token := request.headers.get("Authorization"):
            self.hosts.setdefault(token, set()).add(urlsplit(request.url or "").netloc)
        if self.worker:
            request.headers[WORKER] = self.worker

    def fence(self, until: float) -> None:
        """Stands behind a write's fence, which knows until when it may leave."""
        if until != inf:
            self.writes += 1
            if self.writes in self.too_late:
                raise Outdated

    def rest(self, seconds: float) -> None:
        """Stands for a pace's pause."""
        self.rests += 1

    def forget(self) -> None:
        self.hosts.clear()
        self.rests = 0
        self.too_late.clear()


killer = Killer()
outside = Outside()


@contextmanager
def no_waiting() -> Iterator[None]:
    """Pauses cost nothing, and the killer stands behind every call. Undone at the end."""
    send, points = Http._send, [(where, name, getattr(where, name)) for where, name in KILL_POINTS]
    rest = grading.writers.rest_a_while
    pause, wait = canvas.throttle.BucketPace._pause, canvas.gradebook.GradebookCalls.wait_for
    seconds = grading.writers.JOB_SECONDS
    turns()

    def watched_send(self: Http, *given: Any) -> Any:
        self._sleep = lambda seconds: None
        killer.check()
        killer.calls += 1
        outside.sent(given[0])
        hit = killer.calls == killer.at_call
        if hit and not killer.after_answer:
            killer.die()
        reply = send(self, *given)
        if hit:
            killer.die()
        killer.check()
        return reply

    def watched(where: Any, name: str, real: Any) -> Any:
        def call(*given: Any, **more: Any) -> Any:
            killer.check()
            hit = killer.point == (where, name)
            if hit and not killer.point_after:
                killer.die()
            answer = real(*given, **more)
            if hit:
                killer.die()
            return answer

        return call

    Http._send = watched_send
    for where, name, real in points:
        setattr(where, name, watched(where, name, real))
    grading.writers.rest_a_while = lambda attempt, beat: beat()
    # The dates it guesses in every text of a course take a sixth of a sync's time, and nobody reads them.
    set_attributes, CanvasObject.set_attributes = CanvasObject.set_attributes, _set_plainly
    grading.writers.JOB_SECONDS = 0.5
    canvas.throttle.BucketPace._pause = outside.rest
    canvas.gradebook.GradebookCalls.wait_for = lambda self, progress, **more: wait(
        self, progress, **{**more, "sleep": lambda seconds: None}
    )
    try:
        with _late_turns():
            yield
    finally:
        Http._send = send
        for where, name, real in points:
            setattr(where, name, real)
        grading.writers.rest_a_while, grading.writers.JOB_SECONDS = rest, seconds
        CanvasObject.set_attributes = set_attributes
        canvas.throttle.BucketPace._pause = pause
        canvas.gradebook.GradebookCalls.wait_for = wait


def _late_turns() -> AbstractContextManager[object]:
    """Some writes come to the fence too late."""
    asks = Fence.__call__

    def watched(self: Fence) -> None:
        asks(self)
        outside.fence(getattr(self._own, "moment", inf))

    return mock.patch.object(Fence, "__call__", watched)


def turns(batch: int = 40, job: int = 500, fresh: float = grading.writing.FRESH_SECONDS) -> None:
    """How many cells go at once, and after how long a cell that waited for its turn is looked at once more."""
    grading.writers.SCORES_A_BATCH, grading.writers.GRADES_A_JOB = batch, job
    grading.writing.FRESH_SECONDS = fresh


def _set_plainly(self: Any, attributes: dict[str, Any]) -> None:
    for name, value in attributes.items():
        setattr(self, name, value)


def stir(rng: random.Random, world: World, tap: Tap, surprise: Callable[[], None]) -> list[str]:
    """Bad weather for one operation; returns what was switched on."""
    switched: list[str] = []
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        kind, options = rng.choice(KINDS)
        more = dict(options)
        if kind in ("error_before", "error_after"):
            more["status"] = rng.choice((500, 502, 503, 504))
        more["count"] = rng.choice((1, 1, 1, 2, 4, None))
        more["skip"] = rng.choice((0, 0, 1, 2, 4))
        path, method = rng.choice(PATHS), rng.choice(("*", "*", "POST", "GET"))
        world.faults.add(kind, method=method, path=path, **more)
        switched.append(f"{kind} {method} {path} {more}")
    world.throttle.status = rng.choice((403, 429))
    for _ in range(rng.choice((0, 0, 1, 1, 3))):
        tap.surprises[tap.calls + rng.randint(1, 22)] = surprise
        switched.append(f"surprise {sorted(tap.surprises)}")
    if rng.random() < 0.15:
        tap.late_calls.update(tap.calls + n for n in range(1, 40) if rng.random() < 0.5)
        switched.append("late writes")
    switched += _jobs(rng, world)
    if rng.random() < 0.25:
        turns(rng.choice((1, 2, 3)), rng.choice((1, 2, 3)), 0.0)
        switched.append("cells wait for their turn")
    if rng.random() < 0.2:
        if rng.random() < 0.7:
            killer.at_call, killer.after_answer = rng.randint(1, 22), rng.random() < 0.5
        else:
            killer.point, killer.point_after = rng.choice(KILL_POINTS), rng.random() < 0.5
        switched.append(f"kill {killer}")
    if rng.random() < 0.15:
        outside.too_late = {outside.writes + n for n in range(1, 40) if rng.random() < 0.3}
        switched.append("writes come too late")
    return switched


JOB_ENDS = (
    "Unexpected error, ID: 991",
    "Couldn't find User(s) with API ids '1001'",
    "Some assignments are either not published or deleted and can not be graded '1'",
)


def _jobs(rng: random.Random, world: World) -> list[str]:
    """Background jobs that stick, or fail with nothing, something or everything written."""
    if rng.random() < 0.06:
        world.jobs_stuck = True
        return ["jobs stuck"]
    if rng.random() > 0.12:
        return []
    message, does_work, queue = rng.choice(JOB_ENDS), rng.random() < 0.5, world.queue_job
    # This one Canvas says before it has written anything.
    does_work = does_work and "not published" not in message
    left = [rng.choice((1, 2, 9))]

    def failing(course: int, tag: str, work: Callable[[], str | None], user: Any = None) -> Any:
        def end() -> str | None:
            if left[0] <= 0:
                return work()
            left[0] -= 1
            if does_work:
                work()
            return message

        return queue(course, tag, end, user)

    world.queue_job = failing
    world.usual_queue = queue
    return [f"job fails: {message} work={does_work}"]


def clear_up(world: World, tap: Tap) -> None:
    """The weather is fine again, and whatever Canvas still had to do is done."""
    world.faults.clear()
    world.jobs_stuck = False
    outside.too_late.clear()
    usual = getattr(world, "usual_queue", None)
    if usual is not None:
        world.queue_job = usual
        del world.usual_queue
    tap.calm()
    with world.lock:
        world.run_jobs(everything=True)
    world.throttle.reset()
    killer.revive()
    turns()
