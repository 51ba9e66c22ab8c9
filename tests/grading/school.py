"""A pretend Canvas on a port, the tool's rows for its course, and short ways to act in it as a person."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from alignments.core import jsonfile
from alignments.models import Alignment, Target
from alignments.services import import_alignments
from canvas.models import CanvasAccount, CourseGrader
from canvas.oauth import access_purpose, refresh_purpose
from grading.core.grades import grade_text
from lti_tool.keys import signing_key
from lti_tool.models import Context, Deployment
from lti_tool.registering import Platform, register
from lti_tool.sealing import seal
from sandbox import records as r
from sandbox.grading import Grade, grade_student
from sandbox.scenarios import build
from sandbox.scenarios.base import API_KEY_CLIENT, API_KEY_SECRET, LTI_KEY_CLIENT, TEACHER_ID
from sandbox.server import SandboxServer
from sandbox.world import World

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class School:
    """The sandbox course `world` behind `server`, known to the tool as `context`."""

    server: SandboxServer
    context: Context
    account: CanvasAccount
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def world(self) -> World:
        return self.server.world

    @property
    def course(self) -> r.Course:
        return self.world.courses[int(self.context.canvas_course_id)]

    # What the teacher wants

    def align(self, *entries: dict[str, Any], replace: bool = True) -> list[Alignment]:
        """Import these entries; returns the alignments in the file's order."""
        body = json.dumps({"version": 1, "alignments": list(entries)}).encode()
        import_alignments(self.context, jsonfile.parse_file(body), replace=replace)
        return list(Alignment.objects.filter(context=self.context))

    def assignment(self, name: str) -> r.Assignment:
        found = [a for a in self.world.assignments.values() if a.name == name and not a.deleted]
        [assignment] = found
        return assignment

    def target(self, label: str) -> Target:
        return Target.objects.get(context=self.context, label=label)

    # What is in the gradebook

    def cell(self, column: str, user: int) -> str | None:
        with self.world.lock:
            found = self.world.submissions.get((self.assignment(column).id, user))
            return grade_text(found.entered_score, bool(found.excused)) if found else None

    def column(self, name: str) -> dict[int, str]:
        """The cells of a column that hold something."""
        users = {e.user_id for e in self.world.course_enrollments(self.course.id, r.STUDENT_TYPES)}
        return {user: text for user in sorted(users) if (text := self.cell(name, user)) is not None}

    def writes(self) -> int:
        """How many calls could have changed something, tokens aside."""
        calls = self.world.calls.all("POST") + self.world.calls.all("PUT")
        return sum("oauth2" not in call.path for call in calls)

    # What a person does in Canvas

    def edit(self, column: str, user: int, grade: str, grader: int = TEACHER_ID) -> None:
        with self.world.lock:
            self.world.advance(timedelta(seconds=2))
            grade_student(self.world, self.assignment(column), user, Grade(grade, grader, self.world.now()))

    def excuse(self, column: str, user: int, grader: int = TEACHER_ID) -> None:
        with self.world.lock:
            self.world.advance(timedelta(seconds=2))
            grade = Grade(None, grader, self.world.now(), excuse=True)
            grade_student(self.world, self.assignment(column), user, grade)

    def assess(self, user: int, outcome: int, score: str, days: int = 60) -> None:
        """New evidence: one more result of the student, later than all others."""
        with self.world.lock:
            possible = self.world.outcomes[outcome].points_possible
            at = datetime(2026, 1, 12, tzinfo=UTC) + timedelta(days=days)
            work = self.assignment("Project 1")
            number = self.world.new_id()
            value = Decimal(score)
            self.world.results[number] = r.OutcomeResult(
                number,
                self.course.id,
                user,
                outcome,
                work.id,
                score=value,
                possible=possible,
                percent=value / possible if possible else None,
                title="x, Project 1",
                submitted_at=at,
                assessed_at=at,
            )

    def forget_evidence(self, user: int) -> None:
        with self.world.lock:
            for number in [n for n, each in self.world.results.items() if each.user_id == user]:
                del self.world.results[number]

    def enrollment(self, user: int) -> r.Enrollment:
        return self.world.user_enrollments(user, self.course.id)[0]


def open_school(server: SandboxServer) -> School:
    """The tool's rows for the sandbox's course, its teacher connected."""
    world, course = server.world, next(iter(server.world.courses.values()))
    tool = next(iter(world.tools.values()))
    registration, _ = register(
        Platform(
            issuer="https://canvas.instructure.com",
            client_id=LTI_KEY_CLIENT,
            canvas_url=server.url,
            authorize_url=f"{server.url}/api/lti/authorize_redirect",
            token_url=f"{server.url}/login/oauth2/token",
            jwks_url=f"{server.url}/api/lti/security/jwks",
            deployment_ids=(tool.deployment_id,),
            api_client_id=API_KEY_CLIENT,
            api_client_secret=API_KEY_SECRET,
        )
    )
    lti_key = next(key for key in world.keys.values() if key.kind == "lti")
    lti_key.jwks_url, lti_key.public_jwk = "", signing_key().public_jwk
    context = Context.objects.create(
        registration=registration,
        deployment=Deployment.objects.get(registration=registration),
        context_id=course.lti_context_id,
        canvas_course_id=str(course.id),
        line_items_url=f"{server.url}/api/lti/courses/{course.id}/line_items",
        ags_scopes=[scope for scope in lti_key.scopes if "lti-ags" in scope],
        last_launch_at=timezone.now(),
    )
    return School(server, context, connect_account(server, context, TEACHER_ID))


def connect_account(
    server: SandboxServer, context: Context, user: int, at: datetime = LONG_AGO
) -> CanvasAccount:
    """A person's tokens, at Canvas and here."""
    world = server.world
    api_key = next(key for key in world.keys.values() if key.kind == "api")
    number = world.new_id()
    token, again = f"token-{number}", f"again-{number}"
    ends = timezone.now() + timedelta(hours=1)
    whose = (context.registration_id, str(user))
    world.tokens[number] = r.AccessToken(number, api_key.id, user, token, again, list(api_key.scopes), ends)
    CourseGrader.objects.get_or_create(
        context=context, canvas_user_id=str(user), defaults={"last_launch_at": LONG_AGO}
    )
    return CanvasAccount.objects.create(
        registration=context.registration,
        canvas_user_id=str(user),
        sealed_access_token=seal(token, purpose=access_purpose(*whose)),
        sealed_refresh_token=seal(again, purpose=refresh_purpose(*whose)),
        expires_at=ends,
        scopes=list(api_key.scopes),
        connected_at=at,
    )


def entry(outcome: int | list[int], target: str | int, **more: Any) -> dict[str, Any]:
    """An alignment of the file: outcomes → a column label or an assignment's id."""
    outcomes = [outcome] if isinstance(outcome, int) else outcome
    points = more.pop("points", "1")
    column = (
        {"column": {"label": target, "points": points}} if isinstance(target, str) else {"assignment": target}
    )
    return {
        "outcomes": [{"id": one} for one in outcomes],
        "rule": more.pop("rule", {"kind": "cutoff"}),
        "target": column,
        **more,
    }


def small_world() -> World:
    return build("small")
