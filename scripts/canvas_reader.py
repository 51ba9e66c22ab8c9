"""Canvas as the demo's check looks at it: with a token of its own over REST, and the sandbox's control pages.

The token is the teacher's, asked for and granted as the tool does it, so that what the check believes does
not come from the tool.
"""

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from scripts.demo_oracle import Evidence, Key, Skill, plain
from scripts.webclient import TIMEOUT_SECONDS, Visitor

ROLLUPS = "url:GET|/api/v1/courses/:course_id/outcome_rollups"


class Canvas:
    """The sandbox Canvas at `url`, and its course at `place`. `facts` is its own description of courses and
    people."""

    def __init__(self, url: str, place: int = 0) -> None:
        self.url = url
        self.place = place
        self._session = requests.Session()
        self.facts = self.control("world")

    def control(self, path: str, /, **params: str) -> dict[str, Any]:
        answer = self._session.get(f"{self.url}/_sandbox/{path}", params=params, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def tell(self, path: str, what: dict[str, Any], /) -> None:
        """Do something in the pretend Canvas."""
        answer = self._session.post(f"{self.url}/_sandbox/{path}", json=what, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()

    def teacher(self) -> str:
        """The id of the course's teacher; with several, of the first."""
        course = self.course()
        for user in self.facts["users"]:
            for held in user["enrollments"]:
                if str(held["course_id"]) == course and held["type"] == "TeacherEnrollment":
                    return str(user["id"])
        raise LookupError("the course has no teacher")

    def course(self) -> str:
        return str(self.facts["courses"][self.place]["id"])

    def active_students(self) -> set[str]:
        """One active student enrolment in the course is enough."""
        course = self.course()
        return {
            str(user["id"])
            for user in self.facts["users"]
            for held in user["enrollments"]
            if (str(held["course_id"]), held["type"], held["state"])
            == (course, "StudentEnrollment", "active")
        }

    def has_ended(self) -> bool:
        return str(self.facts["courses"][self.place]["workflow_state"]) == "completed"

    def gradebook(self) -> dict[str, Any]:
        return self.control(f"courses/{self.course()}/gradebook")

    def calls(self) -> dict[str, int]:
        """Service calls so far: how many only read, how many wrote."""
        count = int(self.control("calls")["count"])
        reads = int(self.control("calls", method="GET")["count"])
        return {"read": reads, "write": count - reads}

    def evidence(self, token: str) -> Evidence:
        """All rollups of the course, page by page."""
        url = f"{self.url}/api/v1/courses/{self.course()}/outcome_rollups"
        params: dict[str, Any] = {"per_page": 100, "sort_by": "student", "include[]": "outcomes"}
        skills: dict[str, Skill] = {}
        scores: dict[tuple[str, str], Decimal] = {}
        while url:
            answer = self._session.get(
                url, params=params, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_SECONDS
            )
            answer.raise_for_status()
            page = answer.json(parse_float=Decimal, parse_int=Decimal)
            skills |= {f"{one['id']}": _skill(one) for one in page["linked"]["outcomes"]}
            scores |= _scores(page["rollups"])
            url, params = answer.links.get("next", {}).get("url", ""), {}
        return Evidence(skills, scores)

    def token(
        self, teacher: Visitor, client_id: str, secret: str, redirect_uri: str, scope: str = ROLLUPS
    ) -> str:
        """RFC 6749 4.1 by hand: the teacher consents, the code is taken from the redirect and exchanged."""
        query = {
            "client_id": client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "state": "check",
            "scope": scope,
        }
        page = teacher.open(f"{self.url}/login/oauth2/auth?{urlencode(query)}")
        location = teacher.location(page, page.form("authorize"))
        code = parse_qs(urlsplit(location).query)["code"][0]
        given = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "client_secret": secret,
            "redirect_uri": redirect_uri,
            "code": code,
        }
        answer = self._session.post(f"{self.url}/login/oauth2/token", data=given, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        return str(answer.json()["access_token"])


def cells_of(gradebook: dict[str, Any]) -> dict[Key, str]:
    """What every cell holds: "" is none, "EX" excused, else the entered score."""
    return {
        _key(cell): "EX" if cell["excused"] else plain(cell["entered_score"] or "")
        for cell in gradebook["cells"]
    }


def kept_of(gradebook: dict[str, Any]) -> frozenset[Key]:
    """Cells that hold what a person or a quiz gave; the missing-submission policy has no grader."""
    return frozenset(
        _key(cell)
        for cell in gradebook["cells"]
        if cell["excused"] or (cell["entered_score"] is not None and cell["grader_id"] is not None)
    )


def _key(cell: dict[str, Any]) -> Key:
    return str(cell["assignment_id"]), str(cell["user_id"])


def _skill(outcome: dict[str, Any]) -> Skill:
    return Skill(
        str(outcome["title"]), Decimal(outcome["points_possible"]), Decimal(outcome["mastery_points"])
    )


def _scores(rollups: list[dict[str, Any]]) -> dict[tuple[str, str], Decimal]:
    """Two sections are one student: Canvas repeats the same scores."""
    return {
        (str(rollup["links"]["user"]), str(score["links"]["outcome"])): Decimal(score["score"])
        for rollup in rollups
        for score in rollup["scores"]
        if score["score"] is not None
    }
