"""The fault matrix, throttling and access (F14 to F29): waiting, renewing once, and saying who must act."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone
from pytest_django import Settings

from canvas.models import ServiceToken
from grading import services
from grading.services import sync
from lti_tool import keys
from lti_tool.http import shared_http
from sandbox import records as r
from tests.grading.school import School, entry
from tests.grading.test_runs import approved

SCORES, BULK, TOKEN = "*/scores", "*/submissions/update_grades", "*/login/oauth2/token"
WORK = "1.1 Linear models"
RIGHT = {1001: "1", 1002: "1", 1003: "0", 1004: "1"}
PERMISSION = '{"status":"unauthorized","errors":[{"message":"user not authorized to perform that action"}]}'


committed = pytest.mark.django_db(transaction=True)
"""A token renewed in a helper thread is another connection's business: it sees only what was committed."""


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the program would have waited between attempts."""
    waited: list[float] = []
    monkeypatch.setattr(shared_http(), "_sleep", waited.append)
    monkeypatch.setattr("canvas.throttle.BucketPace.refused", lambda pace, seconds: None)
    return waited


def both_ways(school: School) -> None:
    school.align(entry(601, "Models"), entry(601, school.assignment(WORK).id))


def error_of(school: School) -> tuple[str, str, str]:
    run = sync(school.context).run
    assert run.error, run.outcome
    return run.outcome, run.error["code"], run.error["who"]


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 429, "body": "{}", "headers": {"Retry-After": "20"}},
        {"status": 403, "body": "403 Forbidden (Rate Limit Exceeded)\n"},
    ],
    ids=["F14", "F15"],
)
@pytest.mark.parametrize("path", [SCORES, BULK, "*/outcome_rollups", "*/login/oauth2/token"])
def test_f14_f15_f18_a_pause_is_kept_and_nothing_is_lost(
    school: School, waits: list[float], answer: dict[str, Any], path: str
) -> None:
    both_ways(school)
    school.world.faults.add("reply", path=path, count=1, **answer)
    run = sync(school.context).run
    assert run.outcome == "done", run.error
    assert waits and waits[0] >= (20 if answer["status"] == 429 else 4)
    assert school.column("Models") == RIGHT == school.column(WORK)


def test_f16_a_real_403_is_not_repeated(school: School, waits: list[float]) -> None:
    both_ways(school)
    school.world.faults.add("reply", path="*/outcome_rollups", count=None, status=403, body=PERMISSION)
    assert error_of(school) == ("stopped", "no_permission", "teacher")
    assert not waits and len(school.world.calls.all("GET", "*/outcome_rollups")) == 1


def test_f18_one_service_token_serves_the_whole_run_and_the_next(school: School) -> None:
    both_ways(school)
    sync(school.context)
    sync(school.context)
    assert school.world.calls.count("POST", "*/login/oauth2/token") == 1


@pytest.mark.parametrize("header", [{}, {"X-Rate-Limit-Remaining": "abc"}, {"X-Rate-Limit-Remaining": "NaN"}])
def test_f19_nonsense_about_the_bucket(school: School, header: dict[str, str]) -> None:
    both_ways(school)
    body = '{"resultUrl": "x"}'
    school.world.faults.add("reply", path=SCORES, count=1, status=200, body=body, headers=header)
    run = sync(school.context).run
    # Canvas said yes to one score and wrote nothing: reading back finds out.
    assert (run.outcome, run.reasons["not_written"]) == ("partial", 1)
    assert sync(school.context).run.counts["send"] == 1
    assert school.column("Models") == RIGHT


@committed
@pytest.mark.parametrize("skip", [0, 1, 2, 3, 5, 8])
def test_f20_a_token_that_expires_anywhere_is_renewed_once(school: School, skip: int) -> None:
    both_ways(school)
    school.world.faults.add("expired", path="*/api/v1/*", count=1, skip=skip)
    assert sync(school.context).run.outcome == "done"
    assert school.column("Models") == RIGHT == school.column(WORK)
    grants = school.world.calls.count("POST", "*/login/oauth2/token")
    assert grants == 2, "one for the person's token, one for the tool's"


@committed
def test_f22_a_refresh_whose_answer_is_lost(school: School) -> None:
    both_ways(school)
    school.world.faults.add("expired", path="*/enrollments", count=1)
    school.world.faults.add("drop_after", method="POST", path="*/login/oauth2/token", count=1)
    assert sync(school.context).run.outcome == "done"
    school.account.refresh_from_db()
    assert school.account.lost_at is None


def test_f23_a_teacher_who_took_the_access_back(school: School) -> None:
    """Stopped in one call, said once, and not asked again until somebody connects."""
    both_ways(school)
    school.world.tokens.clear()
    assert error_of(school) == ("stopped", "revoked", "teacher")
    calls = len(school.world.calls.all())
    assert error_of(school) == ("stopped", "no_account", "teacher")
    assert len(school.world.calls.all()) == calls and school.writes() == 0


def key_of(school: School, kind: str) -> r.DeveloperKey:
    return next(key for key in school.world.keys.values() if key.kind == kind)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Invalid Developer Key", "key_off"),
        ("Access Token not linked to a Tool associated with this Context", "not_installed"),
    ],
)
def test_f24_the_key_is_off_or_the_tool_is_gone(school: School, text: str, code: str) -> None:
    both_ways(school)
    body = f'{{"errors":{{"type":"unauthorized","message":"{text}"}}}}'
    school.world.faults.add("reply", path="*/line_items", count=None, status=401, body=body)
    assert error_of(school) == ("stopped", code, "admin")
    assert school.writes() == 0


def test_f25_a_scope_that_was_taken_away_is_named(school: School) -> None:
    both_ways(school)
    body = '{"errors":[{"message":"Insufficient scopes on access token."}]}'
    school.world.faults.add("reply", path="*/enrollments", count=None, status=401, body=body)
    run = sync(school.context).run
    assert run.error and run.error["code"] == "scope_missing"
    assert "GET /courses/:id/enrollments" in run.error["detail"] and school.writes() == 0


@committed
@pytest.mark.parametrize("text", ["Access token expired", "JWT has expired"])
def test_f26_an_expired_service_token_is_replaced_once(school: School, text: str) -> None:
    both_ways(school)
    body = f'{{"errors":{{"type":"unauthorized","message":"{text}"}}}}'
    school.world.faults.add("reply", path=SCORES, count=1, status=401, body=body)
    assert sync(school.context).run.outcome == "done"
    assert school.column("Models") == RIGHT
    assert school.world.calls.count("POST", "*/login/oauth2/token") == 2, "the first, and one in its place"


def test_f27_the_key_that_signs_is_replaced(school: School) -> None:
    """Canvas still knows only the old one, which is good until it is retired: the second question is signed with it."""
    both_ways(school)
    old = keys.signing_key()
    assert keys.new_key().kid != old.kid
    assert {key["kid"] for key in keys.public_jwks()["keys"]} >= {old.kid, keys.signing_key().kid}
    ServiceToken.objects.all().delete()
    asked = school.world.calls.count("POST", TOKEN)
    assert sync(school.context).run.outcome == "done"
    assert school.world.calls.count("POST", TOKEN) - asked == 2
    keys.retire_old_keys()
    ServiceToken.objects.all().delete()
    outcome, code, who = error_of(school)
    assert (outcome, code, who) == ("stopped", "assertion_refused", "operator")
    key_of(school, "lti").public_jwk = keys.signing_key().public_jwk
    assert sync(school.context).run.outcome == "done"


def test_f29_new_encryption_keys_open_what_the_old_ones_sealed(school: School, settings: Settings) -> None:
    both_ways(school)
    sync(school.context)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    assert sync(school.context).run.counts["unchanged"] == 8
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    outcome, code, _ = error_of(school)
    assert outcome == "stopped" and code in {"cannot_unseal", "internal"}
    school.account.refresh_from_db()
    assert school.account.sealed_refresh_token, "nothing is wiped"


# Clocks (F51)


@pytest.mark.parametrize("seconds", [-3600, -180, 180, 3600])
def test_f51_clocks_that_disagree_stop_before_anything_is_written(school: School, seconds: int) -> None:
    both_ways(school)
    school.world.advance(timedelta(seconds=seconds))
    run = sync(school.context).run
    assert run.error and (run.outcome, run.error["code"], run.error["who"]) == (
        "stopped",
        "clock_skew",
        "operator",
    )
    way = "behind" if seconds > 0 else "ahead of"
    assert way in run.error["detail"] and "minutes" in run.error["detail"]
    assert school.writes() == 0


@pytest.mark.parametrize("seconds", [-100, 0, 100])
def test_f51_two_minutes_are_let_pass(school: School, seconds: int) -> None:
    both_ways(school)
    school.world.advance(timedelta(seconds=seconds))
    assert sync(school.context).run.outcome == "done"
    assert school.column("Models") == RIGHT
    stamps = [one.updated_at for one in school.world.lti_results.values()]
    assert all(stamp <= min(timezone.now(), school.world.now()) for stamp in stamps)


def test_f51_f53_a_clock_set_back_never_repeats_a_time(school: School) -> None:
    """Scores are stamped later than the column's last one, whatever the clock says."""
    both_ways(school)
    sync(school.context)
    first = school.target("Models").last_timestamp
    school.world.advance(timedelta(seconds=-100))
    school.assess(1003, 601, "4", days=60)
    for days in (61, 62):
        school.assess(1003, 601, "4", days=days)
    assert sync(school.context).run.outcome == "done"
    second = school.target("Models").last_timestamp
    assert first and second and second > first
    assert school.cell("Models", 1003) == "1"


def test_f51_the_clock_is_looked_at_again_before_an_approved_plan_is_sent(school: School) -> None:
    both_ways(school)
    run = approved(school)
    school.world.advance(timedelta(hours=1))
    result = services.apply(run.pk)
    assert result and result.run.error and result.run.error["code"] == "clock_skew"
    assert school.writes() == 0
