"""`manage.py export_alignments`: a course's alignments as the JSON that `import_alignments` reads."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from alignments import services
from lti_tool.commands import (
    ToolCommand,
    add_context_argument,
    add_registration_arguments,
    find_context,
    find_registration,
)


class Command(ToolCommand):
    help = "Prints a course's alignments as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        add_registration_arguments(parser)
        add_context_argument(parser)
        parser.add_argument("--json", action="store_true", help="accepted for symmetry: the output is JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        context = find_context(find_registration(options), options["context"])
        self.print_json(services.export_alignments(context))
