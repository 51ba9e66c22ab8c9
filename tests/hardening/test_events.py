"""Live Events and platform notices: a hint to look again at a course, whoever sends them, and nothing more."""

from __future__ import annotations

import copy
import json
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from canvas.events import told_by
from grading.news import news_of
from lti_tool import claims as c
from lti_tool.models import Context, CourseMark, Registration
from lti_tool.notices import NOTICE
from lti_tool.platform_keys import forget_keys
from tests.hardening.two_schools import content
from tests.people import GONE, TestPlatform, changed, launch_as, new_platform, spare_key

COURSE = "c565"
GRADE_CHANGE: dict[str, Any] = {
    "metadata": {
        "client_ip": "93.184.216.34",
        "context_id": "21070000000000565",
        "context_role": "TeacherEnrollment",
        "context_type": "Course",
        "event_name": "grade_change",
        "hostname": "127.0.0.1",
        "http_method": "POST",
        "request_id": "1dd9dc6f-2fb0-4c19-a6c5-7ee1bf3ed295",
        "url": "https://oxana.instructure.com/courses/565/gradebook/update_submission",
        "user_agent": "Mozilla/5.0",
        "user_id": "21070000000000987",
        "user_login": "canary.login",
        "user_sis_id": "canary-sis",
    },
    "body": {
        "assignment_id": "21070000000000355",
        "grade": "5",
        "grader_id": "21070000000000987",
        "old_grade": "4",
        "old_points_possible": 10,
        "old_score": 4,
        "points_possible": 10,
        "score": 5,
        "student_id": "21070000000000048",
        "student_sis_id": "canary-student",
        "submission_id": "21070000000011086",
        "user_id": "21070000000000048",
    },
}
"""The sample of Canvas's own documentation, with the times of now."""


@pytest.fixture
def platform(db: None, client: Client) -> Iterator[TestPlatform]:
    forget_keys()
    found = new_platform()
    launch_as(client, "teacher", found, context=COURSE)
    yield found


def event(name: str = "grade_change", *, ago: timedelta = timedelta(0), **changes: Any) -> dict[str, Any]:
    """The sample with these keys of its body or metadata changed."""
    made = copy.deepcopy(GRADE_CHANGE)
    made["metadata"] |= {"event_name": name, "event_time": (timezone.now() - ago).isoformat()}
    for key, value in changes.items():
        part = made["metadata"] if key in {*made["metadata"], "context_type"} else made["body"]
        part[key] = value
    return made


def send(platform: TestPlatform, body: Any, key: str = "") -> int:
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    where = f"/canvas/events/{key or platform.registration.key}"
    return int(Client().post(where, text, content_type="application/json").status_code)


def marks() -> dict[str, Any]:
    return dict(CourseMark.objects.values_list("kind", "at"))


@pytest.mark.parametrize(
    ("verdict", "mark", "changes"),
    [
        ("by_a_person", "grade", {}),
        ("by_a_person", "grade", {"context_id": 21070000000000565, "score": 5.25}),
        ("posted_or_same", "", {"score": 4, "grade": "4"}),
        ("posted_or_same", "", {"score": 4.0, "grade": "4"}),
        ("points_changed", "points", {"points_possible": 20}),
        ("automatic", "", {"grader_id": None}),
        ("automatic", "", {"grader_id": "21070000000000048", "context_role": "StudentEnrollment"}),
        ("our_own", "", {"user_agent": "mastery-gradebook/0.1 (LTI 1.3 tool)"}),
        ("totals", "", {"override_score": 90}),
    ],
)
def test_a_persons_change_is_told_from_every_other(
    platform: TestPlatform, verdict: str, mark: str, changes: dict[str, Any]
) -> None:
    sent = event(**changes)
    assert told_by(sent).verdict == verdict
    assert send(platform, sent) == 200
    assert set(marks()) == ({mark} if mark else set())


@pytest.mark.parametrize(
    "name", ["learning_outcome_result_updated", "outcome_proficiency_updated", "rubric_assessed"]
)
def test_new_evidence_is_a_reason_to_look(platform: TestPlatform, name: str) -> None:
    assert send(platform, event(name)) == 200
    assert set(marks()) == {"evidence"}


@pytest.mark.parametrize("name", ["course_grade_change", "logged_in", "asset_accessed", "x"])
def test_what_nobody_has_to_know_is_taken_and_dropped(platform: TestPlatform, name: str) -> None:
    before = content()
    assert send(platform, event(name, course_id="565")) == 200
    assert content() == before


