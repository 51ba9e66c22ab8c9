"""Rows 107 to 117 and 126 of the REST table: OAuth2, scopes and the throttle over HTTP."""

from __future__ import annotations

import itertools
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.gate import Gate
from tests.sandbox.rest_client import TEACHER, Canvas

ROLLUPS = "url:GET|/api/v1/courses/:course_id/outcome_rollups"
CALLBACK = "http://127.0.0.1:8000/canvas/callback"


class Browser:
    """A browser without scripts: follows the sandbox's own pages, stops at the tool's address."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas, self.http = canvas, requests.Session()

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: Any) -> None:
        self.http.close()

    def authorize(self, **changes: Any) -> requests.Response:
        asked = {
            "client_id": self.canvas.key.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "state": "s1",
            "scope": ROLLUPS,
        }
        params = {name: value for name, value in {**asked, **changes}.items() if value is not None}
        return self.http.get(f"{self.canvas.url}/login/oauth2/auth", params=params, allow_redirects=False)

    def submit(self, page: requests.Response, action: str, **values: str) -> requests.Response:
        """Send the page's form to ``action`` with its hidden fields."""
        form = next(form for form in re.findall(r"<form.*?</form>", page.text, re.S) if action in form)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        fields = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
        return self.http.post(f"{self.canvas.url}{action}", data={**fields, **values}, allow_redirects=False)

    def consent(self, action: str = "accept", **changes: Any) -> dict[str, list[str]]:
        """Log in as the teacher, answer the consent page; the query sent to the tool."""
        entered = self.submit(self.authorize(**changes), "/login/oauth2/login", user_id=str(TEACHER))
        page = self.http.get(self.canvas.url + entered.headers["Location"], allow_redirects=False)
        answer = self.submit(page, f"/login/oauth2/{action}")
        assert answer.headers["Location"].startswith(CALLBACK)
        return query_of(answer)


def query_of(answer: requests.Response) -> dict[str, list[str]]:
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def ask_token(canvas: Canvas, **fields: str) -> requests.Response:
    given = {"client_id": canvas.key.client_id, "client_secret": canvas.key.secret, **fields}
    return canvas.http.post(f"{canvas.url}/login/oauth2/token", data=given)


def tokens(canvas: Canvas) -> dict[str, Any]:
    """The answer to a fresh consent's code."""
    with Browser(canvas) as browser:
        code = browser.consent()["code"][0]
    answer: dict[str, Any] = ask_token(canvas, grant_type="authorization_code", code=code).json()
    return answer


def rollups(canvas: Canvas, token: str, path: str = "courses/101/outcome_rollups") -> requests.Response:
    return canvas.http.get(f"{canvas.url}/api/v1/{path}", headers={"Authorization": f"Bearer {token}"})


def test_the_whole_consent_without_scripts(canvas: Canvas) -> None:
    given = tokens(canvas)
    assert given["token_type"] == "Bearer"
    assert given["expires_in"] == 3600
    assert given["user"] == {
        "id": TEACHER, "name": "Maria Keller", "global_id": "10000000000011", "effective_locale": "en"
    }  # fmt: skip
    assert rollups(canvas, given["access_token"]).status_code == 200


def test_row_107_an_old_token(canvas: Canvas) -> None:
    given = tokens(canvas)
    canvas.world.advance(timedelta(hours=1, seconds=1))
    answer = rollups(canvas, given["access_token"])
    assert (answer.status_code, answer.json()) == (401, {"errors": [{"message": "Invalid access token."}]})
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="canvas-lms"'


def test_rows_108_109_refresh_replaces_the_access_token(canvas: Canvas) -> None:
    given = tokens(canvas)
    fresh = ask_token(canvas, grant_type="refresh_token", refresh_token=given["refresh_token"]).json()
    assert "refresh_token" not in fresh
    assert rollups(canvas, given["access_token"]).status_code == 401
    assert rollups(canvas, fresh["access_token"]).status_code == 200


