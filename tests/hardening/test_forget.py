"""Forgetting a course: not one row of it is left in any table, and nobody else's is touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from canvas.models import CanvasAccount, CourseGrader
from grading import services
from grading.jobs import prepare_run
from grading.models import Run, RunState
from lti_tool.models import Context
from tests.hardening.two_schools import Schools, two_schools

NOT_OF_A_COURSE = {
    "lti_tool_registration", "lti_tool_registrationlink", "lti_tool_deployment", "lti_tool_signingkey",
    "lti_tool_usednonce", "canvas_canvasaccount", "canvas_servicetoken", "django_content_type",
}  # fmt: skip
"""Tables without a way to a course by foreign keys. A new one has to be put here, or gets such a way."""


@pytest.fixture
def schools(db: None) -> Iterator[Schools]:
    with two_schools() as both:
        yield both


def way_to_course(model: type[Model], seen: tuple[type[Model], ...] = ()) -> str | None:
    """The lookup from a table to its course, by foreign keys; None where there is none."""
    if model is Context:
        return "pk"
    for each in model._meta.concrete_fields:
        target: Any = each.related_model
        if target is None or target in (*seen, model):
            continue
        if (rest := way_to_course(target, (*seen, model))) is not None:
            return f"{each.name}__{rest}"
    return None


def rows_of(context_id: int) -> dict[str, int]:
    """How many rows each table has of this course."""
    found = {}
    for model in apps.get_models():
        way = way_to_course(model) if model._meta.managed else None
        if way:
            found[model._meta.db_table] = model._default_manager.filter(**{way: context_id}).count()
    return found


def jobs_of(runs: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from procrastinate_jobs where (args->>'run_id')::bigint = any(%s)", [runs]
        )
        [count] = cursor.fetchone() or (0,)
        return int(count)


def named(schools: Schools) -> list[str]:
    context = schools.ours.context
    return ["--registration", context.registration.key, "--context", context.context_id]


def test_every_table_has_a_way_to_its_course_or_is_known_to_have_none() -> None:
    without = {m._meta.db_table for m in apps.get_models() if m._meta.managed and not way_to_course(m)}
    assert without - NOT_OF_A_COURSE == set()


def test_nothing_of_the_course_is_left(schools: Schools) -> None:
    ours, theirs = schools.ours.context, schools.theirs.context
    runs = list(Run.objects.filter(context=ours).values_list("pk", flat=True))
    prepare_run.defer(run_id=runs[0])
    before, others = rows_of(ours.pk), rows_of(theirs.pk)
    assert {"grading_run", "grading_fingerprint", "grading_undojournal", "alignments_alignment"} <= {
        table for table, count in before.items() if count
    }
    out = StringIO()
    call_command("forget_course", *named(schools), "--json", stdout=out)
    assert set(rows_of(ours.pk).values()) == {0} and jobs_of(runs) == 0
    assert rows_of(theirs.pk) == others
    assert json.loads(out.getvalue())["deleted"]["grading.Fingerprint"] == before["grading_fingerprint"]


def test_another_course_of_the_school_keeps_its_rows_and_its_teachers_account(schools: Schools) -> None:
    ours = schools.ours.context
    other = Context.objects.exclude(pk=ours.pk).get(registration=ours.registration)
    only_here = CanvasAccount.objects.filter(registration=ours.registration).exclude(
        canvas_user_id__in=CourseGrader.objects.filter(context=other).values("canvas_user_id")
    )
    going, before = set(only_here.values_list("pk", flat=True)), rows_of(other.pk)
    kept = set(CanvasAccount.objects.values_list("pk", flat=True)) - going
    assert going and kept
    call_command("forget_course", *named(schools), stdout=StringIO())
    assert rows_of(other.pk) == before
    assert set(CanvasAccount.objects.values_list("pk", flat=True)) == kept
    revoked = schools.ours.world.calls.all("DELETE")
    assert len([call for call in revoked if "oauth2/token" in call.path]) == len(going)


def test_a_course_that_is_being_sent_is_not_forgotten(schools: Schools) -> None:
    waiting = services.open_run_of(schools.ours.context)
    assert waiting is not None
    Run.objects.filter(pk=waiting.pk).update(state=RunState.APPROVED, heartbeat_at=timezone.now())
    before = rows_of(schools.ours.context.pk)
    with pytest.raises(CommandError) as refused:
        call_command("forget_course", *named(schools))
    assert refused.value.returncode == 1 and "Nothing was deleted" in str(refused.value)
    answer = schools.people["teacher"].ask("POST", "/course/settings/forget/", {"sure": "on"})
    assert answer.status_code == 409 and "under way" in answer.content.decode()
    assert rows_of(schools.ours.context.pk) == before


def test_the_page_says_what_happens_asks_and_forgets(schools: Schools) -> None:
    teacher = schools.people["teacher"]
    page = words(teacher.ask("GET", "/course/settings/forget/"))
    assert "2 alignments" in page and "Nothing changes in Canvas" in page
    assert teacher.ask("POST", "/course/settings/forget/").status_code == 422
    column = schools.ours.column("Second column")
    done = teacher.ask("POST", "/course/settings/forget/", {"sure": "on"})
    assert done.status_code == 200 and "The course is forgotten" in done.content.decode()
    assert set(rows_of(schools.ours.context.pk).values()) == {0}
    assert teacher.ask("GET", "/course/").status_code == 401
    assert column and schools.ours.column("Second column") == column


def test_an_assistant_may_not_and_is_told_who_can(schools: Schools) -> None:
    before = rows_of(schools.ours.context.pk)
    answer = schools.people["ta"].ask("POST", "/course/settings/forget/", {"sure": "on"})
    assert (answer.status_code, "Ask a teacher of this course" in words(answer)) == (403, True)
    assert rows_of(schools.ours.context.pk) == before
    settings_page = words(schools.people["ta"].ask("GET", "/course/settings/"))
    assert "A teacher of this course can have all of it deleted" in settings_page


def words(response: Any) -> str:
    return " ".join(response.content.decode().split())