def test_ten_times_out_of_order_and_from_the_future_is_one_mark(platform: TestPlatform) -> None:
    now = timezone.now()
    newest = event(ago=timedelta(minutes=1))
    older, oldest = event(ago=timedelta(hours=1)), event(ago=timedelta(days=3))
    for sent in [newest, older, *[newest] * 10, older, oldest]:
        assert send(platform, sent) == 200
    [at] = marks().values()
    assert abs(at - (now - timedelta(minutes=1))) < timedelta(seconds=5)
    assert send(platform, event(ago=timedelta(days=-400))) == 200
    assert marks()["grade"] <= timezone.now()


def test_an_old_event_and_one_of_a_course_nobody_opened_leave_nothing(platform: TestPlatform) -> None:
    before = content()
    assert send(platform, event(ago=timedelta(days=2, minutes=1))) == 200
    assert send(platform, event(context_id="21070000000000999")) == 200
    assert send(platform, event(context_type="Account")) == 200
    assert content() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400), ("x", 400), ("{", 400), ("[]", 400), ("{}", 400), ('{"metadata": {}, "body": {}}', 400),
        ("[" * 100_000, 400), ("{\"a\":" * 50_000, 400), ("{" + " " * 300_000 + "}", 413), (b"{\xff}", 400),
        ("eyJhbGciOiJub25lIn0.e30.", 401), ("ey.", 401), ("eyJ.x.y", 401),
    ],
)  # fmt: skip
def test_bad_input_is_refused_and_leaves_nothing(platform: TestPlatform, body: Any, status: int) -> None:
    before = content()
    assert send(platform, body) == status
    assert content() == before


@pytest.mark.parametrize("number", ["sNaN", "NaN", "Infinity", True, [1], "1" * 4_000])
def test_a_number_that_is_none_is_no_fault(platform: TestPlatform, number: Any) -> None:
    assert send(platform, event(score=number)) == 200
    assert send(platform, event(points_possible=number)) == 200


def test_an_unknown_key_a_school_switched_off_and_another_schools_event(platform: TestPlatform) -> None:
    assert send(platform, event(), key="0123456789abcdef") == 404
    assert send(platform, event(hostname="other.instructure.com")) == 401
    Registration.objects.update(is_active=False)
    assert send(platform, event()) == 404
    assert not marks()


def test_signed_events(platform: TestPlatform, settings: Settings) -> None:
    settings.EVENTS_JWKS_URL = f"{platform.url}/api/lti/security/jwks"
    settings.EVENTS_SIGNED_ONLY = True
    key = platform.keys[-1]
    good = jwt.encode(event(), key.private, algorithm="RS256", headers={"kid": key.kid})
    strange = jwt.encode(event(), spare_key(1).private, algorithm="RS256", headers={"kid": key.kid})
    unknown = jwt.encode(event(), key.private, algorithm="RS256", headers={"kid": "nobody's"})
    shared = jwt.encode(event(), "x" * 64, algorithm="HS256", headers={"kid": key.kid})
    assert [send(platform, one) for one in (event(), strange, unknown, shared)] == [401] * 4
    assert not marks()
    assert send(platform, good) == 200
    assert set(marks()) == {"grade"}


