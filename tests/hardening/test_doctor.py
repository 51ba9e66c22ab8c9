"""`doctor` and the self-check page: one line each, with the fix, and nothing changed at Canvas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from canvas.models import CanvasAccount
from canvas.service_tokens import WANTED
from lti_tool.models import Context
from sandbox import records as r
from tests.grading.school import School
from tests.hardening.two_schools import Schools, two_schools


@pytest.fixture
def schools(db: None) -> Iterator[Schools]:
    with two_schools() as both:
        heartbeat()
        # Other people's launches in the fixture grant less; a real Canvas says the same at each.
        Context.objects.update(ags_scopes=list(WANTED))
        yield both


def heartbeat() -> None:
    """A worker that goes on saying that it lives, however long the test takes: `now()` is when the test began."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into procrastinate_workers (last_heartbeat) values (clock_timestamp() + interval '1 hour')"
        )


def doctor(school: School, *more: str) -> tuple[int, dict[str, Any]]:
    """Exit code and what it printed."""
    out, key = StringIO(), school.context.registration.key
    code = 0
    try:
        call_command("doctor", "--registration", key, "--json", *more, stdout=out, stderr=StringIO())
    except SystemExit as end:
        code = int(end.code or 0)
    return code, json.loads(out.getvalue())


def checks(report: dict[str, Any]) -> dict[str, dict[str, str]]:
    [school] = report["registrations"]
    return {one["code"]: one for one in report["checks"] + school["checks"]}


def not_ok(report: dict[str, Any]) -> dict[str, str]:
    """What is not well and not about this test's settings."""
    found = checks(report)
    return {code: one["verdict"] for code, one in found.items() if one["verdict"] in ("warning", "problem")}


def test_a_school_where_everything_works(schools: Schools) -> None:
    before = schools.ours.writes()
    code, report = doctor(schools.ours)
    assert not_ok(report) == {} and code == 0, report
    assert report["verdict"] == "ok" and schools.ours.writes() == before
    assert {"account", "rollups", "includes", "throttle", "clock", "worker", "queue"} <= set(checks(report))


@pytest.mark.parametrize("scope", ["outcome_rollups", "assignments", "students/submissions"])
def test_a_scope_that_was_taken_from_the_key_is_named(schools: Schools, scope: str) -> None:
    world = schools.ours.world
    for token in world.tokens.values():
        token.scopes = [one for one in token.scopes if not one.endswith(scope)]
    code, report = doctor(schools.ours)
    [bad] = [one for name, one in checks(report).items() if name.endswith(scope) and name.startswith("scope")]
    assert code == 1 and bad["verdict"] == "problem" and "tick the scope" in bad["fix"]


def test_a_key_without_include_parameters_is_a_warning(schools: Schools) -> None:
    api_key(schools.ours).allow_includes = False
    code, report = doctor(schools.ours)
    assert code == 0 and not_ok(report) == {"includes": "warning"}
    assert "Allow Include Parameters" in checks(report)["includes"]["fix"]


def test_a_key_that_was_switched_off(schools: Schools) -> None:
    lti_key(schools.ours).enabled = False
    code, report = doctor(schools.ours)
    assert code == 1 and "Developer Keys" in checks(report)["grade_columns"]["fix"]


def test_an_ended_course_and_a_fault_of_canvas_have_their_own_step(schools: Schools) -> None:
    world, course = schools.ours.world, schools.ours.course
    was, course.workflow_state = course.workflow_state, "completed"
    assert "has ended" in checks(doctor(schools.ours)[1])["grade_columns"]["fix"]
    course.workflow_state = was
    world.faults.add("reply", path="*/line_items", count=None, status=500, body={})
    assert checks(doctor(schools.ours)[1])["grade_columns"]["fix"] == "Try again in a minute."


def test_nobody_connected(schools: Schools) -> None:
    CanvasAccount.objects.all().delete()
    code, report = doctor(schools.ours)
    assert code == 1 and "Connect Canvas" in checks(report)["account"]["fix"]


