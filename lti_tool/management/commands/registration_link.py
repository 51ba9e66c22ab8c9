"""`manage.py registration_link`: a one-time address for dynamic registration."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.utils import timezone

from lti_tool.commands import BadUsage, ToolCommand
from lti_tool.registration_links import make_link

MOST_HOURS = 24 * 90


class Command(ToolCommand):
    help = "Prints the one-time address an administrator pastes into Canvas to register this tool."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--hours", type=int, default=24, help="how long the link works (default: 24)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        hours = options["hours"]
        if not 1 <= hours <= MOST_HOURS:
            raise BadUsage(f"--hours: give a whole number from 1 to {MOST_HOURS}.")
        url = make_link(timezone.now(), timedelta(hours=hours))
        if options["json"]:
            self.print_json({"url": url})
            return
        self.stdout.write(url)
        unit = "hour" if hours == 1 else "hours"
        self.stderr.write(
            f"It registers one Canvas, within {hours} {unit}. Whoever has it can do that: hand it on like a password."
        )
