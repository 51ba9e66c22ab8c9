"""Why a rule gives what it gives for one student: each step of the arithmetic as a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from alignments.core import levels, schemes
from alignments.core.checks import lines
from alignments.core.definition import (
    FULL_CREDIT,
    Combine,
    Criteria,
    Cutoff,
    Definition,
    Line,
    MasteryLine,
    PointsLine,
    Proportional,
    Scheme,
    Table,
)
from alignments.core.levels import Assessed, Score
from alignments.core.linewords import (
    credit_in_words,
    criterion_in_words,
    is_exact,
    line_in_words,
    percent_in_words,
    share_in_words,
)
from alignments.core.numbers import percentage, plain, short
from alignments.core.rules import Decider, line_level
from canvas.values import GradingScheme, Outcome

MOST_SUMMED = 6
"""More terms than this nobody reads."""


@dataclass(frozen=True, slots=True)
class Worked:
    """One student whose grade can be worked out: the scores, and what became of them."""

    definition: Definition
    outcomes: Mapping[str, Outcome]
    scores: Mapping[str, Score | None]
    assessed: Sequence[Assessed]
    """At least one."""
    level: Fraction
    share: Fraction

    @property
    def combine(self) -> Combine:
        """Criteria look at the outcomes one by one, and at their average."""
        return "mean" if isinstance(self.definition.rule, Criteria) else self.definition.combine

    @property
    def top(self) -> Fraction:
        return self.assessed[0].scale.top


def combined_in_words(one: Worked) -> str:
    """How several outcomes became one level; "" for a single one."""
    if len(one.definition.outcomes) == 1 or not _combination_counts(one):
        return ""
    same_weights = len({each.scale.weight for each in one.assessed}) == 1
    if one.combine == "share":
        mastered = sum(each.is_mastered for each in one.assessed)
        weighed = "" if same_weights else ", counted by weight"
        return f"{mastered} of {len(one.assessed)} mastered{weighed}: {share_in_words(one.level)}."
    level = f"{share_in_words(one.level)}{_on_the_scale(one)}"
    if one.combine == "mean" and 1 < len(one.assessed) <= MOST_SUMMED:
        return f"Average: {_sum(one.assessed, same_weights)} = {level}."
    average = "Average" if len(one.assessed) > 1 else "The one assessed counts"
    names = {"mean": average, "min": "The lowest counts", "max": "The highest counts"}
    return f"{names[one.combine]}: {level}."


def _on_the_scale(one: Worked) -> str:
    """The level in points, where the rule's lines are: nobody has to turn 87.5 % into 3.5 of 4."""
    if not any(isinstance(line, PointsLine) for line in lines(one.definition.rule)):
        return ""
    points = one.level * one.top
    about = "" if is_exact(points, 2) else "about "
    return f", which is {about}{short(points)} of {short(one.top, 6)}"


def _combination_counts(one: Worked) -> bool:
    """Whether the rule looks at the outcomes together, not at each one's own mastery alone."""
    rule = one.definition.rule
    if isinstance(rule, Criteria):
        return any(grade.average_at_least is not None for grade in rule.grades)
    by_mastery = isinstance(rule, Cutoff) and isinstance(rule.at, MasteryLine)
    return not (by_mastery and one.combine in {"min", "max"})


def _sum(assessed: Sequence[Assessed], same_weights: bool) -> str:
    """ "(1 × 50 % + 2 × 75 %) ÷ 3"."""
    shown = [(each.scale.weight, percentage(short(each.level * 100))) for each in assessed]
    if same_weights:
        return f"({' + '.join(text for _, text in shown)}) ÷ {len(shown)}"
    terms = " + ".join(f"{weight} × {text}" for weight, text in shown)
    return f"({terms}) ÷ {sum(weight for weight, _ in shown)}"


def rule_applied(one: Worked, scheme: GradingScheme | None) -> str:
    """Which line, letter or condition of the rule counts here; "" where the level itself is the share."""
    match one.definition.rule:
        case Cutoff() as rule:
            return _cutoff(rule, one)
        case Proportional():
            return ""
        case Table() as rule:
            return _between(rule, one) if rule.interpolate else _step(rule, one)
        case Scheme():
            return _letter(one.level, scheme)
        case Criteria() as rule:
            return _criteria(rule, one)


