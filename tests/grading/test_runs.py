"""Runs: a preview, its approval, what changed in between, one open run, stopping, and what is left behind."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from canvas.values import Progress
from grading import connection as connections
from grading import jobs, planning, runs, services, syncing, writers
from grading.core.plan import Choices, PlannedCell
from grading.models import Fingerprint, Run, RunState, UndoJournal
from grading.runs import Lease, NotApprovable, RunAlreadyOpen
from grading.services import sync
from tests.grading.school import School, entry
from tests.inclear import in_clear


def previewed(school: School) -> Run:
    return services.prepare(school.context, school.account, started_by="teacher 11")


def approved(school: School, **more: object) -> Run:
    run = previewed(school)
    return services.approve(run, by="teacher 11", digest=run.digest, **more)  # type: ignore[arg-type]  # as given


def cells_of(run: Run) -> tuple[PlannedCell, ...]:
    return planning.open_plan(run.sealed_plan).plan.cells


def test_a_preview_writes_nothing_and_approving_sends_exactly_it(school: School) -> None:
    school.align(entry(601, "Models"))
    run = approved(school)
    assert school.writes() == 0
    done = services.apply(run.pk)
    assert done is not None and done.run.outcome == "done"
    assert school.column("Models") == {1001: "1", 1002: "1", 1003: "0", 1004: "1"}
    assert services.apply(run.pk) is None


def test_holds_and_replacements_are_sent_as_chosen(school: School) -> None:
    school.align(entry(601, school.assignment("1.1 Linear models").id))
    school.edit("1.1 Linear models", 1003, "0.7")
    run = previewed(school)
    alignment = cells_of(run)[0].alignment
    choices = Choices(replace=frozenset({(alignment, "1003")}), hold_students=frozenset({"1001"}))
    services.approve(run, by="teacher 11", digest=run.digest, choices=choices)
    result = services.apply(run.pk)
    assert result is not None and result.run.reasons["held_by_person"] == 1
    assert school.column("1.1 Linear models") == {1002: "1", 1003: "0", 1004: "1"}


def test_only_the_plan_that_was_shown_can_be_approved(school: School) -> None:
    school.align(entry(601, "Models"))
    run = previewed(school)
    with pytest.raises(NotApprovable):
        services.approve(run, by="teacher 11", digest="0" * 64)
    later = previewed(school)
    with pytest.raises(NotApprovable):
        services.approve(run, by="teacher 11", digest=run.digest)
    assert later.number == run.number + 1


def change_points(school: School) -> None:
    school.assignment("1.1 Linear models").points_possible = Decimal(5)


def change_rule(school: School) -> None:
    school.align(entry(602, school.assignment("1.1 Linear models").id))


def change_roster(school: School) -> None:
    school.enrollment(1006).state = "completed"


@pytest.mark.parametrize("change", [change_points, change_rule, change_roster])
def test_what_changed_since_the_preview_stops_it_before_the_first_write(
    school: School, change: object
) -> None:
    school.align(entry(601, school.assignment("1.1 Linear models").id))
    run = approved(school)
    assert callable(change)
    change(school)
    result = services.apply(run.pk)
    assert result is not None and result.run.outcome == "changed"
    assert result.run.error is not None and "Nothing was sent" in result.run.error["detail"]
    assert school.column("1.1 Linear models") == {}
    assert school.writes() == 0


@pytest.mark.parametrize("column", ["Models", "1.1 Linear models"])
def test_a_cell_edited_after_the_preview_is_a_conflict(school: School, column: str) -> None:
    school.align(entry(601, "Models"), entry(601, school.assignment("1.1 Linear models").id))
    sync(school.context)
    school.assess(1005, 601, "4")
    school.assess(1006, 601, "4")
    run = approved(school)
    school.edit(column, 1005, "0.3")
    result = services.apply(run.pk)
    assert result is not None and result.run.outcome == "done"
    assert result.run.counts["conflict"] == 1
    assert result.run.reasons["changed_since_preview"] == 1
    assert school.cell(column, 1005) == "0.3"
    assert school.cell(column, 1006) == "1"


def test_one_open_run_a_preview_gives_way_a_sending_run_does_not(school: School) -> None:
    school.align(entry(601, "Models"))
    first = previewed(school)
    second = approved(school)
    first.refresh_from_db()
    assert (first.state, first.outcome, first.sealed_plan) == ("finished", "discarded", "")
    with pytest.raises(RunAlreadyOpen) as busy:
        previewed(school)
    assert busy.value.run == second
    with pytest.raises(RunAlreadyOpen):
        sync(school.context)
    assert sync(school.context, dry_run=True).run.outcome == "done"


def test_a_worker_that_lost_its_lease_writes_nothing_more(school: School) -> None:
    school.align(entry(601, "Models"))
    run = approved(school)
    frozen = runs.take_lease(run.pk, timezone.now())
    assert frozen is not None
    assert runs.take_lease(run.pk, timezone.now()) is None
    other = runs.take_lease(run.pk, timezone.now() + timedelta(minutes=5))
    assert other is not None and other.was_broken_off
    with pytest.raises(runs.LeaseLost):
        frozen.beat(timezone.now())
    other.beat(timezone.now())


@pytest.mark.parametrize("end", [connections.stopped("no_answer"), RuntimeError("ours")])
def test_a_preview_frozen_while_it_read_says_nothing_of_a_run_that_is_another_s(
    school: School, monkeypatch: pytest.MonkeyPatch, end: Exception
) -> None:
    """It comes back, meets a fault, and would end the run for it: by then a worker after it has ended the run."""
    school.align(entry(601, "Models"))
    run = services.begin(school.context, school.account, started_by="teacher 11")

    def replaced(*given: Any, **more: Any) -> Any:
        runs.close(run, timezone.now(), outcome=runs.DISCARDED)
        raise end

    monkeypatch.setattr("grading.preparing.plan_course", replaced)
    services.fill(run)
    run.refresh_from_db()
    assert (run.outcome, run.error) == (runs.DISCARDED, None)


def test_a_preview_that_was_approved_meanwhile_is_not_discarded(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people at one preview: the one who sends it and the one who has it thrown away, or previews anew."""
    school.align(entry(601, "Models"))
    run = previewed(school)
    other = Run.objects.get(pk=run.pk)
    with monkeypatch.context() as patched:
        # As it finds it when somebody approves at this moment.
        patched.setattr(runs, "close", lambda *given, **more: False)
        with pytest.raises(RunAlreadyOpen):
            services.begin(school.context, school.account, started_by="teacher 12")
    services.approve(run, by="teacher 11", digest=run.digest)
    services.discard(other)
    result = services.apply(run.pk)
    assert result is not None and result.run.outcome == "done" and len(school.column("Models")) == 4


