"""`manage.py doctor`: what works, what does not, and what to do about it, one line each."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from canvas import trial
from grading import doctor
from lti_tool.commands import (
    BadUsage,
    ToolCommand,
    add_registration_arguments,
    find_context,
    find_registration,
)
from lti_tool.models import Context, Registration
from lti_tool.selfcheck import Finding, Verdict

IN_A_WORD = {
    Verdict.OK: "Everything works.",
    Verdict.WARNING: "The tool works; see the lines marked !.",
    Verdict.PROBLEM: "Something needs a person; see the lines marked !!.",
}


class Command(ToolCommand):
    help = "Checks keys, token, permissions, speed limit, clock, queue, worker and database; changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        add_registration_arguments(parser, required=False)
        parser.add_argument(
            "--context",
            metavar="CONTEXT_ID",
            help="the course to look at (default: the newest connected one)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--write-test", action="store_true", help=f"also write. {trial.WARNING}")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        shared = doctor.examine_installation(now)
        usable = not any(one.code == "database" and one.verdict is Verdict.PROBLEM for one in shared)
        schools = self._schools(options) if usable else []
        if not options["json"]:
            self.stdout.write(doctor.as_text(shared))
        everything, reports = list(shared), []
        for registration, context in schools:
            found = doctor.examine_school(registration, context, now)
            if not options["json"]:
                self.stdout.write(f"\n{_title(registration, context)}\n{doctor.as_text(found)}")
            found += self._write_test(context, options)
            everything += found
            reports.append(_school_as_json(registration, context, found))
        verdict = doctor.worst(everything)
        if options["json"]:
            checks = doctor.as_json(shared)
            self.print_json({"verdict": verdict, "checks": checks, "registrations": reports})
        else:
            self.stdout.write(f"\n{IN_A_WORD[verdict]}")
        if verdict is Verdict.PROBLEM:
            sys.exit(1)

    def _schools(self, options: dict[str, Any]) -> list[tuple[Registration, Context | None]]:
        """The registration that was named, or all that are switched on."""
        if options["registration"] or options["client_id"]:
            registration = find_registration(options)
            named = options["context"]
            context = find_context(registration, named) if named else doctor.newest_course(registration)
            return [(registration, context)]
        if options["context"] or options["write_test"]:
            raise BadUsage("--context and --write-test need --client-id ID or --registration KEY.")
        switched_on = Registration.objects.filter(is_active=True).order_by("pk")
        return [(each, doctor.newest_course(each)) for each in switched_on]

    def _write_test(self, context: Context | None, options: dict[str, Any]) -> list[Finding]:
        """Said first, on standard error; a person at a terminal is asked as well."""
        if not options["write_test"]:
            return []
        if context is None:
            raise CommandError("The write test needs a course: open the tool in one first.", returncode=1)
        self.stderr.write(f"Write test in the course “{context}”. {trial.WARNING}")
        if sys.stdin.isatty() and input("Do it? Type yes: ").strip().lower() != "yes":
            self.stderr.write("Nothing was written.")
            return []
        found = trial.write_test(context)
        if not options["json"]:
            self.stdout.write(doctor.as_text(found))
        return found


def _title(registration: Registration, context: Context | None) -> str:
    return f"{registration} ({registration.key})" + (f", seen from the course “{context}”" if context else "")


def _school_as_json(
    registration: Registration, context: Context | None, found: list[Finding]
) -> dict[str, Any]:
    return {
        "registration": registration.key,
        "canvas_url": registration.canvas_url,
        "context": context.context_id if context else None,
        "checks": doctor.as_json(found),
    }
