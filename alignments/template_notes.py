"""What a teacher should know of an entry before it is applied: what differs here, and what does not come along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from alignments.core.checks import check, has_points_line, needs_mastery
from alignments.core.definition import Definition, Scheme, TargetChoice
from alignments.core.numbers import plain
from alignments.core.templatematch import loses_excuse
from alignments.core.templates import TemplateEntry
from alignments.pages import Reading
from alignments.services import StoredAlignment
from canvas.values import Outcome


def notes(entry: TemplateEntry, target: TargetChoice | None) -> list[str]:
    """What does not come along."""
    found = []
    if entry.sections_left_out:
        count = entry.sections_left_out
        sections = "1 section" if count == 1 else f"{count} sections"
        found.append(f"Its exceptions for {sections} of the course it comes from do not come along.")
    if target is not None and loses_excuse(entry, target):
        found.append(
            "With too little evidence it excused students. A column cannot be excused: "
            "such cells are left as they are."
        )
    return found


def differences(
    entry: TemplateEntry,
    definition: Definition,
    reading: Reading,
    stored: Iterable[StoredAlignment],
    replaces: str,
) -> tuple[list[str], list[str]]:
    """What to look at before it is applied, and what is only good to know."""
    warnings = list(_same_outcomes(definition, stored, replaces))
    outcomes = reading.evidence.outcomes
    problem = None if isinstance(definition.rule, Scheme) else check(definition, outcomes, None)
    if problem:
        warnings.append(f"{problem} Its cells would be held.")
    in_points = has_points_line(definition.rule)
    scales = list(_scales(entry, definition, reading, in_points))
    return (warnings + scales, []) if in_points else (warnings, scales)


def _same_outcomes(definition: Definition, stored: Iterable[StoredAlignment], replaces: str) -> Iterator[str]:
    for one in stored:
        if str(one.id) != replaces and set(one.definition.outcome_ids) == set(definition.outcome_ids):
            yield f"“{one.title}” takes the same {'outcomes' if len(definition.outcomes) > 1 else 'outcome'} already."


def _scales(entry: TemplateEntry, definition: Definition, reading: Reading, in_points: bool) -> Iterator[str]:
    """Scales that are others here than where the template was made."""
    for (top, mastery), outcome_id in zip(entry.scales, definition.outcome_ids, strict=True):
        outcome = reading.evidence.outcomes[outcome_id]
        if _differs(top, outcome.points_possible):
            look = " The rule asks for points: look at it." if in_points else ""
            yield f"{_scale_words(outcome, top)}{look}"
        elif needs_mastery(definition) and _differs(mastery, outcome.mastery_points):
            yield _mastery_words(outcome, mastery)


def _differs(there: Decimal | None, here: Decimal | None) -> bool:
    return there is not None and here is not None and there != here


def _scale_words(outcome: Outcome, top: Decimal | None) -> str:
    here, there = plain(outcome.points_possible or Decimal(0)), plain(top or Decimal(0))
    return f"“{outcome.title}” goes from 0 to {here} here, and went to {there} where the template was made."


def _mastery_words(outcome: Outcome, mastery: Decimal | None) -> str:
    here, there = plain(outcome.mastery_points or Decimal(0)), plain(mastery or Decimal(0))
    return f"Mastery of “{outcome.title}” starts at {here} here, and started at {there} where the template was made."
