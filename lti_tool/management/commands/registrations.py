"""`manage.py registrations`: which Canvases this tool knows, and the addresses that belong to each."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.urls import reverse

from lti_tool.addresses import absolute, launch_url
from lti_tool.commands import ToolCommand, add_registration_arguments, find_registration
from lti_tool.models import Registration

LABELS = {
    "login_url": "OpenID Connect Initiation Url",
    "launch_url": "Target Link URI, Redirect URI",
    "jwks_url": "Public JWK URL",
    "config_url": "configuration (JSON)",
    "api_redirect_uri": "API key's redirect URI",
    "events_url": "Live Events",
}


class Command(ToolCommand):
    help = "Prints the registrations with the addresses that are entered in their Canvas."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_registration_arguments(parser, required=False)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        one = options["registration"] or options["client_id"]
        found = (
            [find_registration(options)] if one else list(Registration.objects.order_by("created_at", "pk"))
        )
        if options["json"]:
            self.print_json({"registrations": [_described(each) for each in found]})
            return
        for registration in found:
            self.stdout.write(
                f"{registration.key}  {registration}{'' if registration.is_active else '  (switched off)'}"
            )
            for name, address in addresses(registration).items():
                self.stdout.write(f"  {LABELS[name]:<30} {address}")
        if not found:
            self.stderr.write("No Canvas is registered yet: use registration_link or register_platform.")


def addresses(registration: Registration) -> dict[str, str]:
    """What Canvas has to know of this tool, by the names that `--json` gives them."""
    key = [registration.key]
    return {
        "login_url": absolute(reverse("lti:login-for", args=key)),
        "launch_url": launch_url(),
        "jwks_url": absolute(reverse("lti:jwks")),
        "config_url": absolute(reverse("lti:config")),
        "api_redirect_uri": absolute(reverse("canvas:callback")),
        "events_url": absolute(reverse("canvas:events", args=key)),
    }


def _described(registration: Registration) -> dict[str, Any]:
    return {
        "key": registration.key,
        "issuer": registration.issuer,
        "client_id": registration.client_id,
        "canvas_url": registration.canvas_url,
        "is_active": registration.is_active,
        "has_api_key": bool(registration.api_client_id),
        **addresses(registration),
    }
