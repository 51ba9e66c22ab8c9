"""Launches and logins made by somebody who means harm: refused in plain words, never a fault, nothing written."""

from __future__ import annotations

import gc
import json
import threading
import time
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from lti_tool import claims as c
from lti_tool import platform_keys
from lti_tool.jws import LONGEST_TOKEN
from lti_tool.models import Deployment, LaunchSession, UsedNonce
from tests.lti_tool.refused import assert_refused, nothing_written
from tests.people import (
    GONE,
    TOOL,
    TestPlatform,
    changed,
    claims_for,
    initiation,
    launch,
    launch_as,
    log_in,
    new_platform,
    post_launch,
    sign_launch,
)

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**400, "", " ", "\x00", "a\x00b", "\ud800", "x" * 5_000, [], [None], [[]], {}, {"id": {}},
    {"id": None}, {"id": "\x00"}, ["x"] * 300, "$Canvas.user.id", "javascript:alert(1)", "https://[", "//evil.test",
)  # fmt: skip
CLAIMS = (
    "iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "sub", "locale", "name", "email", c.MESSAGE_TYPE, c.VERSION,
    c.DEPLOYMENT_ID, c.TARGET_LINK_URI, c.ROLES, c.RESOURCE_LINK, c.CONTEXT, c.CUSTOM, c.LAUNCH_PRESENTATION,
    c.AGS_ENDPOINT, c.NRPS_SERVICE,
)  # fmt: skip


def signed(platform: TestPlatform, body: str) -> str:
    """Any text as a token with a good signature: what a broken or hostile platform could say."""
    key = platform.keys[-1]
    return jwt.PyJWS().encode(body.encode(), key.private, algorithm="RS256", headers={"kid": key.kid})


@pytest.fixture
def platform(db: None) -> TestPlatform:
    return new_platform()


@pytest.mark.parametrize("name", CLAIMS)
def test_no_value_of_any_claim_is_a_fault(client: Client, platform: TestPlatform, name: str) -> None:
    for value in ODD:
        begun = log_in(client, platform)
        said = claims_for(platform, nonce=begun.nonce, role="teacher", context="c77", user="u7")
        token = signed(platform, json.dumps(said | {name: value}))
        answer = post_launch(client, begun.state, token)
        assert answer.status_code in (200, 400, 401, 403, 422), (name, value)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        (c.CONTEXT, "id"), (c.CONTEXT, "title"), (c.CONTEXT, "label"), (c.RESOURCE_LINK, "id"),
        (c.CUSTOM, "canvas_course_id"), (c.CUSTOM, "canvas_user_id"), (c.CUSTOM, "canvas_api_domain"),
        (c.LAUNCH_PRESENTATION, "return_url"), (c.AGS_ENDPOINT, "lineitems"), (c.AGS_ENDPOINT, "scope"),
        (c.NRPS_SERVICE, "context_memberships_url"),
    ],
)  # fmt: skip
def test_no_value_inside_a_claim_is_a_fault(
    client: Client, platform: TestPlatform, name: str, part: str
) -> None:
    usual = claims_for(platform, nonce="n", role="teacher", context="c77", user="u7")
    for value in ODD:
        answer = launch(client, platform, claims={name: usual.get(name, {}) | {part: value}})
        assert answer.status_code in (200, 400, 401, 403, 422), (part, value)


@pytest.mark.parametrize(
    "name",
    [
        "iss",
        "client_id",
        "login_hint",
        "lti_message_hint",
        "target_link_uri",
        "deployment_id",
        "lti_storage_target",
    ],
)
@pytest.mark.parametrize(
    "value", ["\x00", "a\x00b", "\r\nX: 1", "%00", "' or 1=1--", "\u202e", "x" * 100_000]
)
def test_no_login_parameter_is_a_fault(client: Client, platform: TestPlatform, name: str, value: str) -> None:
    for ask in (client.get, client.post):
        with nothing_written():
            answer = ask("/lti/login", initiation(platform, **{name: value}))
        assert answer.status_code in (302, 400), name
        if answer.status_code == 302:
            assert answer["Location"].startswith(platform.registration.authorize_url)


