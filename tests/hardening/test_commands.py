"""Commands and a user's mistakes: one sentence, exit code 1 or 2, no traceback, nothing changed."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from lti_tool.models import Registration
from scripts.processes import ROOT
from tests.lti_tool.refused import nothing_written
from tests.people import new_platform

GOOD = {
    "--issuer": "https://canvas.school.test",
    "--client-id": "1",
    "--canvas-url": "https://canvas.school.test",
    "--authorize-url": "https://canvas.school.test/api/lti/authorize_redirect",
    "--token-url": "https://canvas.school.test/login/oauth2/token",
    "--jwks-url": "https://canvas.school.test/api/lti/security/jwks",
}
COURSE_COMMANDS = ("sync", "undo", "export_alignments", "import_alignments", "forget_course")


def code_of(command: str, *given: str) -> int:
    """The exit code; anything but a `CommandError` or an exit is a traceback."""
    try:
        call_command(command, *given, stdout=StringIO(), stderr=StringIO())
    except CommandError as error:
        assert str(error) and "Traceback" not in str(error)
        return error.returncode
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def register(**changes: str) -> int:
    options = GOOD | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return code_of("register_platform", *[f"{name}={value}" for name, value in options.items()])


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["issuer", "canvas_url", "authorize_url", "token_url", "jwks_url"])
@pytest.mark.parametrize(
    "value",
    [
        "", " ", "canvas", "ftp://x", "javascript:alert(1)", "https://", "https://[", "https://x:port/", "https://x:0x50/",
        "https://user:pw@x/", "https://x/#f", "https://x\n/", "http://canvas.school.test/", "https://é.test/",
        "https://x/" + "y" * 600, "https://x\0/", "https://127.0.0.1/", "https://localhost:1/", "https://x y/",
        "https://x;script-src/", "https://x'/",
    ],
)  # fmt: skip
def test_a_wrong_address_is_named(option: str, value: str) -> None:
    with nothing_written(), override_settings(ALLOW_HTTP=False):
        assert register(**{option: value}) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": ""},
        {"client_id": "x" * 300},
        {"client_id": "a\0"},
        {"deployment_id": "x" * 300},
        {"deployment_id": ""},
        {"service_host": "https://x"},
        {"service_host": "x/y"},
        {"service_host": "x y"},
        {"service_host": "*.test"},
        {"service_host": "x:99999"},
        {"service_host": "evil@x"},
        {"api_client_id": "1"},
        {"api_client_secret_file": "/none"},
        {"api_client_id": "1", "api_client_secret_file": "/no/such/file"},
        {"api_client_id": "1", "api_client_secret_file": "/"},
        {"api_client_id": "1", "api_client_secret_file": "/dev/null"},
        {"api_client_id": "1", "api_client_secret_file": "a\0b"},
    ],
)
def test_a_wrong_option_is_named(wrong: dict[str, str]) -> None:
    with nothing_written():
        assert register(**wrong) == 2


@pytest.mark.django_db
def test_the_good_one_is_taken() -> None:
    assert register(service_host="sso.school.test:8443", deployment_id="7:abc") == 0
    assert Registration.objects.get().service_hosts == ["sso.school.test:8443"]


@pytest.mark.django_db
@pytest.mark.parametrize("command", COURSE_COMMANDS)
@pytest.mark.parametrize("name", ["none", "a\0b", "x" * 10_000, "' or 1=1 --", "\udcff", ""])
def test_a_registration_or_course_that_is_not_there(command: str, name: str, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"version": 1, "alignments": []}')
    before = [str(file)] if command == "import_alignments" else []
    known = new_platform().registration.key
    with nothing_written():
        assert code_of(command, *before, f"--client-id={name}", "--context=c") == 2
        assert code_of(command, *before, f"--registration={name}", "--context=c") == 2
        assert code_of(command, *before, f"--registration={known}", f"--context={name}") == 1


@pytest.mark.django_db
@pytest.mark.parametrize("command", [*COURSE_COMMANDS, "register_platform"])
@pytest.mark.parametrize(
    "given", [(), ("--bogus",), ("--client-id",), ("--client-id=1", "--registration=2", "--context=c")]
)
def test_bad_usage_is_two(command: str, given: tuple[str, ...]) -> None:
    with nothing_written():
        assert code_of(command, *given) in (1, 2)


@pytest.mark.django_db
@pytest.mark.parametrize("file", ["/no/such/file", "/", "a\0b", "x" * 5_000, "/root/\udcff"])
def test_a_file_that_cannot_be_opened_is_two(file: str) -> None:
    known = new_platform().registration.key
    assert code_of("import_alignments", file, f"--registration={known}", "--context=c") == 2


def manage(*given: str, **changes: Any) -> subprocess.CompletedProcess[str]:
    """The real program, with a database that nobody serves."""
    environment = os.environ | {"DATABASE_URL": "postgresql://tool@127.0.0.1:1/none"} | changes
    command = [sys.executable, "manage.py", *given]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    "given",
    [
        ("sync", "--client-id=1", "--context=c"),
        ("rotate_keys",),
        ("doctor",),
        ("export_alignments", "--client-id=1", "--context=c"),
    ],
)
def test_a_database_that_is_away_is_one_sentence(given: tuple[str, ...]) -> None:
    done = manage(*given)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "database" in (done.stdout + done.stderr).lower(), done.stderr[
        -500:
    ]
