"""`manage.py import_alignments FILE`: a course's alignments from JSON, all or nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from alignments import services
from alignments.core import jsonfile
from alignments.core.jsontext import MAX_BYTES
from lti_tool.commands import BadUsage, ToolCommand, add_course_arguments, find_context, find_registration


class Command(ToolCommand):
    help = "Adds alignments from a JSON file to a course, or makes them its whole list (--replace)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the JSON file; - reads standard input")
        add_course_arguments(parser)
        parser.add_argument("--replace", action="store_true", help="the file becomes the course's whole list")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        registration = find_registration(options)
        data = read_file(options["file"])
        context = find_context(registration, options["context"])
        try:
            definitions = jsonfile.parse_file(data)
            done = services.import_alignments(context, definitions, replace=options["replace"])
        except jsonfile.FileErrors as errors:
            raise CommandError(_as_text(errors), returncode=1) from errors
        if options["json"]:
            self.print_json({"added": done.added, "kept": done.kept, "removed": done.removed})
        else:
            self.stdout.write(f"Alignments: {done.added} added, {done.kept} kept, {done.removed} removed.")


def read_file(name: str) -> bytes:
    """The file's bytes, one more than allowed at most; exit status 2 when it cannot be opened."""
    try:
        if name == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadUsage(f"The file {name!r} cannot be opened: {reason}.") from error


def _as_text(errors: jsonfile.FileErrors) -> str:
    """A headline, then every error on a line of its own."""
    count = len(errors.problems)
    headline = "Nothing was imported: 1 error" if count == 1 else f"Nothing was imported: {count} errors"
    if count > len(errors.lines):
        headline += f", of which the first {len(errors.lines)} are"
    return "\n".join([f"{headline}:", *errors.lines])