def test_nothing_of_the_event_is_kept_or_logged(
    platform: TestPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        send(platform, event())
        send(platform, event(hostname="other.instructure.com"))
    words = ("canary", "48", "11086", "93.184", "987")
    assert list(CourseMark.objects.values_list("context", "kind")) == [(Context.objects.get().pk, "grade")]
    logged = "\n".join(record.getMessage() for record in caplog.records if "event" in record.getMessage())
    assert "verdict=by_a_person" in logged
    # The school's key and a refusal's reference are letters and digits by chance: "48" begins one of 256.
    logged, by_chance = re.subn(r"\b(registration|reference)=[0-9a-f]+\b", r"\1=", logged)
    assert by_chance == 2
    assert not [word for word in words if f"={word}" in logged]


# Notices


def notice(platform: TestPlatform, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": platform.issuer,
        "aud": platform.client_id,
        "azp": platform.client_id,
        "iat": now,
        "exp": now + 3600,
        "nonce": f"n{time.monotonic_ns()}",
        c.VERSION: "1.3.0",
        c.DEPLOYMENT_ID: platform.deployment_id,
        NOTICE: {"id": "1", "timestamp": timezone.now().isoformat(), "type": "LtiContextCopyNotice"},
        c.CONTEXT: {"id": COURSE},
        "https://purl.imsglobal.org/spec/lti/claim/origin_contexts": ["c1"],
    }
    key = platform.keys[-1]
    return jwt.encode(changed(claims, changes), key.private, algorithm="RS256", headers={"kid": key.kid})


def post(*tokens: Any) -> int:
    body = json.dumps({"notices": [{"jwt": token} for token in tokens]})
    return int(Client().post("/lti/notices", body, content_type="application/json").status_code)


def test_a_course_that_was_copied_into_is_marked_once(platform: TestPlatform) -> None:
    sent = notice(platform)
    assert post(sent) == 200
    first = marks()
    assert set(first) == {"copied"} and post(sent) == 200 and marks() == first
    hello = {"id": "2", "timestamp": "2026-01-01T00:00:00Z", "type": "LtiHelloWorldNotice"}
    assert post(notice(platform, **{NOTICE: hello, c.CONTEXT: GONE})) == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"iss": "https://evil.test"}, 401),
        ({"aud": "999"}, 401),
        ({"exp": 1}, 401),
        ({"iat": int(time.time()) + 10**9}, 401),
        ({"nonce": GONE}, 401),
        ({c.VERSION: "1.1"}, 401),
        ({c.DEPLOYMENT_ID: "none"}, 401),
        ({NOTICE: GONE}, 401),
        ({c.CONTEXT: "x"}, 401),
        ({"aud": {"a": 1}}, 401),
    ],
)
def test_a_notice_that_is_not_the_platforms_is_refused(
    platform: TestPlatform, changes: dict[str, Any], status: int
) -> None:
    before = content()
    assert post(notice(platform), notice(platform, **changes)) == status
    assert content() == before


@pytest.mark.parametrize(
    "body",
    ["", "x", "[]", "{}", '{"notices": []}', '{"notices": [{}]}', '{"notices": [{"jwt": 1}]}',
     '{"notices": "x"}', '{"notices": [{"jwt": "a.b.c"}]}', '{"notices": [{"jwt": "eyJhbGciOiJub25lIn0.e30."}]}'],
)  # fmt: skip
def test_what_is_no_list_of_notices_is_refused(db: None, body: str) -> None:
    answer = Client().post("/lti/notices", body, content_type="application/json")
    assert answer.status_code == 400
    assert Client().post("/lti/notices", "x" * 300_000, content_type="application/json").status_code == 413


@pytest.mark.parametrize(
    "payload",
    [b'{"iss": "a\\u0000", "aud": "1"}', b'{"iss": "a", "aud": "1\\u0000"}', b'{"iss": "\\ud800", "aud": "1"}',
     b"[" * 40_000, b'{"iss": "a", "aud": []}', b'{"iss": "a", "aud": ' + b"9" * 5_000 + b"}", b"\xff", b"null"],
)  # fmt: skip
def test_a_notice_nobody_signed_may_say_anything(db: None, payload: bytes) -> None:
    head, said = (
        urlsafe_b64encode(part).rstrip(b"=").decode() for part in (b'{"alg":"RS256","kid":"k"}', payload)
    )
    assert post(f"{head}.{said}.AAAA") == 400


def test_a_notice_signed_by_somebody_else_and_one_of_a_school_that_shares_the_ids(
    platform: TestPlatform,
) -> None:
    twin = new_platform()
    twin.keys[:] = [spare_key(2)]
    assert twin.issuer == platform.issuer and twin.client_id == platform.client_id
    strange = jwt.decode(notice(platform), options={"verify_signature": False})
    forged = jwt.encode(strange, spare_key(3).private, "RS256", {"kid": platform.keys[-1].kid})
    assert post(forged) == 401
    assert post(notice(twin)) == 200 and not marks()
    assert post(notice(platform)) == 200 and set(marks()) == {"copied"}


# What a teacher sees of it


def test_the_outcomes_page_says_so_until_somebody_looked(platform: TestPlatform) -> None:
    context, now = Context.objects.get(), timezone.now()
    send(platform, event())
    assert news_of(context) is None
    run = context.runs.create(number=1, state="finished", outcome="done", started_by="teacher 1",
                              started_at=now, read_at=now - timedelta(hours=1),
                              finished_at=now - timedelta(minutes=59))  # fmt: skip
    found = news_of(context)
    assert found is not None and "A person changed grades" in found.sentence
    run.finished_at = timezone.now() + timedelta(seconds=1)
    run.save()
    assert news_of(context) is None
