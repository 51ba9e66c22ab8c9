"""Why an alignment cannot be worked out with what Canvas has now: a sentence, naming the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alignments.core.definition import (
    Criteria,
    CriteriaGrade,
    Cutoff,
    Definition,
    Line,
    MasteryLine,
    PointsLine,
    Rule,
    Scheme,
    Table,
)
from alignments.core.numbers import plain
from canvas.values import GradingScheme, Outcome


def check(
    definition: Definition, outcomes: Mapping[str, Outcome], scheme: GradingScheme | None
) -> str | None:
    """The first thing that breaks this alignment, or None. A student's scores play no part: a broken
    alignment is never read as "not assessed"."""
    found: list[Outcome] = []
    for outcome_id in definition.outcome_ids:
        outcome = outcomes.get(outcome_id)
        if outcome is None:
            return f"Outcome {outcome_id} is no longer in this course."
        found.append(outcome)
    return (
        _without_scale(found)
        or (_without_mastery(found) if needs_mastery(definition) else None)
        or (_different_scales(found) if has_points_line(definition.rule) else None)
        or (_without_scheme(definition.rule, scheme) if isinstance(definition.rule, Scheme) else None)
    )


def needs_mastery(definition: Definition) -> bool:
    """Whether any outcome's mastery level plays a part."""
    rule, calculation = definition.rule, definition.calculation
    if calculation is not None and calculation.method == "n_mastery":
        return True
    if isinstance(rule, Criteria):
        return any(bool(grade.mastered_at_least) for grade in rule.grades) or MasteryLine() in lines(rule)
    return definition.combine == "share" or MasteryLine() in lines(rule)


def has_points_line(rule: Rule) -> bool:
    """Whether a line is in points, which means something only on one common scale."""
    return any(isinstance(line, PointsLine) for line in lines(rule))


def lines(rule: Rule) -> list[Line]:
    """Every line the rule compares a level with."""
    if isinstance(rule, Cutoff):
        return [rule.at]
    if isinstance(rule, Table):
        return [step.at for step in rule.levels]
    if isinstance(rule, Criteria):
        return [line for grade in rule.grades for line in _conditions(grade)]
    return []


def _conditions(grade: CriteriaGrade) -> Iterator[Line]:
    for line in (grade.all_at_least, grade.none_below, grade.average_at_least):
        if line is not None:
            yield line


def _without_scale(outcomes: Sequence[Outcome]) -> str | None:
    for outcome in outcomes:
        if outcome.points_possible is None or outcome.points_possible <= 0:
            return f'Outcome "{outcome.title}" has no scale: its points possible are missing or 0 in Canvas.'
    return None


def _without_mastery(outcomes: Sequence[Outcome]) -> str | None:
    for outcome in outcomes:
        if outcome.mastery_points is None:
            return f'Outcome "{outcome.title}" has no mastery level in Canvas, and this rule needs one.'
    return None


def _different_scales(outcomes: Sequence[Outcome]) -> str | None:
    first = outcomes[0]
    for other in outcomes[1:]:
        if other.points_possible != first.points_possible:
            return (
                f'Outcomes "{first.title}" and "{other.title}" have different scales ({_top(first)} and '
                f"{_top(other)} points), so a line in points means nothing: use a percentage."
            )
    return None


def _top(outcome: Outcome) -> str:
    return plain(outcome.points_possible) if outcome.points_possible is not None else "no"


def _without_scheme(rule: Scheme, scheme: GradingScheme | None) -> str | None:
    if scheme is None:
        if rule.grading_standard_id is None:
            return "Canvas names no grading scheme for this target: choose one in the rule."
        return (
            f"Canvas shows no grading scheme {rule.grading_standard_id} in this course or its account: it is "
            "gone, or one of the school that you may not read. Choose another in the rule."
        )
    if not scheme.levels:
        return f'Grading scheme "{scheme.title}" has no letters.'
    return None
