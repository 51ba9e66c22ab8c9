"""From a student's scores to what the cell should hold, exactly; rounded once, at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from alignments.core import levels, schemes
from alignments.core.checks import check
from alignments.core.definition import (
    Combine,
    Criteria,
    CriteriaGrade,
    Cutoff,
    Definition,
    Line,
    MasteryLine,
    PointsLine,
    Proportional,
    Scheme,
    ShareLine,
    Table,
)
from alignments.core.levels import Assessed, Score
from alignments.core.numbers import rounded
from canvas.values import GradingScheme, Outcome

__all__ = ["Decider", "Wanted", "WantedKind", "check", "decide"]

WantedKind = Literal["graded", "zeroed", "excused", "cleared", "not_enough"]

TOO_LITTLE: dict[str, WantedKind] = {
    "leave": "not_enough",
    "zero": "zeroed",
    "excuse": "excused",
    "clear": "cleared",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one cell should hold. `score` is set when graded or zeroed; `assessed` counts the outcomes with
    evidence; `level` and `share` are exact and set when graded."""

    kind: WantedKind
    score: Decimal | None
    assessed: int
    level: Fraction | None = None
    share: Fraction | None = None


def decide(
    definition: Definition,
    outcomes: Mapping[str, Outcome],
    scores: Mapping[str, Score | None],
    points: Decimal,
    scheme: GradingScheme | None = None,
) -> Wanted:
    """One student's cell. Only for an alignment that `check` finds nothing wrong with."""
    return Decider(definition, outcomes, points, scheme).wanted(scores)


class Decider:
    """One alignment made ready for a whole class: everything that is not the student's is worked out once,
    a score's level once, and students with the same scores are decided once."""

    def __init__(
        self,
        definition: Definition,
        outcomes: Mapping[str, Outcome],
        points: Decimal,
        scheme: GradingScheme | None = None,
    ) -> None:
        broken = check(definition, outcomes, scheme)
        if broken is not None:
            raise ValueError(broken)
        self.definition = definition
        self._ids = definition.outcome_ids
        self._combine: Combine = "mean" if isinstance(definition.rule, Criteria) else definition.combine
        self._scales = levels.scales_of(definition.outcomes, outcomes)
        self._points = Fraction(points)
        self._share = _share_rule(definition, self._scales[0].top, scheme)
        self._levels: dict[tuple[str, Score], Assessed] = {}
        self._known: dict[tuple[Score | None, ...], Wanted] = {}

    def wanted(self, scores: Mapping[str, Score | None]) -> Wanted:
        """What the rule gives for these scores, by outcome id."""
        key = tuple([scores.get(outcome_id) for outcome_id in self._ids])
        wanted = self._known.get(key)
        if wanted is None:
            wanted = self._known[key] = self._decide(scores)
        return wanted

    def _decide(self, scores: Mapping[str, Score | None]) -> Wanted:
        assessed = self.assess(scores)
        evidence = self.definition.evidence
        if len(assessed) < evidence.at_least:
            kind = TOO_LITTLE[evidence.otherwise]
            return Wanted(kind, Decimal(0) if kind == "zeroed" else None, len(assessed))
        level = levels.combined_level(self._combine, assessed)
        share = self._share(level, assessed)
        score = rounded(share * self._points, self.definition.round)
        return Wanted("graded", score, len(assessed), level, share)

    def assess(self, scores: Mapping[str, Score | None]) -> list[Assessed]:
        """The outcomes with evidence. No score and a null score are none; 0 is a score."""
        assessed = []
        for scale in self._scales:
            score = scores.get(scale.outcome_id)
            if score is not None:
                key = (scale.outcome_id, score)
                if key not in self._levels:
                    self._levels[key] = levels.assess(scale, score)
                assessed.append(self._levels[key])
        return assessed


ShareRule = Callable[[Fraction, Sequence[Assessed]], Fraction]


