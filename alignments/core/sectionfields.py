"""The `sections` of an entry: which sections another rule, or none, counts for. Read strictly, written whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from alignments.core import fields
from alignments.core.definition import Combine, LeftOut, OwnRule, Rule, Scheme, SectionException
from alignments.core.fields import Spot
from alignments.core.rulefields import read_rule, rule_to_json

NO_SCHEME = "an exception cannot use a grading scheme: use cutoff, proportional, table or criteria."


def read_sections(
    spot: Spot, value: object, combine: Combine, outcome_ids: Collection[str] | None
) -> tuple[SectionException, ...]:
    """Each section once, in the file's order. `outcome_ids` are the entry's, where they could be read."""
    found: list[SectionException] = []
    for index, item in enumerate(fields.items(spot, value) or ()):
        here = spot.item(index)
        given = fields.members(here, item, ("section",), ("rule", "not_assessed"))
        if given is None:
            continue
        section_id = fields.canvas_id(here.key("section"), given["section"]) if "section" in given else ""
        if section_id and any(one.section_id == section_id for one in found):
            here.key("section").wrong(f"section {section_id} is listed twice: keep it once.")
        found.append(SectionException(section_id, read_instead(here, given, combine, outcome_ids)))
    return tuple(found)


def read_instead(
    spot: Spot, given: Mapping[str, object], combine: Combine, outcome_ids: Collection[str] | None
) -> OwnRule | None:
    """`rule`, `"not_assessed": true` (None), or outcomes that are not assessed, with a rule or without."""
    left_out = given.get("not_assessed")
    if isinstance(left_out, list):
        listed = _left_out(spot.key("not_assessed"), left_out, outcome_ids)
        rule = _rule(spot.key("rule"), given["rule"], combine, outcome_ids) if "rule" in given else None
        return LeftOut(listed, rule)
    if ("rule" in given) == ("not_assessed" in given):
        spot.wrong('must have either "rule" or "not_assessed": true.')
        return None
    if "not_assessed" in given:
        if left_out is not True:
            spot.key("not_assessed").wrong("must be true, or a list of outcomes: leave it out otherwise.")
        return None
    return _rule(spot.key("rule"), given["rule"], combine, outcome_ids)


def _rule(spot: Spot, value: object, combine: Combine, outcome_ids: Collection[str] | None) -> Rule | None:
    """A rule that takes another's place; a problem is reported where there is none."""
    rule = read_rule(spot, value, combine, None if outcome_ids is None else len(outcome_ids))
    if isinstance(rule, Scheme):
        spot.key("kind").wrong(NO_SCHEME)
    return rule


def _left_out(spot: Spot, value: list[object], outcome_ids: Collection[str] | None) -> tuple[str, ...]:
    found: list[str] = []
    for index, item in enumerate(fields.items(spot, value) or ()):
        one = fields.canvas_id(spot.item(index), item)
        if one and one in found:
            spot.item(index).wrong(f"outcome {one} is listed twice: keep it once.")
        elif one and outcome_ids is not None and one not in outcome_ids:
            spot.item(index).wrong(f"outcome {one} is not one of this alignment's.")
        found.append(one)
    if outcome_ids and set(outcome_ids) <= set(found):
        spot.wrong("names every outcome: write true instead.")
    return tuple(found)


def sections_to_json(sections: Sequence[SectionException]) -> list[dict[str, object]]:
    return [{"section": one.section_id, **instead_to_json(one.rule)} for one in sections]


def instead_to_json(rule: OwnRule | None) -> dict[str, object]:
    """A rule in another's place; None is "not assessed"."""
    if rule is None:
        return {"not_assessed": True}
    if isinstance(rule, LeftOut):
        own = {} if rule.rule is None else {"rule": rule_to_json(rule.rule)}
        return {**own, "not_assessed": list(rule.outcome_ids)}
    return {"rule": rule_to_json(rule)}
