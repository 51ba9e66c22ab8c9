"""What the alignment pages show, worked out from what was read of the course. No requests, no queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from alignments import levelbars, offers
from alignments.beginnings import Exclusion
from alignments.classresults import ClassResults
from alignments.core import explain
from alignments.core.checks import check
from alignments.core.definition import AssignmentTarget, ColumnTarget, Definition, Scheme
from alignments.core.exceptions import LOST, with_rule
from alignments.core.numbers import plain
from alignments.core.scales import scale_change
from alignments.core.suggest import Suggestion
from alignments.levelbars import LevelBar
from alignments.services import StoredAlignment
from canvas.schemes import Schemes
from canvas.values import (
    Assignment,
    AssignmentGroup,
    Course,
    CourseEvidence,
    GradingScheme,
    Outcome,
    Student,
)

METHODS = {
    "highest": "the highest result counts",
    "latest": "the most recent result counts",
    "average": "the average of all results",
    "decaying_average": "decaying average, the latest result {int}\N{NO-BREAK SPACE}%",
    "weighted_average": "weighted average, the latest result {int}\N{NO-BREAK SPACE}%",
    "standard_decaying_average": "decaying average, {int}\N{NO-BREAK SPACE}% each time",
    "n_mastery": "mastery must be shown {int} times",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one page read of the course, whole."""

    course: Course
    evidence: CourseEvidence
    students: Mapping[str, Student]
    assignments: Mapping[str, Assignment]
    groups: tuple[AssignmentGroup, ...] = ()
    schemes: Mapping[str, GradingScheme] = field(default_factory=dict)
    """By assignment id, for those graded in letters."""
    known_schemes: Schemes | None = None
    """All schemes in reach, where they were asked for and could be read."""
    results: ClassResults | None = None
    """Single results, where a rule on the page calculates from them."""

    @property
    def class_ids(self) -> frozenset[str]:
        """The students grades go to: active, and not the Test Student."""
        return frozenset(
            one.user_id for one in self.students.values() if one.is_active and not one.is_test_student
        )


@dataclass(frozen=True, slots=True)
class Feed:
    """One target an outcome feeds, and its rule in words."""

    id: int
    target: str
    words: str
    others: int
    problem: str


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One line of "Outcomes and columns"."""

    id: str
    title: str
    group: str
    measures: str
    bar: LevelBar
    students: int
    feeds: tuple[Feed, ...]
    excluded: str
    by_choice: bool
    from_account: bool

    @property
    def needs_attention(self) -> bool:
        return any(feed.problem for feed in self.feeds)

    @property
    def is_unaligned(self) -> bool:
        return not self.feeds and not self.excluded


@dataclass(frozen=True, slots=True)
class Broken:
    """An alignment whose outcome is gone."""

    name: str
    feed: Feed
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader asked to see."""

    text: str = ""
    show: str = ""
    group: str = ""

    @property
    def is_set(self) -> bool:
        return bool(self.text or self.show or self.group)

    def keeps(self, row: OutcomeRow) -> bool:
        if self.group and row.group != self.group:
            return False
        if self.show == "unaligned" and not row.is_unaligned:
            return False
        if self.show == "attention" and not row.needs_attention:
            return False
        if self.show == "left_out" and not row.excluded:
            return False
        words = self.text.casefold().split()
        where = " ".join([row.title, row.group, *(feed.target for feed in row.feeds)]).casefold()
        return all(word in where for word in words)


@dataclass(frozen=True, slots=True)
class Suggested:
    """One suggested pair in words."""

    outcome_id: str
    assignment_id: str
    outcome: str
    assignment: str
    points: str
    because: str

    @property
    def value(self) -> str:
        return f"{self.outcome_id}:{self.assignment_id}"


def outcome_rows(
    reading: Reading, stored: Sequence[StoredAlignment], exclusions: Mapping[str, Exclusion]
) -> list[OutcomeRow]:
    """All outcomes of the course, by group and title, each with the class's levels and what it feeds."""
    feeds: dict[str, list[Feed]] = {}
    for one in stored:
        for outcome_id in one.definition.outcome_ids:
            feeds.setdefault(outcome_id, []).append(feed_of(one, reading))
    class_ids = reading.class_ids
    rows = [
        _row(outcome, reading, class_ids, tuple(feeds.get(outcome.id, ())), exclusions.get(outcome.id))
        for outcome in reading.evidence.outcomes.values()
    ]
    return sorted(rows, key=lambda row: (row.group.casefold(), natural(row.title)))


def natural(title: str) -> tuple[tuple[int, int, str], ...]:
    """A key that puts "1.2" before "1.10"."""
    key: list[tuple[int, int, str]] = []
    digits = text = ""
    for letter in [*title.casefold(), ""]:
        if letter.isdecimal():
            digits += letter
            continue
        if digits:
            key += [(1, 0, text), (0, int(digits), "")]
            digits = text = ""
        text += letter
    return (*key, (1, 0, text))


def _row(
    outcome: Outcome,
    reading: Reading,
    class_ids: Collection[str],
    feeds: tuple[Feed, ...],
    exclusion: Exclusion | None,
) -> OutcomeRow:
    rollups = reading.evidence.rollups
    scores = (rollups[user].scores.get(outcome.id) for user in class_ids if user in rollups)
    return OutcomeRow(
        id=outcome.id,
        title=outcome.title,
        group=" / ".join(outcome.group_path),
        measures=measures(outcome),
        bar=levelbars.level_bar(outcome, (score for score in scores if score is not None)),
        students=len(class_ids),
        feeds=feeds,
        excluded=exclusion.sentence if exclusion else "",
        by_choice=exclusion is not None and exclusion.kind == "choice",
        from_account=outcome.context_type not in {"", "Course"},
    )


