"""Mastery: outcome rollups read whole, checked, and turned into values. canvas-lms: outcome_results_controller.rb"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from canvas.gateway import PER_PAGE, Gateway, changed, settled
from canvas.shapes import Fields, each, number, texts, wrong_shape
from canvas.values import CourseEvidence, Outcome, Rating, Rollup
from lti_tool.errors import AccessLost, Incomplete, Refused

INCLUDES = ("outcomes", "users", "outcome_groups", "outcome_links", "outcome_paths")


class OutcomeReads(Gateway):
    """What a course measures and how its students stand."""

    def evidence(self, course_id: str) -> CourseEvidence:
        """Every student's rollup and every outcome of the course, or Incomplete.

        A course that changes while it is read is read once more. `sort_by=student` because without it every
        page carries all students (the quirk of rest.md 1.5); rows are merged by student in any case.
        """
        return settled(lambda: self._evidence(course_id))

    def _evidence(self, course_id: str) -> CourseEvidence:
        read_at = self.clock()
        params = [
            ("sort_by", "student"),
            ("per_page", str(PER_PAGE)),
            *(("include[]", name) for name in INCLUDES),
        ]
        path, where = f"courses/{course_id}/outcome_rollups", "/courses/:id/outcome_rollups"
        rows, linked = self.each_page(path, params, self._taken, where=where)
        rows.check_count()
        self._fill_gaps(course_id, linked)
        return CourseEvidence(linked.outcomes_with_paths(), rows.rollups(), read_at)

    def _taken(self, pages: Iterator[Any]) -> tuple[_Rows, _Linked]:
        """Rows and linked collections of all pages; the JSON of a page is dropped before the next comes."""
        rows, linked = _Rows(), _Linked()
        self.counter.reads("results")
        for page in pages:
            answer = Fields(page, "rollups answer")
            rows.add_page(answer)
            linked.add_page(answer)
            self.counter.reads("results", len(rows.scores), max(rows.counts, default=0))
        return rows, linked

    def _fill_gaps(self, course_id: str, linked: _Linked) -> None:
        """Read separately what the answer left out: keys without "Allow Include Parameters" lose every
        include silently, older servers know fewer of them (rest.md 8.2)."""
        if linked.outcomes is None:
            linked.take_links(self._links(course_id))
        if linked.paths is None or linked.links is None:
            # Where an outcome hangs is for the eye only: without the right to read it, pages show a flat list.
            try:
                if linked.links is None:
                    linked.take_links(self._links(course_id))
                if linked.paths is None and linked.groups is None:
                    linked.groups = self._groups(course_id)
            except (Refused, AccessLost):
                linked.links = linked.links or []

    def _links(self, course_id: str) -> list[Fields]:
        path = f"courses/{course_id}/outcome_group_links"
        entries = self.entries(path, [("outcome_style", "full")], where="/courses/:id/outcome_group_links")
        return each(entries, "outcome links")

    def _groups(self, course_id: str) -> list[Fields]:
        path = f"courses/{course_id}/outcome_groups"
        return each(self.entries(path, (), where="/courses/:id/outcome_groups"), "outcome groups")


@dataclass
class _Rows:
    """Rollup rows merged by student: one row per enrolment, all of a student's rows say the same."""

    scores: dict[str, dict[str, Decimal | None]] = field(default_factory=dict)
    newest: dict[str, dict[str, datetime]] = field(default_factory=dict)
    counts: set[int] = field(default_factory=set)

    def add_page(self, page: Fields) -> None:
        for row in page.items("rollups"):
            user = row.child("links").ident("user")
            scores = _scores(row)
            if self.scores.setdefault(user, scores) != scores:
                raise changed("Two rows of one student differ.")
            self.newest[user] = _newest(row)
        count = page.child_or_empty("meta").child_or_empty("pagination").integer_or_none("count")
        if count is not None:
            self.counts.add(count)

    def check_count(self) -> None:
        """As many students as Canvas says there are. Different counts on different pages mean that the roster
        changed: somebody may have slipped from one page to another unread."""
        if len(self.counts) > 1:
            raise changed("The roster changed while it was read.")
        if self.counts and len(self.scores) < max(self.counts):
            raise Incomplete("Canvas announced more students than it listed.", code="students_missing")

    def rollups(self) -> Mapping[str, Rollup]:
        return {user: Rollup(user, scores, self.newest[user]) for user, scores in self.scores.items()}


def _scores(row: Fields) -> dict[str, Decimal | None]:
    found: dict[str, Decimal | None] = {}
    for entry in row.items("scores"):
        outcome = entry.child("links").ident("outcome")
        if not entry.has("score"):
            raise wrong_shape("scores[].score")
        value = entry.raw("score")
        score = None if value is None else number(value, "scores[].score")
        if found.setdefault(outcome, score) != score:
            raise changed("Two scores of one student on one outcome differ.")
    return found


