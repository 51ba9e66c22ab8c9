"""Who is not graded by the alignment's rule: single students, then sections. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from alignments.core.checks import has_points_line
from alignments.core.definition import (
    Criteria,
    CriteriaGrade,
    Definition,
    LeftOut,
    OwnRule,
    SectionException,
    WeightedOutcome,
)
from canvas.values import Outcome

Because = Literal["student", "section"]
NOT_ASSESSED = {
    "student": "This student is marked as not assessed here, so the cell is left alone.",
    "section": "This student's section is marked as not assessed here, so the cell is left alone.",
}
OTHER_RULE = {
    "student": "A rule of its own was set for this student.",
    "section": "A rule of its own was set for this student's section.",
}
LEFT_OUT = {
    "student": "Not assessed for this student, so not counted: {titles}.",
    "section": "Not assessed for this student's section, so not counted: {titles}.",
}
LOST = (
    "The exceptions for single students of this alignment cannot be opened any more: the tool's encryption key "
    "was replaced. Remove them on the alignment's page and set them again."
)
NO_POINTS_WITH_SHARE = (
    "A rule set for some students has a line in points, which has no meaning with the share mastered: "
    "set it again with a percentage."
)


@dataclass(frozen=True, slots=True)
class Instead:
    """What counts for one student instead of the alignment's rule, and why; no rule: not assessed."""

    rule: OwnRule | None
    because: Because

    def sentence(self, outcomes: Mapping[str, Outcome]) -> str:
        """That there is an exception, and for whom; with the titles of outcomes that are left out."""
        if self.rule is None:
            return NOT_ASSESSED[self.because]
        if not isinstance(self.rule, LeftOut):
            return OTHER_RULE[self.because]
        without = LEFT_OUT[self.because].format(titles=titles(self.rule, outcomes))
        return f"{OTHER_RULE[self.because]} {without}" if self.rule.rule is not None else without


Students = Mapping[str, OwnRule | None]
"""Exceptions for single students, by Canvas user id; None: not assessed."""


def applying_to(
    user: str, sections: Collection[str], definition: Definition, students: Students
) -> Instead | None:
    """A student's own exception, else that of the first of the alignment's sections they are active in; None
    where the alignment's rule counts."""
    if user in students:
        return Instead(_counting(students[user], definition), "student")
    for one in definition.sections:
        if one.section_id in sections:
            return Instead(_counting(one.rule, definition), "section")
    return None


def _counting(rule: OwnRule | None, definition: Definition) -> OwnRule | None:
    """Without any outcome left, nothing is assessed."""
    if isinstance(rule, LeftOut) and set(definition.outcome_ids) <= set(rule.outcome_ids):
        return None
    return rule


def with_rule(definition: Definition, rule: OwnRule) -> Definition:
    """The alignment as it is for somebody with another rule: everything else stays. Where every outcome would
    be left out (`applying_to` calls that not assessed) its outcomes stay too."""
    if not isinstance(rule, LeftOut):
        return replace(definition, rule=rule, sections=())
    own = replace(definition, rule=rule.rule or definition.rule, sections=())
    left = tuple(one for one in own.outcomes if one.outcome_id not in rule.outcome_ids)
    return _of_fewer(own, left) if left else own


def _of_fewer(definition: Definition, left: tuple[WeightedOutcome, ...]) -> Definition:
    """With these outcomes only. Whoever had to be assessed on, or to master, more than are left has to on all."""
    evidence = replace(definition.evidence, at_least=min(definition.evidence.at_least, len(left)))
    rule = definition.rule
    if isinstance(rule, Criteria):
        rule = Criteria(tuple(_at_most(grade, len(left)) for grade in rule.grades))
    return replace(definition, outcomes=left, evidence=evidence, rule=rule)


def _at_most(grade: CriteriaGrade, count: int) -> CriteriaGrade:
    mastered = grade.mastered_at_least
    return grade if mastered is None else replace(grade, mastered_at_least=min(mastered, count))


def titles(rule: LeftOut, outcomes: Mapping[str, Outcome]) -> str:
    """The outcomes left out, by title."""
    return ", ".join(outcomes[one].title if one in outcomes else f"Outcome {one}" for one in rule.outcome_ids)


def fitting(
    sections: Iterable[SectionException], outcome_ids: Collection[str]
) -> tuple[SectionException, ...]:
    """Exceptions for sections after the alignment's outcomes changed: what is left out is among these."""
    found = []
    for one in sections:
        rule = one.rule
        if isinstance(rule, LeftOut):
            kept = tuple(key for key in rule.outcome_ids if key in outcome_ids)
            if not kept and rule.rule is None:
                continue
            rule = None if len(kept) == len(outcome_ids) else LeftOut(kept, rule.rule) if kept else rule.rule
        found.append(SectionException(one.section_id, rule))
    return tuple(found)


def renamed(rule: OwnRule | None, gone: str, instead: str) -> OwnRule | None:
    """The same where an outcome took another's place."""
    if not isinstance(rule, LeftOut):
        return rule
    return replace(rule, outcome_ids=tuple(instead if one == gone else one for one in rule.outcome_ids))


def check_instead(definition: Definition, rule: OwnRule) -> str | None:
    """What a file would have refused and a later change of the alignment can bring about."""
    if isinstance(rule, LeftOut):
        return None if rule.rule is None else check_instead(definition, rule.rule)
    has_no_meaning = (
        definition.combine == "share" and not isinstance(rule, Criteria) and has_points_line(rule)
    )
    return NO_POINTS_WITH_SHARE if has_no_meaning else None
