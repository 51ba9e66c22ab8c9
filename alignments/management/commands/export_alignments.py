"""`manage.py export_alignments`: a course's alignments as the JSON that `import_alignments` reads."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from alignments import services
from lti_tool.commands import ToolCommand, add_course_arguments, find_course


class Command(ToolCommand):
    help = "Prints a course's alignments as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--json", action="store_true", help="accepted for symmetry: the output is JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        context = find_course(options)
        self.print_json(services.export_alignments(context))
