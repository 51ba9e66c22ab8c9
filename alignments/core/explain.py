"""The rule, and one student's result, in words a parent understands."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from alignments.core import levels, schemes
from alignments.core.calculationwords import calculation_in_words, shown
from alignments.core.checks import has_points_line
from alignments.core.definition import (
    FULL_CREDIT,
    NO_CREDIT,
    Criteria,
    CriteriaGrade,
    Cutoff,
    Definition,
    Line,
    MasteryLine,
    Percent,
    PointsLine,
    Proportional,
    Scheme,
    Table,
)
from alignments.core.levels import Score
from alignments.core.numbers import plain, short
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
                f"{_share(step.credit)} from {line_in_words(step.at, definition, outcomes)}" for step in steps
            )
            return f"{listed}, in between in proportion" if interpolate else listed
        case Scheme():
            return "what the letter of the grading scheme is worth"
        case Criteria(grades):
            return "; ".join(_criterion(grade, definition, outcomes) for grade in grades)


def credit_in_words(credit: Percent) -> str:
    """ "full credit", "no credit" or "85 %"."""
    if credit == FULL_CREDIT:
        return "full credit"
    return "no credit" if credit == NO_CREDIT else _share(credit)


def _share(percent: Percent) -> str:
    return f"{plain(percent.number)} %"


def _at(line: Line, definition: Definition, outcomes: Mapping[str, Outcome]) -> str:
    if isinstance(line, MasteryLine) and len(definition.outcomes) > 1:
        return {
            "mean": "where the average mastery level is reached",
            "min": "when every one is mastered",
            "max": "when any is mastered",
            "share": "when every one is mastered",
        }[definition.combine]
    return f"at {line_in_words(line, definition, outcomes)}"


def line_in_words(line: Line, definition: Definition, outcomes: Mapping[str, Outcome]) -> str:
    first = outcomes.get(definition.outcomes[0].outcome_id)
    top = first.points_possible if first is not None else None
    if isinstance(line, MasteryLine):
        if len(definition.outcomes) > 1 or first is None or first.mastery_points is None:
            return "mastery"
        return _of(first.mastery_points, top)
    if isinstance(line, PointsLine):
        return _of(line.points, top)
    return f"{_share(line.percent)} of the scale"


def _of(points: Decimal, top: Decimal | None) -> str:
    return f"{plain(points)} points" if top is None else f"{plain(points)} of {plain(top)}"


def _criterion(grade: CriteriaGrade, definition: Definition, outcomes: Mapping[str, Outcome]) -> str:
    parts = []
    if grade.all_at_least is not None:
        parts.append(
            f"every outcome is at least at {line_in_words(grade.all_at_least, definition, outcomes)}"
        )
    if grade.none_below is not None:
        parts.append(f"none is below {line_in_words(grade.none_below, definition, outcomes)}")
    if grade.mastered_at_least is not None:
        parts.append(f"{grade.mastered_at_least} or more are mastered")
    if grade.average_at_least is not None:
        parts.append(
            f"the average is at least at {line_in_words(grade.average_at_least, definition, outcomes)}"
        )
    return (
        f"{credit_in_words(grade.credit)} if {' and '.join(parts)}"
        if parts
        else f"otherwise {credit_in_words(grade.credit)}"
    )


def explain_cell(
    definition: Definition,
    outcomes: Mapping[str, Outcome],
    scores: Mapping[str, Score | None],
    points: Decimal,
    scheme: GradingScheme | None = None,
) -> list[str]:
    """One student's evidence, the arithmetic and the result, a sentence each, ending in the exact grade.

    Only for an alignment that `rules.check` finds nothing wrong with. Percentages are shown rounded to two
    decimals; the grade is worked out from the exact ones.
    """
    wanted = Decider(definition, outcomes, points, scheme).wanted(scores)
    said = [_evidence(outcomes[one], scores.get(one)) for one in definition.outcome_ids]
    if wanted.level is None or wanted.share is None or wanted.score is None:
        evidence = definition.evidence
        needed = f"{wanted.assessed} of {len(definition.outcomes)} assessed, {evidence.at_least} needed"
        return [*said, f"{needed}: {TOO_LITTLE[evidence.otherwise]}."]
    if len(definition.outcomes) > 1:
        said.append(_combined(definition, wanted.level))
    said.append(f"Rule: {rule_in_words(definition, outcomes)}.")
    if isinstance(definition.rule, Scheme) and scheme is not None:
        letter = schemes.letter_for(schemes.letters(scheme), wanted.level)
        said.append(f"That is the letter {letter.name}, which counts from {_percent(letter.bound)}.")
    unit = "point" if points == 1 else "points"
    said.append(f"{_percent(wanted.share)} of {plain(points)} {unit} is {plain(wanted.score)}.")
    return said


def _evidence(outcome: Outcome, score: Score | None) -> str:
    if score is None or outcome.points_possible is None:
        return f"{outcome.title}: not assessed."
    level = max(levels.ZERO, Fraction(score) / Fraction(outcome.points_possible))
    words = (
        f"{outcome.title}: {shown(score)} of {plain(outcome.points_possible)}, {_percent(level)} of the scale"
    )
    if outcome.mastery_points is None:
        return f"{words}."
    line = Fraction(outcome.mastery_points) / Fraction(outcome.points_possible)
    mastered = "mastered" if level >= line else "not mastered"
    return f"{words}; {mastered} (mastery is {plain(outcome.mastery_points)})."


def _combined(definition: Definition, level: Fraction) -> str:
    how = "mean" if isinstance(definition.rule, Criteria) else definition.combine
    names = {"mean": "On average", "min": "The lowest", "max": "The highest", "share": "Mastered, by weight"}
    return f"{names[how]}: {_percent(level)}."


def _percent(share: Fraction) -> str:
    return f"{short(share * 100)} %"


def why_not_the_percentage(definition: Definition, outcomes: Mapping[str, Outcome]) -> str | None:
    """Where points on a scale read like a percentage and are not: why 3 of 4 is not 75 %."""
    rule = definition.rule
    if not isinstance(rule, Table | Cutoff) or not has_points_line(rule):
        return None
    first = outcomes.get(definition.outcomes[0].outcome_id)
    if first is None or first.mastery_points is None or first.points_possible is None:
        return None
    mastery = _of(first.mastery_points, first.points_possible)
    return f"{mastery} is this scale's mastery level, not a mark out of a total: the rule says what it earns."


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
    mastery = _of(first.mastery_points, first.points_possible)
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
