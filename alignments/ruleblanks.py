"""The blanks of a rule's sentence that come in rows: read into a rule with an error beside each blank, and
filled from one. All are plain text under flat names, so that a form without scripts carries them too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.core.exceptions import ValidationError

from alignments.core import usual
from alignments.core.definition import (
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
from alignments.core.numbers import plain
from alignments.numberfields import NumberField
from canvas.values import Outcome

MOST_ROWS = 30
MOST_POINTS = Decimal(1_000_000)
MOST_PERCENT = Decimal(1000)
CONDITION_LINES = [
    ("", "(not asked)"),
    ("mastery", "the mastery level"),
    ("points", "points:"),
    ("percent", "percent of the scale:"),
]
CONDITIONS = [
    ("all", "all_at_least", "every outcome reaches"),
    ("none", "none_below", "none is below"),
    ("average", "average_at_least", "the average reaches"),
]
KIND_OF_BLANK = re.compile(
    r"(?P<table>unit|interpolate|level-[0-9]{1,2}-(?:at|credit))|(?P<scheme>scheme)|(?P<cutoff>line|at|credit|below)"
    r"|(?P<criteria>grade-[0-9]{1,2}-(?:credit|mastered|(?:all|none|average)(?:_at)?))"
)
KINDS = {
    "cutoff": Cutoff,
    "proportional": Proportional,
    "table": Table,
    "scheme": Scheme,
    "criteria": Criteria,
}


@dataclass(frozen=True, slots=True)
class Blank:
    """One blank: its name in the form, how it is read out, what stands in it, what is wrong with it."""

    name: str
    label: str
    value: str
    error: str = ""

    @property
    def id(self) -> str:
        return f"id_{self.name}"


@dataclass(frozen=True, slots=True)
class LevelRow:
    """A line of a table: from `at` up, `credit`."""

    number: int
    at: Blank
    credit: Blank


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a grade: which line, if any, and its number."""

    words: str
    line: Blank
    at: Blank

    @property
    def choices(self) -> list[tuple[str, str]]:
        return CONDITION_LINES


@dataclass(frozen=True, slots=True)
class GradeRow:
    """One grade of criteria with its conditions."""

    number: int
    credit: Blank
    conditions: tuple[Condition, ...]
    mastered: Blank


def kind_of(name: str) -> str:
    """Which kind of rule a blank belongs to; "" for a blank that is not a rule's."""
    found = KIND_OF_BLANK.fullmatch(name)
    return str(found.lastgroup) if found and found.lastgroup else ""


def kind_name(rule: Rule) -> str:
    """How the form and the file call this rule."""
    return next(name for name, kind in KINDS.items() if isinstance(rule, kind))


def blanks_of(rule: Rule) -> dict[str, str]:
    """The rule's blanks filled in."""
    match rule:
        case Cutoff(at, credit, below):
            filled = {"credit": plain(credit.number), "below": plain(below.number)}
            return filled | _line_blanks(at, "line", "at")
        case Table(levels, interpolate):
            filled = {"unit": "points" if isinstance(levels[0].at, PointsLine) else "percent"}
            for number, level in enumerate(levels):
                bound = level.at.points if isinstance(level.at, PointsLine) else level.at.percent.number
                filled[f"level-{number}-at"] = plain(bound)
                filled[f"level-{number}-credit"] = plain(level.credit.number)
            return filled | ({"interpolate": "on"} if interpolate else {})
        case Scheme(grading_standard_id):
            return {"scheme": grading_standard_id or ""}
        case Criteria(grades):
            filled = {}
            for number, grade in enumerate(grades):
                filled |= _grade_blanks(f"grade-{number}", grade)
            return filled
        case _:
            return {}


def _grade_blanks(name: str, grade: CriteriaGrade) -> dict[str, str]:
    filled = {f"{name}-credit": plain(grade.credit.number)}
    if grade.mastered_at_least is not None:
        filled[f"{name}-mastered"] = str(grade.mastered_at_least)
    for short, key, _ in CONDITIONS:
        line = getattr(grade, key)
        if line is not None:
            filled |= _line_blanks(line, f"{name}-{short}", f"{name}-{short}_at")
    return filled


