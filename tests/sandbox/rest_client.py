"""A small REST client for the sandbox's own tests: real HTTP, one session, tokens for any person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter

from sandbox import records as r
from sandbox.oauth import provider
from sandbox.scenarios import build
from sandbox.server import SandboxServer

TEACHER, TA, DESIGNER, OBSERVER, ADMIN, STRANGER, LIMITED = 11, 12, 13, 14, 15, 16, 17
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Canvas:
    """The sandbox on a port. The clock stands at noon; the first student is 1001 in "small"."""

    def __init__(self, scenario: str = "small") -> None:
        self.world = build(scenario)
        self.world.set_clock(NOON)
        self.server = SandboxServer(self.world)
        self.course = next(iter(self.world.courses.values()))
        self.http = requests.Session()
        self.http.mount("http://", HTTPAdapter(pool_maxsize=30))
        self._tokens: dict[int, str] = {}

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
        self.server.stop()

    # --- calls ------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def key(self) -> r.DeveloperKey:
        return next(key for key in self.world.keys.values() if key.kind == "api")

    def token(self, user_id: int = TEACHER, scopes: Iterable[str] | None = None) -> r.AccessToken:
        granted = self.key.scopes if scopes is None else list(scopes)
        return provider.new_token(self.world, self.key, user_id, granted)

    def call(self, method: str, path: str, who: int = TEACHER, **more: Any) -> requests.Response:
        """A call as a person; ``path`` is below /api/v1, or below the course when it starts with "./"."""
        if who not in self._tokens:
            self._tokens[who] = self.token(who).token
        headers = {"Authorization": f"Bearer {self._tokens[who]}", **more.pop("headers", {})}
        below = path.replace("./", f"courses/{self.course.id}/", 1) if path.startswith("./") else path
        return self.http.request(method, f"{self.url}/api/v1/{below}", headers=headers, timeout=60, **more)

    def get(self, path: str, who: int = TEACHER, **params: Any) -> requests.Response:
        return self.call("GET", path, who, params=params)

    def rollups(self, who: int = TEACHER, **params: Any) -> requests.Response:
        """``outcome_rollups`` of the course; a list value is sent as ``name[]``."""
        return self.get("./outcome_rollups", who, **_bracketed(params))

    def bulk(self, assignment: r.Assignment, grades: dict[Any, dict[str, Any]], who: int = TEACHER) -> Any:
        """Send a bulk update as JSON and return the Progress after its end."""
        data = {"grade_data": {str(assignment.id): {str(user): row for user, row in grades.items()}}}
        queued = self.call("POST", "./submissions/update_grades", who, json=data)
        assert queued.status_code == 200, queued.text
        return self.get(f"progress/{queued.json()['id']}", who).json()

    def put(
        self, assignment: r.Assignment, user_id: int, who: int = TEACHER, **body: Any
    ) -> requests.Response:
        """Grade one submission with a JSON body."""
        return self.call("PUT", f"./assignments/{assignment.id}/submissions/{user_id}", who, json=body)

    def cell(self, assignment: r.Assignment, user_id: int) -> dict[str, Any]:
        """The submission as the teacher reads it."""
        answer = self.get(f"./assignments/{assignment.id}/submissions/{user_id}")
        assert answer.status_code == 200, answer.text
        row: dict[str, Any] = answer.json()
        return row

    # --- the world --------------------------------------------------------------------------

    def assignment(self, points: int | None = 10, **more: Any) -> r.Assignment:
        with self.world.lock:
            return self.world.add_assignment(self.course.id, "Essay", points, **more)

    def outcome(self, method: str | None, number: int | None = None, **more: Any) -> r.Outcome:
        """A course outcome on 0..4, mastery 3, linked in the root group."""
        world = self.world
        with world.lock:
            outcome = r.Outcome(
                world.new_id(), "Own", "Course", self.course.id, method=method, method_int=number, **more
            )
            outcome.ratings = [r.Rating("Top", Decimal(4)), r.Rating("Bottom", Decimal(0))]
            world.outcomes[outcome.id] = outcome
            link = r.OutcomeLink(
                world.new_id(), self.course.id, world.root_group(self.course.id).id, outcome.id
            )
            world.outcome_links[link.id] = link
        return outcome

    def results(
        self, outcome: r.Outcome, user_id: int, scores: Iterable[str], out_of: str = "4", **more: Any
    ) -> list[r.OutcomeResult]:
        """Rubric results oldest first, a day apart, on an assignment of their own."""
        world, made = self.world, []
        with world.lock:
            work = more.pop("assignment", None) or self.assignment(20)
            for day, score in enumerate(scores):
                value, possible = Decimal(score), Decimal(out_of)
                result = r.OutcomeResult(
                    world.new_id(), self.course.id, user_id, outcome.id, work.id, value, possible,
                    value / possible, f"{world.users[user_id].name}, {work.name}",
                    NOON - timedelta(days=30 - day), NOON - timedelta(days=30 - day), **more,
                )  # fmt: skip
                world.results[result.id] = result
                made.append(result)
        return made

    def score(self, outcome: r.Outcome, user_id: int, who: int = TEACHER) -> dict[str, Any] | None:
        """The rollup entry of one student on one outcome, None when absent."""
        body = self.rollups(who, user_ids=[user_id], outcome_ids=[outcome.id]).json()
        entries = body["rollups"][0]["scores"]
        return entries[0] if entries else None


def _bracketed(params: dict[str, Any]) -> dict[str, Any]:
    return {f"{name}[]" if isinstance(value, list) else name: value for name, value in params.items()}
