"""`manage.py rotate_encryption`: nothing stays sealed with an older key, so that the older key can go."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from lti_tool.commands import ToolCommand
from lti_tool.rotation import Outcome, reseal_all


class Command(ToolCommand):
    help = (
        "Seals everything anew with the first of ENCRYPTION_KEYS, while the tool is at work; may be cut off "
        "and started again. Says when the older keys may be removed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        outcome = reseal_all()
        if options["json"]:
            self.print_json(
                {
                    "resealed": dict(outcome.resealed),
                    "unreadable": dict(outcome.unreadable),
                    "old_keys_may_go": outcome.old_keys_may_go,
                }
            )
        else:
            self.stdout.write(_in_words(outcome))
        if outcome.unreadable:
            sys.exit(1)


def _in_words(outcome: Outcome) -> str:
    if outcome.unreadable:
        where = ", ".join(f"{name} ({count})" for name, count in sorted(outcome.unreadable.items()))
        return (
            f"Some values open with none of ENCRYPTION_KEYS: {where}. Put the key they were sealed with back, "
            "behind the first one, and run this again. Remove no key."
        )
    if outcome.resealed:
        return (
            f"{outcome.resealed.total()} values sealed anew. Run this once more when every web server and "
            "worker has been restarted with the new first key: when it finds nothing, the older keys may go."
        )
    if len(settings.ENCRYPTION_KEYS) == 1:
        return "Everything is sealed with the one key there is."
    return (
        "Everything is sealed with the first key. Where every web server and worker was restarted with it "
        "before this command ran, the older keys may be removed from ENCRYPTION_KEYS."
    )
