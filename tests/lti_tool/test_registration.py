"""Dynamic registration by one-time link, through the front door: what it stores, sends, and refuses."""

from __future__ import annotations

import io
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from lti_tool.configuration import CANVAS, SCOPE_REASONS, TOOL_CONFIGURATION, tool_configuration
from lti_tool.models import Deployment, Registration, RegistrationLink
from tests.lti_tool.registrar import CONFIGURATION, REGISTRATIONS, TOKEN, Registrar, new_link
from tests.people import LAUNCH, TOOL
from tests.plugins.local_server import Answer, LocalServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def canvas(server: LocalServer, client: Client) -> Registrar:
    return Registrar(server, client)


def refused(response: Any, status: int, code: str) -> str:
    """A whole page that may be framed, with its code, and nothing registered."""
    page: str = response.content.decode()
    assert (response.status_code, f"Code {code}" in page) == (status, True), page
    assert "frame-ancestors https: http:" in response["Content-Security-Policy"]
    assert "<form" not in page and "<button" not in page
    assert not Registration.objects.exists()
    return page


def test_a_link_registers_the_canvas_that_opens_it(canvas: Registrar) -> None:
    response = canvas.open(new_link())
    registration = Registration.objects.get()
    assert response.status_code == 200
    assert (registration.issuer, registration.client_id) == (
        "https://canvas.instructure.com",
        "10000000000777",
    )
    assert registration.canvas_url == canvas.server.url
    assert registration.jwks_url == f"{canvas.server.url}/api/lti/security/jwks"
    assert registration.allow_new_deployments and not registration.api_client_id
    assert f"frame-ancestors {canvas.server.url}" in response["Content-Security-Policy"]
    assert RegistrationLink.objects.get().registration == registration


def test_the_request_says_what_lti_config_says(canvas: Registrar, client: Client) -> None:
    canvas.open(new_link())
    (asked,) = canvas.asked
    told = tool_configuration()
    tool = asked[TOOL_CONFIGURATION]
    assert asked["initiate_login_uri"] == f"{TOOL}/lti/login/{Registration.objects.get().key}"
    assert (asked["redirect_uris"], asked["jwks_uri"]) == ([LAUNCH], told["public_jwk_url"])
    assert asked["scope"].split() == told["scopes"] == list(SCOPE_REASONS)
    assert tool["custom_parameters"] == told["custom_fields"]
    assert [one["placements"] for one in tool["messages"]] == [
        ["course_navigation"],
        ["assignment_selection"],
    ]
    assert tool["messages"][0][f"{CANVAS}visibility"] == "members"
    assert [tool["messages"][1][f"{CANVAS}launch_{side}"] for side in ("width", "height")] == [800, 700]
    icon = client.get(asked["logo_uri"].removeprefix(TOOL))
    assert icon["Content-Type"] == "image/svg+xml"
    icon.close()


def test_the_token_goes_to_the_platform_and_stays_nowhere_here(canvas: Registrar) -> None:
    page = canvas.open(new_link()).content.decode()
    calls = canvas.server.calls("GET", CONFIGURATION) + canvas.server.calls("POST", REGISTRATIONS)
    assert [seen.headers["authorization"] for seen in calls] == [f"Bearer {TOKEN}"] * 2
    assert TOKEN not in page
    assert TOKEN not in canvas.open("/lti/register?key=made-up").content.decode()


def test_only_what_the_platform_offers_is_asked_for(canvas: Registrar) -> None:
    canvas.describe(
        scopes_supported=["openid", "https://purl.imsglobal.org/spec/lti-ags/scope/score"],
        **{
            "https://purl.imsglobal.org/spec/lti-platform-configuration": {
                "messages_supported": [{"type": "LtiResourceLinkRequest"}]
            }
        },
    )
    canvas.open(new_link())
    (asked,) = canvas.asked
    assert asked["scope"] == "https://purl.imsglobal.org/spec/lti-ags/scope/score"
    assert [one["type"] for one in asked[TOOL_CONFIGURATION]["messages"]] == ["LtiResourceLinkRequest"]


def test_the_address_of_the_description_is_asked_whole(canvas: Registrar) -> None:
    """Canvas has put the token into the address too, and one version of it reads the token nowhere else."""
    address = f"{canvas.server.url}{CONFIGURATION}?registration_token={TOKEN}"
    assert canvas.open(new_link(), openid_configuration=address).status_code == 200
    (seen,) = canvas.server.calls("GET", CONFIGURATION)
    assert seen.query == {"registration_token": [TOKEN]}


