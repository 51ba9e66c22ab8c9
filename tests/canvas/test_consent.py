"""Connecting an account through the tool's front door, as a browser does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client

from canvas.accounts import SCOPES, account_for, accounts_for_course
from canvas.models import CanvasAccount
from canvas.throttle import _paces
from tests.people import Opened, launch_as, new_platform
from tests.plugins.local_server import Answer, LocalServer

pytestmark = pytest.mark.django_db
TOKEN = "/login/oauth2/token"


@dataclass
class Visit:
    """A teacher's page, the browser it is in, and the school's Canvas."""

    opened: Opened
    client: Client
    server: LocalServer

    def ticket(self) -> str:
        headers = {**self.opened.headers, "HTTP_ACCEPT": "application/json"}
        response = self.client.post("/canvas/ticket", **headers)
        assert response.status_code == 200
        return str(response.json()["url"])

    def grant(self, user: object = None, **more: object) -> None:
        who = self.opened.session and user or 7
        body = {
            "access_token": "access-token-of-the-test",
            "refresh_token": "refresh-token-of-the-test",
            "expires_in": 3600,
            "user": {"id": who},
        }
        self.server.routes["POST", TOKEN] = Answer(body | more)
        self.server.routes["DELETE", TOKEN] = Answer({})

    def authorize(self, window: Client) -> dict[str, str]:
        response = window.get(self.ticket())
        assert response.status_code == 302, response.content
        assert response["Location"].startswith(f"{self.server.url}/login/oauth2/auth?")
        return {key: values[0] for key, values in parse_qs(urlsplit(response["Location"]).query).items()}

    def connect(self, window: Client, **answer: str) -> Any:
        state = self.authorize(window)["state"]
        return window.get("/canvas/callback", {"state": state, "code": "c"} | answer)


@pytest.fixture
def visit(server: LocalServer, client: Client) -> Visit:
    _paces.clear()
    platform = new_platform(register_with={"canvas_url": server.url})
    return Visit(launch_as(client, platform=platform), client, server)


@pytest.fixture
def no_key_visit(server: LocalServer, client: Client) -> Visit:
    platform = new_platform(
        register_with={"canvas_url": server.url, "api_client_id": None, "api_client_secret": None}
    )
    return Visit(launch_as(client, platform=platform), client, server)


def test_a_window_without_any_cookie_of_the_frame_connects(visit: Visit) -> None:
    window = Client()
    visit.grant()
    query = visit.authorize(window)
    assert query["scope"].split() == [name for name, _ in SCOPES]
    assert query["redirect_uri"] == "http://127.0.0.1:8000/canvas/callback"
    response = window.get("/canvas/callback", {"state": query["state"], "code": "c"})
    assert response.status_code == 200
    assert response["Cross-Origin-Opener-Policy"] == "unsafe-none"
    account = account_for(visit.opened.session)
    assert account is not None
    assert accounts_for_course(visit.opened.context) == [account]
    assert "refresh-token-of-the-test" not in account.sealed_refresh_token
    form = visit.server.calls("POST", TOKEN)[0].form()
    assert (form["code"], form["redirect_uri"]) == ("c", query["redirect_uri"])


def test_an_address_that_begins_too_many_consents_waits_and_keeps_its_ticket(
    visit: Visit, settings: Any
) -> None:
    settings.LOGINS_PER_MINUTE = 1
    ticket, window, noisy = visit.ticket(), Client(), {"HTTP_X_FORWARDED_FOR": "203.0.113.11"}
    with time_machine.travel(time.time() // 60 * 60 + 30, tick=False):
        for _ in range(2):
            window.get("/canvas/callback", {"state": "x", "code": "c"}, **noisy)
        refused = window.get(ticket, **noisy)
        assert (refused.status_code, refused["Retry-After"]) == (429, "60")
        assert window.get(ticket, HTTP_X_FORWARDED_FOR="203.0.113.12").status_code == 302


def test_a_client_with_cookies_and_no_scripts_connects(visit: Visit) -> None:
    visit.grant()
    response = visit.client.get("/canvas/authorize")
    state = parse_qs(urlsplit(response["Location"]).query)["state"][0]
    response = visit.client.get("/canvas/callback", {"state": state, "code": "c"})
    assert response.status_code == 200
    assert "connected" in response.content.decode()


def test_a_plain_form_leads_to_the_window(visit: Visit) -> None:
    response = visit.client.post("/canvas/ticket", {"session_token": visit.opened.token})
    assert response.status_code == 302
    assert response["Location"].startswith("/canvas/authorize?ticket=")


def test_a_page_offers_the_connection_until_it_is_made(visit: Visit) -> None:
    page = visit.client.get("/course/settings/", **visit.opened.headers).content.decode()
    assert 'href="/canvas/authorize"' in page
    assert visit.client.get("/canvas/connection", **visit.opened.headers).json() == {"connected": False}
    visit.grant()
    visit.connect(Client())
    page = visit.client.get("/course/settings/", **visit.opened.headers).content.decode()
    assert 'href="/canvas/authorize"' not in page
    assert visit.client.get("/canvas/connection", **visit.opened.headers).json() == {"connected": True}


def test_a_ticket_opens_one_window_once(visit: Visit) -> None:
    address = visit.ticket()
    assert Client().get(address).status_code == 302
    assert Client().get(address).status_code == 401
    assert Client().get("/canvas/authorize?ticket=guess").status_code == 401


def test_a_state_works_once_and_only_where_it_began(visit: Visit) -> None:
    visit.grant()
    window = Client()
    state = visit.authorize(window)["state"]
    answer = {"state": state, "code": "c"}
    stranger = Client()
    visit.authorize(stranger)
    assert stranger.get("/canvas/callback", answer).status_code == 403
    assert window.get("/canvas/callback", answer).status_code == 200
    assert window.get("/canvas/callback", answer).status_code == 400
    assert len(visit.server.calls("POST", TOKEN)) == 1


@pytest.mark.parametrize("state", ["", "guess"])
def test_an_answer_nobody_asked_for_is_refused(visit: Visit, state: str) -> None:
    assert Client().get("/canvas/callback", {"state": state, "code": "c"}).status_code == 400
    assert visit.server.seen == []


def test_a_visit_that_ended_meanwhile_connects_nothing(visit: Visit) -> None:
    window = Client()
    state = visit.authorize(window)["state"]
    visit.opened.session.delete()
    assert window.get("/canvas/callback", {"state": state, "code": "c"}).status_code == 400
    assert not CanvasAccount.objects.exists()


def test_another_persons_account_is_given_back(visit: Visit) -> None:
    visit.grant(user=999)
    assert visit.connect(Client()).status_code == 403
    assert (
        visit.server.calls("DELETE", TOKEN)[0].headers["authorization"] == "Bearer access-token-of-the-test"
    )
    assert not CanvasAccount.objects.exists()


@pytest.fixture
def unnamed_visit(server: LocalServer, client: Client) -> Visit:
    """A visit by a key that lacks the custom field canvas_user_id."""
    _paces.clear()
    platform = new_platform(register_with={"canvas_url": server.url})
    opened = launch_as(client, platform=platform, claims={CUSTOM: {"canvas_course_id": "77"}})
    return Visit(opened, client, server)


def test_in_its_own_browser_a_consent_names_the_person_a_launch_left_out(unnamed_visit: Visit) -> None:
    unnamed_visit.grant(user=31)
    assert unnamed_visit.connect(unnamed_visit.client).status_code == 200
    account = CanvasAccount.objects.get(canvas_user_id="31")
    assert account_for(unnamed_visit.opened.session) == account
    assert accounts_for_course(unnamed_visit.opened.context) == [account]


def test_nobody_lends_an_account_to_a_visit_that_names_nobody(unnamed_visit: Visit) -> None:
    """A link with a teacher's ticket, opened by a colleague: the page says what the administrator must add."""
    unnamed_visit.grant(user=31)
    colleague = Client()
    launch_as(colleague, platform=unnamed_visit.opened.platform, context="c78", user="u31")
    for window in (Client(), colleague):
        response = window.get(unnamed_visit.ticket())
        assert response.status_code == 409
        assert "canvas_user_id=$Canvas.user.id" in response.content.decode()
    assert unnamed_visit.server.seen == [] and not CanvasAccount.objects.exists()