def _line_blanks(line: Line, kind: str, at: str) -> dict[str, str]:
    if isinstance(line, PointsLine):
        return {kind: "points", at: plain(line.points)}
    if isinstance(line, ShareLine):
        return {kind: "percent", at: plain(line.percent.number)}
    return {kind: "mastery"}


@dataclass
class RuleBlanks:
    """The blanks of one form. `outcomes` are the chosen ones that are known, in order."""

    values: dict[str, str]
    outcomes: Sequence[Outcome] = ()
    count: int = 1
    """How many outcomes are chosen, known or not."""
    combine: Combine = "mean"
    errors: dict[str, str] = field(default_factory=dict)

    # Rows

    def numbers(self, what: str) -> list[int]:
        """The numbers of the rows there are (`level` or `grade`), in order."""
        found = {
            int(name.split("-")[1]) for name in self.values if name.startswith(f"{what}-") and kind_of(name)
        }
        return sorted(found)[:MOST_ROWS]

    def fill_usual(self, kind: str) -> bool:
        """What the outcomes suggest, where this kind of rule has no rows yet; whether that was so."""
        if kind == "table" and not self.numbers("level"):
            self.values |= blanks_of(usual.usual_table(self.outcomes, self.combine))
            return True
        if kind == "criteria" and not self.numbers("grade"):
            self.values |= blanks_of(usual.usual_criteria())
            return True
        return False

    def change(self, do: str) -> None:
        """Add or remove a row: `add-level`, `remove-grade-2`."""
        action, _, rest = do.partition("-")
        what, _, number = rest.partition("-")
        if what not in {"level", "grade"}:
            return
        numbers = self.numbers(what)
        if action == "add" and len(numbers) < MOST_ROWS:
            self.values[f"{what}-{numbers[-1] + 1 if numbers else 0}-credit"] = ""
        if action == "remove" and len(numbers) > 1:
            for name in [name for name in self.values if name.startswith(f"{what}-{number}-")]:
                del self.values[name]
        self._renumber(what)

    def _renumber(self, what: str) -> None:
        rows = self.numbers(what)
        renamed = {number: place for place, number in enumerate(rows)}
        for number in rows:
            for name in [name for name in self.values if name.startswith(f"{what}-{number}-")]:
                value = self.values.pop(name)
                self.values[name.replace(f"-{number}-", f"-{renamed[number]}-", 1)] = value

    def level_rows(self) -> list[LevelRow]:
        """The table's rows; the highest level comes first on the page, as on a report card."""
        found = []
        for place, number in enumerate(self.numbers("level"), 1):
            name = f"level-{number}"
            at, credit = (
                self.blank(f"{name}-at", f"Level {place}"),
                self.blank(f"{name}-credit", f"Credit {place}"),
            )
            found.append(LevelRow(number, at, credit))
        return found[::-1]

    def grade_rows(self) -> list[GradeRow]:
        """The grades of criteria in the order they are tried."""
        return [self._grade_row(number, place) for place, number in enumerate(self.numbers("grade"), 1)]

    def _grade_row(self, number: int, place: int) -> GradeRow:
        name = f"grade-{number}"
        conditions = [
            Condition(
                words,
                self.blank(f"{name}-{short}", f"Grade {place}: {words}"),
                self.blank(f"{name}-{short}_at", f"Grade {place}: {words}, value"),
            )
            for short, _, words in CONDITIONS
        ]
        return GradeRow(
            number,
            self.blank(f"{name}-credit", f"Grade {place}: credit in percent"),
            tuple(conditions),
            self.blank(f"{name}-mastered", f"Grade {place}: how many are mastered"),
        )

    def blank(self, name: str, label: str) -> Blank:
        return Blank(name, label, self.values.get(name, ""), self.errors.get(name, ""))

    def carried(self, kind: str) -> list[tuple[str, str]]:
        """What was typed for other kinds of rule: it goes along hidden, so that nothing is lost."""
        return [(name, value) for name, value in self.values.items() if kind_of(name) not in {"", kind}]

    # Reading

    def table(self) -> Table | None:
        """The table; None where a blank of it is wrong (see `errors`)."""
        in_points = self.values.get("unit", "points") == "points"
        if in_points and self.combine == "share":
            self.errors["unit"] = "The share of mastered outcomes has no points: choose percent."
        read = []
        for number in self.numbers("level"):
            most = MOST_POINTS if in_points else MOST_PERCENT
            at = self._number(f"level-{number}-at", most, "Type where this level starts, such as 3.")
            credit = self._number(f"level-{number}-credit", MOST_PERCENT, "Type a percentage, such as 85.")
            if at is not None and credit is not None:
                line = PointsLine(at) if in_points else ShareLine(Percent(at))
                read.append((at, number, TableLevel(line, Percent(credit))))
        if not self.numbers("level"):
            self.errors["unit"] = "A table needs at least one level: add one."
        read.sort(key=lambda one: one[0])
        for before, after in zip(read, read[1:], strict=False):
            if before[0] == after[0]:
                name = f"level-{max(before[1], after[1])}-at"
                self.errors[name] = f"{plain(after[0])} is here twice: give each level once."
        if self.errors:
            return None
        return Table(tuple(level for _, _, level in read), self.values.get("interpolate", "") != "")

    def criteria(self) -> Criteria | None:
        """The criteria; None where a blank of them is wrong (see `errors`)."""
        numbers = self.numbers("grade")
        grades = [self._grade(f"grade-{number}") for number in numbers]
        for number, grade in list(zip(numbers, grades, strict=True))[:-1]:
            if grade is not None and grade == CriteriaGrade(grade.credit):
                self.errors[f"grade-{number}-credit"] = (
                    "This grade has no condition, so the grades below it would never count: "
                    "add a condition, or move it to the end."
                )
        if not numbers:
            self.errors["grades"] = "Criteria need at least one grade: add one."
        if self.errors:
            return None
        return Criteria(tuple(grade for grade in grades if grade is not None))

    def _grade(self, name: str) -> CriteriaGrade | None:
        credit = self._number(f"{name}-credit", MOST_PERCENT, "Type a percentage, such as 100 or 0.")
        lines = {key: self._line(f"{name}-{short}") for short, key, _ in CONDITIONS}
        mastered = self._mastered(f"{name}-mastered")
        if credit is None:
            return None
        return CriteriaGrade(Percent(credit), mastered_at_least=mastered, **lines)

    def _line(self, name: str) -> Line | None:
        kind = self.values.get(name, "")
        if kind == "":
            return None
        if kind == "mastery":
            return MasteryLine()
        if kind not in {"points", "percent"}:
            self.errors[name] = "Choose one of the list."
            return None
        most = MOST_POINTS if kind == "points" else MOST_PERCENT
        at = self._number(f"{name}_at", most, "Type where the line is, such as 3 points or 75 percent.")
        if at is None:
            return None
        return PointsLine(at) if kind == "points" else ShareLine(Percent(at))

    def _mastered(self, name: str) -> int | None:
        text = self.values.get(name, "").strip()
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= self.count):
            self.errors[name] = (
                f"Type a whole number from 0 to {self.count}, the outcomes chosen; or leave it empty."
            )
            return None
        return int(text)

    def _number(self, name: str, most: Decimal, missing: str) -> Decimal | None:
        try:
            found = NumberField(least=Decimal(0), most=most, required=False).clean(self.values.get(name, ""))
        except ValidationError as error:
            self.errors[name] = error.messages[0]
            return None
        if found is None:
            self.errors[name] = missing
        return found if isinstance(found, Decimal) else None


def submitted(data: Mapping[str, str]) -> dict[str, str]:
    """The rule's blanks of a form that was sent, each cut to what a blank can hold."""
    return {name: data[name][:100] for name in data if kind_of(name)}
