"""Pages that say no inside Canvas's frame: shown there, in plain words, with one button that leads on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from lti_tool.models import LaunchSession
from lti_tool.places import place_of
from tests.lti_tool.refused import assert_refused
from tests.people import (
    FORM,
    Opened,
    TestPlatform,
    claims_for,
    initiation,
    launch_as,
    log_in,
    post_launch,
    sign_launch,
)

pytestmark = pytest.mark.django_db


def assert_shown(response: Any, platform: TestPlatform, leads_to: str) -> None:
    """This Canvas, and nobody else, may frame the page, and its one button leads there."""
    page = response.content.decode()
    assert response["Content-Security-Policy"].endswith(f"frame-ancestors {platform.url}")
    assert page.count("button-primary") == 1
    assert f'href="{leads_to}" target="_top"' in page


def reopen(opened: Opened) -> str:
    return f"{opened.platform.url}/courses/{opened.context.canvas_course_id}/external_tools/265"


@pytest.mark.parametrize("error", ["launch_no_longer_valid", "login_required", "anything else"])
def test_canvas_own_errors_are_shown_in_its_frame(client: Client, platform: TestPlatform, error: str) -> None:
    begun = log_in(client, platform)
    body = urlencode({"error": error, "error_description": "x", "state": begun.state})
    response = client.post("/lti/launch", body, content_type=FORM)
    assert response.status_code == 400
    assert_shown(response, platform, f"{platform.url}/")


def test_a_launch_that_took_too_long_is_told_so_in_the_frame(client: Client, platform: TestPlatform) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        begun = log_in(client, platform)
        clock.shift(3_600)
        response = post_launch(client, begun.state, "a.b.c")
    assert_refused(response, 401, "STATE")
    assert_shown(response, platform, f"{platform.url}/")


def test_a_launch_sent_twice_leads_back_to_the_tool_in_its_course(
    client: Client, platform: TestPlatform
) -> None:
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role="teacher", context="c77", user="u7")
    token = sign_launch(platform, said)
    assert post_launch(client, begun.state, token).status_code == 200
    again = post_launch(client, begun.state, token)
    assert_refused(again, 401, "NONCE-USED")
    assert_shown(again, platform, f"{platform.url}/courses/77/external_tools/265")


def test_a_login_with_a_mistake_is_shown_to_the_canvas_whose_address_it_used(
    client: Client, platform: TestPlatform
) -> None:
    own = f"/lti/login/{platform.registration.key}"
    response = client.post(own, initiation(platform, client_id="a typing mistake"))
    assert_refused(response, 400, "PLATFORM-UNKNOWN")
    assert_shown(response, platform, f"{platform.url}/")


def test_a_login_without_a_key_is_shown_to_the_registered_canvas_it_comes_from(
    client: Client, platform: TestPlatform
) -> None:
    asked = initiation(platform, client_id="a typing mistake")
    assert_shown(client.post("/lti/login", asked, HTTP_ORIGIN=platform.url), platform, f"{platform.url}/")
    for origin in ("https://evil.test", "null", "https://[", f"{platform.url}.evil.test", "https://a:b"):
        response = client.post("/lti/login", asked, HTTP_ORIGIN=origin)
        assert response["Content-Security-Policy"].endswith("frame-ancestors 'none'"), origin


def test_a_frame_reloaded_without_cookies_leads_back_to_its_course(platform: TestPlatform) -> None:
    opened = launch_as(Client(), platform=platform)
    place = place_of(opened.context)
    assert f'data-place="{place}"' in opened.response.content.decode()
    response = Client().get("/course/", {"at": place})
    assert_refused(response, 401, "NO-SESSION")
    assert_shown(response, platform, reopen(opened))


def test_a_visit_that_is_over_leads_back_from_any_page_of_it(platform: TestPlatform) -> None:
    opened = launch_as(Client(), platform=platform)
    leads_to, page = reopen(opened), f"http://127.0.0.1:8000/course/?at={place_of(opened.context)}"
    LaunchSession.objects.all().delete()
    for name in ("HTTP_HX_CURRENT_URL", "HTTP_REFERER"):
        response = Client().post("/lti/signout", **{name: page}, **opened.headers)
        assert_shown(response, platform, leads_to)


@pytest.mark.parametrize("word", ["1", "1.made-up", "x" * 5_000, "\x00", "1.", ".", "²"])
def test_nobody_makes_up_the_name_of_a_course(platform: TestPlatform, word: str) -> None:
    launch_as(Client(), platform=platform)
    response = Client().get("/course/", {"at": word})
    assert_refused(response, 401, "NO-SESSION")
    assert response["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert "button-primary" not in response.content.decode()


def test_a_tab_reloaded_after_another_course_was_opened_does_not_show_that_one(
    client: Client, platform: TestPlatform
) -> None:
    first = launch_as(client, platform=platform)
    second = launch_as(client, platform=platform, context="c78")
    mine = client.get("/course/", {"at": place_of(first.context)})
    assert_shown(mine, platform, reopen(first))
    assert client.get("/course/", {"at": place_of(second.context)}).status_code == 200
    assert client.get("/course/", {"at": place_of(first.context)}, **first.headers).status_code == 200


def test_a_launch_form_sent_to_a_page_asks_for_the_page_instead(
    client: Client, platform: TestPlatform
) -> None:
    """As WebKit reloads what followed a launch: in a tab the page comes back, without cookies a kind one."""
    opened = launch_as(client, platform=platform)
    address = f"/course/?at={place_of(opened.context)}"
    again = client.post(address, {"id_token": "a.b.c", "state": "s"})
    assert (again.status_code, again["Location"]) == (303, address)
    assert client.get(again["Location"]).status_code == 200
    assert_shown(Client().get(again["Location"]), platform, reopen(opened))


@pytest.mark.parametrize("address", ["/lti/jwks.json", "/course/runs/", "/lti/config.json"])
def test_a_method_nobody_takes_is_answered_with_a_page(client: Client, address: str) -> None:
    response = client.delete(address)
    assert_refused(response, 405, "METHOD")
    assert "GET" in response["Allow"]
