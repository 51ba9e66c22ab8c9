"""The `rule` of an entry: read strictly, written whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from alignments.core import fields
from alignments.core.definition import (
    FULL_CREDIT,
    NO_CREDIT,
    Combine,
    Criteria,
    CriteriaGrade,
    Cutoff,
    Line,
    MasteryLine,
    Percent,
    PointsLine,
    Proportional,
    Rule,
    Scheme,
    ShareLine,
    Table,
    TableLevel,
)
from alignments.core.fields import Spot
from alignments.core.numbers import plain

KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cutoff": (("kind",), ("at", "credit", "below")),
    "proportional": (("kind",), ()),
    "table": (("kind", "levels"), ("interpolate",)),
    "scheme": (("kind",), ("grading_standard_id",)),
    "criteria": (("kind", "grades"), ()),
}
LINE_CONDITIONS = ("all_at_least", "none_below", "average_at_least")
NO_POINTS_WITH_SHARE = 'a line in points has no meaning with "combine": "share": write a percentage or null.'


def read_rule(spot: Spot, value: object, combine: Combine, outcomes: int | None) -> Rule | None:
    """The rule; None where its kind is not known. `outcomes`: how many the entry has, where that is known."""
    if not isinstance(value, dict):
        fields.members(spot, value, ("kind",))
        return None
    if "kind" not in value:
        spot.key("kind").wrong(f"is missing: use one of {', '.join(KEYS)}.")
        return None
    kind = value["kind"]
    if not isinstance(kind, str) or kind not in KEYS:
        spot.key("kind").wrong(f"{fields.quoted(kind)} is not a kind of rule: use one of {', '.join(KEYS)}.")
        return None
    rule = fields.members(spot, value, *KEYS[kind]) or {}
    if kind == "cutoff":
        return _cutoff(spot, rule, combine)
    if kind == "table":
        return _table(spot, rule, combine)
    if kind == "scheme":
        return _scheme(spot, rule)
    if kind == "criteria":
        return _criteria(spot, rule, outcomes)
    return Proportional()


def _line(spot: Spot, value: object) -> Line:
    """`null`, a number of points, or a percentage."""
    if value is None:
        return MasteryLine()
    if isinstance(value, str) and value.endswith("%"):
        return ShareLine(fields.percent(spot, value))
    return PointsLine(fields.decimal(spot, value))


def _cutoff(spot: Spot, rule: Mapping[str, object], combine: Combine) -> Cutoff:
    before = len(spot.problems)
    at = _line(spot.key("at"), rule.get("at"))
    if isinstance(at, PointsLine) and combine == "share" and len(spot.problems) == before:
        spot.key("at").wrong(NO_POINTS_WITH_SHARE)
    return Cutoff(
        at,
        _percent_or(spot, rule, "credit", FULL_CREDIT),
        _percent_or(spot, rule, "below", NO_CREDIT),
    )


def _percent_or(spot: Spot, rule: Mapping[str, object], key: str, default: Percent) -> Percent:
    return fields.percent(spot.key(key), rule[key]) if key in rule else default


def _table(spot: Spot, rule: Mapping[str, object], combine: Combine) -> Table:
    interpolate = fields.flag(spot.key("interpolate"), rule.get("interpolate", False))
    if "levels" not in rule:
        return Table((), interpolate)
    here = spot.key("levels")
    levels = [
        (here.item(index), _level(here.item(index), item))
        for index, item in enumerate(fields.items(here, rule["levels"]) or ())
    ]
    read = [(place, level) for place, level in levels if level is not None]
    _check_levels(read, combine)
    return Table(tuple(level for _, level in read), interpolate)


def _level(spot: Spot, item: object) -> TableLevel | None:
    """`[at, credit]`; None where it is wrong in itself, so that its order is not complained of too."""
    if not isinstance(item, list | tuple) or len(item) != 2:
        spot.wrong('must be a pair [at, credit], such as ["75%", "100%"].')
        return None
    before = len(spot.problems)
    at = _line(spot, item[0])
    credit = fields.percent(spot, item[1])
    if isinstance(at, MasteryLine):
        spot.wrong("null is not a line in a table: write points or a percentage.")
        return None
    return TableLevel(at, credit) if len(spot.problems) == before else None


def _check_levels(levels: Sequence[tuple[Spot, TableLevel]], combine: Combine) -> None:
    """All points or all percentages, strictly rising."""
    for spot, level in levels:
        if isinstance(level.at, PointsLine) and combine == "share":
            spot.wrong(NO_POINTS_WITH_SHARE)
            return
    for (_, before), (spot, level) in zip(levels, levels[1:], strict=False):
        if type(before.at) is not type(level.at):
            spot.wrong("mixes points and percentages: write all lines the same way.")
            return
        if _height(level.at) <= _height(before.at):
            spot.wrong("is not above the line before it: list the levels from the lowest line up, each once.")


def _height(at: PointsLine | ShareLine) -> Decimal:
    return at.points if isinstance(at, PointsLine) else at.percent.number


def _scheme(spot: Spot, rule: Mapping[str, object]) -> Scheme:
    value = rule.get("grading_standard_id")
    if value is None:
        return Scheme(None)
    return Scheme(fields.canvas_id(spot.key("grading_standard_id"), value))


def _criteria(spot: Spot, rule: Mapping[str, object], outcomes: int | None) -> Criteria:
    if "grades" not in rule:
        return Criteria(())
    here = spot.key("grades")
    listed = fields.items(here, rule["grades"]) or ()
    grades = [_grade(here.item(index), item, outcomes) for index, item in enumerate(listed)]
    for index, grade in enumerate(listed[:-1]):
        if isinstance(grade, dict) and grade.keys() <= {"credit"}:
            here.item(index).wrong("has no conditions, so it always holds: move it to the end.")
    return Criteria(tuple(grade for grade in grades if grade is not None))


def _grade(spot: Spot, item: object, outcomes: int | None) -> CriteriaGrade | None:
    grade = fields.members(spot, item, ("credit",), (*LINE_CONDITIONS, "mastered_at_least"))
    if grade is None:
        return None
    lines = {key: _line(spot.key(key), grade[key]) for key in LINE_CONDITIONS if key in grade}
    mastered = None
    if "mastered_at_least" in grade:
        mastered = fields.whole(spot.key("mastered_at_least"), grade["mastered_at_least"], 0, outcomes)
    return CriteriaGrade(
        _percent_or(spot, grade, "credit", FULL_CREDIT),
        all_at_least=lines.get("all_at_least"),
        none_below=lines.get("none_below"),
        mastered_at_least=mastered,
        average_at_least=lines.get("average_at_least"),
    )


def line_to_json(line: Line) -> str | None:
    """The line as the file writes it."""
    if isinstance(line, MasteryLine):
        return None
    return plain(line.points) if isinstance(line, PointsLine) else percent_to_json(line.percent)


def percent_to_json(percent: Percent) -> str:
    return f"{plain(percent.number)}%"


def rule_to_json(rule: Rule) -> dict[str, object]:
    """The rule with every default written out."""
    match rule:
        case Cutoff(at, credit, below):
            return {
                "kind": "cutoff",
                "at": line_to_json(at),
                "credit": percent_to_json(credit),
                "below": percent_to_json(below),
            }
        case Proportional():
            return {"kind": "proportional"}
        case Table(levels, interpolate):
            pairs = [[line_to_json(level.at), percent_to_json(level.credit)] for level in levels]
            return {"kind": "table", "levels": pairs, "interpolate": interpolate}
        case Scheme(grading_standard_id):
            return {"kind": "scheme", "grading_standard_id": grading_standard_id}
        case Criteria(grades):
            return {"kind": "criteria", "grades": [_grade_to_json(grade) for grade in grades]}


def _grade_to_json(grade: CriteriaGrade) -> dict[str, object]:
    """Only the conditions that were asked for: `null` would be the mastery line."""
    written: dict[str, object] = {"credit": percent_to_json(grade.credit)}
    for key, line in (
        ("all_at_least", grade.all_at_least),
        ("none_below", grade.none_below),
        ("average_at_least", grade.average_at_least),
    ):
        if line is not None:
            written[key] = line_to_json(line)
    if grade.mastered_at_least is not None:
        written["mastered_at_least"] = grade.mastered_at_least
    return written
