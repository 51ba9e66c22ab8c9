"""A template beside a course: what each entry found, what is to choose, and what a choice would make. No requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from alignments import pages, template_notes
from alignments.core import explain, templatejson
from alignments.core.definition import AssignmentTarget, ColumnTarget, Definition, Scheme
from alignments.core.jsonfile import target_key
from alignments.core.numbers import plain
from alignments.core.scales import scales_now
from alignments.core.templatematch import (
    Chosen,
    EntryMatch,
    Here,
    Match,
    Place,
    build,
    match,
    match_entries,
)
from alignments.core.templates import Named, Template
from alignments.offers import points_words, why_not
from alignments.pages import Reading
from alignments.services import StoredAlignment
from alignments.template_services import Application
from canvas.values import Assignment, Outcome

CANVAS = "canvas"
NOTHING = "nothing"
CHOOSE = ("", "Choose…")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing an entry names, what was found, and the choice where there is one (`options` by value)."""

    label: str
    title: str
    pill: str
    tone: str
    words: str = ""
    name: str = ""
    options: tuple[tuple[str, str], ...] = ()
    chosen: str = ""

    @property
    def is_choice(self) -> bool:
        return len(self.options) > 1

    @property
    def value(self) -> str:
        """What was chosen; "" where nothing that is offered was."""
        return self.chosen if self.chosen in dict(self.options) else ""


@dataclass(slots=True)
class Row:
    """One entry of the review. `definition`: what it would become; None while something is to choose."""

    number: int
    found: EntryMatch
    outcomes: list[Line]
    target: Line
    scheme: Line | None
    ignored: list[Line]
    definition: Definition | None = None
    place: Place | None = None
    ticked: bool = False
    problem: str = ""
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.found.entry.name

    @property
    def rule(self) -> str:
        return explain.rule_in_words(self.found.entry.shape)

    @property
    def lines(self) -> list[Line]:
        return [*self.outcomes, self.target, *([self.scheme] if self.scheme else []), *self.ignored]

    @property
    def is_ready(self) -> bool:
        return self.definition is not None and self.found.is_complete and not self.warnings


