"""State and nonce: a launch ends in the browser where its login began, once, within ten minutes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from lti_tool.models import UsedNonce
from tests.lti_tool.refused import assert_refused, nothing_written
from tests.people import (
    FORM,
    TOOL,
    Login,
    TestPlatform,
    claims_for,
    launch_as,
    log_in,
    new_platform,
    post_launch,
    sign_launch,
)

pytestmark = pytest.mark.django_db


def token_for(platform: TestPlatform, begun: Login, user: str = "u7") -> str:
    said = claims_for(platform, nonce=begun.nonce, role="student", context="c77", user=user)
    return sign_launch(platform, said)


def post(client: Client, form: dict[str, str] | str, **headers: Any) -> Any:
    body = form if isinstance(form, str) else urlencode(form)
    return client.post("/lti/launch", body, content_type=FORM, **headers)


def test_without_state_or_token_nothing_happens(client: Client, platform: TestPlatform) -> None:
    begun = log_in(client, platform)
    token = token_for(platform, begun)
    with nothing_written():
        assert_refused(post(client, {"id_token": token}), 400, "FORM")
        assert_refused(post(client, {"state": begun.state}), 400, "FORM")
        assert_refused(post(client, {"id_token": token, "state": ""}), 400, "FORM")
        assert_refused(post(client, {"id_token": "", "state": begun.state}), 400, "FORM")
        assert_refused(post(client, f"id_token={token}&id_token={token}&state={begun.state}"), 400, "FORM")
        assert_refused(client.post("/lti/launch", {"id_token": token}), 415, "FORM-TYPE")
        assert_refused(client.post("/lti/launch", {}, content_type="application/json"), 415, "FORM-TYPE")


@pytest.mark.parametrize(
    "spoil", [lambda s: "made-up", lambda s: s[:-1], lambda s: "A" + s[1:], lambda s: s + "A"]
)
def test_a_state_we_did_not_sign_is_refused(client: Client, platform: TestPlatform, spoil: Any) -> None:
    begun = log_in(client, platform)
    with nothing_written():
        assert_refused(post_launch(client, spoil(begun.state), token_for(platform, begun)), 401, "STATE")


def test_a_state_older_than_ten_minutes_is_refused(client: Client, platform: TestPlatform) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        begun = log_in(client, platform)
        clock.shift(601)
        assert_refused(post_launch(client, begun.state, token_for(platform, begun)), 401, "STATE")


def test_an_attackers_launch_in_a_victims_browser_is_refused(platform: TestPlatform) -> None:
    attacker, victim = Client(), Client()
    own = launch_as(victim, "student", platform)
    begun = log_in(attacker, platform)
    with nothing_written():
        response = post_launch(victim, begun.state, token_for(platform, begun, "attacker"))
        assert_refused(response, 401, "BROWSER")
    assert victim.post("/lti/signout", **own.headers).status_code == 200


def test_the_same_post_without_the_cookie_is_refused(client: Client, platform: TestPlatform) -> None:
    begun = log_in(client, platform)
    with nothing_written():
        assert_refused(post_launch(Client(), begun.state, token_for(platform, begun)), 401, "BROWSER")


def test_a_launch_works_once_and_the_first_session_goes_on(client: Client, platform: TestPlatform) -> None:
    begun = log_in(client, platform)
    token = token_for(platform, begun)
    first = post_launch(client, begun.state, token)
    assert first.status_code == 200
    with nothing_written():
        assert_refused(post_launch(client, begun.state, token), 401, "NONCE-USED")
    session = first.cookies["lmg-session"].value
    assert client.post("/lti/signout", HTTP_AUTHORIZATION=f"Bearer {session}").status_code == 200


@pytest.mark.parametrize("seconds", [11, 600, 3_540])
def test_a_replay_is_refused_whenever_it_comes(client: Client, platform: TestPlatform, seconds: int) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        begun = log_in(client, platform)
        token = token_for(platform, begun)
        assert post_launch(client, begun.state, token).status_code == 200
        clock.shift(seconds)
        assert post_launch(client, begun.state, token).status_code == 401
        again = log_in(client, platform)
        assert_refused(post_launch(client, again.state, token), 401, "NONCE" if seconds < 660 else "TIME")


def test_an_old_nonce_in_a_new_token_is_refused(client: Client, platform: TestPlatform) -> None:
    begun = log_in(client, platform)
    assert post_launch(client, begun.state, token_for(platform, begun)).status_code == 200
    assert_refused(post_launch(client, begun.state, token_for(platform, begun)), 401, "NONCE-USED")
    assert_refused(
        post_launch(client, log_in(client, platform).state, token_for(platform, begun)), 401, "NONCE"
    )


def test_state_and_nonce_of_two_logins_do_not_mix(client: Client, platform: TestPlatform) -> None:
    one, other = log_in(client, platform), log_in(client, platform)
    assert_refused(post_launch(client, one.state, token_for(platform, other)), 401, "NONCE")


def test_a_login_at_one_school_takes_no_token_of_another(client: Client, platform: TestPlatform) -> None:
    other = new_platform(client_id="20000000000042")
    begun = log_in(client, platform)
    assert_refused(post_launch(client, begun.state, token_for(other, begun)), 401, "MIXUP")


def test_badly_signed_tokens_leave_no_nonces(client: Client, platform: TestPlatform) -> None:
    for _ in range(10):
        begun = log_in(client, platform)
        post_launch(client, begun.state, token_for(platform, begun)[:-20] + "A" * 20)
    assert UsedNonce.objects.count() == 0


def in_storage(client: Client, platform: TestPlatform) -> tuple[Login, str]:
    """A login whose page put this browser's secret into platform storage, and that secret."""
    asked = log_in(client, platform, lti_storage_target="post_message_forwarding")
    return asked, client.cookies["lmg-browser"].value


