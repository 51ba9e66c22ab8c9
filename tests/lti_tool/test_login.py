"""Login initiation: which registration asks, and where the browser goes."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
import time_machine
from django.test import Client

from tests.lti_tool.refused import assert_refused, nothing_written
from tests.people import (
    GONE,
    LAUNCH,
    TOOL,
    Login,
    TestPlatform,
    claims_for,
    initiation,
    log_in,
    new_platform,
    post_launch,
    sign_launch,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("keyed", [True, False])
def test_the_browser_goes_on_to_authorize(
    client: Client, platform: TestPlatform, method: str, keyed: bool
) -> None:
    address = f"/lti/login/{platform.registration.key}" if keyed else "/lti/login"
    response = getattr(client, method)(address, initiation(platform))
    assert response.status_code == 302
    where, _, query = response["Location"].partition("?")
    assert where == platform.registration.authorize_url
    sent = dict(parse_qsl(query))
    assert len(sent.pop("state")) > 40
    assert len(sent.pop("nonce")) >= 43
    assert sent == {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": platform.client_id,
        "redirect_uri": LAUNCH,
        "login_hint": initiation(platform)["login_hint"],
        "lti_message_hint": initiation(platform)["lti_message_hint"],
    }


@pytest.mark.parametrize("name", ["iss", "login_hint", "target_link_uri"])
@pytest.mark.parametrize("value", [GONE, ""])
def test_a_missing_parameter_is_refused(
    client: Client, platform: TestPlatform, name: str, value: Any
) -> None:
    with nothing_written():
        response = client.post("/lti/login", initiation(platform, **{name: value}))
        assert_refused(response, 400, "TARGET" if name == "target_link_uri" else "LOGIN-PARAM")


@pytest.mark.parametrize("changes", [{"iss": "https://evil.test"}, {"client_id": "1"}])
def test_an_unknown_platform_is_refused(
    client: Client, platform: TestPlatform, changes: dict[str, str]
) -> None:
    for address in ("/lti/login", f"/lti/login/{platform.registration.key}"):
        assert_refused(client.post(address, initiation(platform, **changes)), 400, "PLATFORM-UNKNOWN")


def test_an_unknown_key_is_refused(client: Client, platform: TestPlatform) -> None:
    assert_refused(client.post("/lti/login/0000", initiation(platform)), 400, "PLATFORM-UNKNOWN")


def test_an_issuer_with_one_registration_needs_no_client_id(client: Client, platform: TestPlatform) -> None:
    assert client.post("/lti/login", initiation(platform, client_id=GONE)).status_code == 302


def test_an_issuer_with_several_registrations_is_never_guessed(
    client: Client, platform: TestPlatform
) -> None:
    new_platform(client_id="10000000000043")
    asked = initiation(platform, client_id=GONE)
    assert_refused(client.post("/lti/login", asked), 400, "AMBIGUOUS")
    assert client.post(f"/lti/login/{platform.registration.key}", asked).status_code == 302


def test_a_pair_that_two_schools_share_is_never_guessed(client: Client, platform: TestPlatform) -> None:
    other = new_platform()
    assert other.registration.key != platform.registration.key
    assert_refused(client.post("/lti/login", initiation(platform)), 400, "AMBIGUOUS")
    response = client.post(f"/lti/login/{other.registration.key}", initiation(platform))
    assert response["Location"].startswith(other.url)


def test_a_switched_off_registration_is_refused(client: Client, platform: TestPlatform) -> None:
    platform.registration.is_active = False
    platform.registration.save()
    assert_refused(client.post("/lti/login", initiation(platform)), 403, "REGISTRATION-OFF")


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/lti/launch",
        "//evil.test/lti/launch",
        "/\\evil.test",
        "http://127.0.0.1:8000@evil.test/lti/launch",
        f"{TOOL}/lti/%2e%2e/launch",
        f"{TOOL}/course/",
        f"{LAUNCH}/",
        "/lti/launch",
        "javascript:alert(1)",
    ],
)
def test_only_the_launch_address_is_a_target(client: Client, platform: TestPlatform, target: str) -> None:
    assert_refused(client.post("/lti/login", initiation(platform, target_link_uri=target)), 400, "TARGET")


def test_redirect_uri_in_the_request_changes_nothing(client: Client, platform: TestPlatform) -> None:
    begun = log_in(client, platform, redirect_uri="https://evil.test/")
    assert begun.params["redirect_uri"] == LAUNCH


@pytest.mark.parametrize(
    "hint", ["a+b c/d=e&f%20g", '"><script>x</script>', "line\r\nSet-Cookie: x=1", "hé✓", "x" * 4_096]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_hints_go_back_byte_for_byte(client: Client, platform: TestPlatform, hint: str, method: str) -> None:
    asked = urlencode(initiation(platform, login_hint=hint, lti_message_hint=hint))
    if method == "GET":
        response = client.get(f"/lti/login?{asked}")
    else:
        response = client.post("/lti/login", asked, content_type="application/x-www-form-urlencoded")
    pairs = dict(pair.split("=", 1) for pair in urlsplit(response["Location"]).query.split("&"))
    assert pairs["login_hint"] == pairs["lti_message_hint"] == quote(hint, safe="")


def test_a_hint_that_is_too_long_or_sent_twice_is_refused(client: Client, platform: TestPlatform) -> None:
    assert_refused(
        client.post("/lti/login", initiation(platform, login_hint="x" * 4_097)), 400, "LOGIN-PARAM"
    )
    twice = urlencode(initiation(platform)) + "&login_hint=other"
    assert_refused(client.get(f"/lti/login?{twice}"), 400, "LOGIN-PARAM")


def test_without_a_message_hint_none_is_made_up(client: Client, platform: TestPlatform) -> None:
    assert "lti_message_hint" not in log_in(client, platform, lti_message_hint=GONE).params


def test_states_and_nonces_are_new_each_time(client: Client, platform: TestPlatform) -> None:
    begun = [log_in(client, platform) for _ in range(20)]
    assert len({one.state for one in begun}) == len({one.nonce for one in begun}) == 20


def test_a_forged_host_is_refused(client: Client, platform: TestPlatform) -> None:
    assert client.post("/lti/login", initiation(platform), HTTP_HOST="evil.test").status_code == 400


def test_a_login_stores_nothing(client: Client, platform: TestPlatform) -> None:
    with nothing_written():
        log_in(client, platform)


def test_the_browser_cookie_is_partitioned_and_unreadable(client: Client, platform: TestPlatform) -> None:
    response = client.post("/lti/login", initiation(platform))
    cookie = response.cookies["lmg-browser"].OutputString()
    for attribute in ("HttpOnly", "Secure", "SameSite=None", "Partitioned", "Path=/"):
        assert attribute in cookie


def test_over_https_the_cookie_has_the_host_prefix_and_no_plain_twin(
    client: Client, platform: TestPlatform, settings: Any
) -> None:
    settings.ALLOW_HTTP = False
    cookies = client.post("/lti/login", initiation(platform), secure=True).cookies
    assert list(cookies) == ["__Host-lmg-browser"]


def test_in_a_frame_without_our_cookie_a_page_leads_on_without_scripts(
    client: Client, platform: TestPlatform
) -> None:
    asked = initiation(platform, lti_storage_target="post_message_forwarding")
    response = client.post("/lti/login", asked, HTTP_SEC_FETCH_DEST="iframe")
    page = response.content.decode()
    assert response.status_code == 200
    assert f'href="{platform.registration.authorize_url}?scope=openid&amp;' in page
    assert f'data-storage-origin="{platform.url}"' in page
    assert f"/lti/login/{platform.registration.key}?iss=" in page
    assert f"frame-ancestors {platform.url}" in response["Content-Security-Policy"]


def test_in_a_frame_where_our_cookie_arrives_the_browser_is_sent_on_at_once(
    client: Client, platform: TestPlatform
) -> None:
    first = client.post("/lti/login", initiation(platform), HTTP_SEC_FETCH_DEST="iframe")
    again = client.post("/lti/login", initiation(platform), HTTP_SEC_FETCH_DEST="iframe")
    assert (first.status_code, again.status_code) == (200, 302)


def test_an_old_browser_that_is_offered_storage_gets_the_page_and_other_programs_do_not(
    platform: TestPlatform,
) -> None:
    asked = initiation(platform, lti_storage_target="post_message_forwarding")
    browser = Client().post(
        "/lti/login", asked, HTTP_USER_AGENT="Mozilla/5.0 (Macintosh) Version/15.0 Safari"
    )
    program = Client().post("/lti/login", asked, HTTP_USER_AGENT="python-requests/2.34")
    assert (browser.status_code, program.status_code) == (200, 302)


def test_other_methods_are_refused(client: Client) -> None:
    assert client.put("/lti/login").status_code == 405
    opened_by_address = client.get("/lti/launch")
    assert_refused(opened_by_address, 405, "METHOD")
    assert opened_by_address["Allow"] == "POST"


def test_an_address_that_begins_too_many_logins_waits_and_others_do_not(
    client: Client, platform: TestPlatform, settings: Any
) -> None:
    """B10: a thousand in a minute from one address; what a client says before our proxy's own word does not count."""
    settings.LOGINS_PER_MINUTE = 600
    noisy, asked = {"HTTP_X_FORWARDED_FOR": "10.0.0.1, 203.0.113.7"}, initiation(platform)
    with nothing_written(), time_machine.travel(0, tick=False):
        statuses = [client.post("/lti/login", asked, **noisy).status_code for _ in range(1_000)]
        refused = client.post("/lti/login", asked, HTTP_X_FORWARDED_FOR="6.6.6.6, 203.0.113.7")
        assert client.post("/lti/login", asked, HTTP_X_FORWARDED_FOR="203.0.113.8").status_code == 302
    assert statuses == [302] * 600 + [429] * 400
    assert_refused(refused, 429, "TOO-MANY")
    assert refused["Retry-After"] == "60"


