"""Dynamic registration against a platform that means harm (hardening 1.2 and 2): nothing is sent where it should
not go, nothing is stored, and beside each group of refusals one description that is taken."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from lti_tool.configuration import PLATFORM_CONFIGURATION
from lti_tool.models import Registration, RegistrationLink
from lti_tool.registration_metadata import judge
from lti_tool.registration_refusals import RegistrationRefused
from tests.lti_tool.registrar import CONFIGURATION, Registrar, description, new_link
from tests.people import initiation, launch, new_platform
from tests.plugins.local_server import Answer, LocalServer

pytestmark = pytest.mark.django_db

HOSTED = {
    "issuer": "https://canvas.instructure.com",
    "authorization_endpoint": "https://sso.canvaslms.com/api/lti/authorize_redirect",
    "token_endpoint": "https://sso.canvaslms.com/login/oauth2/token",
    "jwks_uri": "https://sso.canvaslms.com/api/lti/security/jwks",
    "registration_endpoint": "https://school.instructure.com/api/lti/registrations",
}
PRIVATE = {
    "https://10.0.0.7/x",
    "https://169.254.169.254/latest/meta-data",
    "https://[fd00::1]/x",
    "https://100.64.0.1/x",
    "https://0.0.0.0/x",
}
"""Private numbers: answered like any address where nothing can be read."""
HOSTED_AT = "https://canvas.instructure.com/api/lti/security/openid-configuration"


@pytest.fixture
def canvas(server: LocalServer, client: Client) -> Registrar:
    return Registrar(server, client)


def is_refused(canvas: Registrar, code: str, **changes: Any) -> None:
    """Refused with this code, nothing registered anywhere, and the link still good."""
    link = new_link()
    response = canvas.open(link, **changes)
    assert (response.status_code in (400, 403, 422), f"Code {code}" in response.content.decode()) == (
        True,
        True,
    )
    assert not canvas.asked and not Registration.objects.exists()
    assert RegistrationLink.objects.get().used_at is None


@pytest.mark.parametrize(
    "address",
    [
        "http://canvas.school.edu/x",
        "https://user@canvas.school.edu/x",
        "https://canvas.school.edu/x#fragment",
        "https://canvas.school.edu\\@evil.test/x",
        "https://[::1]/x",
        "https://10.0.0.7/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://100.64.0.1/x",
        "https://0.0.0.0/x",
        "https://localhost/x",
        "file:///etc/passwd",
        "gopher://canvas.school.edu/x",
        "//canvas.school.edu/x",
        "https://canvas.school.edu/\r\nX: y",
        "https://münchen.edu/x",
        "https://" + "a" * 600 + ".edu/x",
        "not an address",
        "",
    ],
)
def test_addresses_that_are_never_asked(canvas: Registrar, settings: Settings, address: str) -> None:
    settings.ALLOW_HTTP = False
    settings.SECURE_SSL_REDIRECT = False
    code = "REG-UNREACHABLE" if address in PRIVATE else "REG-ADDRESS" if address else "LINK-ALONE"
    is_refused(canvas, code, openid_configuration=address)
    assert not canvas.server.seen


@pytest.mark.parametrize("name", ["rebound.school.edu", "2130706433", "0x7f.1"])
def test_a_name_that_leads_inside_is_dropped_before_a_byte_is_sent(
    canvas: Registrar, settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    settings.ALLOW_HTTP = False
    port = int(canvas.server.host.rpartition(":")[2])
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: inside)
    asked: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda *given: asked.append(given))
    is_refused(canvas, "REG-UNREACHABLE", openid_configuration=f"https://{name}:{port}/x")
    assert not asked and not canvas.server.seen


def test_whether_an_inner_address_listens_is_not_told(
    canvas: Registrar, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open port, closed port, no such name, a public address that is away: one page but for its reference."""
    settings.ALLOW_HTTP, link, pages = False, new_link(), []
    for number, port in (
        ("127.0.0.1", int(canvas.server.host.rpartition(":")[2])),
        ("127.0.0.1", 1),
        ("", 443),
    ):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port))] if number else []
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, found=found, **more: found or away())
        page = canvas.open(link, openid_configuration=f"https://inner.school.edu:{port}/x").content.decode()
        pages.append(re.sub('reference [0-9a-f]{8}|nonce="[^"]+"', "", page))
    assert "Code REG-UNREACHABLE" in pages[0] and pages[1:] == pages[:1] * 2


