"""Two workers on one course: one is killed, or frozen until the other has taken its run over, or both start at once.

Besides all that holds for one worker: a run that several start is done by exactly one of them, and a worker that lost
its run while it was frozen writes nothing any more, neither into the gradebook nor into what the tool remembers of it.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from alignments.models import Target
from grading import jobs, journal, services, undoing
from grading.models import OPEN_STATES, Fingerprint, Run, RunState
from grading.services import RunAlreadyOpen
from tests.soak.between import Between
from tests.soak.elsewhere import FREEZES, KILLS, Moved, Report, Strike, Worker
from tests.soak.invariants import Wrong
from tests.soak.weather import outside

MEMORY = ("target_id", "cell_tag", "state_tag", "intended_tag")


@dataclass(frozen=True)
class Deed:
    """What the other worker does. `run`: the one that was approved for it."""

    name: str
    work: Callable[[Report], None]
    mode: str = "sync"
    run: Run | None = None


class Workers(Between):
    """The moves of two workers, as operations of a walk."""

    clock: Any
    moved: Moved

    def sync(self) -> None:
        raise NotImplementedError

    def undo(self) -> None:
        raise NotImplementedError

    def permit(self) -> None:
        raise NotImplementedError

    def surprise(self) -> None:
        raise NotImplementedError

    def step(self, seconds: float) -> None:
        raise NotImplementedError

    def two_workers(self) -> None:
        """One of the ways in which a second worker comes in."""
        self.tally.doubled += 1
        way = self.rng.choice((self.killed, self.killed, self.frozen, self.frozen, self.at_once))
        self.said.append(way.__name__)
        way()

    # The ways

    def killed(self) -> None:
        """SIGKILL anywhere in the other worker; this one goes on with what it left."""
        deed = self.deed()
        if deed is None:
            return
        with self.other(deed, self.strike(signal.SIGKILL)) as other:
            other.go()
            report = other.report()
        self.tap.wait_until_idle()
        self.take(report, deed)
        if report is None:
            self.tally.killed_elsewhere += 1
            outside.rests = max(outside.rests, self.tap.throttled)
        self.go_on(deed)

    def frozen(self) -> None:
        """SIGSTOP anywhere in the other worker; this one takes its run over; then SIGCONT."""
        deed = self.deed()
        if deed is None:
            return
        with self.other(deed, self.strike(signal.SIGSTOP)) as other:
            other.go()
            if not other.freezes():
                self.take(other.report(), deed)
                return
            self.tap.wait_until_idle()
            self.tally.frozen += 1
            was = (
                Run.objects.filter(context=self.school.context, state__in=OPEN_STATES)
                .exclude(lease="")
                .first()
            )
            with other.patience():
                self.go_on(deed)
            self.permit()
            now = was and Run.objects.get(pk=was.pk)
            memory, stamps, writes = self.memory(), self.stamps(), self.tap.others
            other.thaw()
            report = other.report()
        self.take(report, deed)
        if was is None or now is None or now.lease == was.lease:
            return
        self.tally.fenced += 1
        if self.tap.others != writes:
            raise Wrong(
                f"F50: a worker that lost run {was.number} wrote to Canvas {self.tap.others - writes} times"
            )
        if self.memory() != memory:
            raise Wrong(f"F50: a worker that lost run {was.number} changed what is remembered of cells")
        if any(at is not None and at < stamps[key] for key, at in self.stamps().items() if stamps[key]):
            raise Wrong(f"I5: a worker that lost run {was.number} set a column's last time back")
        after = Run.objects.get(pk=was.pk)
        if (after.state, after.outcome, after.counts) != (now.state, now.outcome, now.counts):
            raise Wrong(
                f"F50: a worker that lost run {was.number} changed it: {now.outcome} to {after.outcome}"
            )

    def at_once(self) -> None:
        """Both start at the same moment, often on the same run."""
        deed = self.deed(undo=False)
        if deed is None:
            return
        same = deed.run is not None and self.rng.random() < 0.7
        with self.other(deed, None) as other:
            other.go()
            with contextlib.suppress(RunAlreadyOpen):
                if same:
                    self.apply(deed.run)
                else:
                    self.sync()
            report = other.report()
        self.take(report, deed)
        if same and len(self.results) != 1:
            raise Wrong(f"F49: two workers started one run, and {len(self.results)} did it")

    # What they do

    def deed(self, *, undo: bool = True) -> Deed | None:
        """Something for the other worker. None where there is nothing to do."""
        context, large = self.school.context, self.rng.random() < 0.8
        name = self.rng.choice(
            ("sync", "sync", "apply", "apply", "apply", "preview", *(("undo",) * 2 if undo else ()))
        )
        if name == "apply":
            services.finish_stale(context)
            run = services.prepare(context, self.school.account, started_by="teacher 11")
            self.tally.syncs += 1
            if run.state != RunState.READY:
                self.said.append(f"no run for two: {run.error}")
                return None
            services.approve(run, by="teacher 11", digest=run.digest, confirm_large=True)
            run.refresh_from_db()
            # A plan that a person approved may replace what the alignments allow it to.
            self.approved = True
            self.permit()
            return Deed(name, lambda report: _add(report, services.apply(run.pk)), run=run)
        if name == "preview":
            account = self.school.account

            def preview(report: Report) -> None:
                services.prepare(context, account, started_by="teacher 11")

            return Deed(name, preview)
        if name == "undo":
            services.finish_stale(context)
            found = journal.newest(context)
            rows = journal.entries(found) if found else []
            self.truth.restoring = {(e.assignment, e.user): (e.before, e.was_ours) for e in rows}
            return Deed(name, lambda report: report.undone.append(_undo(context)), mode="undo")
        return Deed(name, lambda report: _add(report, services.sync(context, confirm_large=large)))

    def go_on(self, deed: Deed) -> None:
        """This worker, after the other was struck: at once, or once it was silent for long."""
        for _ in range(self.rng.choice((0, 0, 1))):
            self.surprise()
        self.step(self.rng.choice((0.1, *(61,) * 5, *(90,) * 5, 600)))
        self.permit()
        ways: list[Callable[[], Any]] = [self.sync, self.sync, self.swept, self.finish_stale]
        if deed.run is not None:
            ways += [lambda: self.apply(deed.run)] * 2
        if deed.mode == "undo":
            ways += [self.undo] * 2
        with contextlib.suppress(RunAlreadyOpen):
            self.rng.choice(ways)()

    def finish_stale(self) -> None:
        services.finish_stale(self.school.context)

    def apply(self, run: Run | None) -> Any:
        assert run is not None
        result = services.apply(run.pk)
        self.results += [result] if result else []
        return result

    def swept(self) -> None:
        """The periodic job finds what was left behind, and the job that it starts is done."""
        jobs.sweep(timestamp=0)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs RETURNING (args->>'run_id')::bigint")
            found = [run_id for (run_id,) in cursor.fetchall()]
        for run_id in found:
            jobs.send_run(run_id)

    # The other worker

    def strike(self, by: signal.Signals) -> Strike:
        if self.rng.random() < 0.6:
            return Strike(by, self.rng.randint(1, 26), after=self.rng.random() < 0.5)
        nth = self.rng.choice((1, 1, 2, 3))
        if by == signal.SIGKILL:
            return Strike(by, nth, self.rng.choice(KILLS), self.rng.random() < 0.5)
        *point, after = self.rng.choice(FREEZES)
        return Strike(by, nth, (point[0], point[1]), after)

    def other(self, deed: Deed, strike: Strike | None) -> Worker:
        # Whatever it leaves is finished by somebody, and a cell that was right already may change meanwhile.
        self.leftovers = self.leftovers or deed.run is None or strike is not None
        self.permit()
        self.said.append(f"another worker: {deed.name}, {strike}")
        self.truth.elsewhere = deed.mode
        return Worker(deed.work, strike, deed.mode, self.clock, self.moved)

    def take(self, report: Report | None, deed: Deed) -> None:
        """Count what the other worker says of itself."""
        self.truth.elsewhere = ""
        if report is None:
            return
        # One that was frozen in a transaction finds its session gone.
        if report.fault and "idle-in-transaction timeout" not in report.fault:
            raise Wrong(f"another worker, {deed.name}: {report.fault}")
        self.said.append(
            f"the other worker: {report.end} {[(r.run.outcome, r.run.counts) for r in report.results]}"
        )
        self.results += report.results
        self.tally.syncs += deed.name == "sync"
        outside.rests += report.rests
        for token, hosts in report.hosts.items():
            outside.hosts.setdefault(token, set()).update(hosts)
        for undone in report.undone:
            self.tally.undos += 1
            self.seen_restored |= {
                (c.entry.assignment, c.entry.user) for c in undone.cells if c.fate == "restored"
            }
            self.check_undone(undone)

    def memory(self) -> set[tuple[Any, ...]]:
        rows = Fingerprint.objects.filter(target__context=self.school.context).values_list(*MEMORY)
        return {tuple(bytes(one) if isinstance(one, memoryview) else one for one in row) for row in rows}

    def stamps(self) -> dict[int, Any]:
        return dict(Target.objects.filter(context=self.school.context).values_list("pk", "last_timestamp"))


def _add(report: Report, result: Any) -> None:
    report.results += [result] if result else []


def _undo(context: Any) -> Any:
    """Whatever another left is finished first, which is no undoing."""
    real = undoing.undo

    def noted(*given: Any, **more: Any) -> Any:
        outside.worker = "undo"
        return real(*given, **more)

    outside.worker, undoing.undo = "sync", noted
    return services.undo(context, started_by="command")
