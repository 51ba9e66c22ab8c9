"""Dynamic registration as lti.md 8 tells it: description, registration, and the administrator's pages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.lti.registration import CANVAS, PLATFORM, TOOL, registration_token
from tests.sandbox.school import ADMIN, COURSE, SECONDS, TEACHER, School, open_school

CONFIGURATION = "/api/lti/security/openid-configuration"


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


def token(school: School, **changes: float) -> str:
    at = {"issued_at": time.time(), **changes}
    return registration_token(school.world, school.world.users[ADMIN], **at)


def body(**changes: Any) -> dict[str, Any]:
    tool = {
        "domain": "tool.edu",
        "target_link_uri": "https://tool.edu/launch",
        "custom_parameters": {"a": "$Canvas.course.id"},
        "messages": [{"type": "LtiResourceLinkRequest", "placements": ["course_navigation"]}],
        f"{CANVAS}privacy_level": "public",
    }
    given = {
        "application_type": "web",
        "response_types": ["id_token"],
        "initiate_login_uri": "https://tool.edu/login",
        "redirect_uris": ["https://tool.edu/launch"],
        "client_name": "Tool",
        "jwks_uri": "https://tool.edu/jwks",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": "https://purl.imsglobal.org/spec/lti-ags/scope/score",
        TOOL: tool,
    }
    return {name: value for name, value in (given | changes).items() if value is not None}


def register(school: School, given: Any, bearer: str | None = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {token(school) if bearer is None else bearer}"}
    return requests.post(f"{school.url}/api/lti/registrations", json=given, headers=headers, timeout=SECONDS)


def test_the_description_needs_the_token_in_either_place(school: School) -> None:
    url, good = f"{school.url}{CONFIGURATION}", token(school)
    by_header = requests.get(url, headers={"Authorization": f"Bearer {good}"}, timeout=SECONDS)
    by_query = requests.get(url, params={"registration_token": good}, timeout=SECONDS)
    assert by_header.json() == by_query.json()
    assert by_header.json()["registration_endpoint"] == f"{school.url}/api/lti/registrations"
    types = {one["type"] for one in by_header.json()[PLATFORM]["messages_supported"]}
    assert types == {"LtiResourceLinkRequest", "LtiDeepLinkingRequest"}
    for bad in ("", "x", token(school, issued_at=time.time() - 3_700), school.token()):
        assert (
            requests.get(url, headers={"Authorization": f"Bearer {bad}"}, timeout=SECONDS).status_code == 401
        )


def test_a_registration_makes_a_key_that_is_off(school: School) -> None:
    answer = register(school, body())
    key = school.world.key_by_client_id(answer.json()["client_id"])
    assert answer.status_code == 200 and key is not None
    assert (key.enabled, key.login_url, key.jwks_url) == (
        False,
        "https://tool.edu/login",
        "https://tool.edu/jwks",
    )
    assert (key.custom_fields, key.privacy_level) == ({"a": "$Canvas.course.id"}, "public")
    assert key.placements == ["course_navigation"]


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uris": None},
        {"jwks_uri": None},
        {TOOL: None},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"response_types": ["code"]},
        {"scope": "https://example.edu/scope"},
        {TOOL: {"target_link_uri": "https://tool.edu/launch", "messages": [{"placements": ["nowhere"]}]}},
    ],
)
def test_what_is_no_lti_tool_is_refused(school: School, changes: dict[str, Any]) -> None:
    keys = len(school.world.keys)
    assert register(school, body(**changes)).status_code == 422
    assert register(school, body(), bearer="x").status_code == 401
    assert len(school.world.keys) == keys


def test_the_pasted_link_keeps_its_query(school: School) -> None:
    page = school.browser(ADMIN).get(
        f"{school.url}/accounts/developer_keys/register",
        params={"url": "https://tool.edu/r?key=a%2Bb"},
        timeout=SECONDS,
    )
    address = page.text.partition('src="https://tool.edu')[2].partition('"')[0].replace("&amp;", "&")
    query = parse_qs(urlsplit(address).query)
    (description,), (bearer,) = query["openid_configuration"], query["registration_token"]
    assert page.text.index("register.js") < page.text.index("<iframe"), "it listens before the tool can speak"
    assert query["key"] == ["a+b"] and description.partition("?")[0] == f"{school.url}{CONFIGURATION}"
    # As Canvas has it, the address alone is enough: one version reads the token nowhere else.
    assert requests.get(description, timeout=SECONDS).status_code == 200
    assert register(school, body(), bearer=bearer).status_code == 200


def test_switched_on_it_is_installed_and_in_the_navigation(school: School) -> None:
    client_id = register(school, body()).json()["client_id"]
    key = school.world.key_by_client_id(client_id)
    assert key is not None
    course = f"{school.url}/courses/{COURSE}"
    assert ">Tool</a>" not in school.browser(TEACHER).get(course, timeout=SECONDS).text
    school.browser(ADMIN).post(f"{school.url}/accounts/developer_keys/{key.id}/switch", timeout=SECONDS)
    assert key.enabled and ">Tool</a>" in school.browser(TEACHER).get(course, timeout=SECONDS).text


def test_only_administrators_see_keys(school: School) -> None:
    url = f"{school.url}/accounts/developer_keys"
    form = {"redirect_uri": "https://tool.edu/callback"}
    assert school.browser(TEACHER).get(url, timeout=SECONDS).status_code == 403
    assert school.browser(TEACHER).post(f"{url}/api", data=form, timeout=SECONDS).status_code == 403
    page = school.browser(ADMIN).post(f"{url}/api", data=form, timeout=SECONDS)
    made = list(school.world.keys.values())[-1]
    assert made.redirect_uris == ["https://tool.edu/callback"] and made.secret in page.text
