"""What is remembered of a course goes when the course is over."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from grading import jobs, services
from grading.models import Fingerprint
from tests.grading.school import School, entry

NOW = timezone.now()


def synced(school: School) -> int:
    school.align(entry(601, "Level"))
    services.sync(school.context)
    school.context.refresh_from_db()
    return Fingerprint.objects.filter(target__context=school.context).count()


def test_fingerprints_go_thirty_days_after_the_course_ends(school: School) -> None:
    kept = synced(school)
    school.context.ends_at = NOW
    school.context.save()
    jobs.forget_ended_courses(NOW + timedelta(days=29))
    assert Fingerprint.objects.count() == kept > 0
    jobs.forget_ended_courses(NOW + timedelta(days=31))
    assert Fingerprint.objects.count() == 0


def test_a_sync_learns_when_the_course_or_its_term_ends(school: School) -> None:
    assert synced(school) and school.context.ends_at is None
    school.course.end_at = NOW + timedelta(days=5)
    synced(school)
    assert school.context.ends_at is not None
    assert abs(school.context.ends_at - school.course.end_at) < timedelta(seconds=1)


def test_without_an_end_a_year_without_a_visit_ends_it(school: School) -> None:
    school.context.last_launch_at = NOW
    school.context.save()
    kept = synced(school)
    jobs.forget_ended_courses(NOW + timedelta(days=364))
    assert Fingerprint.objects.count() == kept
    jobs.forget_ended_courses(NOW + timedelta(days=366))
    assert Fingerprint.objects.count() == 0
