"""The one HTTP client against a server that misbehaves in every way we know of."""

import socket
import time
from decimal import Decimal
from typing import Any

import pytest

from lti_tool.answers import messages
from lti_tool.errors import AccessLost, Incomplete, MaybeSent, NeverSent, PlatformError, Refused, Throttled
from lti_tool.http import Http, Policy, host_of
from tests.plugins.local_server import Answer, LocalServer

ONCE = Policy(attempts=1)


class Waits(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture(autouse=True)
def quick_second_tries() -> None:
    """Not here: the real pauses are what is looked at."""


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def http(waits: Waits) -> Http:
    return Http(sleep=waits)


def test_json_numbers_are_exact_and_ids_stay_whole(server: LocalServer, http: Http) -> None:
    server.routes["GET", "/x"] = Answer(b'{"id": 21070000000000002, "score": 0.1}')
    assert http.request("GET", f"{server.url}/x", allow_hosts={server.host}).json() == {
        "id": 21070000000000002,
        "score": Decimal("0.1"),
    }


@pytest.mark.parametrize(
    "body", [b"<html>log in</html>", b'{"a": NaN}', b'{"a": 1', b"", b"\xff", b"[" * 100_000]
)
def test_what_is_not_json_is_incomplete(server: LocalServer, http: Http, body: bytes) -> None:
    server.routes["GET", "/x"] = Answer(body)
    reply = http.request("GET", f"{server.url}/x", allow_hosts={server.host})
    with pytest.raises(Incomplete):
        reply.json()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(b"", 500), MaybeSent),
        (Answer(b"", 503), MaybeSent),
        (Answer(b"", 429), Throttled),
        (Answer(b"403 Forbidden (Rate Limit Exceeded)\n", 403), Throttled),
        (Answer({"errors": [{"message": "no"}]}, 403), Refused),
        (Answer(b"", 404), Refused),
        (Answer(b"<html>", 401), AccessLost),
        (Answer(b"", 302, {"Location": "/login"}), Incomplete),
        (Answer({"a": "long enough to be cut"}, cut=5), Incomplete),
    ],
)
def test_errors_are_named_by_what_may_be_done_next(
    server: LocalServer, http: Http, answer: Answer, error: type[PlatformError]
) -> None:
    server.routes["GET", "/x"] = answer
    with pytest.raises(PlatformError) as caught:
        http.request("GET", f"{server.url}/x", allow_hosts={server.host}, policy=ONCE)
    assert type(caught.value) is error


def test_a_read_is_tried_again_and_a_write_is_not(server: LocalServer, http: Http, waits: Waits) -> None:
    server.routes["GET", "/x"] = [Answer(b"", 503), Answer(b"", 503), Answer({})]
    server.routes["POST", "/x"] = Answer(b"", 503)
    http.request("GET", f"{server.url}/x", allow_hosts={server.host})
    assert len(server.calls("GET", "/x")) == 3
    assert 0.5 <= waits[0] < waits[1]
    with pytest.raises(MaybeSent):
        http.request("POST", f"{server.url}/x", allow_hosts={server.host}, json={})
    assert len(server.calls("POST", "/x")) == 1


def test_a_throttled_write_waits_as_long_as_asked(server: LocalServer, http: Http, waits: Waits) -> None:
    server.routes["POST", "/x"] = [Answer(b"", 429, {"Retry-After": "30"}), Answer({})]
    http.request("POST", f"{server.url}/x", allow_hosts={server.host}, json={})
    assert len(waits) == 1
    assert 30 <= waits[0] <= 31


def test_a_pause_until_a_moment_is_by_the_platforms_clock(
    server: LocalServer, http: Http, waits: Waits
) -> None:
    until = {"Retry-After": "Wed, 01 Jan 2031 00:00:07 GMT", "Date": "Wed, 01 Jan 2031 00:00:00 GMT"}
    server.routes["GET", "/x"] = [Answer(b"", 429, until), Answer({})]
    http.request("GET", f"{server.url}/x", allow_hosts={server.host})
    assert 7 <= waits[0] <= 8


