"""`manage.py rotate_keys`: sign with a new key, in two steps so that no platform is left with the old set."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from lti_tool.commands import ToolCommand
from lti_tool.keys import new_key, public_jwks, retire_old_keys


class Command(ToolCommand):
    help = "Makes a new signing key; the old one stays published until --retire."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--retire", action="store_true", help="stop publishing all keys but the newest")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        retired = retire_old_keys() if options["retire"] else 0
        if not options["retire"]:
            new_key()
        published = [key["kid"] for key in public_jwks()["keys"]]
        if options["json"]:
            self.print_json({"signing": published[0], "published": published, "retired": retired})
        elif options["retire"]:
            self.stdout.write(f"Signing with {published[0]}, the only key published; {retired} retired.")
        else:
            self.stdout.write(
                f"Signing with {published[0]}; {len(published)} published. Later: rotate_keys --retire"
            )
