"""Tokens: renewed in time, once, by one worker; lost ones say who must act."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from canvas import oauth
from canvas.models import CanvasAccount
from canvas.rest import Rest
from lti_tool.errors import AccessLost, MaybeSent, PlatformError
from lti_tool.http import Http
from tests.plugins.local_server import Answer, LocalServer, Seen

TOKEN = "/login/oauth2/token"
SECTIONS = "/api/v1/courses/101/sections"
EXPIRED = {"errors": [{"message": "Invalid access token."}]}
Connect = Callable[..., CanvasAccount]


def fresh(server: LocalServer, **more: object) -> None:
    server.routes["POST", TOKEN] = Answer({"access_token": "new-access-token", "expires_in": 3600} | more)


def only_new_token(seen: Seen) -> Answer:
    if seen.headers["authorization"] == "Bearer new-access-token":
        return Answer([])
    return Answer(EXPIRED, 401, {"WWW-Authenticate": 'Bearer realm="canvas-lms"'})


def test_a_token_refused_mid_run_is_renewed_once(server: LocalServer, rest: Rest) -> None:
    fresh(server)
    server.routes["GET", SECTIONS] = only_new_token
    assert rest.sections("101") == {}
    form = server.calls("POST", TOKEN)[0].form()
    assert (form["grant_type"], form["refresh_token"], form["client_secret"]) == (
        "refresh_token",
        "again",
        "hush",
    )
    assert "replace_tokens" not in form
    assert [seen.path for seen in server.seen] == [SECTIONS, TOKEN, SECTIONS]


def test_parallel_reads_renew_once_too(server: LocalServer, rest: Rest) -> None:
    fresh(server)
    server.routes["GET", "/api/v1/courses/101/students/submissions"] = only_new_token
    ids = [str(number) for number in range(400)]
    assert rest.cells("101", ids) == {}
    assert len(server.calls("POST", TOKEN)) == 1


def test_a_token_about_to_end_is_renewed_first(server: LocalServer, connect: Connect, http: Http) -> None:
    now = timezone.now()
    account = connect(expires_at=now + timedelta(seconds=30))
    fresh(server)
    assert oauth.access_token(account, now, http) == "new-access-token"
    row = CanvasAccount.objects.get()
    assert row.expires_at == now + timedelta(hours=1)
    assert (
        oauth.unseal(row.sealed_refresh_token, purpose=oauth.refresh_purpose(row.registration_id, "5"))
        == "again"
    )
    assert "new-access-token" not in row.sealed_access_token
    assert oauth.access_token(account, now, http) == "new-access-token"
    assert len(server.seen) == 1


def test_a_new_refresh_token_is_kept(server: LocalServer, connect: Connect, http: Http) -> None:
    fresh(server, refresh_token="later")
    oauth.renewed_token(connect(), "old", timezone.now(), http)
    row = CanvasAccount.objects.get()
    assert (
        oauth.unseal(row.sealed_refresh_token, purpose=oauth.refresh_purpose(row.registration_id, "5"))
        == "later"
    )


def test_a_refresh_whose_answer_was_lost_is_asked_again(
    server: LocalServer, connect: Connect, http: Http
) -> None:
    server.routes["POST", TOKEN] = [Answer(b"", 502), Answer({"access_token": "new-access-token"})]
    assert oauth.renewed_token(connect(), "old", timezone.now(), http) == "new-access-token"
    server.routes["POST", TOKEN] = Answer(b"", 502)
    with pytest.raises(MaybeSent):
        oauth.renewed_token(CanvasAccount.objects.get(), "new-access-token", timezone.now(), http)
    assert CanvasAccount.objects.get().lost_at is None


@pytest.mark.parametrize(
    ("answer", "code", "who", "is_lost"),
    [
        (
            Answer({"error": "invalid_request", "error_description": "refresh_token not found"}, 400),
            "revoked",
            "teacher",
            True,
        ),
        (Answer({"error": "invalid_grant"}, 400), "revoked", "teacher", True),
        (
            Answer({"error": "invalid_client", "error_description": "invalid client"}, 401),
            "api_key_refused",
            "admin",
            False,
        ),
    ],
)
def test_a_refused_refresh_says_who_must_act(
    server: LocalServer, connect: Connect, http: Http, answer: Answer, code: str, who: str, is_lost: bool
) -> None:
    account = connect()
    server.routes["POST", TOKEN] = answer
    with pytest.raises(AccessLost) as caught:
        oauth.renewed_token(account, "old", timezone.now(), http)
    assert (caught.value.code, caught.value.who) == (code, who)
    assert (CanvasAccount.objects.get().lost_at is not None) is is_lost


def test_a_lost_account_asks_canvas_nothing(server: LocalServer, rest: Rest) -> None:
    oauth.mark_lost(rest.account, "old", "revoked", timezone.now())
    with pytest.raises(AccessLost):
        rest.sections("101")
    assert server.seen == []


def test_a_fresh_token_refused_as_well_is_a_lost_account(server: LocalServer, rest: Rest) -> None:
    fresh(server)
    server.routes["GET", SECTIONS] = Answer(EXPIRED, 401, {"WWW-Authenticate": "Bearer"})
    with pytest.raises(AccessLost) as caught:
        rest.sections("101")
    assert caught.value.code == "revoked"
    assert CanvasAccount.objects.get().lost_code == "revoked"
    assert len(server.calls("GET", SECTIONS)) == 3


def test_a_refresh_that_took_effect_late_costs_no_account(server: LocalServer, rest: Rest) -> None:
    """The first was given up and asked again; Canvas then took it after the second, whose token it ended."""
    late, dead, good = Answer(b"", 504), Answer({"access_token": "dead"}), "new-access-token"
    server.routes["POST", TOKEN] = [late, dead, Answer({"access_token": good})]
    server.routes["GET", SECTIONS] = only_new_token
    assert rest.sections("101") == {}
    assert len(server.calls("POST", TOKEN)) == 3 and CanvasAccount.objects.get().lost_at is None


def test_an_account_renewed_meanwhile_is_not_lost(connect: Connect) -> None:
    account = connect()
    oauth.mark_lost(account, "the one before", "revoked", timezone.now())
    assert CanvasAccount.objects.get().lost_at is None
    oauth.mark_lost(account, "old", "revoked", timezone.now())
    assert CanvasAccount.objects.get().lost_at is not None


def test_a_refresh_token_that_does_not_open_is_kept(
    server: LocalServer, connect: Connect, http: Http
) -> None:
    account = connect(sealed_refresh_token="of another key")
    with pytest.raises(AccessLost) as caught:
        oauth.renewed_token(account, "old", timezone.now(), http)
    assert caught.value.code == "cannot_unseal" and server.seen == []
    assert CanvasAccount.objects.get().lost_at is None


def test_missing_scopes_renew_nothing(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", SECTIONS] = Answer(
        {"errors": [{"message": "Insufficient scopes on access token."}]}, 401
    )
    with pytest.raises(AccessLost) as caught:
        rest.sections("101")
    assert (caught.value.code, caught.value.who) == ("scope_missing", "teacher")
    assert len(server.seen) == 1


def test_a_proxys_login_page_costs_no_account(server: LocalServer, rest: Rest) -> None:
    server.routes["GET", SECTIONS] = Answer(b"<html>who are you?</html>", 401)
    with pytest.raises(PlatformError) as caught:
        rest.sections("101")
    assert isinstance(caught.value, MaybeSent)
    assert CanvasAccount.objects.get().lost_at is None


def test_disconnecting_revokes_and_forgets(server: LocalServer, connect: Connect, http: Http) -> None:
    server.routes["DELETE", TOKEN] = [Answer({}), Answer(b"", 401)]
    oauth.disconnect(connect(), http)
    assert server.seen[0].headers["authorization"] == "Bearer old"
    oauth.disconnect(connect(), http)
    assert not CanvasAccount.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_refresh_once(server: LocalServer, connect: Connect, http: Http) -> None:
    account = connect()
    server.routes["POST", TOKEN] = Answer({"access_token": "new-access-token", "expires_in": 3600}, delay=0.5)
    tokens: list[str] = []

    def worker() -> None:
        tokens.append(oauth.renewed_token(account, "old", timezone.now(), http))
        connection.close()

    workers = [threading.Thread(target=worker) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert tokens == ["new-access-token", "new-access-token"]
    assert len(server.calls("POST", TOKEN)) == 1


def test_a_token_moved_to_another_row_does_not_open(connect: Connect, http: Http) -> None:
    one, other = connect(), connect(canvas_user_id="6", sealed_access_token="x")
    CanvasAccount.objects.filter(pk=other.pk).update(sealed_access_token=one.sealed_access_token)
    assert oauth.access_token(one, timezone.now(), http) == "old"
    with pytest.raises(AccessLost) as refused:
        oauth.access_token(other, timezone.now(), http)
    assert refused.value.code == "cannot_unseal"
