#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

# These ask the database nothing, so no server is started for them.
WITHOUT_DATABASE = {"check", "collectstatic", "findstatic", "help", "version", "--help", "--version"}


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lti_tool.settings")
    with ExitStack() as stack:
        if not _database_is_given() and len(sys.argv) > 1 and sys.argv[1] not in WITHOUT_DATABASE:
            problem = _start_embedded_postgres(stack)
            if problem:
                print(problem, file=sys.stderr)
                return 1
        return _run()


def _run() -> int:
    """A wrong setting is told in one line that names the variable, not in a traceback."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        settings.INSTALLED_APPS  # noqa: B018 - the first look at a setting reads the environment
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)
        return 2
    execute_from_command_line(sys.argv)
    return 0


def _database_is_given() -> bool:
    return "DATABASE_URL" in os.environ or "DATABASE_URL_FILE" in os.environ


def _start_embedded_postgres(stack: ExitStack) -> str:
    """The server under var/postgres, for this command only, unless `make run` has it running. A problem, or ""."""
    from scripts import postgres

    data = Path(__file__).resolve().parent / "var" / "postgres"
    if postgres.is_running(data):
        return ""
    try:
        server = postgres.start(data)
    except postgres.PostgresProblem as problem:
        return str(problem)
    stack.callback(server.stop)
    return ""


if __name__ == "__main__":
    sys.exit(main())
