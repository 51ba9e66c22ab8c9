"""The rule, and one student's result, in words a parent understands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from alignments.core import levels
from alignments.core.because import Worked, combined_in_words, rule_applied, to_points
from alignments.core.calculationwords import calculation_in_words, shown
from alignments.core.checks import lines
from alignments.core.definition import (
    NO_CREDIT,
    Criteria,
    Cutoff,
    Definition,
    Line,
    MasteryLine,
    Proportional,
    Scheme,
    ShareLine,
    Table,
)
from alignments.core.levels import Score
from alignments.core.linewords import (
    credit_in_words,
    criterion_in_words,
    day_in_words,
    line_in_words,
    percent_in_words,
    points_in_words,
)
from alignments.core.numbers import percentage, plain, short
from alignments.core.rules import Decider
from canvas.values import GradingScheme, Outcome

COMBINED = {
    "mean": "the average of {count} outcomes",
    "min": "the lowest of {count} outcomes",
    "max": "the highest of {count} outcomes",
    "share": "the share mastered of {count} outcomes",
}
TOO_LITTLE = {
    "leave": "the cell is left as it is",
    "zero": "the grade is 0",
    "excuse": "the student is excused",
    "clear": "the cell is emptied",
}


def rule_in_words(definition: Definition, outcomes: Mapping[str, Outcome] | None = None) -> str:
    """The rule as a phrase, such as "full credit at 3 of 4". `outcomes` give scales where Canvas was read."""
    words = _with_combination(definition, outcomes or {})
    if definition.calculation is None:
        return words
    whose = "the score" if len(definition.outcomes) == 1 else "each outcome's score"
    return f"{words}; {whose} is {calculation_in_words(definition.calculation)}"


def _with_combination(definition: Definition, outcomes: Mapping[str, Outcome]) -> str:
    words = _rule(definition, outcomes)
    count = len(definition.outcomes)
    if count == 1 or isinstance(definition.rule, Criteria):
        return words
    return f"{COMBINED[definition.combine].format(count=count)}: {words}"


def _rule(definition: Definition, outcomes: Mapping[str, Outcome]) -> str:
    match definition.rule:
        case Cutoff(at, credit, below):
            words = f"{credit_in_words(credit)} {_at(at, definition, outcomes)}"
            return words if below == NO_CREDIT else f"{words}, {credit_in_words(below)} below"
        case Proportional():
            return "in proportion to the level"
        case Table(steps, interpolate):
            listed = ", ".join(
                f"{percent_in_words(step.credit)} from {line_in_words(step.at, definition, outcomes)}"
                for step in steps
            )
            return f"{listed}, in between in proportion" if interpolate else listed
        case Scheme():
            return "what the letter of the grading scheme is worth"
        case Criteria(grades):
            return "; ".join(criterion_in_words(grade, definition, outcomes) for grade in grades)


def _at(line: Line, definition: Definition, outcomes: Mapping[str, Outcome]) -> str:
    if isinstance(line, MasteryLine) and len(definition.outcomes) > 1:
        return {
            "mean": "where the average mastery level is reached",
            "min": "when every one is mastered",
            "max": "when any is mastered",
            "share": "when every one is mastered",
        }[definition.combine]
    return f"at {line_in_words(line, definition, outcomes)}"


def explain_cell(
    definition: Definition,
    outcomes: Mapping[str, Outcome],
    scores: Mapping[str, Score | None],
    points: Decimal,
    scheme: GradingScheme | None = None,
    newest: Mapping[str, datetime] | None = None,
) -> list[str]:
    """One student's evidence, the arithmetic and the result, a sentence each, ending in the exact grade.

    Only for an alignment that `rules.check` finds nothing wrong with. Percentages are shown rounded to two
    decimals; the grade is worked out from the exact ones. `newest`: when each outcome's newest evidence came.
    """
    decider = Decider(definition, outcomes, points, scheme)
    wanted = decider.wanted(scores)
    as_share, dates = _counts_shares(definition), newest or {}
    said = [
        _evidence(outcomes[one], scores.get(one), dates.get(one), as_share=as_share)
        for one in definition.outcome_ids
    ]
    if wanted.level is None or wanted.share is None or wanted.score is None:
        return [*said, _too_little(definition, wanted.assessed)]
    worked = Worked(definition, outcomes, scores, decider.assess(scores), wanted.level, wanted.share)
    said.append(combined_in_words(worked))
    said.append(f"Rule: {rule_in_words(definition, outcomes)}.")
    said.append(rule_applied(worked, scheme))
    said.append(to_points(wanted.share, points, wanted.score))
    return [sentence for sentence in said if sentence]


def _too_little(definition: Definition, assessed: int) -> str:
    evidence, count = definition.evidence, len(definition.outcomes)
    what = TOO_LITTLE[evidence.otherwise]
    if count == 1:
        return f"Without evidence {what}."
    return f"{assessed} of {count} outcomes assessed, {evidence.at_least} needed: {what}."


def _evidence(outcome: Outcome, score: Score | None, newest: datetime | None, *, as_share: bool) -> str:
    """ "1.1 Lines: 3 of 4, at mastery (3). Newest evidence: 3 March 2026."; `as_share`: what that is of the scale."""
    if score is None or outcome.points_possible is None:
        return f"{outcome.title}: not assessed."
    level = max(levels.ZERO, Fraction(score) / Fraction(outcome.points_possible))
    said = f"{outcome.title}: {shown(score)} of {plain(outcome.points_possible)}"
    if as_share:
        said += f" ({_percent(level)} of the scale)"
    if outcome.mastery_points is not None:
        line = Fraction(outcome.mastery_points) / Fraction(outcome.points_possible)
        said += f", {'at' if level >= line else 'below'} mastery ({plain(outcome.mastery_points)})"
    return f"{said}." if newest is None else f"{said}. Newest evidence: {day_in_words(newest)}."


def _counts_shares(definition: Definition) -> bool:
    """Whether the rule reckons with shares of the scale. Points on a scale read like a mark out of a total, and
    75 % beside "3 of 4" where the rule never asks for it would be taken for the grade."""
    in_points = isinstance(definition.rule, Table | Cutoff) and not any(
        isinstance(line, ShareLine) for line in lines(definition.rule)
    )
    return len(definition.outcomes) > 1 or not in_points


def surprise(
    definition: Definition, outcomes: Mapping[str, Outcome], scheme: GradingScheme | None = None
) -> tuple[str, str] | None:
    """A headline and a sentence on what exactly reaching mastery earns, where that is not what the share of
    the scale suggests, or is and should not be: "Why 3 of 4 is not 75 %". Only for a whole alignment."""
    known = [outcomes[one] for one in definition.outcome_ids]
    first = known[0]
    scales = {(one.points_possible, one.mastery_points) for one in known}
    if len(scales) > 1 or not first.points_possible or not first.mastery_points:
        return None
    wanted = Decider(definition, outcomes, Decimal(100), scheme).wanted(
        {one.id: one.mastery_points for one in known}
    )
    of_scale = Fraction(first.mastery_points) / Fraction(first.points_possible)
    if wanted.share is None or of_scale >= 1:
        return None
    mastery = points_in_words(first.mastery_points, first.points_possible)
    if wanted.share == of_scale:
        return (
            f"{mastery} counts as {_percent(of_scale)} here",
            f"{mastery} is this scale's mastery level. Under this rule a student who has just reached it gets "
            f"{_percent(of_scale)}; a table or a line gives it what you think it is worth.",
        )
    return (
        f"Why {mastery} is not {_percent(of_scale)}",
        f"{mastery} is this scale's mastery level, not a mark out of a total. The rule says what it earns: "
        f"{_percent(wanted.share)}.",
    )


def _percent(share: Fraction) -> str:
    return percentage(short(share * 100))