def test_a_consent_that_names_the_person_ends_in_the_browser_of_the_visit(unnamed_visit: Visit) -> None:
    window = unnamed_visit.client
    state = unnamed_visit.authorize(window)["state"]
    for name in [name for name in window.cookies if "session" in name]:
        del window.cookies[name]
    response = window.get("/canvas/callback", {"state": state, "code": "c"})
    assert response.status_code == 409
    assert unnamed_visit.server.calls("POST", TOKEN) == [] and not CanvasAccount.objects.exists()


CUSTOM = "https://purl.imsglobal.org/spec/lti/claim/custom"


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ({"error": "access_denied"}, 403, "DENIED"),
        (
            {"error": "invalid_scope", "error_description": "url:GET|/api/v1/progress/:id"},
            409,
            "url:GET|/api/v1/progress/:id",
        ),
        ({"error": "unauthorized_client"}, 409, "KEY-OFF"),
        ({"error": "<script>"}, 502, "CANVAS-ERROR"),
        ({"code": ""}, 502, "CANVAS-ERROR"),
    ],
)
def test_what_canvas_says_instead_is_explained(
    visit: Visit, answer: dict[str, str], status: int, said: str
) -> None:
    response = visit.connect(Client(), **answer)
    page = response.content.decode()
    assert response.status_code == status
    assert said in page
    assert "<script>" not in page.split("<main")[1].split("</main>")[0]
    assert not CanvasAccount.objects.exists()


