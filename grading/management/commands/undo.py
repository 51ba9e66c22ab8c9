"""`manage.py undo`: take back the newest run of one course that wrote grades."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser

from grading.reports import undone_as_json, undone_as_text
from grading.runs import RunAlreadyOpen
from grading.services import undo
from grading.undoing import NothingToUndo
from lti_tool.commands import ToolCommand, add_course_arguments, find_course


class Command(ToolCommand):
    help = "Restores the grades the newest sync replaced, where they are still as it left them."

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        context = find_course(options)
        try:
            undone = undo(context, started_by="command")
        except NothingToUndo as nothing:
            raise CommandError("There is no sync to undo in this course.", returncode=1) from nothing
        except RunAlreadyOpen as busy:
            raise CommandError(f"{busy} Wait until it has ended, then try again.", returncode=1) from busy
        if options["json"]:
            self.print_json(undone_as_json(undone))
        else:
            self.stdout.write(undone_as_text(undone))
        if undone.run.outcome == "stopped":
            sys.exit(1)
