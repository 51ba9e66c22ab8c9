"""How many students reach each line of a rule, asked of the same functions that decide grades."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from alignments.classunder import ClassUnderRule
from alignments.core import schemes
from alignments.core.checks import check
from alignments.core.definition import (
    FULL_CREDIT,
    NO_CREDIT,
    AssignmentTarget,
    Criteria,
    Cutoff,
    Definition,
    Line,
    MasteryLine,
    Percent,
    Proportional,
    Rule,
    Scheme,
    ShareLine,
    Table,
)
from alignments.core.levels import Score
from alignments.core.linewords import criterion_in_words, line_in_words
from alignments.core.numbers import percentage, plain, short
from alignments.core.rules import Decider
from canvas.values import GradingScheme, Outcome


@dataclass(frozen=True, slots=True)
class Reached:
    """What a line asks, as "reach 3 of 4", and how many students do."""

    words: str
    count: int


def reached(
    definition: Definition,
    outcomes: Mapping[str, Outcome],
    found: ClassUnderRule,
    scheme: GradingScheme | None,
) -> Iterator[Reached]:
    """Each line of the rule, in the rule's order; with criteria, each grade that has conditions and who meets
    them. Students with a rule of their own, or none, are not counted."""
    scores: list[Mapping[str, Score | None]] = [
        found.scores_by_user.get(user, {}) for user in found.by_the_rule
    ]
    for words, rule in _lines(definition, outcomes, scheme):
        asked = replace(definition, rule=rule, target=AssignmentTarget("1"), round=0)
        if check(asked, outcomes, None) is None:
            decider = Decider(asked, outcomes, Decimal(1))
            yield Reached(words, sum(decider.wanted(one).share == Fraction(1) for one in scores))


def _lines(
    definition: Definition, outcomes: Mapping[str, Outcome], scheme: GradingScheme | None
) -> Iterator[tuple[str, Rule]]:
    match definition.rule:
        case Cutoff(at):
            yield f"reach {line_in_words(at, definition, outcomes)}", _at(at)
        case Table(levels):
            for level in reversed(levels):
                yield f"reach {line_in_words(level.at, definition, outcomes)}", _at(level.at)
        case Proportional():
            yield f"reach {line_in_words(MasteryLine(), definition, outcomes)}", _at(MasteryLine())
        case Scheme():
            for letter in schemes.letters(scheme) if scheme else ():
                bound = Percent(_exact(letter.bound * 100))
                yield (
                    f"reach {letter.name} ({percentage(short(letter.bound * 100))} and up)",
                    _at(ShareLine(bound)),
                )
        case Criteria(grades):
            for grade in grades:
                alone = Criteria((replace(grade, credit=FULL_CREDIT),))
                words = criterion_in_words(grade, definition, outcomes)
                if not words.startswith("otherwise"):
                    yield f"meet the conditions for {words.replace(' if ', ': ', 1)}", alone


def _at(line: Line) -> Cutoff:
    return Cutoff(line, FULL_CREDIT, NO_CREDIT)


def _exact(bound: Fraction) -> Decimal:
    """A bound is a decimal that Canvas sent, so its percentage is one too."""
    return Decimal(plain(Decimal(bound.numerator) / Decimal(bound.denominator)))
