"""Two schools whose every Canvas id is the same, several people in one of them, and a request made as one of them.

What belongs to our school's course carries the word `MARK`, so that a page of anybody else that shows it is seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from alignments import deeplinking, template_services
from alignments.beginnings import course_settings
from alignments.core import templatejson
from canvas import throttle
from grading import services
from lti_tool import claims as c
from lti_tool.keys import signing_key
from lti_tool.models import LaunchSession
from sandbox.scenarios import build
from sandbox.scenarios.base import API_KEY_CLIENT, API_KEY_SECRET, TA_ID, TEACHER_ID
from sandbox.server import SandboxServer
from tests.grading.school import School, connect_account, entry
from tests.people import MEMBERSHIP, TestPlatform, launch, launch_as, new_platform

MARK = "Zebrafinch"
OTHER_COURSE = "c555"


@dataclass
class Person:
    """Who asks: a session token, or none, or one that no longer opens anything; and a browser with cookies."""

    name: str
    token: str = ""
    school: School | None = None
    client: Client = field(default_factory=Client)

    def ask(self, method: str, address: str, data: Any = None, **more: Any) -> Any:
        """One request with the session in the header, as htmx sends it; a fault is an answer, not an error."""
        self.client.raise_request_exception = False
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self.token}"} if self.token else {}
        ask = getattr(self.client, method.lower())
        return ask(address, data or {}, **(headers | more))


@dataclass
class Schools:
    ours: School
    theirs: School
    people: dict[str, Person]
    platform: TestPlatform
    alignment: int
    their_alignment: int
    template: int
    picked: int

    def numbers(self) -> dict[str, int]:
        """The objects of our course that an address can name: run 1 is sent, run 2 waits."""
        return {
            "alignment_id": self.alignment,
            "outcome_id": 601,
            "number": 2,
            "place": 1,
            "template_id": self.template,
            "picked_id": self.picked,
        }


@contextmanager
def two_schools() -> Iterator[Schools]:
    """Our school and another one, both with runs, and one person of each kind."""
    throttle._paces.clear()
    with SandboxServer(build("small")) as here, SandboxServer(build("small")) as there:
        _mark(here)
        platform, ours, teacher = _school(here)
        _, theirs, stranger = _school(there)
        people = {"teacher": teacher, "teacher of another school": replace(stranger, school=theirs)}
        for name in ("ta", "student", "observer", "designer", "admin", "test_student", "nobody"):
            people[name] = _person(name, platform, ours)
        connect_account(here, ours.context, TA_ID)
        people["teacher of another course"] = _person(
            "teacher", platform, ours, context=OTHER_COURSE, user=f"u{TEACHER_ID}"
        )
        people["signed out"] = _signed_out(platform, ours)
        people["expired"] = _expired(platform, ours)
        people["without a session"] = Person("without a session")
        people["with a guessed token"] = Person("with a guessed token", token="guess")
        numbers = [_align_and_run(school) for school in (ours, theirs)]
        yield Schools(
            ours, theirs, people, platform, *numbers, template=_template(ours), picked=_picked(ours)
        )


def _mark(server: SandboxServer) -> None:
    """Everything a page of our course could show says whose it is."""
    world = server.world
    for kind in (world.courses, world.users, world.sections):
        for each in kind.values():
            each.name = f"{MARK} {each.name}"
    for outcome in world.outcomes.values():
        outcome.title = f"{outcome.title} {MARK}"


def _school(server: SandboxServer) -> tuple[TestPlatform, School, Person]:
    """A registration whose launches we sign ourselves and whose services are the sandbox's."""
    world = server.world
    course, tool = next(iter(world.courses.values())), next(iter(world.tools.values()))
    lti_key = next(key for key in world.keys.values() if key.kind == "lti")
    lti_key.jwks_url, lti_key.public_jwk = "", signing_key().public_jwk
    school = {
        "canvas_url": server.url,
        "token_url": f"{server.url}/login/oauth2/token",
        "api_client_id": API_KEY_CLIENT,
        "api_client_secret": API_KEY_SECRET,
    }
    platform = new_platform(deployment_id=tool.deployment_id, register_with=school)
    platform.url = server.url
    client = Client()
    opened = launch_as(
        client,
        platform=platform,
        context=f"c{course.id}",
        user=f"u{TEACHER_ID}",
        claims={
            c.AGS_ENDPOINT: {
                "scope": [scope for scope in lti_key.scopes if "lti-ags" in scope],
                "lineitems": f"{server.url}/api/lti/courses/{course.id}/line_items",
            }
        },
    )
    found = School(server, opened.context, connect_account(server, opened.context, TEACHER_ID))
    return platform, found, Person("teacher", opened.token, found, client)


