"""The `sections` of an entry: which sections another rule, or none, counts for. Read strictly, written whole."""

from __future__ import annotations

from collections.abc import Sequence

from alignments.core import fields
from alignments.core.definition import Combine, Rule, Scheme, SectionException
from alignments.core.fields import Spot
from alignments.core.rulefields import read_rule, rule_to_json

NO_SCHEME = "an exception cannot use a grading scheme: use cutoff, proportional, table or criteria."


def read_sections(
    spot: Spot, value: object, combine: Combine, outcomes: int | None
) -> tuple[SectionException, ...]:
    """Each section once, in the file's order."""
    found: list[SectionException] = []
    for index, item in enumerate(fields.items(spot, value) or ()):
        here = spot.item(index)
        given = fields.members(here, item, ("section",), ("rule", "not_assessed"))
        if given is None:
            continue
        section_id = fields.canvas_id(here.key("section"), given["section"]) if "section" in given else ""
        if section_id and any(one.section_id == section_id for one in found):
            here.key("section").wrong(f"section {section_id} is listed twice: keep it once.")
        found.append(SectionException(section_id, _instead(here, given, combine, outcomes)))
    return tuple(found)


def _instead(spot: Spot, given: object, combine: Combine, outcomes: int | None) -> Rule | None:
    """Either a rule or `"not_assessed": true`, which is None."""
    members = given if isinstance(given, dict) else {}
    if ("rule" in members) == ("not_assessed" in members):
        spot.wrong('must have either "rule" or "not_assessed": true.')
        return None
    if "not_assessed" in members:
        if members["not_assessed"] is not True:
            spot.key("not_assessed").wrong("must be true: leave the section out otherwise.")
        return None
    return read_instead(spot.key("rule"), members["rule"], combine, outcomes)


def read_instead(spot: Spot, value: object, combine: Combine, outcomes: int | None) -> Rule | None:
    """A rule that takes another's place; a problem is reported where there is none."""
    rule = read_rule(spot, value, combine, outcomes)
    if isinstance(rule, Scheme):
        spot.key("kind").wrong(NO_SCHEME)
    return rule


def sections_to_json(sections: Sequence[SectionException]) -> list[dict[str, object]]:
    return [{"section": one.section_id, **instead_to_json(one.rule)} for one in sections]


def instead_to_json(rule: Rule | None) -> dict[str, object]:
    """A rule in another's place; None is "not assessed"."""
    return {"not_assessed": True} if rule is None else {"rule": rule_to_json(rule)}