def digest(template: Template) -> str:
    """Tells whether the template is still the one that was reviewed."""
    body = json.dumps(templatejson.to_json(template, with_ids=True), sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()


class Review:
    """The entries of a template in a course as it was read; `sent` is the form, None when it is first shown."""

    def __init__(
        self,
        template: Template,
        reading: Reading,
        stored: Sequence[StoredAlignment],
        ours: Collection[str],
        sent: Mapping[str, str] | None = None,
        ticked: Collection[str] = (),
    ) -> None:
        self.reading, self.stored, self.sent = reading, {one.id: one for one in stored}, sent
        self.here = _here(reading, stored, ours)
        found = match_entries(template.entries, self.here)
        self.rows = [self._row(number, one) for number, one in enumerate(found)]
        self._warn_of_shared_targets()
        for row in self.rows:
            row.ticked = row.is_ready if sent is None else str(row.number) in ticked

    @property
    def ready(self) -> int:
        return sum(row.is_ready for row in self.rows)

    def applications(self) -> list[Application] | None:
        """What the ticked rows make; None where one of them needs another choice, which its row then says."""
        targets: dict[str, Row] = {}
        wanted = [row for row in self.rows if row.ticked]
        for row in wanted:
            if row.definition is None:
                row.problem = "Choose what is open here, or take the tick away."
                continue
            first = targets.setdefault(target_key(row.definition.target), row)
            if first is not row:
                row.problem = f"“{first.name}” gets the same target: choose another, or take a tick away."
        if any(row.problem for row in wanted):
            return None
        return [self._application(row) for row in wanted]

    def _warn_of_shared_targets(self) -> None:
        """Two entries may name one assignment; the first that is ready gets it."""
        first: dict[str, Row] = {}
        for row in self.rows:
            if row.is_ready and row.definition is not None:
                taken = first.setdefault(target_key(row.definition.target), row)
                if taken is not row:
                    row.warnings.append(f"“{taken.name}” has the same target.")

    def _application(self, row: Row) -> Application:
        assert row.definition is not None and row.place is not None
        target = row.definition.target
        outcomes = self.reading.evidence.outcomes
        points = None
        if isinstance(target, AssignmentTarget):
            points = self.reading.assignments[target.assignment_id].points_possible
        return Application(
            row.definition,
            int(row.place.replaces) if row.place.replaces else None,
            points,
            row.found.entry.omit_from_final_grade if isinstance(target, ColumnTarget) else None,
            scales_now(row.definition, outcomes),
        )

    def _row(self, number: int, found: EntryMatch) -> Row:
        entry = found.entry
        row = Row(
            number,
            found,
            [
                self._outcome(f"outcome-{number}-{place}", wanted, one)
                for place, (wanted, one) in enumerate(zip(entry.outcomes, found.outcomes, strict=True))
            ],
            self._target(f"target-{number}", found),
            self._scheme(f"scheme-{number}", entry.scheme, found.scheme) if entry.scheme else None,
            [
                self._ignored(f"ignore-{number}-{place}", wanted, one)
                for place, (wanted, one) in enumerate(zip(entry.ignored, found.ignored, strict=True))
            ],
        )
        row.place = next((one for one in found.places if one.value == row.target.value), None)
        row.definition = self._definition(row)
        self._annotate(row)
        return row

    def _annotate(self, row: Row) -> None:
        entry, place = row.found.entry, row.place
        chosen = [line.value for line in row.outcomes if line.value]
        if len(set(chosen)) < len(chosen):
            row.warnings.append("Two of its outcomes are one and the same here, so it cannot be made.")
        row.notes += template_notes.notes(entry, place.target if place else None)
        if row.definition is not None and place is not None:
            stored = self.stored.values()
            warnings, notes = template_notes.differences(
                entry, row.definition, self.reading, stored, place.replaces
            )
            row.warnings += warnings
            row.notes += notes

    def _definition(self, row: Row) -> Definition | None:
        outcomes = tuple(line.value for line in row.outcomes)
        values = [*outcomes, *(line.value for line in row.ignored)]
        values += [row.scheme.value] if row.scheme else []
        if row.place is None or not all(values) or len(set(outcomes)) < len(outcomes):
            return None
        scheme = row.scheme.value if row.scheme and row.scheme.value != CANVAS else None
        ignored = tuple("" if line.value == NOTHING else line.value for line in row.ignored)
        return build(row.found.entry, Chosen(outcomes, row.place.target, scheme, ignored))

    def _chosen(self, name: str, usual: str) -> str:
        return usual if self.sent is None else self.sent.get(name, usual)

    def _outcome(self, name: str, wanted: Named, found: Match) -> Line:
        known = self.reading.evidence.outcomes
        if found.found:
            title = known[found.found].title
            words = "" if title.strip() == wanted.title else f"Here it is called “{title}”."
            pill = "same outcome" if found.how == "identity" else "same title"
            return _settled("Outcome", wanted.title, pill, found.found, words)
        chosen = self._chosen(name, "")
        if found.how == "several":
            several = [known[one] for one in found.ids]
            options = tuple((one.id, _with_group(one)) for one in several)
            pill = f"{len(several)} with this title"
        else:
            listed = sorted(known.values(), key=lambda one: pages.natural(one.title))
            options = tuple((one.id, one.title) for one in listed)
            pill = "not in this course"
        return Line("Outcome", wanted.title, pill, "warning", "", name, (CHOOSE, *options), chosen)

    def _target(self, name: str, found: EntryMatch) -> Line:
        places = found.places
        options = tuple((place.value, self._place(place)) for place in places)
        must = found.target == "several"
        chosen = self._chosen(name, "" if must else places[0].value)
        pill, tone, words = self._target_words(found)
        if len(options) == 1 and found.target == "column":
            words = f"{points_words(found.entry.points)}."
        elif len(options) == 1:
            words = f"{words} Instead: {options[0][1]}.".strip()
        return Line(
            "Grades go to",
            found.entry.target_title,
            pill,
            tone,
            words,
            name,
            (*([CHOOSE] if must else []), *options),
            chosen,
        )

    def _target_words(self, found: EntryMatch) -> tuple[str, str, str]:
        if found.target == "in use":
            [feeder] = [place.replaces for place in found.places if place.replaces]
            return "in use", "warning", f"“{self.stored[int(feeder)].title}” feeds it already."
        if found.target == "several":
            return f"{len(found.places) - 1} with this name", "warning", ""
        if found.target == "none" and found.entry.assignment is not None:
            return "not in this course", "warning", self._why_no_target(found.entry.assignment)
        if found.target == "column":
            return "new column", "success", ""
        return ("same assignment" if found.target == "identity" else "same name"), "success", ""

    def _why_no_target(self, wanted: Named) -> str:
        """An assignment of that name may be there and take no grades."""
        same = match(wanted, self.here.assignments).found
        reason = why_not(self.reading.assignments[same], self.reading.schemes) if same else None
        return f"The assignment of this name takes no grades. {reason}" if reason else ""

    def _place(self, place: Place) -> str:
        target = place.target
        if place.replaces:
            return f"In the place of “{self.stored[int(place.replaces)].title}”, whose rule becomes this one"
        if isinstance(target, ColumnTarget):
            return f"New column “{target.label}”, {points_words(target.points)}"
        found = self.reading.assignments[target.assignment_id]
        return f"Assignment “{found.name}”, {points_words(found.points_possible)}"

    def _scheme(self, name: str, wanted: Named, found: Match | None) -> Line:
        assert found is not None
        known = self.reading.known_schemes
        if found.found:
            pill = "same scheme" if found.how == "identity" else "same title"
            return _settled("Grading scheme", wanted.title, pill, found.found)
        listed = known.by_id.values() if known else ()
        chosen = self._chosen(name, "" if found.how == "several" else CANVAS)
        options = [(CANVAS, "Instead the one Canvas uses for the target")]
        options += [(one.id, one.title or f"Scheme {one.id}") for one in listed]
        if found.how == "several":
            kept = {CANVAS, *found.ids}
            options = [CHOOSE, *(one for one in options if one[0] in kept)]
            pill, words = f"{len(found.ids)} with this title", ""
        else:
            pill = "not found"
            words = "" if known else "Canvas does not show its grading schemes to your account."
            if len(options) == 1:
                words = f"{words} The one Canvas uses for the target counts instead.".strip()
        return Line("Grading scheme", wanted.title, pill, "warning", words, name, tuple(options), chosen)

    def _ignored(self, name: str, wanted: Named, found: Match) -> Line:
        assignments = self.reading.assignments
        if found.found:
            pill = "same assignment" if found.how == "identity" else "same name"
            return _settled("Results ignored", wanted.title, pill, found.found)
        several = found.how == "several"
        listed = [assignments[one] for one in found.ids] if several else list(assignments.values())
        options = [(NOTHING, "Ignore none instead"), *((one.id, one.name) for one in listed)]
        pill = f"{len(listed)} with this name" if several else "not in this course"
        chosen = self._chosen(name, "" if several else NOTHING)
        start = [CHOOSE] if several else []
        words = "" if listed else "None is ignored instead."
        return Line("Results ignored", wanted.title, pill, "warning", words, name, (*start, *options), chosen)


def _settled(label: str, title: str, pill: str, found: str, words: str = "") -> Line:
    """A line without a choice: its only option is what was found."""
    return Line(label, title, pill, "success", words, "", ((found, ""),), found)


def _with_group(outcome: Outcome) -> str:
    """Outcomes of one title are told apart by where they hang and by their scale."""
    where = " / ".join(outcome.group_path)
    top = "" if outcome.points_possible is None else f"0 to {plain(outcome.points_possible)}"
    known = ", ".join(filter(None, (where, top)))
    return f"{outcome.title} ({known})" if known else outcome.title


def _here(reading: Reading, stored: Iterable[StoredAlignment], ours: Collection[str]) -> Here:
    known = reading.known_schemes
    return Here(
        outcomes=[Named(one.title, one.id, one.vendor_guid) for one in reading.evidence.outcomes.values()],
        targets=_named(pages.usable(reading, ours)),
        assignments=_named(reading.assignments.values()),
        schemes=[Named(one.title, one.id) for one in known.by_id.values()] if known else None,
        fed={target_key(one.definition.target): str(one.id) for one in stored},
    )


def _named(assignments: Iterable[Assignment]) -> list[Named]:
    return [Named(one.name, one.id) for one in assignments]


def needs_schemes(template: Template) -> bool:
    """Whether a rule of the template needs the course's grading schemes."""
    return any(isinstance(one.shape.rule, Scheme) for one in template.entries)
