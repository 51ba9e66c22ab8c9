"""Bad launches: the twelve known-bad ones of the certification list first, each beside a good one, then the rest.

Every token is really signed, by the platform's key unless the case is about the key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client

from lti_tool import claims as c
from lti_tool import platform_keys
from lti_tool.models import Deployment
from tests.lti_tool.refused import assert_refused, nothing_written
from tests.people import (
    GONE,
    TestPlatform,
    changed,
    claims_for,
    launch,
    log_in,
    new_platform,
    post_launch,
    sign_launch,
    spare_key,
)

pytestmark = pytest.mark.django_db


def send(client: Client, platform: TestPlatform, claims: dict[str, Any] | None = None, **headers: Any) -> Any:
    """A launch of a student with changed claims or token headers."""
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role="student", context="c77", user="u7")
    return post_launch(client, begun.state, sign_launch(platform, changed(said, claims or {}), **headers))


def send_raw(client: Client, platform: TestPlatform, token: str) -> Any:
    return post_launch(client, log_in(client, platform).state, token)


def ancient() -> dict[str, int]:
    return {"iat": 11111, "exp": 22222}


KNOWN_BAD: dict[str, tuple[dict[str, Any], int, str]] = {
    "version wrong": ({c.VERSION: "11.3"}, 422, "VERSION"),
    "version absent": ({c.VERSION: GONE}, 422, "VERSION"),
    "not an LTI message": (
        {name: GONE for name in (c.VERSION, c.MESSAGE_TYPE, c.ROLES, c.RESOURCE_LINK, c.DEPLOYMENT_ID)},
        422,
        "CLAIMS",
    ),
    "required claims absent": ({c.VERSION: GONE, c.ROLES: GONE, "sub": GONE}, 422, "CLAIMS"),
    "times wrong": (ancient(), 401, "TIME"),
    "message type absent": ({c.MESSAGE_TYPE: GONE}, 422, "MESSAGE-TYPE"),
    "roles absent": ({c.ROLES: GONE}, 422, "ROLES"),
    "deployment id absent": ({c.DEPLOYMENT_ID: GONE}, 422, "DEPLOYMENT-MISSING"),
    "resource link id absent": ({c.RESOURCE_LINK: {"title": "x"}}, 422, "RESOURCE-LINK"),
    "user absent": ({"sub": GONE}, 422, "SUB"),
}


def test_known_bad_kid_absent(client: Client, platform: TestPlatform) -> None:
    assert send(client, platform).status_code == 200
    with nothing_written():
        assert_refused(send(client, platform, kid=GONE), 401, "KID")


def test_known_bad_kid_unknown(client: Client, platform: TestPlatform) -> None:
    assert send(client, platform).status_code == 200
    with nothing_written():
        assert_refused(send(client, platform, kid="imstester_66067"), 401, "KID-UNKNOWN")


@pytest.mark.parametrize("case", KNOWN_BAD)
def test_known_bad(client: Client, platform: TestPlatform, case: str) -> None:
    claims, status, code = KNOWN_BAD[case]
    assert send(client, platform).status_code == 200
    with nothing_written():
        assert_refused(send(client, platform, claims), status, code)


def test_several_missing_claims_are_named(client: Client, platform: TestPlatform) -> None:
    page = send(client, platform, {c.VERSION: GONE, c.ROLES: GONE}).content.decode()
    assert c.VERSION in page
    assert c.ROLES in page


def in_an_hour() -> int:
    """By the clock of the test: a long run comes to the last one an hour after all of them were collected."""
    return int(time.time()) + 3_600


FAR = int(time.time()) + 10**9
WRONG_CLAIMS: dict[str, tuple[dict[str, Any], int, str]] = {
    "issuer with a slash": ({"iss": "https://canvas.instructure.com/"}, 401, "ISSUER"),
    "issuer in capitals": ({"iss": "https://CANVAS.instructure.com"}, 401, "ISSUER"),
    "another audience": ({"aud": "10000000000043"}, 401, "AUDIENCE"),
    "a second audience": ({"aud": ["10000000000042", "evil"]}, 401, "AUDIENCE"),
    "a foreign azp": ({"azp": "evil"}, 401, "AUDIENCE"),
    "no audience": ({"aud": GONE}, 401, "AUDIENCE"),
    "an empty audience": ({"aud": []}, 401, "AUDIENCE"),
    "a nested audience": ({"aud": [["10000000000042"]]}, 401, "AUDIENCE"),
    "a numeric audience": ({"aud": 10000000000042}, 401, "AUDIENCE"),
    "no exp": ({"exp": GONE}, 401, "TIME"),
    "exp as text": ({"exp": str(FAR)}, 401, "TIME"),
    "exp as a fraction": ({"exp": FAR + 0.5}, 401, "TIME"),
    "exp true": ({"exp": True}, 401, "TIME"),
    "exp far away": ({"exp": FAR}, 401, "TIME"),
    "no iat": ({"iat": GONE}, 401, "TIME"),
    "iat eleven and a half minutes ago": ({"iat": int(time.time()) - 690}, 401, "TIME"),
    "iat in an hour": ({"iat": in_an_hour}, 401, "TIME"),
    "nbf in an hour": ({"nbf": in_an_hour}, 401, "TIME"),
    "no nonce": ({"nonce": GONE}, 401, "NONCE"),
    "empty nonce": ({"nonce": ""}, 401, "NONCE"),
    "nonce as a number": ({"nonce": 7}, 401, "NONCE"),
    "half a character as nonce": ({"nonce": "\ud800"}, 401, "NONCE"),
    "a nonce never issued": ({"nonce": "made-up"}, 401, "NONCE"),
    "deep linking without its settings": ({c.MESSAGE_TYPE: "LtiDeepLinkingRequest"}, 422, "DEEP-LINK"),
    "roles as text": ({c.ROLES: "Instructor"}, 422, "ROLES"),
    "roles null": ({c.ROLES: None}, 422, "ROLES"),
    "a role that is a number": ({c.ROLES: [1]}, 422, "CLAIMS"),
    "ten thousand roles": ({c.ROLES: ["x"] * 10_000}, 422, "CLAIMS"),
    "a long deployment id": ({c.DEPLOYMENT_ID: "d" * 256}, 422, "DEPLOYMENT-MISSING"),
    "an unknown deployment": ({c.DEPLOYMENT_ID: "266:x"}, 403, "DEPLOYMENT"),
    "a deployment in capitals": ({c.DEPLOYMENT_ID: "265:37750CBD9E8F2A"}, 403, "DEPLOYMENT"),
    "resource link as a list": ({c.RESOURCE_LINK: ["id"]}, 422, "CLAIMS"),
    "an empty resource link id": ({c.RESOURCE_LINK: {"id": ""}}, 422, "RESOURCE-LINK"),
    "a long sub": ({"sub": "s" * 256}, 422, "SUB"),
    "an empty sub": ({"sub": ""}, 422, "SUB"),
    "sub with a line break": ({"sub": "a\nb"}, 422, "SUB"),
    "no target": ({c.TARGET_LINK_URI: GONE}, 422, "TARGET-CLAIM"),
    "a foreign target": ({c.TARGET_LINK_URI: "https://evil.test/lti/launch"}, 422, "TARGET-CLAIM"),
    "context as a list": ({c.CONTEXT: ["c77"]}, 422, "CLAIMS"),
    "context without id": ({c.CONTEXT: {"title": "x"}}, 422, "CLAIMS"),
    "custom as text": ({c.CUSTOM: "canvas_course_id=77"}, 422, "CLAIMS"),
    "title as a list": ({c.CONTEXT: {"id": "c77", "title": ["x"]}}, 422, "CLAIMS"),
}


@pytest.mark.parametrize("case", WRONG_CLAIMS)
def test_a_wrong_claim_is_refused(client: Client, platform: TestPlatform, case: str) -> None:
    claims, status, code = WRONG_CLAIMS[case]
    claims = {name: value() if callable(value) else value for name, value in claims.items()}
    with nothing_written():
        assert_refused(send(client, platform, claims), status, code)


def test_a_switched_off_deployment_is_refused(client: Client, platform: TestPlatform) -> None:
    Deployment.objects.update(is_active=False)
    assert_refused(send(client, platform), 403, "DEPLOYMENT-OFF")


def test_a_switched_off_registration_is_refused_at_the_launch_too(
    client: Client, platform: TestPlatform
) -> None:
    begun = log_in(client, platform)
    platform.registration.is_active = False
    platform.registration.save()
    assert_refused(post_launch(client, begun.state, "a.b.c"), 403, "REGISTRATION-OFF")


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u"])
def test_keys_offered_in_the_header_are_ignored(client: Client, platform: TestPlatform, name: str) -> None:
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role="student", context="c77", user="u7")
    offered = {"jwk": spare_key(1).jwk(kid=platform.keys[0].kid)}.get(name, "https://evil.test/keys")
    token = jwt.encode(
        said, spare_key(1).private, "RS256", headers={"kid": platform.keys[0].kid, name: offered}
    )
    assert_refused(post_launch(client, begun.state, token), 401, "SIGNATURE")


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "HS256", "RS512", "PS256", "ES256"])
def test_only_rs256_is_taken_whatever_the_header_says(
    client: Client, platform: TestPlatform, algorithm: str
) -> None:
    token = ".".join([packed({"alg": algorithm, "kid": platform.keys[0].kid}), packed({"sub": "x"}), "c2ln"])
    with nothing_written():
        assert_refused(send_raw(client, platform, token), 401, "ALGORITHM")


def test_a_real_rs512_signature_is_refused(client: Client, platform: TestPlatform) -> None:
    key = platform.keys[0]
    token = jwt.encode({"sub": "x"}, key.private, "RS512", headers={"kid": key.kid})
    assert_refused(send_raw(client, platform, token), 401, "ALGORITHM")


def test_the_public_key_as_a_shared_secret_is_refused(client: Client, platform: TestPlatform) -> None:
    pem = platform.keys[0].private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{packed({'alg': 'HS256', 'kid': platform.keys[0].kid})}.{packed({'sub': 'x'})}"
    tag = urlsafe_b64encode(hmac.digest(pem, signed.encode(), hashlib.sha256)).rstrip(b"=").decode()
    assert_refused(send_raw(client, platform, f"{signed}.{tag}"), 401, "ALGORITHM")


def test_an_unknown_critical_header_is_refused(client: Client, platform: TestPlatform) -> None:
    token = ".".join([packed({"alg": "RS256", "kid": "k", "crit": ["exp"], "exp": 1}), packed({}), "c2ln"])
    assert_refused(send_raw(client, platform, token), 401, "ALGORITHM")


def test_a_changed_payload_is_refused(client: Client, platform: TestPlatform) -> None:
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role="student", context="c77", user="u7")
    header, _, signature = sign_launch(platform, said).split(".")
    forged = packed(said | {c.ROLES: ["Instructor"]})
    with nothing_written():
        assert_refused(post_launch(client, begun.state, f"{header}.{forged}.{signature}"), 401, "SIGNATURE")
        assert_refused(post_launch(client, begun.state, f"{header}.{forged}."), 401, "SIGNATURE")


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # it is what the case is about
def test_a_short_key_is_refused(client: Client, platform: TestPlatform) -> None:
    platform.keys = [spare_key(2, 1024)]
    assert_refused(send(client, platform), 401, "KEY-WEAK")


def test_an_oct_key_under_a_known_kid_is_no_key(client: Client, platform: TestPlatform) -> None:
    platform.extra_keys = [
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
        "nonsense",
        {"kty": "RSA", "kid": 7},
    ]
    assert_refused(send(client, platform, kid="shared"), 401, "KID-UNKNOWN")
    assert send(client, platform).status_code == 200


def test_a_key_without_alg_is_fine(client: Client, platform: TestPlatform) -> None:
    platform.extra_keys = [spare_key().jwk(kid="odd kid/../%00", alg=GONE, use=GONE)]
    assert send(client, platform, kid="odd kid/../%00").status_code == 200


@pytest.mark.parametrize("kid", [7, "", "k" * 10_000, None, ["a"]])
def test_a_kid_that_is_no_short_text_is_refused(client: Client, platform: TestPlatform, kid: Any) -> None:
    token = ".".join([packed({"alg": "RS256", "kid": kid}), packed({}), "c2ln"])
    assert_refused(send_raw(client, platform, token), 401, "KID")


def test_made_up_kids_cost_one_fetch_a_minute(
    client: Client, platform: TestPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The minute is an hour here, which no machine needs for twenty launches."""
    assert platform_keys.REFETCH_SECONDS == 60.0
    monkeypatch.setattr(platform_keys, "REFETCH_SECONDS", 3_600.0)
    assert send(client, platform).status_code == 200
    for number in range(20):
        assert_refused(send(client, platform, kid=f"made-up-{number}"), 401, "KID-UNKNOWN")
    assert platform.fetches == 2