def away() -> Any:
    raise socket.gaierror("no such name")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"", 302, {"Location": "http://127.0.0.1:1/"}),
        Answer(b"x" * 300_000),
        Answer(b"<html>"),
        Answer(b"[" * 100_000),
        Answer(b"", 404),
        Answer(b"", 500),
        Answer(b"{}", cut=1),
    ],
)
def test_a_description_that_cannot_be_read(canvas: Registrar, answer: Answer) -> None:
    canvas.server.routes["GET", CONFIGURATION] = answer
    is_refused(canvas, "REG-UNREACHABLE")
    assert len(canvas.server.seen) == 1


def test_an_expired_registration_token(canvas: Registrar) -> None:
    canvas.server.routes["GET", CONFIGURATION] = Answer({"errors": []}, 401)
    is_refused(canvas, "REG-TOKEN")


@pytest.mark.parametrize("token", [None, "", "two words", "a\r\nX: y", "é", "a" * 8_193])
def test_a_token_that_is_none(canvas: Registrar, token: str | None) -> None:
    is_refused(canvas, "REG-PARAM", registration_token=token)
    assert not canvas.server.seen


def test_a_parameter_that_stands_twice(canvas: Registrar) -> None:
    is_refused(canvas, "REG-PARAM", openid_configuration=["https://a.edu/x", "https://b.edu/x"])


