"""What is kept for a time goes when that time is over, and not before: the time is passed in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from canvas.models import ConsentState, ServiceToken
from grading import jobs
from grading.models import Fingerprint, Run, UndoJournal
from lti_tool.models import LaunchSession, Ticket, UsedNonce
from tests.hardening.two_schools import Schools, two_schools

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
UNDO = timedelta(days=settings.UNDO_DAYS)


@pytest.fixture
def schools(db: None) -> Iterator[Schools]:
    with two_schools() as both:
        session = LaunchSession.objects.order_by("-last_seen_at").first()
        assert session is not None
        ends = timezone.now() + 10 * MINUTE
        Ticket.objects.create(ticket_hash="t", session=session, purpose="consent", expires_at=ends)
        ConsentState.objects.create(state_hash="s", browser_hash="b", session=session, expires_at=ends)
        Run.objects.filter(state="ready").update(read_at=timezone.now())
        yield both


def open_plans() -> QuerySet[Run]:
    return Run.objects.exclude(sealed_plan="")


@pytest.mark.parametrize(
    ("rows", "stays", "goes"),
    [
        (UndoJournal.objects.all, UNDO - HOUR, UNDO + HOUR),
        (UsedNonce.objects.all, DAY - HOUR, DAY + HOUR),
        (Ticket.objects.all, 5 * MINUTE, 15 * MINUTE),
        (ConsentState.objects.all, 5 * MINUTE, 15 * MINUTE),
        (ServiceToken.objects.all, 50 * MINUTE, 2 * HOUR),
        (LaunchSession.objects.all, 110 * MINUTE, 4 * HOUR),
        (open_plans, 7 * DAY - HOUR, 7 * DAY + HOUR),
        (Fingerprint.objects.all, 364 * DAY, 10_000 * DAY),
    ],
)
def test_it_stays_that_long_and_no_longer(
    schools: Schools, rows: Any, stays: timedelta, goes: timedelta
) -> None:
    now = timezone.now()
    jobs.forget_what_is_over(now + stays)
    assert rows().exists()
    jobs.forget_what_is_over(now + goes)
    assert not rows().exists()


def test_a_busy_visit_ends_after_ten_hours_all_the_same(schools: Schools) -> None:
    now = timezone.now()
    LaunchSession.objects.update(last_seen_at=now + 11 * HOUR)
    jobs.forget_what_is_over(now + 11 * HOUR)
    assert not LaunchSession.objects.exists()


def test_runs_stay_as_counts_and_alignments_as_they_are(schools: Schools) -> None:
    counts = list(Run.objects.filter(state="finished").values_list("counts", flat=True))
    jobs.forget_what_is_over(timezone.now() + 10_000 * DAY)
    kept = Run.objects.all()
    assert [run.counts for run in kept if run.outcome != "discarded"] == counts and counts
    assert not kept.exclude(sealed_plan="").exists()