def test_an_address_that_posts_too_many_launches_waits_and_others_do_not(
    client: Client, platform: TestPlatform, settings: Any
) -> None:
    """Twice as many as logins: our own page may send one once more, so nobody who began is stopped here."""
    settings.LOGINS_PER_MINUTE = 2
    noisy, form = {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}, {"no": "launch"}
    with nothing_written(), time_machine.travel(60, tick=False):
        statuses = [client.post("/lti/launch", form, **noisy).status_code for _ in range(5)]
        refused = client.post("/lti/launch", form, **noisy)
        assert client.post("/lti/launch", form, HTTP_X_FORWARDED_FOR="203.0.113.10").status_code == 415
        assert client.post("/lti/login", initiation(platform), **noisy).status_code == 302
    assert statuses == [415] * 4 + [429]
    assert_refused(refused, 429, "TOO-MANY")


@pytest.mark.parametrize("name", ["HTTP_X_FORWARDED_HOST", "HTTP_X_ORIGINAL_HOST", "HTTP_FORWARDED"])
def test_a_forged_forwarded_host_changes_nothing(client: Client, platform: TestPlatform, name: str) -> None:
    response = client.post("/lti/login", initiation(platform), **{name: "evil.test"})
    assert "redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2Flti%2Flaunch&" in response["Location"]


def test_in_a_frame_without_storage_a_tab_is_offered_and_works_there(platform: TestPlatform) -> None:
    """B12: neither cookies nor `lti_storage_target`."""
    page = Client().post("/lti/login", initiation(platform), HTTP_SEC_FETCH_DEST="iframe").content.decode()
    found = re.search(r'href="(/lti/login/[^"]+)" target="_blank"', page)
    assert found
    in_tab = Client()
    answer = in_tab.get(unescape(found[1]), HTTP_SEC_FETCH_DEST="document")
    begun = Login(answer["Location"], dict(parse_qsl(urlsplit(answer["Location"]).query)))
    said = claims_for(platform, nonce=begun.nonce, role="student", context="c77", user="u7")
    assert post_launch(in_tab, begun.state, sign_launch(platform, said)).status_code == 200
