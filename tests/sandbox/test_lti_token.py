"""The client_credentials grant: rows T1 to T7 over HTTP, with real RS256 assertions."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests

from sandbox.lti import vocabulary as v
from tests.sandbox.fake_tool import JWT_BEARER, KID, OTHER_KEY, assertion, public_jwk
from tests.sandbox.school import SECONDS, School, open_school

SCOPES = f"{v.SCOPE_LINE_ITEM} {v.SCOPE_SCORE}"


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


def ask(school: School, signed: str | None = None, scope: str = SCOPES, **form: str) -> requests.Response:
    url = f"{school.url}/login/oauth2/token"
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": signed or assertion(school.key.client_id, url),
        "scope": scope,
        **form,
    }
    return requests.post(url, data=fields, timeout=SECONDS)


def signed(school: School, **changes: Any) -> str:
    values = {"token_url": f"{school.url}/login/oauth2/token", **changes}
    return assertion(values.pop("client_id", school.key.client_id), values.pop("token_url"), **values)


def refusal(answer: requests.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["error"], answer.json()["error_description"]


def test_t1_good(school: School) -> None:
    answer = ask(school)
    body = answer.json()
    assert answer.status_code == 200
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 3600, SCOPES)
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert {"iss", "sub", "aud", "iat", "exp", "jti", "scopes", "canvas.instructure.com"} <= set(claims)
    assert school.call("GET", "/line_items", token=body["access_token"]).status_code == 200


def test_t1_the_same_assertion_twice(school: School) -> None:
    same = signed(school)
    assert [ask(school, same).status_code for _ in range(2)] == [200, 200]


def test_t1_costs_200(school: School) -> None:
    throttle = school.world.throttle
    throttle.enabled, throttle.outflow = True, 0.0  # it would have room again where these take seconds
    assert [ask(school).status_code for _ in range(4)] == [200, 200, 200, 403]


@pytest.mark.parametrize(
    "kind", ["wrong-signature", "unknown-kid", "HS256", "no-key"], ids=lambda kind: f"T2-{kind}"
)
def test_signature(school: School, kind: str) -> None:
    changes: dict[str, dict[str, Any]] = {
        "wrong-signature": {"key": OTHER_KEY},
        "unknown-kid": {"kid": "another"},
        "HS256": {"key": "a shared secret of thirty-two bytes!", "algorithm": "HS256"},
        "no-key": {},
    }
    if kind == "no-key":
        school.key.jwks_url = ""
    answer = ask(school, signed(school, **changes[kind]))
    assert refusal(answer) == (400, "invalid_request", "JWS signature invalid.")


@pytest.mark.parametrize("kind", ["not-json", "unreachable"], ids=lambda kind: f"T3-{kind}")
def test_jwks_trouble(school: School, kind: str) -> None:
    school.tool.jwks_body = "<html>"
    if kind == "unreachable":
        school.key.jwks_url = "http://127.0.0.1:9/jwks.json"
    status, error, text = refusal(ask(school))
    assert (status, error) == (400, "invalid_request")
    assert text == "JWK Error: Invalid JSON" if kind == "not-json" else text.startswith("JWK Error: ")


NOW = int(time.time())
FAR = NOW + 10**9
"""Still to come when the last test of a long run is at work."""


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"jti": None}, "the following assertions are missing: jti"),
        ({"sub": None, "iss": None}, "the following assertions are missing: sub,iss"),
        ({"aud": "https://canvas.instructure.com"}, "the 'aud' is invalid"),
        ({"aud": ["https://other.example/login/oauth2/token"]}, "the 'aud' is invalid"),
        ({"exp": NOW - 3600}, "the JWT has expired"),
        ({"exp": "soon"}, "the 'exp' must be a number"),
        ({"iat": NOW - 600}, "the 'iat' must be less than 300 seconds old"),
        ({"iat": FAR}, "the 'iat' must not be in the future"),
        ({"aud": "x", "exp": NOW - 3600}, "the 'aud' is invalid | the JWT has expired"),
    ],
    ids=lambda value: f"T4-{value}" if isinstance(value, str) else "",
)
def test_claims(school: School, claims: dict[str, Any], text: str) -> None:
    assert refusal(ask(school, signed(school, **claims))) == (400, "invalid_request", text)


def test_t4_aud_as_a_list_and_a_little_skew(school: School) -> None:
    url = f"{school.url}/login/oauth2/token"
    answer = ask(school, signed(school, aud=["https://x.example", url], iat=int(time.time()) + 5))
    assert answer.status_code == 200


def test_t5_all_scopes_or_none(school: School) -> None:
    school.key.scopes = SCOPES.split()
    status, error, text = refusal(ask(school, scope=f"{SCOPES} {v.SCOPE_NOTICES}"))
    assert (status, error) == (400, "invalid_scope")
    assert v.SCOPE_NOTICES in text and v.SCOPE_SCORE not in text


def test_t6_other_grant_type(school: School) -> None:
    answer = ask(school, grant_type="password")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("kind", ["unknown", "inactive"], ids=lambda kind: f"T7-{kind}")
def test_client(school: School, kind: str) -> None:
    school.key.active = kind != "inactive"
    changes = {"client_id": "999"} if kind == "unknown" else {}
    answer = ask(school, signed(school, **changes))
    assert refusal(answer) == (401, "invalid_client", "unknown client")
    assert answer.headers["WWW-Authenticate"] == "Canvas OAuth 2.0"


def test_the_jwks_is_fetched_every_time(school: School) -> None:
    assert ask(school).status_code == 200
    school.tool.jwks_body = json.dumps({"keys": [public_jwk(OTHER_KEY, KID)]})
    assert ask(school).status_code == 400
    assert ask(school, signed(school, key=OTHER_KEY)).status_code == 200