def test_no_worker_and_a_job_that_waits(schools: Schools) -> None:
    with connection.cursor() as cursor:
        cursor.execute("delete from procrastinate_workers")
        cursor.execute("insert into procrastinate_jobs (queue_name, task_name) values ('grades', 'x')")
        cursor.execute("update procrastinate_events set at = %s", [timezone.now() - timedelta(hours=1)])
    _, report = doctor(schools.ours)
    assert {"worker", "queue"} <= set(not_ok(report)) and "manage.py worker" in checks(report)["worker"][
        "fix"
    ]


def test_keys_that_were_lost(schools: Schools, settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
    code, report = doctor(schools.ours)
    assert code == 1 and {"encryption_keys", "signing_key", "api_key", "account"} <= set(not_ok(report))


def test_the_write_test_says_so_first_and_leaves_nothing(schools: Schools) -> None:
    columns = set(schools.ours.world.assignments)
    said = StringIO()
    call_command("doctor", "--registration", schools.ours.context.registration.key, "--write-test",
                 stdout=StringIO(), stderr=said)  # fmt: skip
    assert "Students of the course may see it" in said.getvalue()
    new = [one for number, one in schools.ours.world.assignments.items() if number not in columns]
    assert len(new) == 1 and new[0].deleted


def test_a_write_test_whose_answer_is_lost_removes_the_column_all_the_same(schools: Schools) -> None:
    schools.ours.world.faults.add("drop_after", method="POST", path="*/line_items", count=1)
    code, report = doctor(schools.ours, "--write-test")
    found = checks(report)
    assert (found["write_column"]["verdict"], found["write_removed"]["verdict"]) == ("problem", "ok")
    assert code == 1 and not [
        one
        for one in schools.ours.world.assignments.values()
        if "Test of the grade" in one.name and not one.deleted
    ]


def test_every_registration_is_looked_at_and_bad_usage_is_two(schools: Schools) -> None:
    out = StringIO()
    call_command("doctor", stdout=out)
    assert all(each.context.registration.key in out.getvalue() for each in (schools.ours, schools.theirs))
    assert "Everything works." in out.getvalue()
    with pytest.raises(CommandError) as refused:
        call_command("doctor", "--write-test")
    assert refused.value.returncode == 2


def api_key(school: School) -> r.DeveloperKey:
    return next(key for key in school.world.keys.values() if key.kind == "api")


def lti_key(school: School) -> r.DeveloperKey:
    return next(key for key in school.world.keys.values() if key.kind == "lti")


def test_the_page_for_teachers_and_administrators(schools: Schools) -> None:
    teacher, admin = schools.people["teacher"], schools.people["admin"]
    shell = teacher.ask("GET", "/course/check/").content.decode()
    assert "/course/check/results/" in shell and "Students of the course may see it" in shell
    for person in (teacher, admin):
        page = person.ask("GET", "/course/check/results/").content.decode()
        assert "Everything works." in page and "Speed limit" in page, page
    assert "test column" not in admin.ask("GET", "/course/check/").content.decode()
    assert admin.ask("POST", "/course/check/write-test/").status_code == 403


def test_the_page_names_what_is_missing_and_where_to_mend_it(schools: Schools) -> None:
    schools.ours.course.workflow_state = "claimed"
    CanvasAccount.objects.filter(registration=schools.theirs.context.registration).delete()
    page = schools.people["teacher"].ask("GET", "/course/check/results/", HTTP_HX_REQUEST="true")
    text = page.content.decode()
    assert "This course is not published." in text and f"{schools.ours.server.url}/courses/" in text
    assert "<html" not in text
    theirs = schools.people["teacher of another school"].ask("GET", "/course/check/results/").content.decode()
    assert "Connect Canvas" in theirs and "Something needs a person. What to do is listed below." in theirs


def test_the_write_test_from_the_page(schools: Schools) -> None:
    done = schools.people["teacher"].ask("POST", "/course/check/write-test/").content.decode()
    assert "No test column is left." in done