@pytest.mark.parametrize(
    "answer", [{"deployment_id": "9:abc"}, {TOOL_CONFIGURATION: {"deployment_id": "9:abc"}}]
)
def test_a_deployment_named_at_once_is_known_at_once(canvas: Registrar, answer: dict[str, Any]) -> None:
    canvas.answer = Answer({"client_id": 10000000000778, **answer})
    canvas.open(new_link())
    assert Deployment.objects.get().deployment_id == "9:abc"
    assert Registration.objects.get().client_id == "10000000000778"


@pytest.mark.parametrize(
    ("key", "code"), [(None, "LINK-MISSING"), ("made-up", "LINK-UNKNOWN"), ("é", "LINK-UNKNOWN")]
)
def test_without_a_valid_key_the_platform_is_not_even_asked(
    canvas: Registrar, key: str | None, code: str
) -> None:
    page = refused(canvas.open("/lti/register", key=key), 403, code)
    assert "registration_link" in page and not canvas.server.seen


def test_a_link_works_once(canvas: Registrar) -> None:
    link = new_link()
    assert canvas.open(link).status_code == 200
    response = canvas.open(link)
    assert (response.status_code, "Code LINK-USED" in response.content.decode()) == (403, True)
    assert (Registration.objects.count(), len(canvas.asked)) == (1, 1)


def test_a_link_ends_after_its_hours(canvas: Registrar) -> None:
    link = new_link("--hours", "2")
    assert (
        timedelta(hours=1.9) < RegistrationLink.objects.get().expires_at - timezone.now() < timedelta(hours=2)
    )
    RegistrationLink.objects.update(expires_at=timezone.now())
    refused(canvas.open(link), 403, "LINK-OVER")


def test_opened_by_itself_the_link_explains_and_keeps(canvas: Registrar) -> None:
    link = new_link()
    refused(canvas.client.get(link), 400, "LINK-ALONE")
    assert canvas.open(link).status_code == 200


def test_the_key_rests_as_a_hash_only() -> None:
    key = new_link().rpartition("key=")[2]
    assert len(key) >= 43 and key not in str(list(RegistrationLink.objects.values()))


@pytest.mark.parametrize("hours", ["0", "-1", "2161"])
def test_hours_out_of_range_are_bad_usage(hours: str) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("registration_link", "--hours", hours, stdout=io.StringIO())
    assert caught.value.returncode == 2


@pytest.mark.django_db(transaction=True)
def test_of_ten_at_once_exactly_one_registers(canvas: Registrar, monkeypatch: pytest.MonkeyPatch) -> None:
    # A busy machine opens connections slower than a page would wait for one.
    monkeypatch.setattr(connection.pool, "timeout", 120.0)
    link, statuses = new_link(), []

    def open_it() -> None:
        statuses.append(Registrar.open(canvas, link).status_code)
        connection.close()

    threads = [threading.Thread(target=open_it) for _ in range(10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(statuses) == [200] + [403] * 9
    assert (Registration.objects.count(), len(canvas.asked)) == (1, 1)


@pytest.mark.parametrize("answer", [Answer({"errors": {}}, 422), Answer(b"", 401), Answer(b"slow down", 429)])
def test_a_refusal_gives_the_link_back(canvas: Registrar, answer: Answer) -> None:
    link, canvas.answer = new_link(), answer
    refused(canvas.open(link), 422, "REG-REFUSED")
    canvas.answer = Answer({"client_id": "5"})
    assert canvas.open(link).status_code == 200


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(b"", 500), "REG-NO-ANSWER"),
        (Answer({"client_id": "1"}, cut=5), "REG-NO-ANSWER"),
        (Answer(b"<html>", 200), "REG-NO-ANSWER"),
        (Answer(b"", 302, {"Location": "/elsewhere"}), "REG-NO-ANSWER"),
        (Answer({"client": "no id"}), "REG-ANSWER"),
        (Answer({"client_id": {"a": 1}}), "REG-ANSWER"),
        (Answer({"client_id": "x" * 256}), "REG-ANSWER"),
        (Answer({"client_id": "1", "deployment_id": ["2"]}), "REG-ANSWER"),
        (Answer(["client_id"]), "REG-ANSWER"),
    ],
)
def test_an_answer_that_leaves_it_open_stores_nothing_and_ends_the_link(
    canvas: Registrar, answer: Answer, code: str
) -> None:
    link, canvas.answer = new_link(), answer
    assert "Developer Keys" in refused(canvas.open(link), 422, code)
    refused(canvas.open(link), 403, "LINK-USED")


def test_a_client_id_that_is_known_changes_nothing(canvas: Registrar) -> None:
    canvas.open(new_link())
    before = list(Registration.objects.values())
    response = canvas.open(new_link())
    assert (response.status_code, "Code REG-KNOWN" in response.content.decode()) == (409, True)
    assert list(Registration.objects.values()) == before