@pytest.mark.parametrize("field", ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("value", [None, 7, ["x"], "", "http://canvas.school.edu/x", "javascript:alert(1)"])
def test_a_field_that_is_missing_or_no_https_address(canvas: Registrar, field: str, value: Any) -> None:
    canvas.describe(**{field: value})
    is_refused(canvas, "REG-METADATA")


@pytest.mark.parametrize("body", [[], "text", 7, None, {}])
def test_a_description_of_another_shape(canvas: Registrar, body: Any) -> None:
    canvas.server.routes["GET", CONFIGURATION] = Answer(body)
    is_refused(canvas, "REG-METADATA")


@pytest.mark.parametrize(
    "field", ["authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint"]
)
def test_an_address_at_somebody_elses(canvas: Registrar, field: str) -> None:
    canvas.describe(**{field: "https://canvas.other.edu/x"})
    is_refused(canvas, "REG-HOSTS")


@pytest.mark.parametrize(
    "issuer",
    [
        "https://canvas.other.edu",
        "https://canvas.instructure.com/",
        "https://canvas.instructure.com.evil.test",
    ],
)
def test_a_name_that_belongs_to_somebody_else(canvas: Registrar, issuer: str) -> None:
    canvas.describe(issuer=issuer)
    is_refused(canvas, "REG-ISSUER")


@pytest.mark.parametrize(
    "changes",
    [
        {"token_endpoint_auth_methods_supported": ["client_secret_post"]},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
        {"response_types_supported": ["code"]},
    ],
)
def test_a_platform_that_offers_less_than_lti_asks(canvas: Registrar, changes: dict[str, Any]) -> None:
    canvas.describe(**changes)
    is_refused(canvas, "REG-UNSUITABLE")


@pytest.mark.parametrize("family", ["moodle", "BlackboardLearn", "canvas2", "", 7, ["canvas"], {}])
def test_a_platform_that_says_it_is_not_canvas(canvas: Registrar, family: Any) -> None:
    canvas.describe(**{PLATFORM_CONFIGURATION: {"product_family_code": family}})
    is_refused(canvas, "REG-NOT-CANVAS")


def test_a_refusal_of_another_platform_says_who_opens_the_link_where(canvas: Registrar) -> None:
    canvas.describe(**{PLATFORM_CONFIGURATION: {"product_family_code": "<b>moodle</b>"}})
    page = canvas.open(new_link()).content.decode()
    assert "This tool works with Canvas only" in page and "Whoever administers your Canvas" in page
    assert "the link still works" in page and "moodle" not in page


@pytest.mark.parametrize(
    "configuration", [None, {}, {"product_family_code": None}, {"product_family_code": "Canvas"}]
)
def test_a_platform_that_does_not_say_what_it_is(
    canvas: Registrar, configuration: dict[str, Any] | None
) -> None:
    canvas.describe(**{PLATFORM_CONFIGURATION: configuration})
    assert canvas.open(new_link()).status_code == 200
    assert Registration.objects.count() == 1


@pytest.mark.parametrize("value", ["text", [1], [{}], {"a": 1}])
def test_lists_that_are_none(canvas: Registrar, value: Any) -> None:
    canvas.describe(scopes_supported=value)
    is_refused(canvas, "REG-METADATA")


def test_what_the_platform_says_is_never_shown(canvas: Registrar) -> None:
    canvas.describe(issuer="https://evil.test/<script>alert(1)</script>")
    assert "alert(1)" not in canvas.open(new_link()).content.decode()


def test_a_hosted_school_is_taken_with_its_shared_hosts() -> None:
    found = judge(HOSTED, HOSTED_AT)
    assert (found.canvas_url, found.issuer) == ("https://school.instructure.com", HOSTED["issuer"])
    vanity = {**HOSTED, "registration_endpoint": "https://canvas.school.edu/api/lti/registrations"}
    assert judge(vanity, HOSTED_AT).canvas_url == "https://canvas.school.edu"
    assert judge(vanity, "https://canvas.school.edu/api/lti/security/openid-configuration")


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"jwks_uri": "https://sso.canvaslms.com.evil.test/jwks"}, HOSTED_AT),
        ({"jwks_uri": "https://evilcanvaslms.com/jwks"}, HOSTED_AT),
        ({"registration_endpoint": "https://canvas.school.edu/r"}, "https://canvas.other.edu/x"),
    ],
)
def test_a_hosted_school_with_a_foreign_host(changes: dict[str, str], at: str) -> None:
    with pytest.raises(RegistrationRefused) as caught:
        judge({**HOSTED, **changes}, at)
    assert caught.value.code == "REG-HOSTS"


def test_a_claimed_client_id_shuts_no_school_out(canvas: Registrar) -> None:
    """The shared issuer with another school's client id: the plain login address stays that school's."""
    school = new_platform(client_id="10000000000777")
    assert canvas.open(new_link()).status_code == 200
    claimed = Registration.objects.exclude(pk=school.registration.pk).get()
    assert (claimed.issuer, claimed.client_id) == (school.issuer, school.client_id)
    sent = canvas.client.post("/lti/login", initiation(school))
    assert sent["Location"].startswith(school.url)
    own = canvas.client.post(f"/lti/login/{claimed.key}", initiation(school))
    assert own["Location"].startswith(canvas.server.url)
    assert launch(Client(), school).status_code == 200


def test_a_developer_key_is_registered_once_whatever_else_is_said_of_it(canvas: Registrar) -> None:
    keys = f"{canvas.server.url}/api/lti/security/jwks"
    elsewhere = {"jwks_url": keys, "canvas_url": "http://127.0.0.1:9"}
    new_platform(client_id="10000000000777", register_with=elsewhere)
    response = canvas.open(new_link())
    assert (response.status_code, "Code REG-KNOWN" in response.content.decode()) == (409, True)
    assert Registration.objects.count() == 1


def test_a_self_hosted_canvas_with_a_name_of_its_own(canvas: Registrar) -> None:
    canvas.describe(issuer=canvas.server.url, scopes_supported=None)
    assert canvas.open(new_link()).status_code == 200
    assert Registration.objects.get().issuer == canvas.server.url
    assert description(canvas.server)["issuer"] != canvas.server.url
