"""A weak deployment does not start, or `check --deploy` names it: the real program, with one setting made wrong."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scripts.processes import ROOT

GOOD = {
    "SECRET_KEY": "check-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF",
    "ENCRYPTION_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "TOOL_URL": "https://mastery.example.edu",
    "DATABASE_URL": "postgresql://nobody@/none?host=/nonexistent",
    "DJANGO_SETTINGS_MODULE": "lti_tool.settings",
}


def check(**changes: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in {*GOOD, "ALLOW_HTTP", "DEBUG"}}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    environment = kept | GOOD | changes
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_a_good_one_is_silent() -> None:
    done = check()
    assert done.returncode == 0 and "no issues" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("ENCRYPTION_KEYS", ""),
        ("ENCRYPTION_KEYS", "not-a-key"),
        ("TOOL_URL", "http://mastery.example.edu"),
        ("TOOL_URL", "https://localhost"),
        ("ALLOW_HTTP", "1"),
        ("DEBUG", "1"),
        ("DATABASE_URL", "sqlite:///x"),
    ],
)
def test_a_weak_one_is_refused_by_name(name: str, value: str) -> None:
    done = check(**{name: value})
    assert done.returncode != 0 and name in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert value not in done.stderr or len(value) < 8 or name == "DATABASE_URL" or name == "TOOL_URL"