@pytest.mark.parametrize("where", ["still_as_planned", "send_jobs", "confirm"])
def test_after_a_fault_of_our_own_nothing_unsent_is_called_sent(
    school: School, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    school.align(entry(601, school.assignment("1.1 Linear models").id))
    run = approved(school)

    def fault(*given: Any, **more: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(f"grading.sending.{where}", fault)
        with pytest.raises(ZeroDivisionError):
            services.apply(run.pk)
    run.refresh_from_db()
    assert run.counts["send"] == len(school.column("1.1 Linear models"))
    assert run.reasons.get("internal", 0) == 4 - run.counts["send"]
    assert sync(school.context).run.outcome == "done"


def test_a_stop_before_the_first_write_sends_nothing(school: School) -> None:
    school.align(entry(601, "Models"), entry(601, school.assignment("1.1 Linear models").id))
    run = approved(school)
    services.request_stop(run)
    result = services.apply(run.pk)
    assert result is not None and result.run.outcome == "stopped"
    assert result.run.error is not None and result.run.error["code"] == "stopped_by_person"
    assert result.run.counts["send"] == 0 and school.writes() == 0
    assert sync(school.context).run.counts["send"] == 8


def test_a_stop_on_the_way_finishes_the_batch(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person presses Stop while the first batch is under way."""
    school.align(entry(601, "Models"), entry(601, school.assignment("1.1 Linear models").id))
    run = approved(school)
    post_job = writers.post_job

    def stop_meanwhile(*given: Any) -> Progress:
        progress = post_job(*given)
        pressed.append(True)
        return progress

    pressed: list[bool] = []
    monkeypatch.setattr(writers, "post_job", stop_meanwhile)
    monkeypatch.setattr(Lease, "beat", lambda lease, now, **fields: _beat(lease, bool(pressed)))
    result = services.apply(run.pk)
    assert result is not None and result.run.outcome == "stopped"
    assert result.run.counts["send"] == 4
    assert school.column("1.1 Linear models") == {1001: "1", 1002: "1", 1003: "0", 1004: "1"}
    assert school.column("Models") == {}
    monkeypatch.undo()
    assert sync(school.context).run.counts["send"] == 4


def _beat(lease: Lease, stop: bool) -> None:
    lease.stop_requested = stop


def test_a_sync_looks_once_more_before_its_first_write(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Points changed in Canvas between the plan and the first write: nothing is sent."""
    target = school.assignment("1.1 Linear models")
    school.align(entry(601, target.id))
    store_plan = syncing.store_plan

    def change_meanwhile(*given: Any, **more: Any) -> None:
        store_plan(*given, **more)
        target.points_possible = Decimal(10)

    monkeypatch.setattr(syncing, "store_plan", change_meanwhile)
    result = sync(school.context)
    assert result.run.outcome == "changed" and school.writes() == 0
    assert result.run.error is not None and "a column in Canvas changed" in result.run.error["detail"]


def test_an_undo_asked_for_twice_takes_back_one_run(school: School) -> None:
    school.align(entry(601, "Models"))
    first = sync(school.context).run
    school.assess(1005, 601, "4")
    second = sync(school.context).run
    assert second.counts["send"] == 1
    for _ in range(2):
        jobs.undo_run(second.pk, "teacher 11", school.account.pk)
    assert set(school.column("Models")) == {1001, 1002, 1003, 1004}
    assert UndoJournal.objects.get(run=first).undone_at is None


def test_a_large_change_needs_a_second_word(school: School) -> None:
    columns = [school.assignment(name).id for name in ("1.1 Linear models", "1.2 Systems of equations")]
    school.align(entry(601, columns[0]), entry(602, columns[1]))
    sync(school.context)
    school.align(
        entry(601, columns[0], rule={"kind": "cutoff", "credit": "50%"}),
        entry(602, columns[1], rule={"kind": "cutoff", "credit": "50%"}),
    )
    writes = school.writes()
    result = sync(school.context)
    assert (result.run.outcome, result.run.counts["send"]) == ("stopped", 6)
    assert result.run.error is not None and result.run.error["code"] == "large_change"
    assert "6 of 8" in result.run.error["detail"]
    assert school.writes() == writes
    run = previewed(school)
    with pytest.raises(NotApprovable):
        services.approve(run, by="teacher 11", digest=run.digest)
    assert sync(school.context, confirm_large=True).run.outcome == "done"


def test_the_sweeper_takes_up_what_a_dead_worker_left(school: School) -> None:
    school.align(entry(601, "Models"))
    run = approved(school)
    Run.objects.filter(pk=run.pk).update(
        state=RunState.SENDING, heartbeat_at=timezone.now() - timedelta(minutes=2)
    )
    jobs.sweep(timestamp=0)
    jobs.sweep(timestamp=0)
    with connection.cursor() as cursor:
        lock = f"send-{run.pk}"
        cursor.execute("select count(*) from procrastinate_jobs where queueing_lock = %s", [lock])
        assert cursor.fetchone() == (1,)
    jobs.send_run(run.pk)
    run.refresh_from_db()
    assert run.outcome == "done"


def test_old_things_go(school: School) -> None:
    school.align(entry(601, "Models"))
    sync(school.context)
    UndoJournal.objects.update(expires_at=timezone.now() - timedelta(days=1))
    jobs.clean_up(timestamp=0)
    assert not UndoJournal.objects.exists()
    assert Fingerprint.objects.count() == 4


def test_nothing_about_a_student_rests_in_clear(school: School) -> None:
    """Names, ids and scores: in no row of any table, whatever the run did."""
    school.align(entry(601, "Models"), entry(602, school.assignment("1.2 Systems of equations").id))
    sync(school.context)
    previewed(school)
    with connection.cursor() as cursor:
        cursor.execute("select table_name from information_schema.tables where table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f'select t::text from "{table}" t')
            text = "\n".join(row for (row,) in cursor.fetchall())
            for canary in ("Lindqvist", "Okafor", "ada@example.edu"):
                assert canary not in text, table
            if table.startswith("grading_"):
                # The number of a row may be that of a student by chance.
                cursor.execute(
                    f"select value #>> '{{}}' from \"{table}\" t, jsonb_each(to_jsonb(t))"
                    " where not (key ~ '(^|_)id$' and jsonb_typeof(value) = 'number')"
                )
                values = [value for (value,) in cursor.fetchall() if value]
                assert values and not [value for value in values if in_clear("1001", value)], table