def _person(role: str, platform: TestPlatform, school: School, **given: Any) -> Person:
    """A visit to our course in a browser of its own; people without a role get none."""
    client = Client()
    where = {"context": school.context.context_id, "user": f"u{TA_ID if role == 'ta' else 31}"} | given
    if role == "nobody":
        assert launch(client, platform, role=role, **where).status_code == 200
        return Person(role, "", school, client)
    if role == "ta":
        where["claims"] = {c.ROLES: [f"{MEMBERSHIP}/Instructor#TeachingAssistant"]}
    return Person(role, launch_as(client, role, platform, **where).token, school, client)


def _signed_out(platform: TestPlatform, school: School) -> Person:
    person = _person("teacher", platform, school)
    assert person.ask("POST", "/lti/signout").status_code == 200
    return replace(person, name="signed out")


def _expired(platform: TestPlatform, school: School) -> Person:
    person = _person("teacher", platform, school)
    newest = LaunchSession.objects.order_by("-pk")[:1].values("pk")
    LaunchSession.objects.filter(pk__in=newest).update(last_seen_at=timezone.now() - timedelta(hours=3))
    return replace(person, name="expired")


def _align_and_run(school: School) -> int:
    """Two alignments; run 1 has sent one grade column, run 2 is a preview that waits."""
    title = school.world.outcomes[601].title
    course_settings(school.context)
    one, _ = school.align(entry(601, title), entry(602, "Second column"))
    assert services.sync(school.context).run.number == 1
    school.assess(31 if 31 in school.world.users else next(iter(school.world.users)), 601, "4")
    run = services.prepare(school.context, school.account, started_by=f"teacher {TEACHER_ID}")
    assert (run.number, run.state) == (2, "ready")
    return one.pk


def _template(school: School) -> int:
    """A template of our school, made in our course: every teacher of the school may see it."""
    entry = {
        "outcomes": [{"title": "Everybody's outcome"}],
        "rule": {"kind": "cutoff"},
        "target": {"column": {"label": "Everybody's column", "points": "1"}},
    }
    whole = {"version": 1, "template": "Everybody's set-up", "alignments": [entry]}
    read = templatejson.parse_template(json.dumps(whole).encode())
    return template_services.keep(school.context, read).id


def _picked(school: School) -> int:
    """An assignment of our course that was picked in Canvas's form, and whose alignment is deleted again."""
    picked = deeplinking.prepare(school.context, ["601"], "A picked assignment", Decimal(1), timezone.now())
    picked.bound_at = picked.created_at
    picked.save()
    return picked.pk


@contextmanager
def undone(schools: Schools) -> Iterator[None]:
    """Whatever the request did, here or to tokens at Canvas, is taken back: every request meets the same schools."""
    worlds = [school.world for school in (schools.ours, schools.theirs)]
    kept = [{number: replace(token) for number, token in world.tokens.items()} for world in worlds]
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    for world, tokens in zip(worlds, kept, strict=True):
        world.tokens.clear()
        world.tokens.update(tokens)
    throttle._paces.clear()


def content() -> dict[str, str]:
    """Every table with a digest of its rows; open sessions by their number only (each visit is noted)."""
    tables = {model._meta.db_table for model in apps.get_models() if model._meta.managed}
    tables |= {name for name in connection.introspection.table_names() if name.startswith("procrastinate")}
    parts = [f"select '{name}', {_digest(name)} from {name} t" for name in sorted(tables)]
    with connection.cursor() as cursor:
        cursor.execute(" union all ".join(parts))
        return dict(cursor.fetchall())


def _digest(table: str) -> str:
    counted = "count(*)::text"
    if table == LaunchSession._meta.db_table:
        return counted
    return f"{counted} || md5(coalesce(string_agg(t::text, ',' order by t::text), ''))"