@pytest.mark.parametrize("key", ["%00", "a%00b", "x" * 5_000, "%0d%0aX", "..%2f", "%F0%28"])
def test_no_key_in_the_path_is_a_fault(client: Client, platform: TestPlatform, key: str) -> None:
    answer = client.post(f"/lti/login/{key}", initiation(platform))
    assert answer.status_code in (400, 404)


@pytest.mark.parametrize(
    "audience",
    [[], ["evil"], [["10000000000042"]], {"0": "10000000000042"}, ["10000000000042", "evil"],
     ["10000000000042", "10000000000042"], 10000000000042, "10000000000042 ", ["evil", "10000000000042"]],
)  # fmt: skip
def test_exactly_one_audience_is_ours(client: Client, platform: TestPlatform, audience: Any) -> None:
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role="teacher", context="c77", user="u7")
    with nothing_written():
        answer = post_launch(client, begun.state, sign_launch(platform, said | {"aud": audience}))
    assert answer.status_code == 401


def test_equal_issuer_and_client_id_are_still_two_schools(client: Client, platform: TestPlatform) -> None:
    """Self-hosted schools share both by default: the login's registration decides whose keys count."""
    other = new_platform()
    other.keys = [type(other.keys[0])(other.keys[0].private, "another-kid")]
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role="teacher", context="c77", user="u7")
    with nothing_written():
        assert post_launch(client, begun.state, sign_launch(other, said)).status_code == 401
    assert client.post("/lti/login", initiation(platform)).status_code == 400


def test_a_deployment_of_another_letter_case_is_unknown(client: Client, platform: TestPlatform) -> None:
    answer = launch(client, platform, claims={c.DEPLOYMENT_ID: platform.deployment_id.upper()})
    assert answer.status_code == 403
    assert Deployment.objects.count() == 1


def test_a_deployment_of_another_client_is_unknown(client: Client, platform: TestPlatform) -> None:
    """B71: known to the tool, and not to this school."""
    other = new_platform(client_id="20000000000042")
    Deployment.objects.create(registration=other.registration, deployment_id="266:other")
    with nothing_written():
        answer = launch(client, platform, claims={c.DEPLOYMENT_ID: "266:other"})
        assert_refused(answer, 403, "DEPLOYMENT")


@pytest.mark.parametrize(
    "body", ['{"a":' * 20_000 + "1" + "}" * 20_000, "[" * 40_000, '{"n":' + "9" * 40_000 + "}"]
)
def test_deep_or_long_json_is_refused(client: Client, platform: TestPlatform, body: str) -> None:
    begun = log_in(client, platform)
    with nothing_written():
        assert post_launch(client, begun.state, signed(platform, body)).status_code == 400


def test_a_repeated_key_at_any_depth_is_refused(client: Client, platform: TestPlatform) -> None:
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role="student", context="c77", user="u7")
    body = json.dumps(said).replace('"canvas_user_id":', '"canvas_user_id": "1", "canvas_user_id":')
    token = signed(platform, body)
    with nothing_written():
        assert post_launch(client, begun.state, token).status_code == 400


@pytest.mark.parametrize("size", [LONGEST_TOKEN + 1, 1_000_000, 8_000_000])
def test_a_huge_token_is_refused_at_once(client: Client, platform: TestPlatform, size: int) -> None:
    begun = log_in(client, platform)
    with nothing_written():
        assert post_launch(client, begun.state, "a.b." + "c" * size).status_code in (400, 413)


