"""Settings from the environment: a wrong value stops the start and names the variable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from lti_tool import env
from scripts.processes import ROOT


def start(**changes: str | None) -> subprocess.CompletedProcess[str]:
    """`manage.py check` with a good environment changed here and there (None unsets)."""
    good: dict[str, str | None] = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "a-secret-of-enough-letters",
        "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "TOOL_URL": "https://mastery.school.edu",
        "DATABASE_URL": "postgres://tool:pw@db.school.edu:5432/mastery",
    }
    environment = {name: value for name, value in (good | changes).items() if value is not None}
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_a_good_environment_starts() -> None:
    assert start().returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "fifteen letters"),
        ("ENCRYPTION_KEYS", None),
        ("ENCRYPTION_KEYS", "too-short"),
        ("ENCRYPTION_KEYS", " , "),
        ("TOOL_URL", None),
        ("TOOL_URL", "mastery.school.edu"),
        ("TOOL_URL", "http://mastery.school.edu"),
        ("TOOL_URL", "https://mastery.school.edu/tool"),
        ("TOOL_URL", "https://127.0.0.1:8000"),
        ("TOOL_URL", "https://mastery.school.edu:port"),
        ("TOOL_URL", "https://mastery.school.edu:99999"),
        ("TOOL_URL", "https://teacher:pw@mastery.school.edu"),
        ("TOOL_URL", "https://mastery.school.edu?x=1"),
        ("TOOL_URL", "https://mastery school.edu"),
        ("TOOL_URL", "https://mastery.school.edu;script-src *"),
        ("TOOL_URL", "https://*.school.edu"),
        ("TOOL_URL", "https://[::1"),
        ("TOOL_URL", "ftp://mastery.school.edu"),
        ("ALLOW_HTTP", "1"),
        ("ALLOW_HTTP", "maybe"),
        ("DATABASE_URL", "sqlite:///db.sqlite3"),
        ("DATABASE_URL", "postgres://tool:pw@db.school.edu:port/mastery"),
        ("UNDO_DAYS", "-1"),
        ("UNDO_DAYS", "99999999999"),
        ("METRICS_DIR", "/proc/none"),
        ("EVENTS_JWKS_URL", "keys"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_the_variable(name: str, value: str | None) -> None:
    done = start(**{name: value})
    assert done.returncode == 2
    assert done.stderr.startswith(name), done.stderr
    assert len(done.stderr.splitlines()) == 1, "no traceback"


def test_a_key_is_never_repeated_in_the_message() -> None:
    good = Fernet.generate_key().decode()
    done = start(ENCRYPTION_KEYS=f"{good},wrong-secret-key")
    assert "key 2" in done.stderr
    assert good not in done.stderr
    assert "wrong-secret-key" not in done.stderr


def test_a_database_password_is_never_repeated_in_the_message() -> None:
    done = start(DATABASE_URL="postgres://tool:hunt/er2@db.school.edu/mastery")
    assert done.stderr.startswith("DATABASE_URL") and "hunt" not in done.stderr


def test_loopback_over_http_needs_allow_http() -> None:
    assert start(TOOL_URL="http://127.0.0.1:8000", ALLOW_HTTP="1").returncode == 0


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://Mastery.School.EDU/", "https://mastery.school.edu"),
        ("https://mastery.school.edu:443", "https://mastery.school.edu"),
        ("https://mastery.school.edu:8443", "https://mastery.school.edu:8443"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_the_tools_address_is_kept_as_browsers_write_an_origin(given: str, origin: str) -> None:
    assert env.to_origin(given) == origin


def test_every_setting_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "secret"))
    assert env.text("SECRET_KEY") == "from a file"


def test_a_setting_and_its_file_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "one")
    monkeypatch.setenv("SECRET_KEY_FILE", "/two")
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY and SECRET_KEY_FILE"):
        env.text("SECRET_KEY")


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", "/no/such/file")
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE: cannot read '/no/such/file'"):
        env.text("SECRET_KEY")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:p%40ss@db:5433/name", ("name", "u", "p@ss", "db", "5433")),
        ("postgresql://app@/postgres?host=/run/pg", ("postgres", "app", "", "/run/pg", "")),
        ("postgres://u@%2Frun%2Fpg/name", ("name", "u", "", "/run/pg", "")),
    ],
)
def test_a_database_url_becomes_djangos_names(url: str, expected: tuple[str, ...]) -> None:
    found = env.to_postgres(url)
    assert tuple(found[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")) == expected


def test_further_words_of_a_database_url_are_options() -> None:
    assert env.to_postgres("postgres://u@db/name?sslmode=require")["OPTIONS"] == {"sslmode": "require"}
