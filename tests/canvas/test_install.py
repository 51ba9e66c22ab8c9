"""The install page: who may set the API key, what is checked, and that it is sealed."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.core import signing
from django.test import Client

from canvas.accounts import SCOPES
from lti_tool.models import Registration
from lti_tool.sealing import API_SECRET_PURPOSE, unseal
from tests.lti_tool.registrar import Registrar, new_link
from tests.people import TOOL, launch, new_platform
from tests.plugins.local_server import Answer, LocalServer

pytestmark = pytest.mark.django_db

TOKEN = "/login/oauth2/token"
KNOWN = Answer({"error": "invalid_grant", "error_description": "authorization_code not found"}, 400)
UNKNOWN = Answer({"error": "invalid_client", "error_description": "unknown client"}, 401)


def pass_in(response: Any) -> str:
    found = re.search(r'name="install_pass" value="([^"]+)"', response.content.decode())
    assert found, response.content.decode()
    return found[1]


@pytest.fixture
def canvas(server: LocalServer, client: Client) -> Registrar:
    server.routes["POST", TOKEN] = KNOWN
    return Registrar(server, client)


def store(
    client: Client,
    install_pass: str,
    client_id: str = "10000000000043",
    secret: str = "s3cret",
    **headers: Any,
) -> Any:
    data = {"install_pass": install_pass, "api_client_id": client_id, "api_client_secret": secret}
    return client.post("/canvas/install", data, **headers)


def test_registration_ends_on_the_install_page(canvas: Registrar) -> None:
    page = canvas.open(new_link()).content.decode()
    assert f"{TOOL}/canvas/callback" in page and "data-lti-close" in page
    assert all(scope in page for scope, _ in SCOPES)


def test_the_key_is_stored_sealed_and_once(canvas: Registrar, client: Client) -> None:
    install_pass = pass_in(canvas.open(new_link()))
    response = store(client, install_pass)
    registration = Registration.objects.get()
    assert (response.status_code, registration.api_client_id) == (200, "10000000000043")
    assert unseal(registration.sealed_api_client_secret, purpose=API_SECRET_PURPOSE) == "s3cret"
    assert "s3cret" not in response.content.decode() + registration.sealed_api_client_secret
    assert store(client, install_pass, "5", "other").status_code == 422
    assert Registration.objects.get().api_client_id == "10000000000043"


def test_canvas_is_asked_whether_it_knows_the_key(canvas: Registrar, client: Client) -> None:
    install_pass = pass_in(canvas.open(new_link()))
    canvas.server.routes["POST", TOKEN] = UNKNOWN
    response = store(client, install_pass)
    assert (response.status_code, Registration.objects.get().api_client_id) == (422, "")
    assert "Canvas does not accept" in response.content.decode()
    canvas.server.routes["POST", TOKEN] = Answer(b"", 503)
    assert store(client, pass_in(response)).status_code == 200
    (first, *_) = canvas.server.calls("POST", TOKEN)
    assert first.form()["client_id"] == "10000000000043"


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [
        ("", "x"),
        ("  ", "x"),
        ("x" * 256, "x"),
        ("5", ""),
        ("5", "x" * 256),
        ("5", "a\nb"),
        ("10000000000777", "x"),
    ],
)
def test_what_is_no_key_is_said_at_its_field(
    canvas: Registrar, client: Client, client_id: str, secret: str
) -> None:
    install_pass = pass_in(canvas.open(new_link()))
    response = store(client, install_pass, client_id, secret)
    assert (response.status_code, response.content.decode().count("aria-invalid")) == (422, 1)
    assert not Registration.objects.get().api_client_id and not canvas.server.calls("POST", TOKEN)


def test_without_a_fresh_pass_nothing_is_taken(canvas: Registrar, client: Client) -> None:
    install_pass = pass_in(canvas.open(new_link()))
    with pytest.MonkeyPatch.context() as patch:
        later = time.time() + 3_660
        patch.setattr(time, "time", lambda: later)
        assert store(client, install_pass).status_code == 401
    assert store(client, "").status_code == store(client, install_pass + "x").status_code == 401
    assert store(client, signing.dumps(Registration.objects.get().key)).status_code == 401
    assert client.get("/canvas/install").status_code == 401
    assert store(client, install_pass, HTTP_ORIGIN="https://evil.test").status_code == 403
    Registration.objects.update(is_active=False)
    assert store(client, install_pass).status_code == 401
    assert not Registration.objects.get().api_client_id


def test_an_account_admin_who_launches_may_set_it_while_there_is_none(client: Client) -> None:
    platform = new_platform(register_with={"api_client_id": None, "api_client_secret": None})
    response = launch(client, platform, role="admin")
    assert "What is missing: an API key" in response.content.decode()
    assert f"frame-ancestors {platform.url}" in response["Content-Security-Policy"]
    assert store(client, pass_in(response)).status_code == 200
    assert "install_pass" not in launch(client, platform, role="admin").content.decode()


@pytest.mark.parametrize("role", ["teacher", "ta", "student", "observer", "designer", "nobody"])
def test_nobody_else_gets_the_page(client: Client, role: str) -> None:
    platform = new_platform(register_with={"api_client_id": None, "api_client_secret": None})
    response = launch(client, platform, role=role)
    assert (response.status_code, "install_pass" in response.content.decode()) == (200, False)


def test_teachers_read_what_is_missing_and_whom_to_ask(client: Client) -> None:
    platform = new_platform(register_with={"api_client_id": None, "api_client_secret": None})
    page = launch(client, platform, role="teacher").content.decode()
    assert "Canvas is not set up for this tool yet." in page and "Canvas administrator" in page


def test_a_pass_sets_the_key_of_its_own_school_only(canvas: Registrar, client: Client) -> None:
    other = new_platform(register_with={"api_client_id": None, "api_client_secret": None})
    store(client, pass_in(canvas.open(new_link())))
    other.registration.refresh_from_db()
    assert (other.registration.api_client_id, Registration.objects.exclude(api_client_id="").count()) == (
        "",
        1,
    )
