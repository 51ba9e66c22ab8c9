"""Every column of the database has its line in docs/privacy.md, with a class; a new one without fails here."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from scripts.processes import ROOT

CLASSES = {
    "school", "technical", "course", "visit", "teacher", "hash of a secret", "sealed secret", "sealed person",
    "sealed student data", "pseudonymous student data",
}  # fmt: skip
Column = tuple[str, str]
FREE_TEXT = {
    "lti_tool_context": {"title", "label"},
    "alignments_alignment": {"name", "definition"},
    "alignments_target": {"label"},
    "alignments_template": {"name", "body"},
    "alignments_coursesettings": {"excluded_keywords"},
    "alignments_deeplinkedalignment": {"definition"},
    "grading_run": {"problems", "error"},
}
"""What people write, or sentences that quote it. Canary tests search these; a new one has to be put here."""
KNOWN_JSON = {
    ("lti_tool_registration", "service_hosts"), ("lti_tool_context", "ags_scopes"),
    ("lti_tool_signingkey", "public_jwk"), ("procrastinate_jobs", "args"),
    ("canvas_canvasaccount", "scopes"), ("alignments_alignment", "scales"), ("grading_run", "counts"),
    ("grading_run", "reasons"), ("grading_run", "requests"), ("grading_run", "progress"),
}  # fmt: skip
"""JSON that programs write: names, numbers and ids of courses only."""
KNOWN_TEXT = {("procrastinate_jobs", "lock"), ("procrastinate_jobs", "queueing_lock")}


def classified() -> dict[Column, str]:
    """docs/privacy.md: column → class. A column listed twice is an error."""
    found: dict[Column, str] = {}
    for line in (ROOT / "docs" / "privacy.md").read_text().splitlines():
        match = re.fullmatch(r"\| `(\w+)` \| ([a-z ]+) \| (.*) \|", line)
        if not match:
            continue
        table, kind, names = match.groups()
        for name in re.findall(r"`(\w+)`", names):
            assert (table, name) not in found, f"{table}.{name} stands twice"
            found[table, name] = kind
    return found


def columns() -> dict[Column, str]:
    """The database itself, procrastinate's tables and Django's among them: column → type."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select table_name, column_name, data_type from information_schema.columns"
            " where table_schema = 'public'"
        )
        return {(table, name): kind for table, name, kind in cursor.fetchall()}


@pytest.mark.django_db
def test_every_column_is_classified_and_every_line_is_a_column() -> None:
    said, real = classified(), columns()
    assert sorted(set(real) - set(said)) == [], "classify these in docs/privacy.md"
    assert sorted(set(said) - set(real)) == [], "these are gone: take them out of docs/privacy.md"
    assert set(said.values()) <= CLASSES


@pytest.mark.django_db
def test_sealed_columns_are_called_so_and_nothing_else_is() -> None:
    """`rotate_encryption` finds them by their name."""
    for (table, name), kind in classified().items():
        assert name.startswith("sealed") == kind.startswith("sealed"), f"{table}.{name} is {kind}"


@pytest.mark.django_db
def test_json_and_text_columns_have_an_owner() -> None:
    said = classified()
    loose = [
        column
        for column, kind in columns().items()
        if kind in ("jsonb", "json", "text")
        and column not in KNOWN_JSON | KNOWN_TEXT
        and column[1] not in FREE_TEXT.get(column[0], set())
        and not said[column].startswith("sealed")
    ]
    assert loose == []


@pytest.mark.django_db
def test_a_new_column_would_be_found() -> None:
    with connection.cursor() as cursor:
        cursor.execute("alter table grading_run add column student text")
    assert set(columns()) - set(classified()) == {("grading_run", "student")}