def test_a_wait_beyond_patience_is_left_to_the_caller(server: LocalServer, http: Http, waits: Waits) -> None:
    server.routes["GET", "/x"] = Answer(b"", 429, {"Retry-After": "400"})
    with pytest.raises(Throttled) as caught:
        http.request("GET", f"{server.url}/x", allow_hosts={server.host})
    assert caught.value.wait_seconds == 400
    assert waits == []


def test_a_broken_answer_to_a_write_may_have_had_its_effect(server: LocalServer, http: Http) -> None:
    server.routes["POST", "/x"] = Answer({"a": "long enough to be cut"}, cut=5)
    with pytest.raises(MaybeSent):
        http.request("POST", f"{server.url}/x", allow_hosts={server.host}, json={})


def test_nobody_listening_means_never_sent(http: Http) -> None:
    # Held as long as it takes, so that nobody else begins to listen there.
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(NeverSent):
            http.request("POST", f"http://{host}/x", allow_hosts={host}, policy=ONCE)


def test_a_slow_answer_is_given_up(server: LocalServer, http: Http) -> None:
    server.routes["GET", "/slow"] = Answer({}, delay=60)
    server.routes["GET", "/drip"] = Answer(b"x" * 1000, drip=0.05)
    began = time.monotonic()
    for path in ("/slow", "/drip"):
        with pytest.raises(MaybeSent):
            http.request(
                "GET",
                server.url + path,
                allow_hosts={server.host},
                timeout=(1, 0.3),
                deadline=0.3,
                policy=ONCE,
            )
    assert time.monotonic() - began < 20


def test_a_huge_answer_is_not_swallowed(server: LocalServer, http: Http) -> None:
    server.routes["GET", "/x"] = Answer(b"x" * 100_000)
    with pytest.raises(Incomplete):
        http.request("GET", f"{server.url}/x", allow_hosts={server.host}, max_bytes=1000)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/x",
        "http://user@127.0.0.1:9/x",
        "ftp://127.0.0.1/x",
        "https://evil.test/x",
        "http://[::1/x",
        "",
    ],
)
def test_only_listed_hosts_are_spoken_to(http: Http, url: str) -> None:
    with pytest.raises(Refused):
        http.request("GET", url, allow_hosts={"127.0.0.1:9", "canvas.test"})


def test_plain_http_needs_the_setting_and_this_machine(
    server: LocalServer, http: Http, settings: Any
) -> None:
    with pytest.raises(Refused) as caught:
        http.request("GET", "http://canvas.test/x", allow_hosts={"canvas.test"})
    assert caught.value.code == "not_https"
    settings.ALLOW_HTTP = False
    with pytest.raises(Refused):
        http.request("GET", f"{server.url}/x", allow_hosts={server.host})


def test_no_cookie_is_kept(server: LocalServer, http: Http) -> None:
    server.routes["GET", "/x"] = Answer({}, headers={"Set-Cookie": "a=b"})
    for _ in range(2):
        http.request("GET", f"{server.url}/x", allow_hosts={server.host})
    assert "cookie" not in server.seen[1].headers
    assert server.seen[1].headers["user-agent"].startswith("mastery-gradebook")


def test_hosts_compare_without_case_and_default_port() -> None:
    assert host_of("https://Canvas.Test:443/x") == "canvas.test"
    assert host_of("https://canvas.test:444") == "canvas.test:444"
    assert host_of("https://canvas.test:no") == ""


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (
            {"errors": {"type": "unauthorized", "message": "Insufficient permissions"}},
            ["Insufficient permissions"],
        ),
        ({"errors": [{"message": "a"}, {"field": "grade", "message": "b", "error_code": None}]}, ["a", "b"]),
        ({"errors": {"grade": [{"message": "c"}]}}, ["c"]),
        ({"error": "d"}, ["d"]),
        ({"status": "bad_request", "message": "e"}, ["e"]),
        (b"", []),
        (b"<html>", []),
    ],
)
def test_every_shape_of_error_body_is_read(
    server: LocalServer, http: Http, body: object, texts: list[str]
) -> None:
    server.routes["GET", "/x"] = Answer(body)
    assert messages(http.request("GET", f"{server.url}/x", allow_hosts={server.host})) == texts