def test_a_custom_course_that_is_not_the_launched_one_is_refused(
    client: Client, platform: TestPlatform
) -> None:
    """B86: the address of the line items says which course this is; a custom field cannot name another."""
    said = {"canvas_course_id": "78", "canvas_user_id": "7"}
    with nothing_written():
        answer = launch(client, platform, claims={c.CUSTOM: said})
    assert answer.status_code == 403
    assert "COURSE-MISMATCH" in answer.content.decode()


@pytest.mark.parametrize("number", ["77", "210000000000077"])
def test_the_same_course_seen_from_another_shard_is_the_same(
    client: Client, platform: TestPlatform, number: str
) -> None:
    answer = launch(client, platform, claims={c.CUSTOM: {"canvas_course_id": number, "canvas_user_id": "7"}})
    assert answer.status_code == 200


def test_a_launch_ends_no_other_visit_and_takes_no_given_token(
    client: Client, platform: TestPlatform
) -> None:
    """Session fixation: whatever cookie the browser brings, the visit has a token nobody knew before."""
    client.cookies["lmg-session"] = client.cookies["lmg-session-plain"] = "fixed"
    answer = launch(client, platform)
    token = answer.cookies["lmg-session"].value
    assert token not in ("", "fixed")
    assert launch(client, platform).cookies["lmg-session"].value not in ("", "fixed", token)
    assert Client().get("/course/", HTTP_AUTHORIZATION="Bearer fixed").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_exactly_one_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than there are connections: on a busy machine the last ones wait longer than a page would."""
    monkeypatch.setattr(connection.pool, "timeout", 120.0)
    platform, client, statuses = new_platform(), Client(), list[int]()
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role="teacher", context="c77", user="u7")
    token = sign_launch(platform, changed(said, {"name": GONE}))

    def go() -> None:
        own = Client()
        own.cookies = client.cookies
        statuses.append(post_launch(own, begun.state, token).status_code)
        connection.close()

    threads = [threading.Thread(target=go) for _ in range(50)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(statuses) == [200] + [401] * 49
    assert (LaunchSession.objects.count(), UsedNonce.objects.count()) == (1, 1)


NOW = 1_796_000_000
"""The second at which all of these are launched: each is refused by one second."""
WRONG = {
    "B42 another port": ({"iss": "https://canvas.instructure.com:443"}, 401, "ISSUER"),
    "B42 white space": ({"iss": " https://canvas.instructure.com"}, 401, "ISSUER"),
    "B44 two audiences, no azp": ({"aud": ["10000000000042", "x"], "azp": GONE}, 401, "AUDIENCE"),
    "B47 over for a minute": ({"exp": NOW - 60}, 401, "TIME"),
    "B48 NaN": ({"exp": float("nan")}, 401, "TIME"),
    "B48 infinity": ({"exp": float("inf")}, 401, "TIME"),
    "B48 negative": ({"exp": -1}, 401, "TIME"),
    "B49 more than eleven minutes ago": ({"iat": NOW - 661}, 401, "TIME"),
    "B49 long before time": ({"iat": -(10**400)}, 401, "TIME"),
    "B50 issued more than a minute ahead": ({"iat": NOW + 61}, 401, "TIME"),
    "B50 begins more than a minute ahead": ({"nbf": NOW + 61}, 401, "TIME"),
    "B50 nbf far ahead": ({"nbf": 10**400}, 401, "TIME"),
    "B52 more than two hours": ({"iat": NOW, "exp": NOW + 7_201}, 401, "TIME"),
    "B67 a word": ({c.MESSAGE_TYPE: "Surprise"}, 422, "MESSAGE-TYPE"),
    "B67 null": ({c.MESSAGE_TYPE: None}, 422, "MESSAGE-TYPE"),
    "B69 an object": ({c.ROLES: {"0": "Instructor"}}, 422, "ROLES"),
    "B74 a number": ({"sub": 7}, 422, "SUB"),
    "B75 no ASCII": ({"sub": "Zoë"}, 422, "SUB"),
    "B77 another path of ours": ({c.TARGET_LINK_URI: f"{TOOL}/course/"}, 422, "TARGET-CLAIM"),
}
"""By case of the list of bad launches: the claims that differ, the status, the code."""


@pytest.mark.parametrize("case", WRONG)
def test_a_claim_that_is_not_what_it_has_to_be(client: Client, platform: TestPlatform, case: str) -> None:
    claims, status, code = WRONG[case]
    with time_machine.travel(NOW, tick=False):
        assert launch(client, platform, role="student").status_code == 200
        with nothing_written():
            assert_refused(launch(client, platform, claims=claims), status, code)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 59},
        {"iat": NOW - 660},
        {"iat": NOW + 60},
        {"nbf": NOW + 60},
        {"iat": NOW, "exp": NOW + 7_200},
    ],
)
def test_a_second_less_and_each_time_is_good(
    client: Client, platform: TestPlatform, claims: dict[str, int]
) -> None:
    with time_machine.travel(NOW, tick=False):
        assert launch(client, platform, claims=claims).status_code == 200


def test_the_log_says_whose_clock_is_ahead(client: Client, platform: TestPlatform, caplog: Any) -> None:
    """B50."""
    launch(client, platform, claims={"iat": int(time.time()) + 3_600})
    assert "verdict=TIME" in caplog.text
    assert "clock=platform-ahead" in caplog.text


def test_a_file_is_no_token(client: Client, platform: TestPlatform) -> None:
    """B22."""
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role="teacher", context="c77", user="u7")
    token = SimpleUploadedFile("id_token", sign_launch(platform, said).encode())
    with nothing_written():
        answer = client.post("/lti/launch", {"id_token": token, "state": begun.state})
        assert_refused(answer, 415, "FORM-TYPE")


def test_a_replay_after_a_restart_is_refused(client: Client, platform: TestPlatform) -> None:
    """B57: what was used up is in the database, not in a process."""
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role="student", context="c77", user="u7")
    token = sign_launch(platform, said)
    assert post_launch(client, begun.state, token).status_code == 200
    platform_keys.forget_keys()
    with nothing_written():
        assert_refused(post_launch(client, begun.state, token), 401, "NONCE-USED")


def test_five_hundred_badly_signed_launches_leave_nothing(client: Client, platform: TestPlatform) -> None:
    """B62; `make bench` sends a hundred thousand to the real server and weighs its memory."""
    begun = log_in(client, platform)
    assert launch(client, platform, role="student").status_code == 200
    parts = sign_launch(
        platform, claims_for(platform, nonce="n", role="teacher", context="c77", user="u7")
    ).split(".")
    with nothing_written():
        for number in range(500):
            body = urlsafe_b64encode(json.dumps({"nonce": f"made-up-{number}"}).encode()).decode().rstrip("=")
            answer = post_launch(client, begun.state, f"{parts[0]}.{body}.{parts[2]}")
            assert answer.status_code == 401
    assert platform.fetches == 1
    assert launch(client, platform, role="student").status_code == 200


@pytest.mark.parametrize("token", ["a.b." + "c" * 1_000_000, "a.b." + "c" * LONGEST_TOKEN])
def test_a_huge_token_costs_no_time(client: Client, platform: TestPlatform, token: str) -> None:
    """B21: a tenth of a second of processor time. The best of five, without the garbage of a whole run of tests."""
    begun, spent = log_in(client, platform), []
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            began = time.thread_time()
            assert post_launch(client, begun.state, token).status_code == 400
            spent.append(time.thread_time() - began)
    finally:
        gc.enable()
    assert min(spent) < 0.1


@pytest.mark.parametrize("size", [2_000_000, 7_000_000])
def test_a_huge_form_changes_nothing(client: Client, platform: TestPlatform, size: int) -> None:
    """B110."""
    teacher = launch_as(client, platform=platform)
    with nothing_written():
        answer = client.post("/course/alignments/new/", {"name": "x" * size}, **teacher.headers)
    assert answer.status_code in (400, 409, 413, 422)
