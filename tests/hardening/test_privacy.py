"""The promise of docs/privacy.md: after everything a course does, no student is found in database, logs or files."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from canvas import throttle
from grading import services
from grading.fingerprints import Tagger
from grading.jobs import prepare_run
from grading.models import Fingerprint, Run
from grading.openings import open_preview
from lti_tool import claims as c
from sandbox.scenarios import build
from sandbox.scenarios.base import TEACHER_ID
from sandbox.server import SandboxServer
from tests.grading.school import School, entry
from tests.hardening import canaries
from tests.hardening.test_events import event
from tests.hardening.test_logs import logged
from tests.hardening.two_schools import Person, _school
from tests.people import TestPlatform, launch_as


@dataclass
class Scene:
    school: School
    teacher: Person
    platform: TestPlatform
    words: list[str]
    logs: dict[str, bytes]
    folder: Path


@pytest.fixture
def scene(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A school whose students are all canaries, and its teacher in the course."""
    throttle._paces.clear()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with SandboxServer(build("small")) as server:
        words = canaries.plant(server.world)
        platform, school, teacher = _school(server)
        yield Scene(school, teacher, platform, words, {}, tmp_path)


def everything(scene: Scene) -> None:
    """A whole life of a course, as a teacher leads it, with faults on the way; all lines written down."""
    with logged("DEBUG", "json") as lines:
        _life(scene)
        scene.logs["logs"] = lines.getvalue().encode()
    assert b"verdict" in scene.logs["logs"]


def _life(scene: Scene) -> None:
    school, ask = scene.school, scene.teacher.ask
    student = canaries.students(school.world)[0]
    school.world.outcomes[601].calculation_method = "highest"
    school.forget_evidence(student.id)
    school.assess(student.id, 601, str(canaries.ODD_SCORE))
    column = school.assignment("1.1 Linear models")
    rule = {"rule": {"kind": "proportional"}, "round": 4}
    column.points_possible = type(canaries.ODD_SCORE)(canaries.POINTS)
    [models, _] = school.align(
        entry(601, "Models", points=canaries.POINTS, **rule), entry(601, column.id, **rule)
    )
    _student_comes(scene)
    services.sync(school.context, dry_run=True)
    school.world.faults.add("error_after", method="POST", path="*/scores", count=1)
    first = services.sync(school.context)
    assert first.run.outcome == "done", first.run.error
    assert canaries.ODD_GRADE in school.column("Models").values()
    school.edit("Models", student.id, "5")
    waiting = services.prepare(school.context, school.account, started_by=f"teacher {TEACHER_ID}")
    for page in ("", "students/1/", "csv/"):
        method = "POST" if page == "csv/" else "GET"
        assert ask(method, f"/course/runs/{waiting.number}/{page}").status_code == 200, page
    for path in (
        "/course/",
        f"/course/alignments/{models.pk}/",
        "/course/runs/",
        "/course/check/results/",
        "/metrics",
    ):
        assert ask("GET", path).status_code == 200, path
    exception = {"who": f"student:{student.id}", "kind": "not_assessed"}
    assert ask("POST", f"/course/alignments/{models.pk}/exceptions/", exception).status_code == 302
    services.discard(waiting)
    sent = event(
        hostname="localhost",
        context_id=str(school.course.id),
        user_login=student.login_id,
        student_sis_id=student.sis_id,
    )
    key = scene.platform.registration.key
    assert (
        Client().post(f"/canvas/events/{key}", json.dumps(sent), content_type="application/json").status_code
        == 200
    )
    services.undo(school.context, started_by="command")
    services.sync(school.context, force_conflicts=True)


def _student_comes(scene: Scene) -> None:
    """A student's own launch says more of them than anything else."""
    student = canaries.students(scene.school.world)[1]
    said = {"name": student.name, "email": student.email, "sub": student.lti_id, "given_name": student.name,
            c.CUSTOM: {"canvas_user_id": student.id, "canvas_course_id": scene.school.course.id}}  # fmt: skip
    launch_as(Client(), "student", scene.platform, context=scene.school.context.context_id, claims=said)


def found_in(scene: Scene) -> dict[str, bytes]:
    """Every row of every table, every line, every file, and what a browser keeps."""
    blobs = dict(scene.logs)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'select t::text from "{table}" t')
            blobs[f"table {table}"] = "\n".join(row[0] for row in cursor.fetchall()).encode()
    blobs |= {str(path): path.read_bytes() for path in scene.folder.rglob("*") if path.is_file()}
    blobs["cookies"] = str(scene.teacher.client.cookies).encode()
    blobs["metrics"] = scene.teacher.client.get("/metrics").content
    return blobs


