"""What the commands share: naming a registration and a course, and failing without a traceback."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lti_tool.models import Context, Registration

FAILED = 1
BAD_USAGE = 2


def failed(message: str) -> CommandError:
    """The job was refused or did not succeed: exit status 1."""
    return CommandError(message, returncode=FAILED)


def bad_usage(message: str) -> CommandError:
    """The command was asked wrongly: exit status 2."""
    return CommandError(message, returncode=BAD_USAGE)


class ToolCommand(BaseCommand):
    """A command whose refusals are one `CommandError` with an exit status, never a traceback."""

    requires_system_checks: list[str] = []

    def print_json(self, value: Any) -> None:
        """One JSON value on standard output."""
        self.stdout.write(json.dumps(value, indent=2, ensure_ascii=False))


def add_registration_arguments(parser: CommandParser, *, context: bool = True) -> None:
    """`--registration KEY` or `--client-id ID`, and `--context CONTEXT_ID` where a course is meant."""
    parser.add_argument("--registration", metavar="KEY", help="the key that register_platform printed")
    parser.add_argument("--client-id", metavar="ID", help="the Canvas developer key's client id")
    if context:
        parser.add_argument(
            "--context", metavar="CONTEXT_ID", required=True, help="the course's LTI context id"
        )


def find_registration(options: dict[str, Any]) -> Registration:
    """The one registration the options name; exit status 2 when none or several fit."""
    key, client_id = options.get("registration"), options.get("client_id")
    if not key and not client_id:
        raise bad_usage("Name the registration with --registration KEY or --client-id ID.")
    found = Registration.objects.order_by("key")
    found = found.filter(key=key) if key else found
    found = found.filter(client_id=client_id) if client_id else found
    listed = list(found)
    if not listed:
        raise bad_usage("No registration has this key or client id. register_platform makes one.")
    if len(listed) > 1:
        keys = "\n".join(f"  {one.key}  {one.canvas_url}" for one in listed)
        raise bad_usage(f"Several registrations have this client id; use --registration KEY:\n{keys}")
    return listed[0]


def find_context(registration: Registration, context_id: str) -> Context:
    """The course with this LTI context id; exit status 1 when it was never launched."""
    context = Context.objects.filter(registration=registration, context_id=context_id).first()
    if context is None:
        raise failed("This course is not known yet: open the tool in it once, from Canvas, and try again.")
    return context
