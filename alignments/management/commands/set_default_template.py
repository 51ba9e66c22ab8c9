"""`manage.py set_default_template`: the set-up that a course with nothing aligned is offered."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from alignments import template_services
from alignments.core import templatejson
from alignments.core.jsonfile import FileErrors
from alignments.management.commands.import_alignments import read_file
from alignments.models import Template
from lti_tool.commands import BadUsage, ToolCommand, add_registration_arguments, find_registration
from lti_tool.models import Deployment, Registration


class Command(ToolCommand):
    help = (
        "Names the template that courses with nothing aligned are offered. "
        "Without --template, --file or --none it lists the templates."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_registration_arguments(parser)
        add_deployment_argument(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--template", metavar="NUMBER", type=int, help="a template teachers have saved")
        which.add_argument("--file", metavar="FILE", help="a template's JSON file; - reads standard input")
        which.add_argument("--none", action="store_true", help="offer none any more")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        deployment = find_deployment(find_registration(options), options["deployment"])
        if options["none"]:
            template_services.set_usual(deployment, None)
        elif options["template"] is not None:
            template_services.set_usual(deployment, find_template(deployment, options["template"]))
        elif options["file"] is not None:
            template_services.set_usual(deployment, _from_file(deployment, options["file"]))
        rows = list(Template.objects.filter(deployment=deployment))
        if options["json"]:
            self.print_json({"templates": [_as_json(row) for row in rows]})
            return
        for row in rows:
            usual = "  (the usual set-up)" if row.is_default else ""
            count = template_services.count(row)
            alignments = "1 alignment" if count == 1 else f"{count} alignments"
            self.stdout.write(f"{row.pk}  {row.name}: {alignments}{usual}")
        if not any(row.is_default for row in rows):
            self.stdout.write("Courses with nothing aligned are offered no set-up.")


def add_deployment_argument(parser: CommandParser) -> None:
    """`--deployment ID`: which installation is meant."""
    parser.add_argument(
        "--deployment", metavar="ID", help="the installation's deployment id, where there are several"
    )


def find_deployment(registration: Registration, deployment_id: str | None) -> Deployment:
    """The installation of that id, or the only one. Raises BadUsage."""
    known = {one.deployment_id: one for one in registration.deployments.order_by("deployment_id")}
    if deployment_id is not None:
        if deployment_id not in known:
            raise BadUsage("--deployment: this registration has no installation of that id.")
        return known[deployment_id]
    if len(known) != 1:
        listed = "".join(f"\n  {one}" for one in known)
        raise BadUsage(f"This registration has {len(known)} installations; use --deployment ID:{listed}")
    return next(iter(known.values()))


def find_template(deployment: Deployment, number: int) -> Template:
    """A template of the installation by its number. Raises BadUsage."""
    row = Template.objects.filter(deployment=deployment, pk=number).first() if 0 < number < 2**63 else None
    if row is None:
        raise BadUsage(f"--template: there is no template {number} in this installation.")
    return row


def _from_file(deployment: Deployment, name: str) -> Template:
    try:
        template = templatejson.parse_template(read_file(name))
        return template_services.keep_for_school(deployment, template)
    except FileErrors as errors:
        lines = "\n".join(errors.lines)
        raise CommandError(
            f"Nothing was changed. The file needs correcting:\n{lines}", returncode=1
        ) from errors
    except template_services.NameTaken as taken:
        told = f'{taken} It was made in a course: write another name after "template" in the file.'
        raise CommandError(told, returncode=1) from taken


def _as_json(row: Template) -> dict[str, object]:
    return {
        "template": row.pk,
        "name": row.name,
        "alignments": template_services.count(row),
        "default": row.is_default,
    }