def test_nothing_of_a_student_is_left_anywhere(scene: Scene) -> None:
    everything(scene)
    blobs = found_in(scene)
    assert {"table grading_fingerprint", "table procrastinate_jobs"} <= set(blobs)
    assert blobs["table grading_undojournal"] and blobs["table alignments_sealedexceptions"]
    assert canaries.hits(blobs, scene.words) == []


def test_the_search_finds_what_is_planted(scene: Scene) -> None:
    """A canary in a log line, in a job's arguments and in a gzip file: without all three the search proves nothing."""
    word = scene.words[2]
    with logged("INFO", "json") as lines:
        logging.getLogger("grading").info("sent the grade of %s", word)
        scene.logs["logs"] = lines.getvalue().encode()
    prepare_run.defer(run_id=1)
    with connection.cursor() as cursor:
        cursor.execute("update procrastinate_jobs set args = %s", [json.dumps({"who": word})])
    (scene.folder / "grades.gz").write_bytes(canaries.packed(f"{word};4"))
    where = {name.split("/")[-1] for name, _, _ in canaries.hits(found_in(scene), [word])}
    assert where == {"logs", "table procrastinate_jobs", "grades.gz@0"}


@pytest.mark.parametrize("offset", range(3))
def test_every_spelling_is_found(offset: int) -> None:
    word = "Canarybird7, Zoë"
    for spelling, text in canaries.spellings(word).items():
        blob = b"x" * offset + text + b"y"
        assert spelling in {each for _, _, each in canaries.hits({"blob": blob}, [word])}, spelling
    inside = base64.b64encode(b"a" * offset + word.encode() + b"bcd")
    assert canaries.hits({"blob": inside}, [word])


def test_without_the_key_no_fingerprint_can_be_tried_out(scene: Scene) -> None:
    """With it every cell is found (the control); with another key, or with plain hashes, none is."""
    everything(scene)
    context = scene.school.context
    tags = {bytes(tag) for tag in Fingerprint.objects.values_list("cell_tag", flat=True)}
    cells = [
        (str(work.id), str(user.id))
        for work in scene.school.world.assignments.values()
        for user in canaries.students(scene.school.world)
    ]
    tagger = Tagger(context)
    assert tags and tags <= {tagger.cell(*cell) for cell in cells}
    tagger._key = b"another key"
    guesses = {tagger.cell(*cell) for cell in cells}
    for key in (b"", b"key", context.registration.key.encode()):
        guesses |= {
            hmac.digest(key, "\x1f".join(["cell", context.canvas_course_id, *cell]).encode(), "sha256")
            for cell in cells
        }
    assert not tags & guesses


def test_names_are_hidden_with_the_switch(scene: Scene) -> None:
    """One switch, for every page of the visit that shows students, and their numbers are the same on each."""
    school, ask = scene.school, scene.teacher.ask
    [models] = school.align(entry(601, "Models"))
    run = services.prepare(school.context, school.account, started_by="teacher 1")
    pages = [f"/course/runs/{run.number}/", f"/course/runs/{run.number}/students/1/",
             f"/course/alignments/{models.pk}/exceptions/"]  # fmt: skip
    form = f"/course/alignments/{models.pk}/"
    others = [form, "/course/", "/course/runs/", "/course/settings/"]
    listed = {value: name for value, name in choices_in(text_of(ask("GET", pages[2])))}
    for page in pages:
        assert "Canarybird" in text_of(ask("GET", page)), page
    assert ask("POST", "/lti/names", {"hide": "yes"}).status_code == 302
    for page in pages + others:
        hidden = text_of(ask("GET", page))
        assert "Canarybird" not in hidden, page
        assert "Student " in hidden or page in others, page
    assert "Canarybird" not in text_of(ask("POST", f"/course/runs/{run.number}/csv/"))
    numbers = dict(choices_in(text_of(ask("GET", pages[2]))))
    order = open_preview(Run.objects.get(pk=run.pk)).order
    assert listed and numbers == {user: f"Student {order.index(user) + 1}" for user in listed}


def choices_in(page: str) -> list[tuple[str, str]]:
    """The students a page offers to choose from: id and what stands there."""
    return re.findall(r'value="student:(\d+)"[^>]*>([^<]+)<', page)


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())