def test_without_a_cookie_the_page_asks_platform_storage(client: Client, platform: TestPlatform) -> None:
    begun, _ = in_storage(client, platform)
    with nothing_written():
        response = post_launch(Client(), begun.state, token_for(platform, begun))
    page = response.content.decode()
    assert response.status_code == 401
    assert 'data-storage-target="post_message_forwarding"' in page
    assert f'data-storage-origin="{platform.url}"' in page


def test_what_platform_storage_kept_lets_the_launch_go_on(client: Client, platform: TestPlatform) -> None:
    begun, browser = in_storage(client, platform)
    form = {"id_token": token_for(platform, begun), "state": begun.state, "browser": browser}
    assert_refused(post(Client(), form | {"browser": "wrong"}, HTTP_ORIGIN=TOOL), 401, "BROWSER")
    assert post(Client(), form, HTTP_ORIGIN=TOOL, HTTP_SEC_FETCH_SITE="same-origin").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": "https://evil.test"},
        {"HTTP_ORIGIN": TOOL, "HTTP_SEC_FETCH_SITE": "cross-site"},
    ],
)
def test_another_sites_form_cannot_bring_the_browsers_secret(
    client: Client, platform: TestPlatform, headers: dict[str, str]
) -> None:
    begun, browser = in_storage(client, platform)
    form = {"id_token": token_for(platform, begun), "state": begun.state, "browser": browser}
    assert_refused(post(Client(), form, **headers), 401, "BROWSER")


def test_a_good_launch_brings_its_cookie_from_another_site(client: Client, platform: TestPlatform) -> None:
    begun = log_in(client, platform)
    form = {"id_token": token_for(platform, begun), "state": begun.state}
    headers = {"HTTP_ORIGIN": platform.url, "HTTP_SEC_FETCH_SITE": "cross-site"}
    assert post(client, form, **headers).status_code == 200


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("login_required", "LOGIN-REQUIRED"),
        ("unauthorized_client", "PLATFORM-OFF"),
        ("launch_no_longer_valid", "PLATFORM-EXPIRED"),
        ("invalid_request_object", "PLATFORM-ERROR"),
        ("<script>", "PLATFORM-ERROR"),
    ],
)
def test_canvas_own_errors_get_a_kind_page(client: Client, error: str, code: str) -> None:
    with nothing_written():
        response = post(client, {"error": error, "error_description": "<b>attack</b>", "state": "x"})
        assert_refused(response, 400, code)
    assert b"attack" not in response.content