def measures(outcome: Outcome) -> str:
    """The scale, the mastery level and Canvas's method, in words."""
    if not outcome.points_possible:
        return "No scale: Canvas gives it no points"
    scale = f"0 to {plain(outcome.points_possible)}"
    mastery = "" if outcome.mastery_points is None else f", mastery at {plain(outcome.mastery_points)}"
    method = METHODS.get(outcome.calculation_method, outcome.calculation_method.replace("_", " "))
    number = "" if outcome.calculation_int is None else str(outcome.calculation_int)
    method = method.format(int=number) if number else method.split(", the latest")[0].split(", {int}")[0]
    return f"{scale}{mastery}; {method.replace('{int}', 'several')}"


def feed_of(stored: StoredAlignment, reading: Reading) -> Feed:
    """What one alignment feeds and what is wrong with it now."""
    definition = stored.definition
    words = explain.rule_in_words(definition, reading.evidence.outcomes)
    return Feed(
        stored.id,
        target_name(definition, reading.assignments),
        words,
        len(definition.outcomes) - 1,
        problem_of(stored, reading) or "",
    )


def kept_feed(stored: StoredAlignment) -> tuple[str, str]:
    """Target and rule in words, for when Canvas could not be read."""
    target = stored.target
    return target.label or f"Assignment {target.assignment_id}", explain.rule_in_words(stored.definition)


def broken_feeds(reading: Reading, stored: Iterable[StoredAlignment]) -> list[Broken]:
    """Alignments with an outcome that is gone: no row of the list shows them whole."""
    outcomes = reading.evidence.outcomes
    found = []
    for one in stored:
        missing = tuple(key for key in one.definition.outcome_ids if key not in outcomes)
        if missing:
            found.append(Broken(one.name, feed_of(one, reading), missing))
    return found


def target_name(definition: Definition, assignments: Mapping[str, Assignment]) -> str:
    """The target as a person knows it."""
    if isinstance(definition.target, ColumnTarget):
        return definition.target.label
    known = assignments.get(definition.target.assignment_id)
    return known.name if known else f"Assignment {definition.target.assignment_id}"


def problem_of(stored: StoredAlignment, reading: Reading) -> str | None:
    """Why a sync would hold this alignment's cells, and what to do; None where it would not."""
    definition = stored.definition
    outcomes = reading.evidence.outcomes
    if not isinstance(definition.rule, Scheme):
        problem = check(definition, outcomes, None)
    else:
        gone = [one for one in definition.outcome_ids if one not in outcomes]
        problem = f"Outcome {gone[0]} is no longer in this course." if gone else None
    return problem or _exceptions_problem(stored, reading) or _target_problem(stored, reading)


def _exceptions_problem(stored: StoredAlignment, reading: Reading) -> str:
    """Exceptions that cannot be opened, or a scale that is not the one the alignment was made for."""
    if stored.students is None:
        return LOST
    others = [with_rule(stored.definition, rule) for rule in stored.students.values() if rule is not None]
    return scale_change(stored.definition, stored.scales, reading.evidence.outcomes, others)


def _target_problem(stored: StoredAlignment, reading: Reading) -> str | None:
    target = stored.definition.target
    assignment_id = (
        target.assignment_id if isinstance(target, AssignmentTarget) else stored.target.assignment_id
    )
    if not assignment_id or (isinstance(target, ColumnTarget) and not stored.target.line_item_url):
        return None  # a column not made yet, or saved again to be made again
    assignment = reading.assignments.get(assignment_id)
    if assignment is None:
        what = "assignment" if isinstance(target, AssignmentTarget) else "column"
        again = " to make it again" if isinstance(target, ColumnTarget) else ""
        return f"Its {what} is no longer in this course. Open the alignment and save it{again}."
    points, expected = assignment.points_possible, stored.expected_points
    if points and expected is not None and points != expected:
        changed = f"from {plain(expected)} to {plain(points)}"
        return (
            f"Its points were changed in Canvas {changed}. Open the alignment and save it if that is right."
        )
    return offers.why_not(assignment, reading.schemes)


def suggested(pairs: Iterable[Suggestion], reading: Reading) -> list[Suggested]:
    """The pairs in words."""
    return [_suggested(pair, reading) for pair in pairs]


def usable(reading: Reading, ours: Collection[str]) -> list[Assignment]:
    """The assignments a suggestion may name: grades can go there, and no column of this tool (`ours`)."""
    return [
        one
        for one in reading.assignments.values()
        if one.id not in ours and offers.why_not(one, reading.schemes) is None
    ]


def _suggested(pair: Suggestion, reading: Reading) -> Suggested:
    assignment = reading.assignments[pair.assignment_id]
    return Suggested(
        pair.outcome_id,
        pair.assignment_id,
        reading.evidence.outcomes[pair.outcome_id].title,
        assignment.name,
        offers.points_words(assignment.points_possible),
        f"same {pair.because}",
    )


def filtered(rows: Iterable[OutcomeRow], filters: Filters) -> list[tuple[str, list[OutcomeRow]]]:
    """The rows to show, by group."""
    groups: dict[str, list[OutcomeRow]] = {}
    for row in rows:
        if filters.keeps(row):
            groups.setdefault(row.group, []).append(row)
    return list(groups.items())