def _newest(row: Fields) -> dict[str, datetime]:
    """When the newest result behind each score was submitted, as far as Canvas says."""
    dated = (
        (one.child("links").ident("outcome"), one.moment_or_none("submitted_at"))
        for one in row.items("scores")
    )
    return {outcome: at for outcome, at in dated if at is not None}


@dataclass
class _Linked:
    """The `linked` collections; None for one the answer did not have."""

    outcomes: dict[str, Outcome] | None = None
    paths: dict[str, tuple[str, ...]] | None = None
    links: list[Fields] | None = None
    groups: list[Fields] | None = None

    def add_page(self, page: Fields) -> None:
        part = page.child_or_empty("linked")
        self._add_outcomes(part.items_or_none("outcomes"))
        self._add_paths(part.items_or_none("outcome_paths"))
        # These are not paged: every page repeats them.
        self.links = self.links or part.items_or_none("outcome_links")
        self.groups = self.groups or part.items_or_none("outcome_groups")

    def _add_outcomes(self, found: Iterable[Fields] | None) -> None:
        for entry in found if found is not None else ():
            outcome = parse_outcome(entry)
            self.outcomes = self.outcomes or {}
            if self.outcomes.setdefault(outcome.id, outcome) != outcome:
                raise changed("An outcome changed while it was read.")
        if found is not None:
            self.outcomes = self.outcomes or {}

    def _add_paths(self, found: Iterable[Fields] | None) -> None:
        if found is None:
            return
        self.paths = self.paths or {}
        for entry in found:
            names = tuple(part.text("name", "") for part in entry.items_or_none("parts") or ())
            # The last part is the outcome itself.
            self.paths.setdefault(entry.ident("id"), names[:-1])

    def take_links(self, links: list[Fields]) -> None:
        """Use `outcome_group_links?outcome_style=full`: links, and the outcomes in them."""
        self.links = links
        if self.outcomes is None:
            self.outcomes = {}
            for link in links:
                outcome = parse_outcome(link.child("outcome"))
                self.outcomes.setdefault(outcome.id, outcome)

    def outcomes_with_paths(self) -> Mapping[str, Outcome]:
        group_of = _first_groups(self.links or ())
        paths = self.paths if self.paths is not None else _walked(group_of, self.groups or ())
        return {
            key: replace(outcome, group_path=paths.get(key, ()), group_id=group_of.get(key, ""))
            for key, outcome in (self.outcomes or {}).items()
        }


def _first_groups(links: Iterable[Fields]) -> dict[str, str]:
    """The group each outcome hangs in; in several, the first counts."""
    groups: dict[str, str] = {}
    for link in links:
        outcome, group = link.child_or_empty("outcome"), link.child_or_empty("outcome_group")
        if "id" in outcome and "id" in group:
            groups.setdefault(outcome.ident("id"), group.ident("id"))
    return groups


def _walked(group_of: Mapping[str, str], groups: Iterable[Fields]) -> dict[str, tuple[str, ...]]:
    """Paths from the group list: up through the parents, the root left out (it has no parent)."""
    titles: dict[str, str] = {}
    parents: dict[str, str] = {}
    for group in groups:
        key = group.ident("id")
        titles[key] = group.text("title", "")
        parent = group.child_or_empty("parent_outcome_group").ident_or_none("id")
        if parent is not None:
            parents[key] = parent
    return {outcome: _up(group, titles, parents) for outcome, group in group_of.items()}


def _up(group: str, titles: Mapping[str, str], parents: Mapping[str, str]) -> tuple[str, ...]:
    path: list[str] = []
    seen: set[str] = set()
    while group in parents and group not in seen:
        seen.add(group)
        path.append(titles.get(group, ""))
        group = parents[group]
    return tuple(reversed(path))


def parse_outcome(entry: Fields) -> Outcome:
    """An outcome as rollups and links describe it. lib/api/v1/outcome.rb"""
    mastery = entry.number_or_none("mastery_points")
    return Outcome(
        id=entry.ident("id"),
        title=entry.text("title", "") or entry.text("display_name", ""),
        points_possible=entry.number_or_none("points_possible"),
        mastery_points=mastery,
        ratings=_ratings(entry, mastery),
        calculation_method=entry.text("calculation_method", "highest"),
        calculation_int=entry.integer_or_none("calculation_int"),
        context_type=entry.text("context_type", ""),
        context_id=entry.ident_or_none("context_id") or "",
        vendor_guid="".join(texts([entry.raw("vendor_guid")])),
    )


def _ratings(entry: Fields, mastery: Decimal | None) -> tuple[Rating, ...]:
    ratings: list[Rating] = []
    for rating in entry.items_or_none("ratings") or ():
        points: Any = rating.number_or_none("points")
        if points is not None:
            ratings.append(
                Rating(
                    description=rating.text("description", ""),
                    points=points,
                    color=rating.text("color", ""),
                    mastery=rating.flag("mastery", points == mastery),
                )
            )
    return tuple(ratings)
