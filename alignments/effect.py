"""What a rule would do to the class as it stands now: how many students get which grade. Nothing is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from alignments import lines
from alignments.classunder import NO_STUDENTS, ClassUnderRule, class_under, scheme_of
from alignments.core.calculationwords import results_in_words
from alignments.core.definition import Definition
from alignments.core.exceptions import Students, with_rule
from alignments.core.explain import TOO_LITTLE, explain_cell, surprise
from alignments.core.numbers import plain
from alignments.histogram import Histogram, histogram
from alignments.lines import Reached
from alignments.pages import Reading
from alignments.scoresources import ScoreSource, score_sources


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
    place: str
    """Names the example on the page, so that it stays open while the rule changes."""
    results: tuple[str, ...] = ()
    """The single results behind it, where the score is calculated from them."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The class under a rule."""

    rows: tuple[EffectRow, ...]
    students: int
    by_the_rule: int
    """How many of them the rule itself counts for."""
    graded: int
    mean: str
    histogram: Histogram | None
    reached: tuple[Reached, ...]
    examples: tuple[Example, ...]
    surprise: tuple[str, str] | None
    apart: str
    """How many students the exceptions concern, as a sentence; "" for none."""
    sources: tuple[ScoreSource, ...]

    @property
    def differs(self) -> bool:
        """Whether Canvas computes some score otherwise than it says."""
        return any(one.differs for one in self.sources)


@dataclass(frozen=True, slots=True)
class NoEffect:
    """Why the class cannot be told."""

    trouble: str
    connect: bool = False


def effect_of(
    definition: Definition, reading: Reading, students: Students | None = NO_STUDENTS, *, names: bool = False
) -> Effect | NoEffect:
    """The class under this rule, or a sentence that says why that cannot be told."""
    found = class_under(definition, reading, students)
    if found.trouble:
        return NoEffect(found.trouble, found.connect)
    scheme, outcomes = scheme_of(definition, reading), reading.evidence.outcomes
    return Effect(
        rows=tuple(rows_of(found, definition)),
        students=len(found.wanted),
        by_the_rule=len(found.by_the_rule),
        graded=len(found.scores),
        mean=found.mean,
        histogram=histogram(found.scores, found.points),
        reached=tuple(lines.reached(definition, outcomes, found, scheme)),
        examples=tuple(_examples(definition, reading, found, names)),
        surprise=surprise(definition, outcomes, scheme),
        apart=apart_in_words(found),
        sources=tuple(score_sources(definition, reading, found)),
    )


def rows_of(found: ClassUnderRule, definition: Definition) -> list[EffectRow]:
    """Each grade that comes out, the highest first, and the students without one."""
    rows = [
        _row(f"{plain(score)} of {plain(found.points)}", count, len(found.wanted))
        for score, count in sorted(Counter(found.scores).items(), reverse=True)
    ]
    without = len(found.wanted) - len(found.scores) - found.left_alone
    if without:
        label = f"Too little evidence: {TOO_LITTLE[definition.evidence.otherwise]}"
        rows.append(_row(label, without, len(found.wanted)))
    if found.left_alone:
        rows.append(_row("Not assessed, by an exception", found.left_alone, len(found.wanted)))
    return rows


def _row(label: str, count: int, students: int) -> EffectRow:
    return EffectRow(label, count, f"{Decimal(count * 100) / students:.2f}")


def apart_in_words(found: ClassUnderRule) -> str:
    """How many students have a rule of their own, and how many none."""
    own, alone = len(found.apart) - found.left_alone, found.left_alone
    said = []
    if own:
        said.append(f"{own:,} student{' has' if own == 1 else 's have'} a rule of their own")
    if alone:
        said.append(f"{alone:,} {'is' if alone == 1 else 'are'} not assessed")
    return f"{' and '.join(said)}: exceptions are counted in here." if said else ""


def _examples(
    definition: Definition, reading: Reading, found: ClassUnderRule, names: bool
) -> Iterator[Example]:
    """Three students: with the lowest, the middle and the highest level."""
    graded = sorted(
        (one.level, place, user)
        for place, (user, one) in enumerate(found.wanted.items())
        if one.level is not None
    )
    places = dict.fromkeys([0, len(graded) // 2, len(graded) - 1]) if graded else {}
    numbers = numbers_of(reading)
    for number, (_, _, user) in enumerate(graded[place] for place in places):
        student = reading.students[user]
        name = student.sortable_name if names and student.sortable_name else f"Student {numbers[user]}"
        score = found.wanted[user].score
        yield Example(
            name,
            f"{plain(score or Decimal(0))} of {plain(found.points)}",
            tuple(_said(definition, reading, found, user)),
            f"class-example-{number}",
            tuple(_results(definition, reading, user)),
        )


def _said(definition: Definition, reading: Reading, found: ClassUnderRule, user: str) -> Iterator[str]:
    """The evidence and the arithmetic of one student, under the rule that counts for them."""
    instead = found.apart.get(user)
    if instead is not None and instead.rule is not None:
        yield instead.sentence(reading.evidence.outcomes)
        definition = with_rule(definition, instead.rule)
    scores, scheme = found.scores_by_user.get(user, {}), scheme_of(definition, reading)
    yield from explain_cell(definition, reading.evidence.outcomes, scores, found.points, scheme)


def _results(definition: Definition, reading: Reading, user: str) -> Iterator[str]:
    """The single results, with dates, and what the calculation makes of them."""
    calculation, results = definition.calculation, reading.results
    if calculation is None or results is None:
        return
    for outcome_id in definition.outcome_ids:
        outcome = reading.evidence.outcomes[outcome_id]
        listed = results.results(outcome, user, calculation.order)
        named = f"{outcome.title}: " if len(definition.outcomes) > 1 else ""
        yield from (f"{named}{line}" for line in results_in_words(calculation, outcome, listed))


def numbers_of(reading: Reading) -> dict[str, int]:
    """Everybody's number, "Student 7": the place in the order of Canvas ids, as in a preview, on every page."""
    everybody = {*reading.students, *reading.evidence.rollups}
    counted = [
        user
        for user in everybody
        if user not in reading.students or not reading.students[user].is_test_student
    ]
    return {user: number for number, user in enumerate(sorted(counted, key=lambda one: (len(one), one)), 1)}


def by_name(reading: Reading) -> Sequence[str]:
    """The class by sortable name, as the gradebook lists it."""
    return sorted(reading.class_ids, key=lambda user: (reading.students[user].sortable_name.casefold(), user))
