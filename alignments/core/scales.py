"""The scales an alignment was made for, and whether Canvas has changed them since. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from alignments.core.checks import needs_mastery
from alignments.core.definition import Definition
from alignments.core.exceptions import with_rule
from alignments.core.numbers import plain
from canvas.values import Outcome

SAVE_AGAIN = "Save the alignment again if that is right."
Scale = tuple[Decimal | None, Decimal | None]
Remembered = Mapping[str, Scale]
"""By outcome: the scale's top and its mastery level; None: not known yet."""


def scales_now(definition: Definition, outcomes: Mapping[str, Outcome]) -> dict[str, Scale]:
    """What there is to remember of the alignment's outcomes; an outcome without a scale is not known yet."""
    found = (outcomes.get(key) for key in definition.outcome_ids)
    return {one.id: (one.points_possible, one.mastery_points) for one in found if one and one.points_possible}


def filled_in(known: Remembered, now: Remembered) -> dict[str, Scale]:
    """What is known already stays; what was not is added."""
    merged = dict(now) | dict(known)
    for key in known.keys() & now.keys():
        top, mastery = known[key]
        merged[key] = (now[key][0] if top is None else top, now[key][1] if mastery is None else mastery)
    return merged


def scale_change(
    definition: Definition,
    known: Remembered,
    outcomes: Mapping[str, Outcome],
    others: Iterable[Definition] = (),
) -> str:
    """The first outcome whose scale is not the one this alignment was made for, in words, or "". A mastery level
    that no rule of the alignment asks for may change."""
    mastery_counts = any(needs_mastery(one) for one in [definition, *others, *_of_sections(definition)])
    for outcome_id in definition.outcome_ids:
        outcome = outcomes.get(outcome_id)
        if outcome is None or outcome_id not in known:
            continue
        top, mastery = known[outcome_id]
        points = _changed(top, outcome.points_possible)
        levels = _changed(mastery, outcome.mastery_points) if mastery_counts else ""
        if points or levels:
            what = "The scale" if points else "The mastery level"
            how = f"{points} points, mastery {levels}" if points and levels else levels or f"{points} points"
            return f'{what} of outcome "{outcome.title}" changed {how}. {SAVE_AGAIN}'
    return ""


def _of_sections(definition: Definition) -> Iterable[Definition]:
    return (with_rule(definition, one.rule) for one in definition.sections if one.rule is not None)


def _changed(before: Decimal | None, now: Decimal | None) -> str:
    if before is None or now is None or before == now:
        return ""
    return f"from {plain(before)} to {plain(now)}"
