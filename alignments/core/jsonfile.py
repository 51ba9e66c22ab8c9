"""Alignments as JSON (docs/rules.md, `import_alignments`, `export_alignments`): strict to read, whole to write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from alignments.core import fields
from alignments.core.calculationfields import calculation_to_json, read_calculation
from alignments.core.definition import (
    AssignmentTarget,
    ColumnTarget,
    Combine,
    Definition,
    Direction,
    Evidence,
    Otherwise,
    Overwrite,
    Rule,
    SectionException,
    TargetChoice,
    WeightedOutcome,
    default_at_least,
    placeholder_name,
)
from alignments.core.fields import MISSING, Problem, Spot
from alignments.core.jsontext import JsonConstant, JsonNumber, JsonObject, NotJson, parse
from alignments.core.numbers import plain
from alignments.core.rulefields import read_rule, rule_to_json
from alignments.core.sectionfields import read_sections, sections_to_json

VERSION = 1
MAX_ERRORS = 50
COMBINE: tuple[Combine, ...] = ("mean", "min", "max", "share")
OTHERWISE: tuple[Otherwise, ...] = ("leave", "zero", "excuse", "clear")
OVERWRITE: tuple[Overwrite, ...] = ("empty", "ours", "all")
DIRECTION: tuple[Direction, ...] = ("both", "up")
OPTIONAL = ("name", "combine", "evidence", "overwrite", "direction", "round", "calculation", "sections", "id")


class FileErrors(ValueError):
    """Everything that is wrong with a file or an entry. `problems` are all; `lines` the first 50 as text."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems[:MAX_ERRORS]))
        self.problems = tuple(problems)

    @property
    def lines(self) -> list[str]:
        return [str(problem) for problem in self.problems[:MAX_ERRORS]]


def parse_file(data: bytes) -> tuple[Definition, ...]:
    """Every alignment of the file, or `FileErrors`."""
    try:
        whole = parse(data)
    except NotJson as error:
        raise FileErrors([Problem("", "", str(error))]) from error
    spot = Spot()
    definitions = _read_file(spot, whole)
    if spot.problems:
        raise FileErrors(spot.problems)
    return definitions


def parse_definition(value: object) -> Definition:
    """One entry, as a form or the database gives it, or `FileErrors` whose problems carry field paths."""
    spot = Spot()
    definition = _read_entry(spot, value)
    if spot.problems or definition is None:
        raise FileErrors(spot.problems)
    return definition


def entry_label(index: int, name: object) -> str:
    """How an error names an entry: `alignments[3] "1.4 Slope"`."""
    label = f"alignments[{index}]"
    if fields.title_trouble(name):
        return label
    shown = "".join(character if character.isprintable() else " " for character in str(name))
    return f'{label} "{" ".join(shown.split())}"'


def _read_file(spot: Spot, whole: object) -> tuple[Definition, ...]:
    file = fields.members(spot, whole, ("version", "alignments"))
    if file is None:
        return ()
    version = file.get("version", MISSING)
    if version is not MISSING and version != JsonNumber(str(VERSION)):
        spot.key("version").wrong(f"{fields.quoted(version)} is not a version this tool reads: use 1.")
    if "alignments" not in file:
        return ()
    found: list[Definition] = []
    targets: dict[TargetChoice | str, str] = {}
    for index, value in enumerate(fields.items(spot.key("alignments"), file["alignments"]) or ()):
        name = value.get("name") if isinstance(value, dict) else None
        entry = Spot(spot.problems, entry_label(index, name))
        definition = _read_entry(entry, value)
        if definition is not None:
            _check_target(entry, definition.target, targets, f"alignments[{index}]")
            found.append(definition)
    return tuple(found)


def target_key(target: TargetChoice) -> str:
    """Two targets are the same when their keys are: a column's label, an assignment's id."""
    if isinstance(target, ColumnTarget):
        return f"column {target.label}"
    return f"assignment {target.assignment_id}"


def _check_target(
    entry: Spot, target: TargetChoice, taken: dict[TargetChoice | str, str], label: str
) -> None:
    first = taken.setdefault(target_key(target), label)
    if first != label:
        entry.key("target").wrong(f"{describe_target(target)} is already the target of {first}: use another.")


def describe_target(target: TargetChoice) -> str:
    if isinstance(target, ColumnTarget):
        return f'the column "{target.label}"'
    return f"assignment {target.assignment_id}"


