"""Who is not graded by the alignment's rule: single students, then sections. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from alignments.core.checks import has_points_line
from alignments.core.definition import Criteria, Definition, Rule

Because = Literal["student", "section"]
NOT_ASSESSED = {
    "student": "This student is marked as not assessed here, so the cell is left alone.",
    "section": "This student's section is marked as not assessed here, so the cell is left alone.",
}
OTHER_RULE = {
    "student": "A rule of its own was set for this student.",
    "section": "A rule of its own was set for this student's section.",
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

    rule: Rule | None
    because: Because

    @property
    def sentence(self) -> str:
        return (NOT_ASSESSED if self.rule is None else OTHER_RULE)[self.because]


Students = Mapping[str, Rule | None]
"""Exceptions for single students, by Canvas user id; None: not assessed."""


def applying_to(
    user: str, sections: Collection[str], definition: Definition, students: Students
) -> Instead | None:
    """A student's own exception, else that of the first of the alignment's sections they are active in; None
    where the alignment's rule counts."""
    if user in students:
        return Instead(students[user], "student")
    for one in definition.sections:
        if one.section_id in sections:
            return Instead(one.rule, "section")
    return None


def with_rule(definition: Definition, rule: Rule) -> Definition:
    """The alignment as it is for somebody with another rule: everything else stays."""
    return replace(definition, rule=rule, sections=())


def check_instead(definition: Definition, rule: Rule) -> str | None:
    """What a file would have refused and a later change of the alignment can bring about."""
    has_no_meaning = (
        definition.combine == "share" and not isinstance(rule, Criteria) and has_points_line(rule)
    )
    return NO_POINTS_WITH_SHARE if has_no_meaning else None