def test_a_rotated_key_works_after_one_fetch_and_the_retired_one_no_more(
    client: Client, platform: TestPlatform
) -> None:
    assert send(client, platform).status_code == 200
    retired = platform.keys[0]
    platform.keys = [spare_key(1)]
    assert send(client, platform).status_code == 200
    assert platform.fetches == 2
    platform.keys = [retired]
    assert_refused(send(client, platform), 401, "KID-UNKNOWN")


def test_known_keys_outlast_a_platform_that_is_away(client: Client, platform: TestPlatform) -> None:
    assert send(client, platform).status_code == 200
    platform.down = True
    assert send(client, platform).status_code == 200


def test_without_any_keys_the_platform_must_be_there(client: Client, platform: TestPlatform) -> None:
    platform.down = True
    response = send(client, platform)
    assert_refused(response, 503, "PLATFORM-KEYS")
    assert response["Retry-After"] == "60"


SHAPES = {
    "text": "random text",
    "two parts": "YQ.YQ",
    "five parts": "YQ.YQ.YQ.YQ.YQ",
    "bad base64": "e.e.e",
    "trailing garbage": "e30.e30.c2ln garbage",
    "invalid UTF-8": "_w.e30.c2ln",
    "a NUL": "e30.e30.c2ln\x00",
    "a megabyte": "e30." + "A" * 1_000_000 + ".c2ln",
    "a header list": "W10.e30.c2ln",
    "a header null": "bnVsbA.e30.c2ln",
    "deep nesting": urlsafe_b64encode(b"[" * 30_000).decode().rstrip("=") + ".e30.c2ln",
    "a huge number": urlsafe_b64encode(b'{"kid":' + b"9" * 40_000 + b"}").decode().rstrip("=") + ".e30.c2ln",
}


