"""What really happened in the pretend Canvas: every save and every read, in one order, with who did it.

The tool and a teacher grade under the same user id, so the log asks which thread saved. Whose a cell is
follows from the log alone: this is what the tool's own memory is held against.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from django.db import connection
from django.db.models import QuerySet

import sandbox.grading as gradebook
from alignments.models import TargetKind
from grading.fingerprints import Tagger
from grading.models import Fingerprint
from lti_tool.models import Context
from sandbox import records as r
from sandbox.mirror import default_line_item, find_result
from sandbox.world import World
from tests.soak.model import same, text_of

Key = tuple[str, str]
"""Assignment and student."""


@dataclass(frozen=True)
class Event:
    """One save. `origin` is when the request that asked for it came in."""

    seq: int
    origin: int
    by_tool: bool
    key: Key
    before: str | None
    after: str | None
    mode: str
    first_in_ags: bool = False
    """A person's grade on a student without an AGS result: Canvas refuses what was stamped before it."""
    murky: bool = False
    restoring: tuple[str | None, bool] | None = None
    """While undoing: the value before, and whether it was ours, as the journal said then."""

    @property
    def gave_back(self) -> bool:
        """Whether an undo put back what a person had given."""
        return self.restoring is not None and self.restoring[0] is not None and not self.restoring[1]

    @property
    def changes(self) -> bool:
        return not same(self.before, self.after)


@dataclass(frozen=True)
class Read:
    """One read of submissions that began at `seq`: the cells it showed, or was to show where it failed."""

    seq: int
    covers: Callable[[Key], bool]


Journal = dict[Key, tuple[str | None, bool]]
"""While undoing: each cell's value before, and whether that was ours."""


@dataclass
class Owner:
    ours: bool = False
    written: bool = False


def shown(submission: r.Submission) -> str | None:
    if submission.excused:
        return "EX"
    score = submission.entered_score
    return None if score is None else text_of(Fraction(score), 12)


def was_meant(course: Context, key: Key, text: str | None) -> bool:
    """Whether the tool noted that it was about to leave exactly this in an existing assignment, and does not know yet
    whether it did: within the hour a person who types it cannot be told from it (docs/fault-matrix.md). Where a person
    empties the cell, whether it was about to leave anything: what is empty then may have been ours."""
    tagger = Tagger(course)
    rows = Fingerprint.objects.filter(target__context=course, cell_tag=tagger.cell(*key))
    if text is None:
        return _finds(rows.exclude(intended_tag=b""))
    rows = rows.filter(target__kind=TargetKind.ASSIGNMENT)
    return _finds(rows.filter(intended_tag=tagger.intention(*key, text)))


def was_given_up(course: Context, key: Key, text: str | None) -> bool:
    """Whether the tool, which once was about to leave this in an existing assignment, has seen a person's grade there
    since: what arrives even now is held as that person's (docs/fault-matrix.md)."""
    tagger = Tagger(course)
    rows = Fingerprint.objects.filter(target__kind=TargetKind.ASSIGNMENT, target__context=course)
    rows = rows.filter(cell_tag=tagger.cell(*key))
    return _finds(rows.filter(intended_tag=b"")) and not was_meant(course, key, text)


def is_remembered(course: Context, key: Key) -> bool:
    """Whether the tool remembers the cell: it wrote there, or was about to and never learned what became of that."""
    return _finds(Fingerprint.objects.filter(target__context=course, cell_tag=Tagger(course).cell(*key)))


def _finds(rows: QuerySet[Fingerprint]) -> bool:
    try:
        return rows.exists()
    finally:
        if threading.current_thread() is not threading.main_thread():
            connection.close()


_here = threading.local()
_current: list[Truth] = []
_real_save = gradebook._save


def _logged_save(world: World, assignment: r.Assignment, submission: r.Submission, *more: Any) -> None:
    before = shown(submission)
    item = default_line_item(world, assignment.id)
    first = item is not None and find_result(world, item.id, submission.user_id) is None
    _real_save(world, assignment, submission, *more)
    if _current and _current[0].world is world:
        key = (str(assignment.id), str(submission.user_id))
        _current[0].note(key, before, shown(submission), first)


