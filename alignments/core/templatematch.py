"""What a template names, looked for in a course: by identity, else by title, never by guessing. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from alignments.core.definition import (
    AssignmentTarget,
    Calculation,
    ColumnTarget,
    Definition,
    Scheme,
    TargetChoice,
    WeightedOutcome,
)
from alignments.core.jsonfile import target_key
from alignments.core.labels import free_label
from alignments.core.templates import Named, TemplateEntry

How = Literal["identity", "title", "several", "none"]


@dataclass(frozen=True, slots=True)
class Match:
    """How something was found and which: one id, or with "several" all there are to choose from."""

    how: How
    ids: tuple[str, ...] = ()

    @property
    def found(self) -> str:
        """The one id; "" where a person must choose or nothing is there."""
        return self.ids[0] if self.how in {"identity", "title"} else ""


def match(wanted: Named, known: Iterable[Named]) -> Match:
    """By Canvas's id; else by guid; else by the title as written; else by the title whatever its case and spaces.

    Several with the same guid are told apart by their titles; several with the same title not at all.
    """
    listed = list(known)
    if wanted.id and any(one.id == wanted.id for one in listed):
        return Match("identity", (wanted.id,))
    same = [one for one in listed if wanted.guid and one.guid == wanted.guid]
    if len(same) == 1:
        return Match("identity", (same[0].id,))
    for alike in (str.strip, folded):
        title = alike(wanted.title)
        titled = [one.id for one in same or listed if alike(one.title) == title]
        if titled:
            return Match("title" if len(titled) == 1 else "several", tuple(titled))
    return Match("several", tuple(one.id for one in same)) if same else Match("none")


def folded(title: str) -> str:
    """The title without the differences nobody means: case, spaces, and how an accent is encoded."""
    return " ".join(unicodedata.normalize("NFKC", title).casefold().split())


@dataclass(frozen=True, slots=True)
class Here:
    """What the course has."""

    outcomes: Sequence[Named]
    targets: Sequence[Named]
    """The assignments grades can go to."""
    assignments: Sequence[Named]
    """All of them: what a calculation ignores need not take grades."""
    schemes: Sequence[Named] | None
    """None: they could not be read."""
    fed: Mapping[str, str]
    """Targets in use, by `target_key`, and the alignment that feeds each."""


@dataclass(frozen=True, slots=True)
class Place:
    """A target an entry could get; `replaces`: the alignment whose target it is now."""

    target: TargetChoice
    replaces: str = ""

    @property
    def value(self) -> str:
        """How a form names it."""
        if self.replaces:
            return f"replace-{self.replaces}"
        target = self.target
        return f"assignment-{target.assignment_id}" if isinstance(target, AssignmentTarget) else "column"


@dataclass(frozen=True, slots=True)
class EntryMatch:
    """One entry and what the course has of it. The first of `places` is the usual one, unless the target is
    "several": then somebody must choose."""

    entry: TemplateEntry
    outcomes: tuple[Match, ...]
    target: How | Literal["column", "in use"]
    places: tuple[Place, ...]
    scheme: Match | None
    ignored: tuple[Match, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to choose and nothing is in the way."""
        ids = [one.found for one in self.outcomes]
        return (
            all(ids)
            and len(set(ids)) == len(ids)
            and self.target not in {"several", "in use"}
            and (self.scheme is None or self.scheme.how != "several")
            and all(one.how != "several" for one in self.ignored)
        )


def match_entries(entries: Iterable[TemplateEntry], here: Here) -> list[EntryMatch]:
    """Every entry, in order. New columns get labels that neither the course nor another entry uses."""
    listed = list(entries)
    labels = {key.removeprefix("column ") for key in here.fed if key.startswith("column ")}
    labels |= {one.shape.target.label for one in listed if isinstance(one.shape.target, ColumnTarget)}
    return [_match_entry(one, here, labels) for one in listed]


