"""`manage.py forget_course`: delete everything the tool keeps about one course."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from grading.forgetting import IN_CANVAS, forget
from grading.runs import RunAlreadyOpen
from lti_tool.commands import ToolCommand, add_course_arguments, find_course


class Command(ToolCommand):
    help = f"Deletes everything about a course. {IN_CANVAS}"

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        context = find_course(options)
        try:
            receipt = forget(context)
        except RunAlreadyOpen as busy:
            told = f"{busy} Nothing was deleted. Stop it in the tool's page or wait until it has ended, then try again."
            raise CommandError(told, returncode=1) from busy
        if options["json"]:
            self.print_json({"deleted": receipt.rows, "accounts_disconnected": receipt.disconnected})
            return
        self.stdout.write(f"Forgotten: {receipt.total} rows deleted. {IN_CANVAS}")
        if receipt.disconnected:
            self.stdout.write(
                f"Canvas accounts disconnected, because they graded no other course: {receipt.disconnected}."
            )
