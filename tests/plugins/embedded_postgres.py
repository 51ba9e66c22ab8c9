"""A pytest plugin: one embedded PostgreSQL per run and the settings tests need.

pytest-django reads the settings before any conftest.py, so this is loaded with `-p` from
pyproject.toml. xdist's workers inherit the environment and share the one server.
"""

import contextlib
import os

import pytest
from cryptography.fernet import Fernet

from scripts import postgres

_running = contextlib.ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    for name in ("DEBUG", "UNDO_DAYS", "LOG_LEVEL", "LOG_FORMAT"):
        os.environ.pop(name, None)
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    os.environ["SECRET_KEY"] = "tests-" + Fernet.generate_key().decode()
    os.environ["ENCRYPTION_KEYS"] = Fernet.generate_key().decode()
    os.environ["TOOL_URL"] = "http://127.0.0.1:8000"
    os.environ["ALLOW_HTTP"] = "1"
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = _running.enter_context(postgres.temporary()).url


def pytest_unconfigure() -> None:
    _running.close()
