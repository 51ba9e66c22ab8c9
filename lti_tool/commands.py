"""What all commands share: how a registration and a course are named, and exit codes.

0 is success, 1 a refused or failed job, 2 bad usage; a user's mistake never prints a traceback.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from lti_tool.errors import PlatformError
from lti_tool.health import missing
from lti_tool.models import Context, Registration


class BadUsage(CommandError):
    """What was typed names nothing, or more than one thing. Exit code 2."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=2)


class ToolCommand(BaseCommand):
    """A command whose troubles with a platform or the database are sentences with exit code 1."""

    requires_system_checks: list[str] = []

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except PlatformError as error:
            raise CommandError(f"{error.detail} ({error.code})", returncode=1) from error
        except OperationalError as error:
            raise CommandError(
                "The database does not answer. Check DATABASE_URL and whether it runs, then try again.",
                returncode=1,
            ) from error
        except ProgrammingError as error:
            # A table or column is not there yet; anything else is a fault of ours, to be seen whole.
            waiting = missing()
            if not waiting:
                raise
            raise CommandError(waiting, returncode=1) from error

    def print_json(self, value: Any) -> None:
        """One JSON object on standard output."""
        self.stdout.write(json.dumps(value, ensure_ascii=False))


def add_registration_arguments(parser: ArgumentParser, *, required: bool = True) -> None:
    """`--registration KEY` or `--client-id ID`: which registration is meant."""
    which = parser.add_mutually_exclusive_group(required=required)
    which.add_argument("--registration", metavar="KEY", help="the key that register_platform printed")
    which.add_argument(
        "--client-id", metavar="ID", help="the developer key's id, where only one registration has it"
    )


def add_course_arguments(parser: ArgumentParser) -> None:
    """A registration and `--context CONTEXT_ID`: which course is meant."""
    add_registration_arguments(parser)
    parser.add_argument("--context", metavar="CONTEXT_ID", required=True, help="the course's LTI context id")


def find_registration(options: dict[str, Any]) -> Registration:
    """The registration the options name. Raises BadUsage for none and, listing their keys, for several."""
    key, client_id = options.get("registration"), options.get("client_id")
    if not _storable(key or client_id or ""):
        raise BadUsage("A key or client id is printable text; this is none.")
    if key:
        found = list(Registration.objects.filter(key=key))
    else:
        found = list(Registration.objects.filter(client_id=client_id or "").order_by("key"))
    if not found:
        named = f"the key {key}" if key else f"the client id {client_id}"
        raise BadUsage(f"No registration has {named}. Register the platform with register_platform first.")
    if len(found) > 1:
        lines = "\n".join(f"  {one.key}  {one.canvas_url}" for one in found)
        raise BadUsage(
            f"Several registrations have the client id {client_id}; use --registration KEY:\n{lines}"
        )
    return found[0]


def find_course(options: dict[str, Any]) -> Context:
    """The course the options name, as `find_registration` and `find_context` find it."""
    return find_context(find_registration(options), options["context"])


def find_context(registration: Registration, context_id: str) -> Context:
    """The course with this LTI context id; exit code 1 when it was never launched."""
    known = Context.objects.filter(registration=registration, context_id=context_id)
    context = known.first() if _storable(context_id) else None
    if context is None:
        raise CommandError(
            "This course is not known yet: open the tool in it once, from Canvas, and try again.",
            returncode=1,
        )
    return context


def _storable(text: str) -> bool:
    """Whether the database could hold this text at all: no NUL, no stray bytes of the command line."""
    return text.isprintable() and not any("\ud800" <= letter <= "\udfff" for letter in text)
