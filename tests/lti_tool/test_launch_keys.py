"""The platform's keys: which count, how often they are asked for, and what happens while they cannot be had.

B25 to B41 of the list of bad launches; an accepted launch stands beside each group of refused ones.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from django.test import Client
from jwt.algorithms import ECAlgorithm

from lti_tool import platform_keys
from tests.lti_tool.refused import assert_refused, nothing_written
from tests.people import (
    GONE,
    TestPlatform,
    claims_for,
    launch,
    log_in,
    new_platform,
    post_launch,
    sign_launch,
    spare_key,
)
from tests.plugins.local_server import Answer, LocalServer

pytestmark = pytest.mark.django_db
JWKS = "/jwks"


@pytest.fixture
def elsewhere(server: LocalServer) -> TestPlatform:
    """A platform whose key set is served as a test says."""
    return new_platform(register_with={"jwks_url": f"{server.url}{JWKS}"})


def signed(platform: TestPlatform, nonce: str, key: Any, algorithm: str, kid: str) -> str:
    said = claims_for(platform, nonce=nonce, role="student", context="c77", user="u7")
    return jwt.encode(said, key, algorithm, headers={"kid": kid})


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "PS512"])
def test_another_rsa_algorithm_is_refused_even_if_the_key_set_names_it(
    client: Client, platform: TestPlatform, algorithm: str
) -> None:
    key = platform.keys[0]
    platform.extra_keys = [key.jwk(kid="other", alg=algorithm)]
    assert launch(client, platform, role="student").status_code == 200
    for kid in (key.kid, "other"):
        begun = log_in(client, platform)
        with nothing_written():
            token = signed(platform, begun.nonce, key.private, algorithm, kid)
            assert_refused(post_launch(client, begun.state, token), 401, "ALGORITHM")
    begun = log_in(client, platform)
    token = signed(platform, begun.nonce, key.private, "RS256", "other")
    assert_refused(post_launch(client, begun.state, token), 401, "KID-UNKNOWN")


def test_an_elliptic_curve_is_refused_even_if_the_key_set_has_one(
    client: Client, platform: TestPlatform
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    entry = ECAlgorithm(ECAlgorithm.SHA256).to_jwk(key.public_key(), as_dict=True)
    platform.extra_keys = [dict(entry) | {"kid": "curve", "alg": "ES256", "use": "sig"}]
    begun = log_in(client, platform)
    with nothing_written():
        token = signed(platform, begun.nonce, key, "ES256", "curve")
        assert_refused(post_launch(client, begun.state, token), 401, "ALGORITHM")
    assert launch(client, platform, role="student").status_code == 200


def test_a_key_with_exponent_one_proves_nothing(client: Client, platform: TestPlatform) -> None:
    platform.extra_keys = [platform.keys[0].jwk(kid="one", e="AQ")]
    begun = log_in(client, platform)
    with nothing_written():
        token = signed(platform, begun.nonce, platform.keys[0].private, "RS256", "one")
        assert_refused(post_launch(client, begun.state, token), 401, "KEY-WEAK")
    assert launch(client, platform, role="student").status_code == 200


@pytest.mark.parametrize("missing", ["n", "e"])
def test_half_a_key_proves_nothing(client: Client, platform: TestPlatform, missing: str) -> None:
    platform.extra_keys = [platform.keys[0].jwk(kid="half", **{missing: GONE})]
    begun = log_in(client, platform)
    token = signed(platform, begun.nonce, platform.keys[0].private, "RS256", "half")
    assert_refused(post_launch(client, begun.state, token), 401, "KEY-WEAK")
    assert launch(client, platform, role="student").status_code == 200


def test_another_key_under_our_kid_proves_nothing(client: Client, platform: TestPlatform) -> None:
    begun = log_in(client, platform)
    with nothing_written():
        token = signed(platform, begun.nonce, spare_key(1).private, "RS256", platform.keys[0].kid)
        assert_refused(post_launch(client, begun.state, token), 401, "SIGNATURE")
    assert launch(client, platform, role="student").status_code == 200


def test_keys_a_token_offers_are_never_fetched(
    client: Client, platform: TestPlatform, server: LocalServer
) -> None:
    assert launch(client, platform, role="student").status_code == 200
    begun, fetched = log_in(client, platform), platform.fetches
    said = claims_for(platform, nonce=begun.nonce, role="student", context="c77", user="u7")
    offered = {"kid": platform.keys[0].kid, "jku": f"{server.url}/keys", "x5u": f"{server.url}/chain"}
    token = jwt.encode(said, spare_key(1).private, "RS256", headers=offered)
    assert_refused(post_launch(client, begun.state, token), 401, "SIGNATURE")
    assert (server.seen, platform.fetches) == ([], fetched)


@pytest.mark.parametrize("kid", ["../../etc/passwd", "' or 1=1 --", "https://evil.test/keys", "a\r\nb"])
def test_a_kid_is_looked_up_and_nothing_else(
    client: Client, platform: TestPlatform, kid: str, caplog: Any
) -> None:
    begun = log_in(client, platform)
    with nothing_written():
        token = signed(platform, begun.nonce, platform.keys[0].private, "RS256", kid)
        response = post_launch(client, begun.state, token)
        assert_refused(response, 401, "KID-UNKNOWN")
    assert kid not in caplog.text + response.content.decode()
    assert launch(client, platform, role="student").status_code == 200


def test_one_schools_keys_prove_nothing_at_another_with_the_same_kid(
    client: Client, platform: TestPlatform
) -> None:
    other = new_platform(client_id="20000000000042")
    other.keys = [type(other.keys[0])(spare_key(1).private, platform.keys[0].kid)]
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role="teacher", context="c77", user="u7")
    with nothing_written():
        assert_refused(post_launch(client, begun.state, sign_launch(other, said)), 401, "SIGNATURE")
    assert launch(client, platform, role="student").status_code == 200
    assert launch(client, other, role="student").status_code == 200


KEY_SETS = {
    "a page": Answer(b"<!doctype html><h1>Sign in</h1>"),
    "a list": Answer([]),
    "no keys": Answer({"keys": "none"}),
    "a fault": Answer({"keys": []}, status=500),
    "fifty megabytes": Answer(b'{"keys": ["' + b"x" * 50_000_000 + b'"]}'),
    "a bomb": Answer(gzip.compress(b'{"keys": ["' + b"0" * 50_000_000), headers={"Content-Encoding": "gzip"}),
    "broken off": Answer({"keys": []}, cut=5),
    "never": Answer({"keys": []}, delay=60),
    "a drip": Answer(b'{"keys": [' + b" " * 1_000, drip=0.05),
}


@pytest.mark.parametrize("case", KEY_SETS)
def test_a_key_set_that_is_none_is_a_platform_that_is_away(
    client: Client, elsewhere: TestPlatform, server: LocalServer, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    # The real limits, which the tests of everything else do not have.
    monkeypatch.setattr(platform_keys, "ASK_TIMEOUT", (1.0, 2.0))
    monkeypatch.setattr(platform_keys, "ASK_SECONDS", 2.5)
    server.routes["GET", JWKS] = KEY_SETS[case]
    with nothing_written():
        began = time.monotonic()
        response = launch(client, elsewhere, role="student")
        assert time.monotonic() - began < 20
    assert_refused(response, 503, "PLATFORM-KEYS")
    assert response["Retry-After"] == "60"
    # On a busy machine it hears of the question when we have given up the answer.
    while not server.seen and time.monotonic() - began < 60:
        time.sleep(0.01)
    assert len(server.seen) == 1


def test_a_platform_that_is_away_is_not_asked_by_every_launch_and_is_welcome_back(
    client: Client, elsewhere: TestPlatform, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform_keys, "AGAIN_SECONDS", 3_600.0)
    server.routes["GET", JWKS] = Answer({}, status=503)
    for _ in range(10):
        assert launch(client, elsewhere, role="student").status_code == 503
    assert len(server.seen) == 1
    monkeypatch.setattr(platform_keys, "AGAIN_SECONDS", 0.0)
    server.routes["GET", JWKS] = Answer({"keys": [elsewhere.keys[0].jwk()]})
    assert launch(client, elsewhere, role="student").status_code == 200


def test_last_good_keys_outlast_a_day_and_no_longer(
    client: Client, platform: TestPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert launch(client, platform, role="student").status_code == 200
    platform.down = True
    monkeypatch.setattr(platform_keys, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(platform_keys, "REFETCH_SECONDS", 0.0)
    assert launch(client, platform, role="student").status_code == 200
    monkeypatch.setattr(platform_keys, "LAST_GOOD_SECONDS", 0.0)
    for _ in range(2):
        assert launch(client, platform, role="student").status_code == 503
    platform.down = False
    monkeypatch.setattr(platform_keys, "AGAIN_SECONDS", 0.0)
    assert launch(client, platform, role="student").status_code == 200


def test_a_thousand_made_up_kids_cost_one_fetch(
    client: Client, platform: TestPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as they all come within the minute, however long a slow machine takes for them."""
    monkeypatch.setattr(platform_keys, "REFETCH_SECONDS", 3_600.0)
    assert launch(client, platform, role="student").status_code == 200
    begun = log_in(client, platform)
    for number in range(1_000):
        header = urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": f"made-up-{number}"}).encode())
        assert post_launch(client, begun.state, f"{header.decode().rstrip('=')}.e30.c2ln").status_code == 401
    assert platform.fetches == 2
    assert launch(client, platform, role="student").status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", [True, False])
def test_a_class_that_comes_together_waits_for_one_fetch(
    server: LocalServer, elsewhere: TestPlatform, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    """At the first launch of a process, and right after Canvas changed its key."""
    # A busy machine opens connections slower than a page would wait for one.
    monkeypatch.setattr(connection.pool, "timeout", 120.0)
    old, new = spare_key(), spare_key(1)
    server.routes["GET", JWKS] = Answer({"keys": [old.jwk()]})
    if not first:
        assert launch(Client(), elsewhere, role="student").status_code == 200
    server.routes["GET", JWKS] = Answer({"keys": [old.jwk(), new.jwk()]}, delay=0.3)
    elsewhere.keys = [new]
    before, statuses = len(server.seen), list[int]()

    def go(number: int) -> None:
        statuses.append(launch(Client(), elsewhere, role="student", user=f"u{number}").status_code)
        connection.close()

    threads = [threading.Thread(target=go, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert statuses == [200] * 8
    assert len(server.seen) == before + 1