def test_a_wrong_secret_is_the_administrators(visit: Visit) -> None:
    visit.grant()
    visit.server.routes["POST", TOKEN] = Answer({"error": "invalid_client"}, 401)
    response = visit.connect(Client())
    assert response.status_code == 502
    assert "administrator" in response.content.decode()


def test_without_an_api_key_the_page_says_what_to_do(no_key_visit: Visit) -> None:
    response = Client().get(no_key_visit.ticket())
    assert response.status_code == 409
    assert "http://127.0.0.1:8000/canvas/callback" in response.content.decode()
    page = no_key_visit.client.get("/course/settings/", **no_key_visit.opened.headers).content.decode()
    assert "administrator" in page
    assert 'href="/canvas/authorize"' not in page


def test_a_lost_connection_is_offered_again_and_mended(visit: Visit) -> None:
    visit.grant()
    visit.connect(Client())
    CanvasAccount.objects.update(lost_at="2026-03-01T12:00:00Z", lost_code="revoked")
    page = visit.client.get("/course/settings/", **visit.opened.headers).content.decode()
    assert "Connect Canvas again" in page
    visit.connect(Client())
    assert CanvasAccount.objects.get().lost_at is None


def test_new_scopes_are_asked_for(visit: Visit) -> None:
    visit.grant()
    visit.connect(Client())
    CanvasAccount.objects.update(scopes=[SCOPES[0][0]])
    page = visit.client.get("/course/settings/", **visit.opened.headers).content.decode()
    assert "permission it did not have before" in page


def test_disconnecting_forgets(visit: Visit) -> None:
    visit.grant()
    visit.connect(Client())
    response = visit.client.post("/canvas/disconnect", **visit.opened.headers)
    assert response.status_code == 302
    assert not CanvasAccount.objects.exists()
    assert visit.server.calls("DELETE", TOKEN)


@pytest.mark.parametrize("path", ["/canvas/ticket", "/canvas/disconnect"])
def test_students_and_other_sites_get_no_window(visit: Visit, path: str) -> None:
    student = launch_as(Client(), role="student", platform=visit.opened.platform, user="u8")
    assert Client().post(path, **student.headers).status_code == 403
    assert Client().post(path).status_code == 401
    forged = {"HTTP_SEC_FETCH_SITE": "cross-site", **visit.opened.headers}
    assert visit.client.post(path, **forged).status_code == 403
