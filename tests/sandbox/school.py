"""A sandbox school with a fake tool beside it, and short ways to call its LTI services."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import requests

from sandbox import records as r
from sandbox import scenarios
from sandbox.grading import Grade, grade_student
from sandbox.lti import vocabulary as v
from sandbox.lti.jwts import make_access_token
from sandbox.lti.state import Platform, platform_of
from sandbox.server import SandboxServer
from sandbox.world import World
from tests.sandbox.fake_tool import FakeTool, authorize_parameters

COURSE, TOOL = 101, 265
TEACHER, TA, DESIGNER, OBSERVER, ADMIN, STRANGER = 11, 12, 13, 14, 15, 16
STUDENT, OTHER_STUDENT = 1001, 1002
SECONDS = 60


@dataclass
class School:
    """The running sandbox, its world and the tool."""

    world: World
    url: str
    tool: FakeTool

    @property
    def key(self) -> r.DeveloperKey:
        return next(key for key in self.world.keys.values() if key.kind == "lti")

    @property
    def platform(self) -> Platform:
        return platform_of(self.world)

    @property
    def course(self) -> r.Course:
        return self.world.courses[COURSE]

    def browser(self, user_id: int | None = None) -> requests.Session:
        """Cookies of their own; signed in as ``user_id``."""
        session = requests.Session()
        if user_id is not None:
            chosen = {"user_id": str(user_id)}
            session.post(f"{self.url}/login/act_as", data=chosen, timeout=SECONDS, allow_redirects=False)
        return session

    # --- launches ---------------------------------------------------------------------------

    def click(self, browser: requests.Session) -> dict[str, str]:
        """Open the tool's page; the login parameters its form would post."""
        page = browser.get(f"{self.url}/courses/{COURSE}/external_tools/{TOOL}", timeout=SECONDS)
        assert page.status_code == 200, page.text
        return form_of(page.text, "tool_form")[1]

    def authorize(
        self, browser: requests.Session, login: dict[str, str], **changes: str
    ) -> requests.Response:
        """The tool's authentication request, as the browser carries it."""
        parameters = authorize_parameters(login, self.tool.url, **changes)
        return browser.get(f"{self.url}/api/lti/authorize", params=parameters, timeout=SECONDS)

    def launch(self, user_id: int) -> dict[str, str]:
        """The fields of the form post of a whole launch."""
        browser = self.browser(user_id)
        return form_of(self.authorize(browser, self.click(browser)).text, "form_post")[1]

    # --- services ---------------------------------------------------------------------------

    def token(self, *scopes: str, **changes: Any) -> str:
        """An access token without the round trip (that is tested on its own)."""
        values = {
            "client_id": self.key.client_id,
            "scopes": scopes or tuple(self.key.scopes),
            "token_url": f"{self.url}/login/oauth2/token",
            "account_uuid": "uuid",
            "issued_at": time.time(),
            **changes,
        }
        return make_access_token(self.platform.secret, **values)

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: Any
    ) -> requests.Response:
        """A call of an LTI service; ``path`` after ``/api/lti/courses/101``, or a whole address."""
        url = path if path.startswith("http") else f"{self.url}/api/lti/courses/{COURSE}{path}"
        bearer = self.token() if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return requests.request(method, url, json=body, headers=headers, timeout=SECONDS, **more)

    def add_item(self, label: str = "Quiz", maximum: float = 10, **more: Any) -> r.LineItem:
        """A line item made over AGS, as the world's record."""
        answer = self.call("POST", "/line_items", {"label": label, "scoreMaximum": maximum, **more})
        assert answer.status_code == 201, answer.text
        return self.world.line_items[int(answer.json()["id"].rpartition("/")[2])]

    def coupled_item(self, *, key: r.DeveloperKey | None = None, tool_id: int = TOOL) -> r.LineItem:
        """What Canvas makes when a teacher attaches a tool to an assignment."""
        world = self.world
        assignment = world.add_assignment(COURSE, "Attached", 10, submission_types=["external_tool"])
        link = r.ResourceLink(world.new_id(), f"link-{assignment.id}", COURSE, tool_id, assignment.id)
        world.resource_links[link.id] = link
        owner = key or self.key
        item = r.LineItem(
            world.new_id(), COURSE, assignment.id, owner.id, "Attached", Decimal(10),
            resource_link_id=link.id, coupled=True,
        )  # fmt: skip
        world.line_items[item.id] = item
        return item

    def other_key(self) -> tuple[r.DeveloperKey, r.ToolInstall]:
        """Another vendor's key with its tool in the same course."""
        key = self.world.add_key("lti", "10000000000077", scopes=list(self.key.scopes))
        return key, self.world.install_tool(key, self.course)

    def score(
        self, item: r.LineItem, given: Any = None, maximum: Any = None, **changes: Any
    ) -> requests.Response:
        """Post a score for the first student; a change to None leaves the field out."""
        body = {
            "userId": self.world.users[STUDENT].lti_id,
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "timestamp": stamp(),
            "scoreGiven": given,
            "scoreMaximum": maximum,
            **changes,
        }
        sent = {name: value for name, value in body.items() if value is not None}
        return self.call("POST", f"/line_items/{item.id}/scores", sent)

    def submission(self, item: r.LineItem, user_id: int = STUDENT) -> r.Submission:
        return self.world.submission(self.world.assignments[item.assignment_id], user_id)

    def results(self, item: r.LineItem, **query: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.call("GET", f"/line_items/{item.id}/results", params=query).json()
        return rows

    def teacher_sets(self, item: r.LineItem, text: str | None, *, excuse: bool = False) -> None:
        """A person's own edit in the gradebook."""
        with self.world.lock:
            grade = Grade(text, TEACHER, self.world.now(), excuse=excuse)
            grade_student(self.world, self.world.assignments[item.assignment_id], STUDENT, grade)


@contextmanager
def open_school(scenario: str = "small") -> Iterator[School]:
    """A fresh school on free ports."""
    with FakeTool() as tool:
        world = scenarios.build(scenario, scenarios.Options(tool_url=tool.url))
        world.throttle.enabled = False
        with SandboxServer(world) as canvas:
            tool.canvas_url = canvas.url
            yield School(world, canvas.url, tool)


def form_of(page: str, form_id: str) -> tuple[str, dict[str, str]]:
    """The action and the hidden fields of a form."""
    found = re.search(rf"<form[^>]*(?:id=\"{form_id}\")[^>]*>.*?</form>", page, re.S)
    assert found, page
    form = found.group(0)
    action = re.search(r'action="([^"]*)"', form)
    assert action, form
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)
    return unescape(action.group(1)), {unescape(name): unescape(value) for name, value in fields}


def stamp(**shift: float) -> str:
    """Now (shifted), in UTC; not cut to milliseconds, so that it is later than an edit just made."""
    return (datetime.now(UTC) + timedelta(**shift)).isoformat(timespec="microseconds")


EXTENSION = v.SUBMISSION_EXTENSION
