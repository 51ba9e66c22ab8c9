"""`manage.py register_platform`: make one Canvas known to this tool."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.urls import reverse

from lti_tool import registering as r
from lti_tool.addresses import absolute
from lti_tool.commands import BadUsage, ToolCommand
from lti_tool.models import Registration


class Command(ToolCommand):
    help = "Creates or updates one registration (issuer, client id and Canvas URL) and prints its key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--issuer", required=True, help="iss of this Canvas, to the letter")
        parser.add_argument("--client-id", required=True, help="the LTI developer key's id")
        parser.add_argument("--authorize-url", required=True, help="OIDC authorize address")
        parser.add_argument("--token-url", required=True, help="OAuth2 token address for services")
        parser.add_argument("--jwks-url", required=True, help="the platform's public keys")
        parser.add_argument(
            "--canvas-url", required=True, help="the school's Canvas origin for REST and OAuth2"
        )
        parser.add_argument(
            "--deployment-id", action="append", default=[], help="an installation (repeatable)"
        )
        parser.add_argument(
            "--allow-new-deployments",
            action="store_true",
            help="accept installations at their first launch; off again when left out",
        )
        parser.add_argument(
            "--service-host", action="append", help="another host of this Canvas (repeatable)"
        )
        parser.add_argument("--api-client-id", help="id of the Canvas API key (OAuth2)")
        parser.add_argument(
            "--api-client-secret-file", metavar="PATH", help="file that holds the API key's secret"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        registration, created = r.register(_platform(options))
        if options["json"]:
            self.print_json(_described(registration, created))
            return
        self.stdout.write(registration.key)
        self.stderr.write(
            f"{'Created' if created else 'Updated'} the registration of {registration}. "
            f"Its own login address, for issuers that share ids: {_login_address(registration)}"
        )


def _platform(options: dict[str, Any]) -> r.Platform:
    if bool(options["api_client_id"]) != bool(options["api_client_secret_file"]):
        raise BadUsage("--api-client-id and --api-client-secret-file: give both or neither.")
    hosts = options["service_host"]
    return r.Platform(
        issuer=r.checked_url("--issuer", options["issuer"], r.LONGEST_ID),
        client_id=r.checked_id("--client-id", options["client_id"]),
        canvas_url=r.checked_origin("--canvas-url", options["canvas_url"]),
        authorize_url=r.checked_url("--authorize-url", options["authorize_url"]),
        token_url=r.checked_url("--token-url", options["token_url"]),
        jwks_url=r.checked_url("--jwks-url", options["jwks_url"]),
        allow_new_deployments=options["allow_new_deployments"],
        deployment_ids=tuple(r.checked_id("--deployment-id", one) for one in options["deployment_id"]),
        service_hosts=None
        if hosts is None
        else tuple(r.checked_host("--service-host", one) for one in hosts),
        api_client_id=r.checked_id("--api-client-id", options["api_client_id"])
        if options["api_client_id"]
        else None,
        api_client_secret=r.secret_in("--api-client-secret-file", options["api_client_secret_file"])
        if options["api_client_secret_file"]
        else None,
    )


def _described(registration: Registration, created: bool) -> dict[str, Any]:
    return {
        "key": registration.key,
        "created": created,
        "issuer": registration.issuer,
        "client_id": registration.client_id,
        "canvas_url": registration.canvas_url,
        "deployments": sorted(registration.deployments.values_list("deployment_id", flat=True)),
        "allow_new_deployments": registration.allow_new_deployments,
        "service_hosts": registration.service_hosts,
        "login_url": _login_address(registration),
    }


def _login_address(registration: Registration) -> str:
    return absolute(reverse("lti:login-for", args=[registration.key]))
