"""One walk: a random course, some weeks of people and syncs in bad weather, and the invariants after each step."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import time_machine
from django.db import connection
from django.utils import timezone

from canvas import throttle
from canvas.models import CanvasAccount
from grading import journal, services, undoing
from grading.core.plan import Choices
from grading.models import OPEN_STATES, Run
from grading.planning import open_plan
from grading.services import NotApprovable, NothingToUndo, Result, RunAlreadyOpen
from sandbox.scenarios.base import TA_ID, TEACHER_ID
from sandbox.server import SandboxServer
from tests.grading.school import connect_account, open_school
from tests.soak.course import People, make_world, pupils
from tests.soak.elsewhere import Moved
from tests.soak.entries import other_rule, random_entries
from tests.soak.invariants import Permit, Tally, Wrong
from tests.soak.model import Answer, decide, same
from tests.soak.truth import Key, Truth
from tests.soak.views import Book, CellId
from tests.soak.weather import Killed, Tap, clear_up, killer, outside, stir
from tests.soak.workers import Workers


class Walk(Workers):
    """One seed. `run` raises Wrong, with all that was done in `said`."""

    def __init__(self, seed: int, tally: Tally, *, crowded: bool = False) -> None:
        """`crowded`: every operation has a second worker."""
        super().__init__(tally)
        self.crowded = crowded
        self.rng, self.seed = random.Random(seed), seed
        self.said: list[str] = []
        self.forced: set[CellId] = set()
        self.approved = False
        self.skew = 0
        self.moved = Moved()

    # The walk

    def run(self, steps: int = 12) -> None:
        with self.opened():
            for _ in range(self.rng.randint(0, 4)):
                self.people.act()
            self.align()
            for _ in range(steps):
                self.one_step()
            self.clean()
        self.tally.walks += 1

    @contextmanager
    def opened(self) -> Iterator[None]:
        """A course with people in it, known to the tool, until the end."""
        throttle._paces.clear()
        killer.revive()
        outside.forget()
        with (
            time_machine.travel(timezone.now(), tick=True) as self.clock,
            SandboxServer(make_world(self.rng)) as server,
        ):
            self.school = open_school(server)
            self.truth = Truth(server.world, self.school.context)
            self.tap = Tap(server._server.app, self.truth)
            server._server.app = self.tap
            self.book = Book(self.school, self.truth)
            self.people = People(self.rng, self.school, self.truth, self.step, self.said)
            self.people.may_change_scale = self.book.knows_scale
            self.people.may_change_scales = self.book.knows_scales
            if self.rng.random() < 0.3:
                connect_account(server, self.school.context, TA_ID)
            yield

    def step(self, seconds: float) -> None:
        self.clock.shift(timedelta(seconds=seconds))
        self.moved.by(seconds)

    def align(self) -> None:
        entries = random_entries(self.rng, self.school.world)
        self.said.append(f"align {entries}")
        self.book.align(entries)
        for alignment, entry in self.book.entries.items():
            if self.rng.random() < 0.15:
                user, rule = str(self.rng.choice(pupils(self.school.world))), other_rule(self.rng, entry)
                self.said.append(f"exception {alignment} {user} {rule}")
                self.book.except_student(alignment, user, rule)
        self.look()

    def look(self) -> Result:
        """A dry run in fine weather, held against the model cell by cell."""
        self.fresh()
        # What a killed worker left is finished before anything is compared: the dry run would do it first.
        services.finish_stale(self.school.context)
        places = self.book.places()
        murky = set(self.truth.murky)
        result = services.sync(self.school.context, dry_run=True)
        if result.run.outcome == "stopped" and result.run.error["code"] != "large_change":
            raise Wrong(f"I1: a dry run in fine weather stopped: {result.run.error}")
        self.compare(result, {key: decide(place) for key, place in places.items()}, murky)
        return result

    def compare(self, result: Result, wanted: dict[CellId, Answer], murky: set[Key]) -> None:
        got = {(cell.alignment, cell.user): cell for cell in result.cells}
        if len(got) != len(result.cells) or set(got) != set(wanted):
            raise Wrong(f"I6: cells {set(got) ^ set(wanted)}")
        for key, answer in wanted.items():
            cell, where = got[key], self.book.cell_key(*key)
            self.tally.cells += 1
            self.tally.decisions[f"{cell.decision} {cell.reason}"] += 1
            if where in murky:
                continue
            ours = (cell.decision, cell.reason)
            values = answer.reason == "not_a_student" or (
                same(cell.before, answer.before) and same(cell.after, answer.after)
            )
            if ours != (answer.decision, answer.reason) or not values:
                past = [e for e in self.truth.events if e.key == where][-6:]
                raise Wrong(f"cell {key} {where}: the tool says {cell}, the model {answer}; {past}")

    def one_step(self) -> None:
        for _ in range(self.rng.choice((0, 1, 2, 4, 8))):
            self.people.act()
            self.tally.edits += 1
        if self.rng.random() < 0.3:
            self.said.append(self.people.mend())
        if self.rng.random() < 0.6:
            self.people.reassess()
        dice = self.rng.random()
        if dice < 0.08:
            self.align()
        if dice > 0.93:
            self.set_skew(self.rng.choice((-80, -60, 0, 45, 80)))
        elif dice > 0.91:
            self.refuse_skew()
        elif dice > 0.88:
            self.conclude()
        operation = self.rng.choice(
            (self.sync,) * 4
            + (self.preview,) * 4
            + (self.undo, self.undo, self.pair, self.two_workers, self.two_workers)
        )
        self.operate(self.two_workers if self.crowded else operation)
        if self.has_open_run() and self.rng.random() < 0.7:
            self.retarget_and_take_over()
        if self.rng.random() < 0.3:
            self.clean()

    def set_skew(self, seconds: int) -> None:
        """How far Canvas's clock is ahead of ours."""
        self.said.append(f"clock of Canvas {seconds:+}")
        self.school.world.advance(timedelta(seconds=seconds - self.skew))
        self.skew = seconds

    def refuse_skew(self) -> None:
        """I5: with clocks far apart nothing is sent at all."""
        self.fresh()
        services.finish_stale(self.school.context)
        before, writes = self.skew, self.school.writes()
        self.set_skew(self.rng.choice((-1000, 500)))
        result = services.sync(self.school.context, confirm_large=True)
        self.tally.syncs += 1
        stopped = result.run.outcome == "stopped" and result.run.error["code"] == "clock_skew"
        if not stopped or self.school.writes() != writes:
            raise Wrong(f"I5: clocks far apart, and the sync ended {result.run.outcome} {result.run.error}")
        self.set_skew(before)

    def conclude(self) -> None:
        """A course that has ended takes no grade, and says so; then it is opened again."""
        self.fresh()
        services.finish_stale(self.school.context)
        self.said.append("concluded")
        writes, self.school.course.workflow_state = self.school.writes(), "completed"
        result = services.sync(self.school.context, confirm_large=True)
        self.tally.syncs += 1
        self.school.course.workflow_state = "available"
        error = result.run.error
        if self.school.writes() != writes or (error and error["code"] != "concluded"):
            raise Wrong(f"a concluded course: {result.run.outcome} {error}")
        if not error and result.run.counts["send"]:
            raise Wrong(f"a concluded course, and {result.run.counts} are called sent")

    # One operation in bad weather

    def operate(self, operation: Callable[[], None]) -> None:
        self.connect_again()
        self.step(self.rng.choice((1, 90, 4000)))
        self.leftovers = self.has_open_run()
        since = self.truth.tick()
        if not self.leftovers:
            self.permits, self.forced, self.approved = [], set(), False
        self.results = []
        self.seen_restored: set[Key] = set()
        self.permit()
        switched = stir(self.rng, self.school.world, self.tap, self.surprise)
        self.tally.faults += len(switched)
        self.said.append(f"{operation.__name__} in {switched}")
        crashed, before = False, self.tally.syncs
        try:
            operation()
        except Killed:
            crashed = True
            self.tally.killed += 1
        except RunAlreadyOpen:
            pass
        self.school.course.workflow_state = "available"
        clear_up(self.school.world, self.tap)
        self.tally.stormy += (self.tally.syncs - before) if switched else 0
        self.truth.mode = "sync"
        # The points of a column that was made are noted before anybody changes them.
        self.book.places()
        self.said.append(
            f"-> crashed={crashed} {[(r.run.outcome, r.run.error, r.run.counts) for r in self.results]}"
        )
        self.check(since, crashed)

    def has_open_run(self) -> bool:
        return Run.objects.filter(context=self.school.context, state__in=OPEN_STATES).exists()

    def connect_again(self) -> None:
        """A teacher whose account was lost connects it again; so does one who took the access back in Canvas before
        the tool could learn it, being told to wait."""
        tokens = self.school.world.tokens
        revoked = {number: one.user_id for number, one in tokens.items() if one.revoked}
        for number in revoked:
            del tokens[number]
        for account in CanvasAccount.objects.all():
            user = int(account.canvas_user_id)
            if account.lost_at is None and user not in revoked.values():
                continue
            Run.objects.filter(account=account).update(account=None)
            account.delete()
            again = connect_account(self.school.server, self.school.context, user)
            if user == TEACHER_ID:
                self.school.account = again
            Run.objects.filter(account=None).update(account=again)

    def surprise(self) -> None:
        last = len(self.truth.events)
        self.people.edit()
        for event in self.truth.events[last:]:
            # Exactly what the tool is about to write, at this very moment: nobody could say whose it is.
            if any(one.key == event.key and same(one.value, event.after) for one in self.permits):
                self.truth.murky.add(event.key)
        if self.rng.random() < 0.03:
            self.said.append("meanwhile the course is concluded")
            self.school.course.workflow_state = "completed"
        self.tally.edits += 1
        self.permit()

    def permit(self) -> None:
        """Note what may be written from now on."""
        seq = self.truth.tick()
        for cell, place in self.book.places().items():
            key = self.book.cell_key(*cell) or (f"new {cell[0]}", cell[1])
            for forced in {False, cell in self.forced}:
                answer = decide(place, forced=forced, approved=self.approved)
                # What a killed worker left may be finished first, and change a cell that was right already.
                if answer.decision == "send" or (self.leftovers and answer.decision == "unchanged"):
                    self.permits.append(Permit(seq, key, answer.after, forced=forced))

    def sync(self) -> None:
        force = self.rng.random() < 0.15
        if force:
            self.forced = set(self.book.places())
            self.permit()
        result = services.sync(
            self.school.context, confirm_large=self.rng.random() < 0.8, force_conflicts=force
        )
        self.results.append(result)
        self.tally.syncs += 1

    def pair(self) -> None:
        """Two at once: one runs, the other is told so."""
        ends: list[BaseException] = []

        def one() -> None:
            try:
                self.sync()
            except RunAlreadyOpen:
                pass
            except BaseException as error:
                ends.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=one) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in ends:
            raise error

    def preview(self) -> None:
        self.approved, before = True, len(self.permits)
        # What a person will choose to replace is not known yet: what is read until then counts for all.
        self.forced = set(self.book.places())
        self.permit()
        services.finish_stale(self.school.context)
        run = services.prepare(self.school.context, self.school.account, started_by="teacher 11")
        self.tally.syncs += 1
        if run.state != "ready":
            self.said.append(f"preview: {run.error}")
            return
        cells = open_plan(run.sealed_plan).plan.cells
        some = [cell.key for cell in cells if cell.if_forced and self.rng.random() < 0.4]
        held = [cell.key for cell in cells if cell.decision == "send" and self.rng.random() < 0.1]
        self.forced = set(some)
        chosen = {self.book.cell_key(*cell) or (f"new {cell[0]}", cell[1]) for cell in some}
        mine = [one for one in self.permits[before:] if not one.forced or one.key in chosen]
        # What a run before this one was told to replace stays permitted.
        self.permits[before:] = mine
        self.permit()
        for _ in range(self.rng.choice((0, 0, 1))):
            self.surprise()
        choices = Choices(replace=frozenset(some), hold=frozenset(held))
        try:
            services.approve(run, by="teacher 11", digest=run.digest, choices=choices, confirm_large=True)
        except NotApprovable as error:
            raise Wrong(f"a preview just made could not be approved: {error}") from error
        seen = self.truth.tick()
        result = services.apply(run.pk)
        self.results += [result] if result else []
        for event in self.truth.events:
            at = [a for a in self.book.entries if self.book.cell_key(a, event.key[1]) == event.key]
            if (
                event.by_tool
                and event.seq > seen
                and event.changes
                and (at and (at[0], event.key[1]) in held)
            ):
                raise Wrong(f"I2: held by a person and written all the same: {event}")
        if result is None:
            raise Wrong("an approved run was not sent")

    def undo(self) -> None:
        real = undoing.undo

        def noted(*given: Any, **more: Any) -> Any:
            found = journal.newest(self.school.context)
            rows = journal.entries(found) if found else []
            self.truth.restoring = {(e.assignment, e.user): (e.before, e.was_ours) for e in rows}
            self.truth.mode = "undo"
            return real(*given, **more)

        undoing.undo = noted
        try:
            with self.somebody() as account:
                undone = services.undo(self.school.context, started_by="command", account=account)
        except NothingToUndo:
            return
        finally:
            undoing.undo = real
        self.tally.undos += 1
        self.said.append(f"undone {undone.run.outcome} {undone.counts} {undone.run.error}")
        self.seen_restored = {
            (c.entry.assignment, c.entry.user) for c in undone.cells if c.fate == "restored"
        }
        self.check_undone(undone)

    # Fine weather

    def fresh(self) -> None:
        """Fine weather, every account connected, no run under way for long."""
        self.connect_again()
        self.step(200)
        clear_up(self.school.world, self.tap)

    def clean(self) -> None:
        """I1: one clean run makes every cell what it should be; one more writes nothing."""
        self.tally.clean += 1
        self.said.append("clean")
        self.fresh()
        services.finish_stale(self.school.context)
        self.look()
        wanted = {key: decide(place) for key, place in self.book.places().items()}
        murky = set(self.truth.murky)
        result = services.sync(self.school.context, confirm_large=True)
        if result.run.outcome not in {"done", "partial"}:
            raise Wrong(f"I1: a clean run ended {result.run.outcome}: {result.run.error}")
        self.compare(result, wanted, murky)
        after = {key: decide(place) for key, place in self.book.places().items()}
        for key, answer in wanted.items():
            unclear = self.book.cell_key(*key) in murky
            if answer.decision == "send" and not unclear and not same(after[key].before, answer.after):
                raise Wrong(f"I1: {key} should be {answer.after} and is {after[key].before}")
        self.truth.unconfirmed.clear()
        writes = self.school.writes()
        again = services.sync(self.school.context, confirm_large=True)
        if self.school.writes() != writes or again.run.counts["send"]:
            raise Wrong(f"I4: a second clean run wrote: {again.run.counts}")
        self.tally.syncs += 2