def test_row_110_a_revoked_refresh_token(canvas: Canvas) -> None:
    given = tokens(canvas)
    next(iter(canvas.world.tokens.values())).revoked = True
    answer = ask_token(canvas, grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_request", "error_description": "refresh_token not found"}


def test_row_111_a_wrong_secret(canvas: Canvas) -> None:
    answer = ask_token(canvas, grant_type="refresh_token", refresh_token="x", client_secret="wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"] == "Canvas OAuth 2.0"


def test_row_112_a_code_used_twice(canvas: Canvas) -> None:
    with Browser(canvas) as browser:
        code = browser.consent()["code"][0]
    first, second = (ask_token(canvas, grant_type="authorization_code", code=code) for _ in range(2))
    assert first.status_code == 200
    assert (second.status_code, second.json()) == (
        400, {"error": "invalid_grant", "error_description": "authorization_code not found"}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": None}, "invalid_scope"),
        ({"scope": "url:GET|/api/v1/planets"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_row_113_refused_by_redirect(canvas: Canvas, changes: dict[str, Any], error: str) -> None:
    with Browser(canvas) as browser:
        query = query_of(browser.authorize(**changes))
    assert (query["error"], query["state"]) == ([error], ["s1"])


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": "999"}, 401, "invalid_client"),
        ({"redirect_uri": "http://evil.example/"}, 400, "invalid_request"),
    ],
)
def test_row_113_refused_without_redirect(
    canvas: Canvas, changes: dict[str, Any], status: int, error: str
) -> None:
    with Browser(canvas) as browser:
        answer = browser.authorize(**changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_row_113_a_key_that_is_off_in_the_account(canvas: Canvas) -> None:
    canvas.key.enabled = False
    with Browser(canvas) as browser:
        assert query_of(browser.authorize())["error"] == ["unauthorized_client"]


def test_row_114_the_person_says_no(canvas: Canvas) -> None:
    with Browser(canvas) as browser:
        query = browser.consent("deny")
    assert (query["error"], query["state"]) == (["access_denied"], ["s1"])


def test_row_115_outside_the_scopes(canvas: Canvas) -> None:
    answer = rollups(canvas, canvas.token(scopes=[ROLLUPS]).token, "courses/101/assignments")
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (
        401,
        "Insufficient scopes on access token.",
    )
    assert "WWW-Authenticate" not in answer.headers


def test_row_115_scopes_do_not_grow_with_the_key(canvas: Canvas) -> None:
    canvas.key.scopes = [ROLLUPS]
    old = canvas.token()
    canvas.key.scopes = [ROLLUPS, "url:GET|/api/v1/courses/:id"]
    assert rollups(canvas, old.token, "courses/101").status_code == 401
    assert rollups(canvas, canvas.token().token, "courses/101").status_code == 200


def test_row_116_delete_ends_the_token_and_its_refresh(canvas: Canvas) -> None:
    given = tokens(canvas)
    address, bearer = f"{canvas.url}/login/oauth2/token", {"Authorization": f"Bearer {given['access_token']}"}
    gone = canvas.http.delete(address, headers=bearer)
    assert (gone.status_code, gone.json()) == (200, {})
    assert rollups(canvas, given["access_token"]).status_code == 401
    refused = ask_token(canvas, grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert refused.json()["error_description"] == "refresh_token not found"
    assert canvas.http.delete(address).json()["message"].startswith("can't delete OAuth access token")


@pytest.mark.parametrize("status", [403, 429])
def test_row_117_fifteen_at_once(canvas: Canvas, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """None is answered before the last one is there: eleven take their fifty of the six hundred."""
    throttle, came, all_there = canvas.world.throttle, itertools.count(1), threading.Event()
    enter, meet = throttle.enter, Gate._meet

    def entering(identity: str) -> bool:
        allowed = enter(identity)
        if next(came) == 15:
            all_there.set()
        return allowed

    def meeting(gate: Gate, *given: Any) -> Any:
        all_there.wait(60)
        return meet(gate, *given)

    monkeypatch.setattr(throttle, "enter", entering)
    monkeypatch.setattr(Gate, "_meet", meeting)
    throttle.status, throttle.outflow = status, 0.0
    token = canvas.token().token
    with ThreadPoolExecutor(15) as pool:
        answers = list(pool.map(lambda _: rollups(canvas, token, "users/self"), range(15)))
    refused = [answer for answer in answers if answer.status_code == status]
    assert len(refused) == 4
    assert refused[0].text == f"{status} Forbidden (Rate Limit Exceeded)\n"
    assert refused[0].headers["X-Rate-Limit-Remaining"] == "0.0"
    assert "X-Request-Cost" not in refused[0].headers


def test_row_126_the_fourth_token_request_is_throttled(canvas: Canvas) -> None:
    canvas.world.throttle.outflow = 0.0  # it would have room again where these take seconds
    token = canvas.token()
    answers = [
        ask_token(canvas, grant_type="refresh_token", refresh_token=token.refresh_token) for _ in range(6)
    ]
    assert [answer.status_code for answer in answers] == [200] * 3 + [403] * 3


def test_no_credentials_and_a_disabled_key(canvas: Canvas) -> None:
    none = canvas.http.get(f"{canvas.url}/api/v1/users/self")
    assert none.json()["status"] == "unauthenticated"
    assert none.headers["WWW-Authenticate"] == 'Bearer realm="canvas-lms"'
    canvas.key.enabled = False
    assert canvas.get("users/self").status_code == 401


def test_other_grant_types_are_refused(canvas: Canvas) -> None:
    answer = ask_token(canvas, grant_type="password")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
