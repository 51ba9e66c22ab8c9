"""The invariants I1 to I13 of one walk, held after each step against what really happened in the pretend Canvas.

I2, I3, I5 and I13: every write is one that rules and people wanted, as far as the tool could see. I4: a cell changes
once in a run. I6: sums match. I9 and I10: how it calls. I11: an undo goes back one step. I1, I7 and I12 are
`Walk.clean`'s.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import inf
from typing import Any
from urllib.parse import urlsplit

from canvas.throttle import MOST_IN_FLIGHT
from grading.services import Result
from tests.grading.school import School
from tests.soak.model import same
from tests.soak.truth import Event, Key, Truth
from tests.soak.views import Book
from tests.soak.weather import Tap, outside

UNSURE = {"no_answer", "not_read_back", "changed_since_preview"}
"""Reasons of a cell that Canvas may have taken all the same."""


WRITTEN = ("/token", "/line_items", "/scores", "/update_grades")
"""What is written to, besides single submissions by id."""


class Wrong(AssertionError):
    """An invariant does not hold."""


@dataclass
class Tally:
    """What a soak counts."""

    walks: int = 0
    syncs: int = 0
    stormy: int = 0
    """Syncs with something wrong: a fault, an edit meanwhile, a kill, a job that fails."""
    undos: int = 0
    clean: int = 0
    realigned: int = 0
    """Runs that lay open while their alignment was given another target or other points."""
    doubled: int = 0
    """Operations with a second worker in a process of its own."""
    killed_elsewhere: int = 0
    frozen: int = 0
    fenced: int = 0
    """Workers that came back from a freeze and had lost their run."""
    limited: int = 0
    """Undos by somebody who sees one section only."""
    cells: int = 0
    writes: int = 0
    edits: int = 0
    raced: int = 0
    faults: int = 0
    killed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Permit:
    """From `seq` on, writing `value` into the cell is what rules and people want."""

    seq: int
    key: Key
    value: str | None
    forced: bool = False
    until: float = inf
    """When it was taken back: what was asked for before that may still arrive."""


class Invariants:
    """What was permitted and done in the present step, and the checks of it."""

    school: School
    book: Book
    truth: Truth
    tap: Tap
    seen_restored: set[Key]

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.results: list[Result] = []
        self.permits: list[Permit] = []
        self.leftovers = False

    def check(self, since: int, crashed: bool) -> None:
        mine = [event for event in self.truth.events if event.seq > since]
        for event in mine:
            if event.by_tool:
                self.tally.writes += 1
                if event.changes:
                    (self.check_undo_event if event.mode == "undo" else self.check_event)(event, since)
        self.check_once(mine)
        self.check_world()
        self.check_calls(crashed)
        for result in self.results:
            self.check_result(result, mine)
        self.settle(mine, crashed)

    def settle(self, mine: list[Event], crashed: bool) -> None:
        """What the tool can know of these cells from now on."""
        # Restored by an undo that did not live to see it: such a cell is a person's until the undo is repeated.
        # A person's own grade that was restored is theirs in any case.
        for event in mine:
            if event.by_tool and event.mode == "undo" and event.key not in self.seen_restored:
                before, was_ours = event.restoring or (None, True)
                if before is None or was_ours:
                    self.truth.murky.add(event.key)
        if not crashed:
            # A run that was stopped may have sent what it could not read back.
            for result in (one for one in self.results if one.run.outcome != "stopped"):
                for cell in result.cells:
                    if cell.decision == "send" and result.run.state == "finished":
                        self.truth.unconfirmed.discard(self.book.cell_key(cell.alignment, cell.user))
        # Emptied after the tool had given up waiting: it cannot tell that from a person's hand.
        for event in mine:
            if (
                event.by_tool
                and event.after is None
                and event.changes
                and event.key in self.truth.unconfirmed
            ):
                self.truth.murky.add(event.key)

    def check_event(self, event: Event, since: int) -> None:
        """I2, I3, I5: every write is one that rules and people wanted, as far as the tool could see."""
        if event.murky:
            return
        origin = self.truth.seen_since(0 if self.leftovers else since, event.key, event.origin)
        theirs = [e.seq for e in self.truth.events if e.key == event.key and not e.by_tool]
        seen = max((seq for seq in theirs if seq < origin), default=0)
        unseen = [seq for seq in theirs if origin <= seq < event.seq]
        self.tally.raced += len(unseen)
        names = {event.key} | {
            (f"new {a}", event.key[1]) for a in self.book.entries if self._is(a, event.key)
        }
        for permit in self.permits:
            holds = permit.seq >= seen and permit.until > event.origin
            if permit.key in names and holds and same(permit.value, event.after):
                return
        past = [e for e in self.truth.events if e.key == event.key][-6:]
        raise Wrong(f"I2/I3: nobody wanted {event}; seen={seen} unseen={unseen} {past}")

    def _is(self, alignment: int, key: Key) -> bool:
        return self.book.cell_key(alignment, key[1]) == key

    def check_undo_event(self, event: Event, since: int) -> None:
        """I11: an undo goes back exactly one step of ours."""
        if event.murky:
            return
        before = [e for e in self.truth.events if e.key == event.key and e.seq < event.seq]
        was = event.restoring
        if was is None or not same(was[0], event.after):
            raise Wrong(f"I11: undo wrote what the journal does not say: {event}")
        read = self.truth.seen_since(since, event.key, event.origin)
        seen = [e for e in before if e.by_tool or e.seq < read]
        if not seen or not seen[-1].by_tool:
            raise Wrong(f"I11: undo touched what a person did last: {event} after {before[-3:]}")

    def check_once(self, mine: list[Event]) -> None:
        """I4: a cell changes at most once in a run."""
        changes = Counter(e.key for e in mine if e.by_tool and e.changes and e.mode == "sync")
        people = {e.key for e in mine if not e.by_tool}
        for key, count in changes.items():
            if count > 1 and not self.leftovers and key not in people and len(self.results) < 2:
                raise Wrong(f"I4: {key} changed {count} times")

    def check_calls(self, crashed: bool) -> None:
        """I9: no more under way than the bucket bears, and every answer that asks for a pause is heeded. I10: a
        token goes to the school's own host. I3: nothing but cells, columns and tokens is written."""
        if self.tap.most > MOST_IN_FLIGHT:
            raise Wrong(f"I9: {self.tap.most} calls at once")
        if crashed:
            # The dead hear no answer.
            outside.rests = max(outside.rests, self.tap.throttled)
        if outside.rests < self.tap.throttled:
            raise Wrong(f"I9: {self.tap.throttled} answers asked for a pause, {outside.rests} were made")
        strays = {host for hosts in outside.hosts.values() for host in hosts} - {
            urlsplit(self.school.server.url).netloc
        }
        if strays:
            raise Wrong(f"I10: a token was sent to {strays}")
        for call in self.school.world.calls.all("P*"):
            if not call.path.rpartition("/")[2].isdigit() and not call.path.endswith(WRITTEN):
                raise Wrong(f"I3: {call.method} {call.path}")

    def check_world(self) -> None:
        """I3, I4: no second column, no attempt, no comment, nobody else's homework."""
        world = self.school.world
        for alignment in self.book.entries:
            if len(self.book.line_items(alignment)) > 1 and not self.tap.late_calls:
                raise Wrong(f"I4: two columns for alignment {alignment}")
        for (assignment, user), row in world.submissions.items():
            if row.comments or row.attempt:
                raise Wrong(f"I4: an attempt or a comment on {assignment} {user}")

    def check_result(self, result: Result, mine: list[Event]) -> None:
        """I6, and an honest status: what a finished run calls sent is in the gradebook."""
        run = result.run
        self.tally.outcomes[run.outcome or run.state] += 1
        if run.state != "finished" or not result.cells or run.dry_run:
            return
        keys = [(cell.alignment, cell.user) for cell in result.cells]
        counts = Counter(cell.decision for cell in result.cells)
        if len(set(keys)) != len(keys) or {k: v for k, v in run.counts.items() if v} != counts:
            raise Wrong(f"I6: {run.counts} is not {counts}")
        if sum(run.reasons.values()) != len(keys):
            raise Wrong(f"I6: reasons {run.reasons}")
        if run.outcome == "changed" or (run.error and run.error["code"] == "large_change"):
            if any(e.by_tool and e.changes for e in mine) and not self.leftovers and len(self.results) == 1:
                raise Wrong(f"{run.outcome}, but something was written")
            return
        for cell in result.cells:
            where = self.book.cell_key(cell.alignment, cell.user)
            events = [e for e in mine if e.key == where]
            wrote = any(e.by_tool and e.changes and same(e.after, cell.after) for e in events)
            theirs = any(not e.by_tool for e in events)
            now = events[-1].after if events else None
            if cell.decision == "send" and not theirs and where is not None:
                place = self.book.places().get((cell.alignment, cell.user))
                grade = place.cell.grade if place and place.cell else now
                if place and place.cell and not same(grade, cell.after) and len(self.results) == 1:
                    raise Wrong(f"dishonest: {cell} is said to be sent, {grade} is there")
            alone = not self.leftovers and len(self.results) == 1
            if alone and cell.decision != "send" and wrote and not theirs and cell.reason not in UNSURE:
                raise Wrong(f"dishonest: {cell} was written and is called {cell.reason} ({run.error})")

    def check_undone(self, undone: Any) -> None:
        for cell in undone.cells:
            key = (cell.entry.assignment, cell.entry.user)
            row = self.school.world.submissions.get((int(key[0]), int(key[1])))
            events = [e for e in self.truth.events if e.key == key]
            ours_last = row is not None and events and events[-1].by_tool
            if undone.run.outcome == "stopped" and ours_last and events[-1].mode != "undo":
                # Something in between said yes in Canvas's place, and then nobody could look.
                continue
            if cell.fate == "restored" and ours_last and not same(events[-1].after, cell.entry.before):
                raise Wrong(f"I11: {key} is said to be restored to {cell.entry.before}: {events[-2:]}")
