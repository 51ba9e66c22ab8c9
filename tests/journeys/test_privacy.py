"""The promise about students: after a whole journey, nothing of them is in the database or the logs in clear."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psycopg
import requests

from scripts.webclient import Page, Visitor
from tests.journeys.conftest import TEST_SECONDS, Demo, demo


def canaries(canvas: str) -> list[str]:
    """Everything the sandbox knows of its students that could give one away."""
    world = requests.get(f"{canvas}/_sandbox/world", timeout=60).json()
    students = [user for user in world["users"] if str(user["role"]).startswith("student")]
    assert len(students) >= 5
    names = ("name", "sortable_name", "sis_id", "lti_id", "legacy_id", "id")
    found = [str(user[name]) for user in students for name in names if user.get(name)]
    return [text for text in found if len(text) > 5]


def journey(running: Demo) -> Page:
    """Launch, connect, align, preview, send: by links and forms."""
    teacher = Visitor()
    home = teacher.open(f"{running.canvas}/")
    users = requests.get(f"{running.canvas}/_sandbox/world", timeout=60).json()
    chosen = next(user["id"] for user in users["users"] if user["role"] == "teacher")
    home = teacher.submit(home, home.form("act_as"), {"user_id": str(chosen)})
    course = teacher.open(home.link("/courses/"))
    page = teacher.open(course.link("external_tools"))
    page = teacher.submit(page, page.form("lti/login"))
    page = teacher.submit(page, page.form("id_token"))
    consent = teacher.open(page.link("/canvas/authorize"))
    done = teacher.submit(consent, consent.form("accept"))
    assert done.status == 200
    page = teacher.open(f"{running.tool}/course/alignments/suggested/")
    page = teacher.submit(page, page.form("pair"))
    assert set_exceptions(teacher, page, running) == 3
    page = teacher.open(f"{running.tool}/course/preview/")
    page = teacher.submit(page, page.form("start"))
    page = wait_for(teacher, page, "would change")
    page = teacher.submit(page, page.form("digest"), button="Send")
    return wait_for(teacher, page, "in the gradebook")


def set_exceptions(teacher: Visitor, home: Page, running: Demo) -> int:
    """A rule of their own for three students of the first alignment; how many the page lists then."""
    number = re.search(r"/course/alignments/(\d+)/", home.html)
    assert number is not None, home.text
    page = teacher.open(f"{running.tool}/course/alignments/{number[1]}/exceptions/")
    students = re.findall(r'value="(student:\d+)"', page.html)[:3]
    for value, kind in zip(students, ("not_assessed", "cutoff", "proportional"), strict=True):
        chosen = {"who": value, "kind": kind}
        page = teacher.submit(page, page.form("who"), chosen, button="Save the exception")
        assert "The exception is saved" in page.text, page.text
    return page.text.count("Remove the exception for")


def wait_for(visitor: Visitor, page: Page, words: str) -> Page:
    until = time.monotonic() + TEST_SECONDS
    while time.monotonic() < until:
        if words in page.text:
            return page
        time.sleep(0.2)
        page = visitor.open(page.link("Look again"))
    raise AssertionError(page.text[:300])


def dump(database_url: str) -> str:
    """Every row of every table as text; binary columns as hexadecimal."""
    parts: list[str] = []
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'public'"
        ).fetchall()
        assert len(tables) > 15
        for (table,) in tables:
            rows = connection.execute(f'select t::text from "{table}" t').fetchall()
            parts.extend(f"{table} {row[0]}" for row in rows)
    return "\n".join(parts)


def logs(running: Demo) -> str:
    """What the web server and the worker wrote; the sandbox's own log is Canvas's."""
    return "\n".join((running.folder / name).read_text() for name in ("web.log", "worker.log"))


def files(running: Demo) -> list[tuple[str, bytes]]:
    """The database's own files, its write-ahead log among them: what was deleted since is there still."""
    with psycopg.connect(running.environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("checkpoint")
    found = []
    for folder, _, names in os.walk(running.folder / "postgres"):
        for path in (Path(folder, name) for name in names):
            # The server is at work: what was there a moment ago may be gone.
            with suppress(FileNotFoundError):
                found.append((path, path.read_bytes()))
    assert any("pg_wal" in path.parts for path, _ in found)
    return [(path.name, content) for path, content in found]


def hits(text: str, words: Iterable[str]) -> list[str]:
    """The words that stand in the text, as they are or without regard to case."""
    low = text.casefold()
    return [
        word for word in words if re.search(rf"(?<![0-9a-z]){re.escape(word.casefold())}(?![0-9a-z])", low)
    ]


def test_nothing_of_a_student_is_left() -> None:
    with demo("global-ids") as running:
        words = canaries(running.canvas)
        report = journey(running)
        assert "grades are in the gradebook" in report.text
        rows, lines = dump(running.environment["DATABASE_URL"]), logs(running)
        on_disk = [(name, word) for name, blob in files(running) for word in words if word.encode() in blob]
    assert "alignments_sealedexceptions" in rows
    assert "grading_fingerprint" in rows and "grading_undojournal" in rows and "ended with status" in lines
    assert hits(rows, words) == [] and hits(lines, words) == [] and on_disk == []


def test_the_search_finds_what_is_planted() -> None:
    planted = "row (1,Lindqvist, Ada) and id=210700000000501"
    assert hits(planted, ["lindqvist, ada", "210700000000501", "Chloé"]) == [
        "lindqvist, ada",
        "210700000000501",
    ]