def _share_rule(definition: Definition, top: Fraction, scheme: GradingScheme | None) -> ShareRule:
    """The rule as a function from the level to a share of the target's points. `top` is the common scale's
    where the rule has lines in points; `checks` has made sure that there is one."""
    match definition.rule:
        case Cutoff() as rule:
            return _cutoff(rule, definition.combine, top)
        case Proportional():
            return lambda level, assessed: level
        case Table() as rule:
            return _table(rule, top)
        case Scheme():
            return _scheme(scheme)
        case Criteria() as rule:
            return _criteria(rule, top, len(definition.outcomes))


def _cutoff(rule: Cutoff, combine: Combine, top: Fraction) -> ShareRule:
    credit, below = rule.credit.share, rule.below.share
    if isinstance(rule.at, MasteryLine):
        return lambda level, assessed: credit if levels.is_mastered(combine, assessed) else below
    line = line_level(rule.at, top)
    return lambda level, assessed: credit if level >= line else below


def line_level(line: PointsLine | ShareLine, top: Fraction) -> Fraction:
    """A line in points or percent as a level."""
    return Fraction(line.points) / top if isinstance(line, PointsLine) else line.percent.share


def _table(rule: Table, top: Fraction) -> ShareRule:
    steps = [(line_level(step.at, top), step.credit.share) for step in rule.levels]
    if rule.interpolate:
        return lambda level, assessed: _interpolated(steps, level)
    falling = steps[::-1]
    return lambda level, assessed: next((credit for line, credit in falling if level >= line), levels.ZERO)


def _interpolated(steps: Sequence[tuple[Fraction, Fraction]], level: Fraction) -> Fraction:
    """On the straight lines from (0, 0) through every step; above the last, its credit."""
    before, credit_before = levels.ZERO, levels.ZERO
    for line, credit in steps:
        if level < line:
            return credit_before + (credit - credit_before) * (level - before) / (line - before)
        before, credit_before = line, credit
    return credit_before


def _scheme(scheme: GradingScheme | None) -> ShareRule:
    ordered = schemes.letters(scheme) if scheme is not None else ()

    def share(level: Fraction, assessed: Sequence[Assessed]) -> Fraction:
        worth = schemes.letter_for(ordered, level).worth
        return level if worth is None else worth

    return share


Condition = Callable[[Fraction, Sequence[Assessed]], bool]


def _criteria(rule: Criteria, top: Fraction, outcomes: int) -> ShareRule:
    steps = [(_conditions(grade, top, outcomes), grade.credit.share) for grade in rule.grades]

    def share(level: Fraction, assessed: Sequence[Assessed]) -> Fraction:
        for conditions, credit in steps:
            if all(holds(level, assessed) for holds in conditions):
                return credit
        return levels.ZERO

    return share


def _conditions(grade: CriteriaGrade, top: Fraction, outcomes: int) -> list[Condition]:
    """The conditions that were asked for."""
    found: list[Condition] = []
    if grade.all_at_least is not None:
        found.append(lambda level, assessed: len(assessed) == outcomes)
        found.append(_each(grade.all_at_least, top))
    if grade.none_below is not None:
        found.append(_each(grade.none_below, top))
    if grade.mastered_at_least:
        needed = grade.mastered_at_least
        found.append(lambda level, assessed: sum(one.is_mastered for one in assessed) >= needed)
    if grade.average_at_least is not None:
        found.append(_average(grade.average_at_least, top))
    return found


def _each(line: Line, top: Fraction) -> Condition:
    """Every assessed outcome reaches the line; the mastery line is each one's own."""
    if isinstance(line, MasteryLine):
        return lambda level, assessed: all(one.is_mastered for one in assessed)
    height = line_level(line, top)
    return lambda level, assessed: all(one.level >= height for one in assessed)


def _average(line: Line, top: Fraction) -> Condition:
    """The weighted mean, which is the level under criteria, reaches the line."""
    if isinstance(line, MasteryLine):
        return lambda level, assessed: levels.is_mastered_on_average(assessed)
    height = line_level(line, top)
    return lambda level, assessed: level >= height
