"""A template as JSON (docs/templates.md): strict to read, whole to write.

An entry is one of the alignments' file, but what that names by Canvas's ids is named here by title. So an entry
is read by giving each title the number of its place and reading the rest as an alignment. Ids are written and
read only where the template stays with its Canvas (`with_ids`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from alignments.core import fields, jsonfile
from alignments.core.definition import MAX_NAME, ColumnTarget
from alignments.core.fields import MISSING, Problem, Spot
from alignments.core.jsonfile import FileErrors
from alignments.core.jsontext import JsonNumber, NotJson, parse
from alignments.core.numbers import plain
from alignments.core.scales import Scale
from alignments.core.templates import Named, Template, TemplateEntry

VERSION = 1
MOST_LEFT_OUT = 10_000
MOST_ENTRIES = 500
"""Of a file: every one is looked through by a person."""
OPTIONAL = (
    *(key for key in jsonfile.OPTIONAL if key not in {"sections", "id"}),
    "sections_left_out",
)


def parse_template(data: bytes) -> Template:
    """The template in a file, or `FileErrors`."""
    try:
        whole = parse(data)
    except NotJson as error:
        raise FileErrors([Problem("", "", str(error))]) from error
    return read_template(whole, with_ids=False)


def read_template(whole: object, *, with_ids: bool) -> Template:
    """The template a JSON value says, or `FileErrors` naming entry and field of everything that is wrong."""
    spot = Spot()
    template = _template(spot, whole, with_ids)
    if spot.problems or template is None:
        raise FileErrors(spot.problems)
    return template


def _template(spot: Spot, whole: object, with_ids: bool) -> Template | None:
    file = fields.members(spot, whole, ("version", "template", "alignments"))
    if file is None:
        return None
    version = file.get("version", MISSING)
    if version is not MISSING and version not in (JsonNumber(str(VERSION)), VERSION):
        spot.key("version").wrong(
            f"{fields.quoted(version)} is not a version this tool reads: use {VERSION}."
        )
    name = fields.title(spot.key("template"), file["template"]) if "template" in file else ""
    if "alignments" not in file:
        return None
    found: list[TemplateEntry] = []
    targets: dict[str, str] = {}
    listed = fields.items(spot.key("alignments"), file["alignments"]) or ()
    if len(listed) > MOST_ENTRIES and not with_ids:
        spot.key("alignments").wrong(f"has {len(listed)} entries: use at most {MOST_ENTRIES}.")
        return None
    for index, value in enumerate(listed):
        entry_name = value.get("name") if isinstance(value, dict) else None
        here = Spot(spot.problems, jsonfile.entry_label(index, entry_name))
        entry = _entry(here, value, with_ids)
        if entry is not None:
            _check_target(here, entry, targets, f"alignments[{index}]")
            found.append(entry)
    return Template(name.strip(), tuple(found))


def _check_target(spot: Spot, entry: TemplateEntry, taken: dict[str, str], label: str) -> None:
    """A column is fed once. Two assignments may have one name: which is which is chosen in the course."""
    if entry.assignment is not None:
        return
    first = taken.setdefault(entry.target_title, label)
    if first != label:
        words = jsonfile.describe_target(entry.shape.target)
        spot.key("target").wrong(f"{words} is already the target of {first}: use another.")


def _entry(spot: Spot, value: object, with_ids: bool) -> TemplateEntry | None:
    given = fields.members(spot, value, ("outcomes", "rule", "target"), OPTIONAL)
    if given is None:
        return None
    body = {key: given[key] for key in given if key in ("outcomes", "rule", "target", *OPTIONAL)}
    left_out = body.pop("sections_left_out", 0)
    sections = fields.whole(spot.key("sections_left_out"), left_out, 0, MOST_LEFT_OUT)
    named = _Named(spot, with_ids)
    body |= {key: getattr(named, f"take_{key}")(body[key]) for key in named.takes if key in body}
    try:
        shape = jsonfile.parse_definition(body)
    except FileErrors as errors:
        _tell(spot, errors)
        return None
    target = shape.target
    return TemplateEntry(
        shape,
        tuple(named.outcomes),
        tuple(named.scales),
        named.assignment,
        target.points if isinstance(target, ColumnTarget) else named.points,
        named.omit,
        named.scheme,
        tuple(named.ignored),
        sections,
    )


def _tell(spot: Spot, errors: FileErrors) -> None:
    """The problems of the rest of the entry, without those that were found on the way already."""
    known = {(one.entry, one.path) for one in spot.problems}
    spot.problems.extend(
        Problem(spot.entry, one.path, one.message)
        for one in errors.problems
        if (spot.entry, one.path) not in known
    )


class _Named:
    """What one entry names, collected while its titles are replaced by places."""

    takes = ("outcomes", "rule", "target", "calculation")

    def __init__(self, spot: Spot, with_ids: bool) -> None:
        self.spot, self.with_ids = spot, with_ids
        self.outcomes: list[Named] = []
        self.scales: list[Scale] = []
        self.assignment: Named | None = None
        self.points, self.omit = Decimal(1), False
        self.scheme: Named | None = None
        self.ignored: list[Named] = []

    def take_outcomes(self, value: object) -> object:
        if not isinstance(value, list):
            return value
        return [self._outcome(self.spot.key("outcomes").item(index), one) for index, one in enumerate(value)]

    def _outcome(self, spot: Spot, value: object) -> object:
        given = fields.members(spot, value, ("title",), ("guid", "scale", "weight", *self._ids))
        named = self._name(spot, given or {}, "title")
        self.outcomes.append(named)
        self.scales.append(
            _scale(spot.key("scale"), given["scale"]) if given and "scale" in given else NO_SCALE
        )
        return {"id": str(len(self.outcomes)), "weight": (given or {}).get("weight", 1)}

    def take_rule(self, value: object) -> object:
        if not isinstance(value, dict) or value.get("kind") != "scheme":
            return value
        spot = self.spot.key("rule")
        fields.members(spot, value, ("kind",), ("scheme",))
        if value.get("scheme") is None:
            return {"kind": "scheme"}
        given = fields.members(spot.key("scheme"), value["scheme"], ("title",), self._ids)
        self.scheme = self._name(spot.key("scheme"), given or {}, "title")
        return {"kind": "scheme", "grading_standard_id": "1"}

    def take_target(self, value: object) -> object:
        if not isinstance(value, dict):
            return value
        body, spot = dict(value), self.spot.key("target")
        if isinstance(value.get("column"), dict):
            body["column"] = self._column(spot.key("column"), value["column"])
        if "assignment" in value:
            here = spot.key("assignment")
            given = fields.members(here, value["assignment"], ("name",), ("points", *self._ids)) or {}
            self.assignment = self._name(here, given, "name")
            self.points = fields.column_points(here.key("points"), given.get("points", 1))
            body["assignment"] = "1"
        return body

    def _column(self, spot: Spot, value: dict[str, object]) -> dict[str, object]:
        given = fields.members(spot, value, ("label",), ("points", "omit_from_final_grade")) or {}
        omit = given.get("omit_from_final_grade", False)
        self.omit = fields.flag(spot.key("omit_from_final_grade"), omit)
        return {key: given[key] for key in ("label", "points") if key in given}

    def take_calculation(self, value: object) -> object:
        if not isinstance(value, dict) or not isinstance(value.get("ignore_assignments"), list):
            return value
        spot = self.spot.key("calculation").key("ignore_assignments")
        places = []
        for index, one in enumerate(value["ignore_assignments"]):
            given = fields.members(spot.item(index), one, ("name",), ("reason", *self._ids)) or {}
            named = self._name(spot.item(index), given, "name")
            self.ignored.append(named)
            reason = {"reason": given["reason"]} if "reason" in given else {}
            places.append({"id": str(len(self.ignored)), **reason})
        return {**value, "ignore_assignments": places}

    @property
    def _ids(self) -> tuple[str, ...]:
        return ("id",) if self.with_ids else ()

    def _name(self, spot: Spot, given: Mapping[str, object], key: str) -> Named:
        title = fields.title(spot.key(key), given[key]) if key in given else ""
        guid = fields.title(spot.key("guid"), given["guid"]) if "guid" in given else ""
        known = fields.canvas_id(spot.key("id"), given["id"]) if self.with_ids and "id" in given else ""
        return Named(title, known, guid)


NO_SCALE: Scale = (None, None)


def _scale(spot: Spot, value: object) -> Scale:
    given = fields.members(spot, value, (), ("points", "mastery")) or {}
    top, mastery = given.get("points"), given.get("mastery")
    return (
        None if top is None else fields.decimal(spot.key("points"), top),
        None if mastery is None else fields.decimal(spot.key("mastery"), mastery),
    )


def to_json(template: Template, *, with_ids: bool) -> dict[str, object]:
    """The template with every default written out; reading it gives the same one back, without ids unless
    `with_ids`."""
    entries = [_entry_to_json(one, with_ids) for one in template.entries]
    return {"version": VERSION, "template": template.name, "alignments": entries}


def _entry_to_json(entry: TemplateEntry, with_ids: bool) -> dict[str, Any]:
    written: dict[str, Any] = jsonfile.to_json(entry.shape)
    written["name"] = entry.name[:MAX_NAME]
    written["outcomes"] = [
        {
            **_name_to_json(named, "title", with_ids),
            **_scale_to_json(scale),
            "weight": plain(one.weight),
        }
        for named, scale, one in zip(entry.outcomes, entry.scales, entry.shape.outcomes, strict=True)
    ]
    if entry.assignment is not None:
        name = _name_to_json(entry.assignment, "name", with_ids)
        written["target"] = {"assignment": {**name, "points": plain(entry.points)}}
    elif entry.omit_from_final_grade:
        written["target"]["column"]["omit_from_final_grade"] = True
    if written["rule"]["kind"] == "scheme":
        scheme = None if entry.scheme is None else _name_to_json(entry.scheme, "title", with_ids)
        written["rule"] = {"kind": "scheme", "scheme": scheme}
    if entry.ignored:
        written["calculation"]["ignore_assignments"] = _ignored_to_json(entry, with_ids)
    if entry.sections_left_out:
        written["sections_left_out"] = entry.sections_left_out
    return written


def _ignored_to_json(entry: TemplateEntry, with_ids: bool) -> list[dict[str, object]]:
    assert entry.shape.calculation is not None
    reasons = dict(entry.shape.calculation.ignore_reasons)
    return [
        _name_to_json(one, "name", with_ids)
        | ({"reason": reasons[str(place)]} if str(place) in reasons else {})
        for place, one in enumerate(entry.ignored, 1)
    ]


def _name_to_json(named: Named, key: str, with_ids: bool) -> dict[str, object]:
    written: dict[str, object] = {key: named.title}
    if named.guid:
        written["guid"] = named.guid
    if with_ids and named.id:
        written["id"] = named.id
    return written


def _scale_to_json(scale: Scale) -> dict[str, object]:
    top, mastery = scale
    found = {
        key: plain(number) for key, number in (("points", top), ("mastery", mastery)) if number is not None
    }
    return {"scale": found} if found else {}
