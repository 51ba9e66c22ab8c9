"""`manage.py delete_template`: a template goes, also one whose course was forgotten. What was made from it stays."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from alignments.management.commands.set_default_template import (
    add_deployment_argument,
    find_deployment,
    find_template,
)
from lti_tool.commands import ToolCommand, add_registration_arguments, find_registration


class Command(ToolCommand):
    help = "Deletes a template. Alignments made from it stay in their courses."

    def add_arguments(self, parser: CommandParser) -> None:
        add_registration_arguments(parser)
        add_deployment_argument(parser)
        parser.add_argument(
            "--template",
            metavar="NUMBER",
            type=int,
            required=True,
            help="as set_default_template lists them",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        deployment = find_deployment(find_registration(options), options["deployment"])
        row = find_template(deployment, options["template"])
        row.delete()
        if options["json"]:
            self.print_json({"deleted": options["template"]})
        else:
            self.stdout.write(f"Template {options['template']} is deleted.")
