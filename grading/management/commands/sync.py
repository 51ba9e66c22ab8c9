"""`manage.py sync`: plan, and send, the grades of one course now."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError, CommandParser

from grading import services
from grading.reports import as_json, as_text, busy_as_json
from grading.runs import RunAlreadyOpen
from lti_tool.commands import ToolCommand, add_course_arguments, find_course

SUCCESS = {"done", "partial"}


def canvas_id(text: str) -> str:
    """An id as Canvas writes it; a name typed in its place would choose nobody, and the sync say "done"."""
    if not (text.isascii() and text.isdigit()) or text.startswith("0"):
        raise ArgumentTypeError(f"{text[:60]!r} is not a Canvas id: write its digits")
    return text


class Command(ToolCommand):
    help = "Plans what the rules give, sends what differs to the Canvas gradebook, and reads it back."

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="plan only: Canvas is read, never written")
        parser.add_argument("--cells", action="store_true", help="list every student's cell")
        parser.add_argument(
            "--force-conflicts", action="store_true", help="replace what people graded, emptied or excused"
        )
        parser.add_argument(
            "--confirm-large", action="store_true", help="send even if unusually many grades change"
        )
        parser.add_argument(
            "--student", action="append", default=[], type=canvas_id, metavar="ID",
            help="only this student (may be repeated)",
        )  # fmt: skip
        parser.add_argument(
            "--section", action="append", default=[], type=canvas_id, metavar="ID",
            help="only this section (may be repeated)",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        context = find_course(options)
        try:
            result = services.sync(
                context,
                dry_run=options["dry_run"],
                force_conflicts=options["force_conflicts"],
                confirm_large=options["confirm_large"],
                only=services.Only(frozenset(options["student"]), frozenset(options["section"])),
            )
        except RunAlreadyOpen as busy:
            told = f"{busy} Wait until it has ended, then try again."
            if options["json"]:
                self.print_json(busy_as_json(told, dry_run=options["dry_run"]))
            raise CommandError(told, returncode=1) from busy
        if options["json"]:
            self.print_json(as_json(result, with_cells=options["cells"]))
        else:
            self.stdout.write(as_text(result, with_cells=options["cells"]))
        if result.run.outcome not in SUCCESS:
            sys.exit(1)