def _read_entry(spot: Spot, value: object) -> Definition | None:
    """The entry's definition, or None where its target could not be read (a problem is then reported)."""
    entry = fields.members(spot, value, ("outcomes", "rule", "target"), OPTIONAL)
    if entry is None:
        return None
    if "id" in entry:
        _reject_what_is_not_json(spot.key("id"), entry["id"])
    outcomes = _outcomes(spot.key("outcomes"), entry["outcomes"]) if "outcomes" in entry else None
    combine = cast(Combine, _choice(spot, entry, "combine", COMBINE, "mean"))
    count = None if outcomes is None else len(outcomes)
    rule = read_rule(spot.key("rule"), entry["rule"], combine, count) if "rule" in entry else None
    target = _target(spot.key("target"), entry["target"]) if "target" in entry else None
    evidence = _evidence(spot.key("evidence"), entry.get("evidence", {}), rule, combine, count)
    if isinstance(target, ColumnTarget) and evidence.otherwise == "excuse":
        spot.key("evidence").key("otherwise").wrong(
            "a column cannot be excused, only an assignment: use leave, zero or clear."
        )
    name = fields.title(spot.key("name"), entry["name"]) if "name" in entry else ""
    overwrite = cast(Overwrite, _choice(spot, entry, "overwrite", OVERWRITE, "ours"))
    direction = cast(Direction, _choice(spot, entry, "direction", DIRECTION, "both"))
    places = fields.whole(spot.key("round"), entry.get("round", 2), 0, 4)
    calculation = None
    if "calculation" in entry:
        calculation = read_calculation(spot.key("calculation"), entry["calculation"])
    sections: tuple[SectionException, ...] = ()
    if "sections" in entry:
        outcome_ids = [one.outcome_id for one in outcomes] if outcomes else None
        sections = read_sections(spot.key("sections"), entry["sections"], combine, outcome_ids)
    if not outcomes or rule is None or target is None:
        return None
    if name == placeholder_name(outcomes[0].outcome_id):
        name = ""
    return Definition(
        name, outcomes, rule, target, evidence, combine, overwrite, direction, places, calculation, sections
    )


def _choice(spot: Spot, entry: object, key: str, choices: Sequence[str], default: str) -> str:
    value = entry.get(key, default) if isinstance(entry, dict) else default
    return fields.choice(spot.key(key), value, choices)


def _reject_what_is_not_json(spot: Spot, value: object) -> None:
    """An ignored value still has to be JSON, however deep it is."""
    waiting: list[object] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, JsonConstant):
            spot.wrong(f"{one.text} is not JSON: remove it.")
        elif isinstance(one, dict):
            for key in one.repeated if isinstance(one, JsonObject) else ():
                spot.key(key).wrong("is written twice: keep one.")
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _outcomes(spot: Spot, value: object) -> tuple[WeightedOutcome, ...] | None:
    listed = fields.items(spot, value)
    if listed is None:
        return None
    found: list[WeightedOutcome] = []
    seen: set[str] = set()
    for index, item in enumerate(listed):
        here = spot.item(index)
        outcome = fields.members(here, item, ("id",), ("weight",))
        if outcome is None:
            outcome = {}
        outcome_id = fields.canvas_id(here.key("id"), outcome["id"]) if "id" in outcome else ""
        if outcome_id and outcome_id in seen:
            here.key("id").wrong(f"outcome {outcome_id} is listed twice: keep it once, with its weight.")
        seen.add(outcome_id)
        weight = fields.above_zero(here.key("weight"), outcome.get("weight", 1))
        found.append(WeightedOutcome(outcome_id, weight))
    return tuple(found)


def _target(spot: Spot, value: object) -> TargetChoice | None:
    target = fields.members(spot, value, (), ("column", "assignment"))
    if target is None:
        return None
    if ("column" in target) == ("assignment" in target):
        spot.wrong('must have either "column" or "assignment".')
        return None
    if "assignment" in target:
        assignment_id = fields.canvas_id(spot.key("assignment"), target["assignment"])
        return AssignmentTarget(assignment_id) if assignment_id else None
    return _column(spot.key("column"), target["column"])


def _column(spot: Spot, value: object) -> ColumnTarget | None:
    column = fields.members(spot, value, ("label", "points"))
    if column is None:
        return None
    label = fields.title(spot.key("label"), column["label"]) if "label" in column else ""
    points = fields.column_points(spot.key("points"), column.get("points", 1))
    return ColumnTarget(label, points) if label else None


def _evidence(spot: Spot, value: object, rule: Rule | None, combine: Combine, count: int | None) -> Evidence:
    evidence = fields.members(spot, value, (), ("at_least", "otherwise")) or {}
    otherwise = cast(Otherwise, _choice(spot, evidence, "otherwise", OTHERWISE, "leave"))
    if "at_least" in evidence:
        return Evidence(fields.whole(spot.key("at_least"), evidence["at_least"], 1, count), otherwise)
    return Evidence(default_at_least(rule, combine, count or 1) if rule else 1, otherwise)


def to_json(definition: Definition) -> dict[str, object]:
    """The entry with every default written out; `parse_definition` gives the same definition back.

    `calculation` and `sections` only where there are some: without them Canvas's rollup and one rule count."""
    written: dict[str, object] = {
        "name": definition.display_name,
        "outcomes": [{"id": one.outcome_id, "weight": plain(one.weight)} for one in definition.outcomes],
        "combine": definition.combine,
        "rule": rule_to_json(definition.rule),
        "evidence": {
            "at_least": definition.evidence.at_least,
            "otherwise": definition.evidence.otherwise,
        },
        "target": _target_to_json(definition.target),
        "overwrite": definition.overwrite,
        "direction": definition.direction,
        "round": definition.round,
    }
    if definition.calculation is not None:
        written["calculation"] = calculation_to_json(definition.calculation)
    if definition.sections:
        written["sections"] = sections_to_json(definition.sections)
    return written


def _target_to_json(target: TargetChoice) -> dict[str, object]:
    if isinstance(target, AssignmentTarget):
        return {"assignment": target.assignment_id}
    return {"column": {"label": target.label, "points": plain(target.points)}}