@pytest.mark.parametrize("case", SHAPES)
def test_a_token_of_a_wrong_shape_is_refused(client: Client, platform: TestPlatform, case: str) -> None:
    with nothing_written():
        assert_refused(send_raw(client, platform, SHAPES[case]), 400, "TOKEN-SHAPE")


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'{"sub":"a","sub":"b"}', b"{'a':1}", b"\xff"])
def test_a_signed_body_that_is_ambiguous_is_refused(
    client: Client, platform: TestPlatform, body: bytes
) -> None:
    key = platform.keys[0]
    token = jwt.PyJWS().encode(body, key.private, "RS256", headers={"kid": key.kid})
    with nothing_written():
        assert_refused(send_raw(client, platform, token), 400, "TOKEN-SHAPE")


def packed(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_two_schools_with_the_same_issuer_do_not_mix(client: Client, platform: TestPlatform) -> None:
    other = new_platform(client_id="20000000000042")
    other.keys = [spare_key(1)]
    begun = log_in(client, platform)
    said = claims_for(other, nonce=begun.nonce, role="student", context="c77", user="u7")
    assert_refused(post_launch(client, begun.state, sign_launch(other, said)), 401, "KID-UNKNOWN")
    shared = sign_launch(other, said, kid=platform.keys[0].kid)
    assert_refused(post_launch(client, begun.state, shared), 401, "SIGNATURE")
    platform.keys = other.keys = [spare_key()]
    assert_refused(post_launch(client, begun.state, sign_launch(other, said)), 401, "MIXUP")


def test_the_refusal_repeats_nothing_the_caller_sent(
    client: Client, platform: TestPlatform, caplog: Any
) -> None:
    canary = "Zyxwv-Canary"
    response = launch(
        client, platform, claims={"name": canary, c.VERSION: canary, "email": f"{canary}@x.test"}
    )
    assert response.status_code == 422
    assert canary not in response.content.decode()
    assert canary not in caplog.text
    assert "verdict=VERSION" in caplog.text