@dataclass
class Truth:
    """The log of one world. `mode` is what the tool is doing: `sync` or `undo`."""

    world: World
    course: Context
    events: list[Event] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    owners: dict[Key, Owner] = field(default_factory=dict)
    unconfirmed: set[Key] = field(default_factory=set)
    murky: set[Key] = field(default_factory=set)
    """Cells of which nobody but Canvas could know whose they are."""
    unseen: set[Key] = field(default_factory=set)
    """Cells in which a person replaced what we wrote, or were about to, before anybody could see it: whether we wrote
    is not known."""
    mode: str = "sync"
    elsewhere: str = ""
    """What a second worker is doing."""
    modes: dict[int, tuple[str, Journal]] = field(default_factory=dict)
    """What the tool was doing when a request came in, with which journal, by its origin: a job may run much later."""
    restoring: Journal = field(default_factory=dict)
    _seq: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        gradebook._save = _logged_save
        _current[:] = [self]
        queue = self.world.queue_job

        def queue_with_origin(course: int, tag: str, work: Callable[[], str | None], user: Any = None) -> Any:
            origin = self.origin()

            def logged() -> str | None:
                with self.request(origin):
                    return work()

            return queue(course, tag, logged, user)

        self.world.queue_job = queue_with_origin

    def tick(self) -> int:
        with self._lock:
            return next(self._seq)

    def origin(self) -> int:
        return getattr(_here, "origin", 0) or self.tick()

    @contextmanager
    def request(self, origin: int) -> Iterator[None]:
        """A request of the tool, asked for at `origin`."""
        before, _here.origin = getattr(_here, "origin", 0), origin
        try:
            yield
        finally:
            _here.origin = before

    @contextmanager
    def person(self) -> Iterator[None]:
        _here.person = True
        try:
            yield
        finally:
            _here.person = False

    def note(self, key: Key, before: str | None, after: str | None, first: bool = False) -> None:
        """Something was saved in this thread."""
        by_tool = not getattr(_here, "person", False)
        seq = self.tick()
        origin = self.origin() if by_tool else seq
        mode, journal = self.modes.get(origin, (self.mode, self.restoring))
        first = first and not by_tool and after not in (None, "EX")
        was = journal.get(key) if mode == "undo" else None
        murky = key in self.murky
        self.events.append(Event(seq, origin, by_tool, key, before, after, mode, first, murky, was))
        if by_tool:
            self._by_tool(key, after, was)
        else:
            self._by_person(key, before, after)

    def _by_tool(self, key: Key, after: str | None, was: tuple[str | None, bool] | None) -> None:
        self.murky.discard(key)
        self.unseen.discard(key)
        self.unconfirmed.add(key)
        if was is not None and same(after, was[0]):
            ours = was[1] and after is not None
            self.owners[key] = Owner(ours, ours)
        else:
            self.owners[key] = Owner(True, True)
        if was is None and was_given_up(self.course, key, after):
            # A job that was stuck wrote over a grade that the tool had seen and left to a person.
            self.murky.add(key)

    def _by_person(self, key: Key, before: str | None, after: str | None) -> None:
        if before is None and after is None:
            # A grade that Canvas does not take leaves a cell empty, and says who touched it all the same.
            if was_meant(self.course, key, None):
                self.murky.add(key)
            return
        owner = self.owners.setdefault(key, Owner())
        last = next((e for e in reversed(self.events) if e.key == key and e.by_tool), None)
        if key in self.unconfirmed and last is not None and (after is None or same(after, last.after)):
            self.murky.add(key)
        emptying = "undo" in (self.mode, self.elsewhere) and self.restoring.get(key, ("0", False))[0] is None
        if after is None and (key in self.unseen or emptying):
            self.murky.add(key)
        if after is None and last is None and is_remembered(self.course, key):
            # A worker died about to write there, after a person had graded it unseen.
            self.murky.add(key)
        if after is None and last is not None and last.gave_back and is_remembered(self.course, key):
            # An undo that gave a person's grade back died before it forgot that we had written there.
            self.murky.add(key)
        if was_meant(self.course, key, None):
            self.unseen.add(key)
        if was_meant(self.course, key, after):
            self.murky.add(key)
        if key in self.unconfirmed and last is not None:
            self.unseen.add(key)
        owner.ours = False

    def seen_since(self, since: int, key: Key, before: int) -> int:
        """The newest read of the cell in this operation that began before `before`; 0 for none."""
        seqs = [x.seq for x in self.reads if since <= x.seq <= before and x.covers(key)]
        return max(seqs, default=0)
