"""A sync that was killed, and one that is still at work: what the next sync does (interface 4)."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from grading import runs, services
from grading.models import Run
from tests.grading.school import School, entry
from tests.grading.test_runs import approved


def run_of_a_dead_process(school: School) -> Run:
    """A run that began to send a moment ago; of its process nothing is left."""
    run = approved(school)
    assert runs.take_lease(run.pk, timezone.now()) is not None
    return run


def test_the_next_sync_finishes_what_a_killed_one_began_at_once(school: School) -> None:
    school.align(entry(601, "Models"))
    run = run_of_a_dead_process(school)
    result = services.sync(school.context)
    run.refresh_from_db()
    assert (run.state, run.outcome) == ("finished", "done")
    assert (result.run.outcome, result.run.counts["unchanged"]) == ("done", 4)
    assert school.column("Models") == {1001: "1", 1002: "1", 1003: "0", 1004: "1"}


def test_a_sync_killed_while_it_read_stands_in_nobodys_way(school: School) -> None:
    school.align(entry(601, "Models"))
    run = runs.open_run(school.context, account=None, started_by="command", now=timezone.now())
    assert services.sync(school.context).run.outcome == "done"
    run.refresh_from_db()
    assert run.outcome == runs.DISCARDED


def test_a_sync_at_work_is_not_disturbed_and_the_other_says_so_in_json(
    school: School, capsys: pytest.CaptureFixture[str]
) -> None:
    school.align(entry(601, "Models"))
    run = run_of_a_dead_process(school)
    run.refresh_from_db()
    with runs.pulse(runs.Lease(run, run.lease)), pytest.raises(CommandError) as refused:
        call_command(
            "sync",
            registration=school.context.registration.key,
            context=school.context.context_id,
            json=True,
        )
    assert refused.value.returncode == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["error"]["code"]) == ("stopped", "run_under_way")
    assert school.writes() == 0