def _cutoff(rule: Cutoff, one: Worked) -> str:
    if isinstance(rule.at, MasteryLine):
        reached = levels.is_mastered(one.combine, one.assessed)
        words = _mastered(one, reached)
    else:
        reached = one.level >= line_level(rule.at, one.top)
        words = _reached(_line(rule.at, one), reached)
    return f"{words}: {credit_in_words(rule.credit if reached else rule.below)}."


def _mastered(one: Worked, reached: bool) -> str:
    if len(one.definition.outcomes) == 1:
        return _reached(_line(MasteryLine(), one), reached)
    if one.combine == "mean":
        line = sum((each.scale.weight * each.scale.mastery for each in one.assessed), levels.ZERO)
        line /= sum(each.scale.weight for each in one.assessed)
        return _reached(f"the average mastery level, {share_in_words(line)},", reached)
    if one.combine == "max":
        return "One of them at least is mastered" if reached else "None of them is mastered"
    return "Every one of them is mastered" if reached else "Not every one of them is mastered"


def _reached(line: str, reached: bool) -> str:
    words = f"{line} is reached" if reached else f"{line} is not reached"
    return _capital(words)


def _line(line: Line, one: Worked) -> str:
    return line_in_words(line, one.definition, one.outcomes)


def _step(rule: Table, one: Worked) -> str:
    reached = [step for step in rule.levels if one.level >= line_level(step.at, one.top)]
    if not reached:
        return f"The lowest line, {_line(rule.levels[0].at, one)}, is not reached: no credit."
    last = reached[-1]
    return f"The highest line reached is {_line(last.at, one)}: {credit_in_words(last.credit)}."


def _between(rule: Table, one: Worked) -> str:
    """Where the level lies on the straight lines."""
    after = next((step for step in rule.levels if one.level < line_level(step.at, one.top)), None)
    before = [step for step in rule.levels if one.level >= line_level(step.at, one.top)]
    if after is None:
        return f"From {_line(before[-1].at, one)} up it is {credit_in_words(before[-1].credit)}."
    start = (
        f"{_line(before[-1].at, one)} ({percent_in_words(before[-1].credit)})"
        if before
        else f"0 ({percentage('0')})"
    )
    if before and one.level == line_level(before[-1].at, one.top):
        return f"Exactly at {_line(before[-1].at, one)}: {credit_in_words(before[-1].credit)}."
    end = f"{_line(after.at, one)} ({percent_in_words(after.credit)})"
    line = line_level(before[-1].at, one.top) if before else levels.ZERO
    way = (one.level - line) / (line_level(after.at, one.top) - line)
    return f"{_capital(share_in_words(way))} of the way from {start} to {end}: {share_in_words(one.share)}."


def _letter(level: Fraction, scheme: GradingScheme | None) -> str:
    ordered = schemes.letters(scheme) if scheme is not None else ()
    letter = schemes.letter_for(ordered, level)
    found = _capital(share_in_words(level))
    of = f" in “{scheme.title}”" if scheme is not None and scheme.title else ""
    if letter.worth is None:
        return f"{found} is the letter {letter.name}{of}, the lowest, which earns the level itself."
    bound, worth = share_in_words(letter.bound), share_in_words(letter.worth)
    return (
        f"{found} is the letter {letter.name}{of}: it counts from {bound}, and Canvas gives {worth} for it."
    )


def _criteria(rule: Criteria, one: Worked) -> str:
    for grade in rule.grades:
        alone = replace(one.definition, rule=Criteria((replace(grade, credit=FULL_CREDIT),)), sections=())
        if Decider(alone, one.outcomes, Decimal(1)).wanted(one.scores).share == 1:
            return f"The first that is true: {criterion_in_words(grade, one.definition, one.outcomes)}."
    return "None of them is true: no credit."


def to_points(share: Fraction, points: Decimal, score: Decimal) -> str:
    """The last step: the share of the points, and how it was rounded."""
    unit = "point" if points == 1 else "points"
    first, exact = f"{share_in_words(share)} of {plain(points)} {unit} is", share * Fraction(points)
    first = _capital(first)
    if exact == score:
        return f"{first} {plain(score)}."
    text = short(exact, 6) if is_exact(exact, 6) else f"about {short(exact, 4)}"
    return f"{first} {text}, rounded to {plain(score)}."


def _capital(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"
