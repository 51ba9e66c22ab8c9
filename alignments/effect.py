"""What a rule would do to the class as it stands now: how many students get which grade. Nothing is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from alignments import lines
from alignments.core.checks import check
from alignments.core.definition import ColumnTarget, Definition, Scheme
from alignments.core.explain import TOO_LITTLE, explain_cell, rule_in_words, surprise
from alignments.core.levels import Score
from alignments.core.numbers import plain, short
from alignments.core.rules import Decider, Wanted
from alignments.histogram import Histogram, histogram
from alignments.lines import Reached
from alignments.pages import Reading
from canvas.values import GradingScheme

UNREAD_SCHEMES = (
    "Canvas did not show the grading schemes to this account, so its letters cannot be counted here."
)
UNREAD_RESULTS = (
    "This alignment calculates from single results, which are not read here: save it and look at the preview."
)
NO_POINTS = "The assignment has no points in Canvas, so there is no grade to work out."
NOBODY = "There is no active student in this course yet."


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One grade and how many students would get it; `percent` is its share of the class, for the bar."""

    label: str
    count: int
    percent: str


@dataclass(frozen=True, slots=True)
class Example:
    """One student's evidence and grade in words. `name` is "Student 7" while names are hidden."""

    name: str
    grade: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """The class under a rule."""

    rows: tuple[EffectRow, ...]
    students: int
    graded: int
    mean: str
    histogram: Histogram | None
    reached: tuple[Reached, ...]
    examples: tuple[Example, ...]
    surprise: tuple[str, str] | None
    words: str


@dataclass(frozen=True, slots=True)
class ClassUnderRule:
    """Every active student's grade, by Canvas id; or why it cannot be said."""

    wanted: Mapping[str, Wanted]
    points: Decimal = Decimal(0)
    trouble: str = ""

    @property
    def scores(self) -> list[Decimal]:
        """The grades there are."""
        return [one.score for one in self.wanted.values() if one.score is not None]

    @property
    def mean(self) -> str:
        """The mean of the grades there are, rounded for reading; "" where there is none."""
        scores = self.scores
        return short(sum((Fraction(one) for one in scores), Fraction(0)) / len(scores)) if scores else ""


def class_under(definition: Definition, reading: Reading) -> ClassUnderRule:
    """The class, worked out from what was read; no further call."""
    outcomes, points = reading.evidence.outcomes, points_of(definition, reading)
    scheme = scheme_of(definition, reading)
    trouble = _trouble(definition, reading, points, scheme)
    if trouble or points is None:
        return ClassUnderRule({}, trouble=trouble or NO_POINTS)
    decider = Decider(definition, outcomes, points, scheme)
    return ClassUnderRule(
        {user: decider.wanted(scores_of(user, reading)) for user in sorted(reading.class_ids)}, points
    )


def _trouble(
    definition: Definition, reading: Reading, points: Decimal | None, scheme: GradingScheme | None
) -> str:
    if definition.calculation is not None:
        return UNREAD_RESULTS
    if isinstance(definition.rule, Scheme) and reading.known_schemes is None:
        return UNREAD_SCHEMES
    if not points:
        return NO_POINTS
    return check(definition, reading.evidence.outcomes, scheme) or ("" if reading.class_ids else NOBODY)


def scores_of(user: str, reading: Reading) -> Mapping[str, Score | None]:
    """One student's rollup scores."""
    rollup = reading.evidence.rollups.get(user)
    return rollup.scores if rollup else {}


def scheme_of(definition: Definition, reading: Reading) -> GradingScheme | None:
    """The scheme the rule means: the one it names, else the one Canvas uses for the target."""
    known, rule = reading.known_schemes, definition.rule
    if known is None or not isinstance(rule, Scheme):
        return None
    if rule.grading_standard_id:
        return known.find(rule.grading_standard_id)
    target = definition.target
    assignment = None if isinstance(target, ColumnTarget) else reading.assignments.get(target.assignment_id)
    return known.applying_to(assignment, reading.course)


def effect_of(definition: Definition, reading: Reading, *, names: bool = False) -> Effect | str:
    """The class under this rule, or a sentence that says why that cannot be told."""
    found = class_under(definition, reading)
    if found.trouble:
        return found.trouble
    scheme, outcomes = scheme_of(definition, reading), reading.evidence.outcomes
    return Effect(
        rows=tuple(rows_of(found, definition)),
        students=len(found.wanted),
        graded=len(found.scores),
        mean=found.mean,
        histogram=histogram(found.scores, found.points),
        reached=tuple(lines.reached(definition, reading, scheme)),
        examples=tuple(_examples(definition, reading, found, scheme, names)),
        surprise=surprise(definition, outcomes, scheme),
        words=rule_in_words(definition, outcomes),
    )


def rows_of(found: ClassUnderRule, definition: Definition) -> list[EffectRow]:
    """Each grade that comes out, the highest first, and the students without one."""
    rows = [
        _row(f"{plain(score)} of {plain(found.points)}", count, len(found.wanted))
        for score, count in sorted(Counter(found.scores).items(), reverse=True)
    ]
    without = len(found.wanted) - len(found.scores)
    if without:
        label = f"Too little evidence: {TOO_LITTLE[definition.evidence.otherwise]}"
        rows.append(_row(label, without, len(found.wanted)))
    return rows


def _row(label: str, count: int, students: int) -> EffectRow:
    return EffectRow(label, count, f"{Decimal(count * 100) / students:.2f}")


def _examples(
    definition: Definition,
    reading: Reading,
    found: ClassUnderRule,
    scheme: GradingScheme | None,
    names: bool,
) -> list[Example]:
    """Three students: with the lowest, the middle and the highest level."""
    graded = sorted(
        (one.level, place, user)
        for place, (user, one) in enumerate(found.wanted.items())
        if one.level is not None
    )
    places = dict.fromkeys([0, len(graded) // 2, len(graded) - 1]) if graded else {}
    numbers = {user: number for number, user in enumerate(by_name(reading), 1)}
    said = []
    for _, _, user in (graded[place] for place in places):
        words = explain_cell(
            definition, reading.evidence.outcomes, scores_of(user, reading), found.points, scheme
        )
        student = reading.students[user]
        name = student.sortable_name if names and student.sortable_name else f"Student {numbers[user]}"
        score = found.wanted[user].score
        said.append(Example(name, f"{plain(score or Decimal(0))} of {plain(found.points)}", tuple(words)))
    return said


def by_name(reading: Reading) -> Sequence[str]:
    """The class by sortable name, as the gradebook lists it."""
    return sorted(reading.class_ids, key=lambda user: (reading.students[user].sortable_name.casefold(), user))


def points_of(definition: Definition, reading: Reading) -> Decimal | None:
    """What the target is worth now."""
    if isinstance(definition.target, ColumnTarget):
        return definition.target.points
    assignment = reading.assignments.get(definition.target.assignment_id)
    return assignment.points_possible if assignment else None
