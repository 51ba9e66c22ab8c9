"""From a student's rollup scores to what the cell should hold, exactly; rounded once, at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from alignments.core import levels, schemes
from alignments.core.checks import check
from alignments.core.definition import (
    Criteria,
    CriteriaGrade,
    Cutoff,
    Definition,
    Line,
    MasteryLine,
    PointsLine,
    Proportional,
    Rule,
    Scheme,
    Table,
)
from alignments.core.levels import Assessed, Combined
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
    scores: Mapping[str, Decimal | None],
    points: Decimal,
    scheme: GradingScheme | None = None,
) -> Wanted:
    """One student's cell. Only for an alignment that `check` finds nothing wrong with."""
    return Decider(definition, outcomes, points, scheme).wanted(scores)


class Decider:
    """One alignment made ready for a whole class: everything that is not the student's is worked out once,
    and students with the same scores are decided once."""

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
        self._scales = [levels.scale_of(one, outcomes[one.outcome_id]) for one in definition.outcomes]
        self._points = Fraction(points)
        self._share = _share_rule(definition.rule, self._scales[0].top, len(self._scales), scheme)
        self._known: dict[tuple[Decimal | None, ...], Wanted] = {}

    def wanted(self, scores: Mapping[str, Decimal | None]) -> Wanted:
        """What the rule gives for these rollup scores, by outcome id."""
        key = tuple([scores.get(outcome_id) for outcome_id in self._ids])
        wanted = self._known.get(key)
        if wanted is None:
            wanted = self._known[key] = self._decide(scores)
        return wanted

    def _decide(self, scores: Mapping[str, Decimal | None]) -> Wanted:
        assessed = levels.assess(self._scales, scores)
        evidence = self.definition.evidence
        if len(assessed) < evidence.at_least:
            kind = TOO_LITTLE[evidence.otherwise]
            return Wanted(kind, Decimal(0) if kind == "zeroed" else None, len(assessed))
        combined = self._combine(assessed)
        share = self._share(combined, assessed)
        score = rounded(share * self._points, self.definition.round)
        return Wanted("graded", score, len(assessed), combined.level, share)

    def _combine(self, assessed: Sequence[Assessed]) -> Combined:
        criteria = isinstance(self.definition.rule, Criteria)
        return levels.combine("mean" if criteria else self.definition.combine, assessed)


ShareRule = Callable[[Combined, Sequence[Assessed]], Fraction]


def _share_rule(rule: Rule, top: Fraction, outcomes: int, scheme: GradingScheme | None) -> ShareRule:
    """The rule as a function from levels to a share of the target's points. `top` is the common scale's
    where the rule has lines in points; `check` has made sure that there is one."""
    match rule:
        case Cutoff():
            return _cutoff(rule, top)
        case Proportional():
            return lambda combined, assessed: combined.level
        case Table():
            return _table(rule, top)
        case Scheme():
            return _scheme(scheme)
        case Criteria():
            return _criteria(rule, top, outcomes)


def _cutoff(rule: Cutoff, top: Fraction) -> ShareRule:
    credit, below = rule.credit.share, rule.below.share
    if isinstance(rule.at, MasteryLine):
        return lambda combined, assessed: credit if combined.is_mastered else below
    line = _line(rule.at, top)
    return lambda combined, assessed: credit if combined.level >= line else below


def _line(line: Line, top: Fraction) -> Fraction:
    """A line in points or percent as a level."""
    if isinstance(line, MasteryLine):
        raise ValueError("the mastery line depends on the outcomes")
    return Fraction(line.points) / top if isinstance(line, PointsLine) else line.percent.share


def _table(rule: Table, top: Fraction) -> ShareRule:
    steps = [(_line(step.at, top), step.credit.share) for step in rule.levels]
    if rule.interpolate:
        return lambda combined, assessed: _interpolated(steps, combined.level)
    return lambda combined, assessed: max(
        ((line, credit) for line, credit in steps if combined.level >= line), default=(0, levels.ZERO)
    )[1]


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

    def share(combined: Combined, assessed: Sequence[Assessed]) -> Fraction:
        worth = schemes.letter_for(ordered, combined.level).worth
        return combined.level if worth is None else worth

    return share


def _criteria(rule: Criteria, top: Fraction, outcomes: int) -> ShareRule:
    def share(combined: Combined, assessed: Sequence[Assessed]) -> Fraction:
        for grade in rule.grades:
            if _holds(grade, combined, assessed, top, outcomes):
                return grade.credit.share
        return levels.ZERO

    return share


def _holds(
    grade: CriteriaGrade, combined: Combined, assessed: Sequence[Assessed], top: Fraction, outcomes: int
) -> bool:
    """Every condition that was asked for holds. A line on single outcomes is each one's own at mastery."""
    at_least, below, average = grade.all_at_least, grade.none_below, grade.average_at_least
    if at_least is not None and not (
        len(assessed) == outcomes and all(_reaches(one, at_least, top) for one in assessed)
    ):
        return False
    if below is not None and not all(_reaches(one, below, top) for one in assessed):
        return False
    needed = grade.mastered_at_least
    if needed and sum(one.is_mastered for one in assessed) < needed:
        return False
    if isinstance(average, MasteryLine):
        return bool(combined.is_mastered)
    return average is None or combined.level >= _line(average, top)


def _reaches(one: Assessed, line: Line, top: Fraction) -> bool:
    return one.is_mastered if isinstance(line, MasteryLine) else one.level >= _line(line, top)