def _match_entry(entry: TemplateEntry, here: Here, labels: set[str]) -> EntryMatch:
    how, places = _of_assignment(entry, here, labels) if entry.assignment else _of_column(entry, here, labels)
    scheme = None
    if entry.scheme is not None:
        scheme = match(entry.scheme, here.schemes or ())
    return EntryMatch(
        entry,
        tuple(match(one, here.outcomes) for one in entry.outcomes),
        how,
        places,
        scheme,
        tuple(match(one, here.assignments) for one in entry.ignored),
    )


def _of_column(
    entry: TemplateEntry, here: Here, labels: set[str]
) -> tuple[How | Literal["column", "in use"], tuple[Place, ...]]:
    """The column of that label; where it is fed already, one with a number. An assignment of that name too."""
    target = entry.shape.target
    assert isinstance(target, ColumnTarget)
    named = match(Named(target.label), here.targets)
    free = tuple(Place(one) for one in map(AssignmentTarget, named.ids) if target_key(one) not in here.fed)
    feeder = here.fed.get(target_key(target), "")
    if not feeder:
        return "column", (Place(target), *free)
    return "in use", (_new_column(target.label, entry, labels), Place(target, feeder), *free)


def _of_assignment(
    entry: TemplateEntry, here: Here, labels: set[str]
) -> tuple[How | Literal["column", "in use"], tuple[Place, ...]]:
    """The assignment; a column of its name; where it was not found, any other assignment that is free."""
    assert entry.assignment is not None
    found = match(entry.assignment, here.targets)
    column = _new_column(entry.assignment.title, entry, labels)
    if found.how == "none":
        free = [one for one in here.targets if target_key(AssignmentTarget(one.id)) not in here.fed]
        return "none", (column, *(Place(AssignmentTarget(one.id)) for one in free))
    places = [Place(one, here.fed.get(target_key(one), "")) for one in map(AssignmentTarget, found.ids)]
    if found.how == "several":
        return "several", (*places, column)
    if places[0].replaces:
        return "in use", (column, *places)
    return found.how, (*places, column)


def _new_column(title: str, entry: TemplateEntry, labels: set[str]) -> Place:
    label = free_label(title, labels)
    labels.add(label)
    return Place(ColumnTarget(label, entry.points))


@dataclass(frozen=True, slots=True)
class Chosen:
    """What one entry becomes: an id for each outcome, a target, a scheme (None: the one Canvas uses), and for
    each assignment its calculation ignores the id here, or "" for none."""

    outcomes: tuple[str, ...]
    target: TargetChoice
    scheme: str | None = None
    ignored: tuple[str, ...] = ()


def build(entry: TemplateEntry, chosen: Chosen) -> Definition:
    """The alignment. A column cannot be excused, so a cell that would be is left as it is."""
    shape = entry.shape
    pairs = zip(chosen.outcomes, shape.outcomes, strict=True)
    made = replace(
        shape,
        name=entry.name,
        outcomes=tuple(WeightedOutcome(outcome_id, one.weight) for outcome_id, one in pairs),
        target=chosen.target,
    )
    if isinstance(shape.rule, Scheme):
        made = replace(made, rule=Scheme(chosen.scheme))
    if shape.calculation is not None:
        made = replace(made, calculation=_ignoring(shape.calculation, chosen.ignored))
    if loses_excuse(entry, chosen.target):
        made = replace(made, evidence=replace(shape.evidence, otherwise="leave"))
    return made


def _ignoring(calculation: Calculation, chosen: Sequence[str]) -> Calculation:
    """The calculation with the assignments of this course in the places of the template's."""
    here = dict(zip(calculation.ignore_assignments, chosen, strict=True))
    ignored = dict.fromkeys(one for one in here.values() if one)
    reasons = {here[place]: reason for place, reason in calculation.ignore_reasons if here[place]}
    return replace(calculation, ignore_assignments=tuple(ignored), ignore_reasons=tuple(reasons.items()))


def loses_excuse(entry: TemplateEntry, target: TargetChoice) -> bool:
    """Whether the entry excuses students and its target here cannot."""
    return entry.shape.evidence.otherwise == "excuse" and isinstance(target, ColumnTarget)
