"""The blanks of a calculation's sentence: read into a `Calculation` with an error beside each blank, and filled
from one. Plain text under flat names, as the rule's own blanks are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

from django.core.exceptions import ValidationError

from alignments.core import fields
from alignments.core.calculationfields import MOST, MOST_FOR_MASTERY, ORDER, OWN_KEYS, USUAL_PERCENT
from alignments.core.definition import MAX_NAME, Calculation, Method, Order, Percent
from alignments.core.numbers import plain
from alignments.numberfields import NumberField
from alignments.ruleblanks import Blank

METHODS: list[tuple[str, list[tuple[Method, str]]]] = [
    (
        "Worked out here as Canvas does",
        [
            ("average", "the average of all results"),
            ("latest", "the newest result"),
            ("highest", "the best result"),
            ("standard_decaying_average", "a decaying average: newer results weigh more, step by step"),
            ("weighted_average", "the newest result against the average of all earlier ones"),
            ("n_mastery", "the average of the results at mastery, once there are some"),
        ],
    ),
    (
        "Only here, not in Canvas",
        [
            ("newest", "the average of the newest results"),
            ("latest_and_highest", "the average of the newest and the best result"),
            ("mode", "the most frequent result"),
            ("streak", "the level held several times in a row"),
            ("power_law", "Marzano's power law: where the learning curve ends"),
        ],
    ),
]
ORDERS: list[tuple[Order, str]] = [
    ("submitted", "when the work was handed in"),
    ("assessed", "when it was assessed"),
    ("due", "when it was due"),
]
USUAL_COUNT: Mapping[str, str] = {"newest": "3", "streak": "3", "n_mastery": "5"}
"""n_mastery: Canvas's own "number of times"."""
USUAL = {"order": "submitted", "at_least": "1", "drop_lowest": "0"}
MOST_IGNORED = 30
NAME = re.compile(
    r"calc(?:-(?:percent|count-(?:newest|streak|n_mastery)|order|at_least|drop_lowest|ignored-[0-9]{1,2}(?:-reason)?))?"
)
GIVEN = "calc"
"""The blank that says which method; "" is Canvas's own score."""


@dataclass(frozen=True, slots=True)
class IgnoredRow:
    """One assignment whose results do not count, and why."""

    number: int
    assignment: Blank
    reason: Blank


def is_blank(name: str) -> bool:
    """Whether this is the name of a blank of the calculation."""
    return NAME.fullmatch(name) is not None


def submitted(data: Mapping[str, str]) -> dict[str, str]:
    """The calculation's blanks of a form that was sent, each cut to what a blank can hold."""
    return {name: data[name][: MAX_NAME + 1] for name in data if is_blank(name)}


def blanks_of(calculation: Calculation | None) -> dict[str, str]:
    """The blanks filled in."""
    if calculation is None:
        return {GIVEN: ""}
    filled = {
        GIVEN: calculation.method,
        "calc-order": calculation.order,
        "calc-at_least": str(calculation.at_least),
        "calc-drop_lowest": str(calculation.drop_lowest),
    }
    if calculation.percent is not None:
        filled["calc-percent"] = plain(calculation.percent.number)
    if calculation.count is not None:
        filled[f"calc-count-{calculation.method}"] = str(calculation.count)
    for number, assignment_id in enumerate(calculation.ignore_assignments):
        filled[f"calc-ignored-{number}"] = assignment_id
        filled[f"calc-ignored-{number}-reason"] = calculation.reason_to_ignore(assignment_id)
    return filled


@dataclass
class CalculationBlanks:
    """The blanks of one form."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The method chosen; "" for Canvas's own score."""
        return self.values.get(GIVEN, "")

    @property
    def own_key(self) -> str:
        """Which blank only this method has: `percent`, `count` or none."""
        return OWN_KEYS.get(cast(Method, self.method), "")

    @property
    def groups(self) -> list[tuple[str, list[tuple[Method, str]]]]:
        return METHODS

    @property
    def orders(self) -> list[tuple[Order, str]]:
        return ORDERS

    @property
    def has_more(self) -> bool:
        """Whether anything below the fold is not as usual, or wrong."""
        unusual = any(self._value(name, usual) != usual for name, usual in USUAL.items())
        return unusual or bool(self.numbers()) or any(name != GIVEN for name in self.errors)

    def blank(self, name: str, label: str, usual: str = "") -> Blank:
        full = f"calc-{name}"
        return Blank(full, label, self.values.get(full, usual), self.errors.get(full, ""))

    @property
    def chosen(self) -> Blank:
        return Blank(GIVEN, "Each outcome's score", self.method, self.errors.get(GIVEN, ""))

    @property
    def percent(self) -> Blank:
        return self.blank("percent", "What the newest result weighs, in percent", plain(USUAL_PERCENT.number))

    @property
    def count(self) -> Blank:
        labels = {"newest": "How many of the newest results", "streak": "How many times in a row"}
        label = labels.get(self.method, "How many results at mastery")
        return self.blank(f"count-{self.method}", label, USUAL_COUNT.get(self.method, "1"))

    @property
    def order(self) -> Blank:
        return self.blank("order", "Results are in the order of", USUAL["order"])

    @property
    def at_least(self) -> Blank:
        return self.blank("at_least", "How many results an outcome needs", USUAL["at_least"])

    @property
    def drop_lowest(self) -> Blank:
        return self.blank("drop_lowest", "How many of the lowest results are dropped", USUAL["drop_lowest"])

    def ignored_rows(self) -> list[IgnoredRow]:
        """Assignments whose results do not count."""
        return [
            IgnoredRow(
                number,
                self.blank(f"ignored-{number}", f"Ignored assignment {place}"),
                self.blank(f"ignored-{number}-reason", f"Why assignment {place} is ignored"),
            )
            for place, number in enumerate(self.numbers(), 1)
        ]

    def numbers(self) -> list[int]:
        """The numbers of the rows of ignored assignments, in order."""
        found = {int(name.split("-")[2]) for name in self.values if name.startswith("calc-ignored-")}
        return sorted(found)[:MOST_IGNORED]

    def carried(self) -> list[tuple[str, str]]:
        """Blanks that are not shown now: they go along hidden, so that nothing typed is lost."""
        if not self.method:
            return [(name, value) for name, value in self.values.items() if name != GIVEN]
        shown = {"percent": "calc-percent", "count": f"calc-count-{self.method}"}.get(self.own_key, "")
        own = ("calc-percent", "calc-count-")
        return [
            (name, value) for name, value in self.values.items() if name.startswith(own) and name != shown
        ]

    def change(self, do: str) -> None:
        """Add or remove a row of ignored assignments: `add-ignored`, `remove-ignored-2`."""
        numbers = self.numbers()
        if do == "add-ignored" and len(numbers) < MOST_IGNORED:
            self.values[f"calc-ignored-{numbers[-1] + 1 if numbers else 0}"] = ""
        action, _, number = do.partition("-ignored-")
        if action == "remove":
            for name in (f"calc-ignored-{number}", f"calc-ignored-{number}-reason"):
                self.values.pop(name, None)
        self._renumber()

    def _renumber(self) -> None:
        rows = [
            (self.values.pop(f"calc-ignored-{one}", ""), self.values.pop(f"calc-ignored-{one}-reason", ""))
            for one in self.numbers()
        ]
        for number, (assignment_id, reason) in enumerate(rows):
            self.values[f"calc-ignored-{number}"] = assignment_id
            self.values[f"calc-ignored-{number}-reason"] = reason

    # Reading

    def read(self, assignment_ids: Sequence[str] | None = None) -> Calculation | None:
        """The calculation; None for Canvas's own score, and where a blank is wrong (see `errors`).

        `assignment_ids` are those that may be ignored, where that is known."""
        if not self.method:
            return None
        if self.method not in OWN_KEYS:
            self.errors[GIVEN] = "Choose one of the list."
            return None
        method = cast(Method, self.method)
        most = MOST_FOR_MASTERY if method == "n_mastery" else MOST
        ignored = self._ignored(assignment_ids)
        found = Calculation(
            method,
            percent=self._percent() if self.own_key == "percent" else None,
            count=self._whole(f"count-{method}", 1, most, USUAL_COUNT[method])
            if self.own_key == "count"
            else None,
            order=self._order(),
            at_least=self._whole("at_least", 1, MOST, USUAL["at_least"]),
            drop_lowest=self._whole("drop_lowest", 0, MOST, USUAL["drop_lowest"]),
            ignore_assignments=tuple(ignored),
            ignore_reasons=tuple((key, reason) for key, reason in ignored.items() if reason),
        )
        return None if self.errors else found

    def _value(self, name: str, usual: str) -> str:
        return self.values.get(f"calc-{name}", usual).strip()

    def _order(self) -> Order:
        chosen = self._value("order", USUAL["order"])
        if chosen not in ORDER:
            self.errors["calc-order"] = "Choose one of the list."
        return cast(Order, chosen)

    def _whole(self, name: str, least: int, most: int, usual: str) -> int:
        text = self._value(name, usual)
        if not (text.isascii() and text.isdigit() and len(text) <= 4 and least <= int(text) <= most):
            self.errors[f"calc-{name}"] = f"Type a whole number from {least} to {most}."
            return least
        return int(text)

    def _percent(self) -> Percent:
        text = self._value("percent", plain(USUAL_PERCENT.number))
        try:
            number = NumberField(least=Decimal(0), most=Decimal(100), above=True).clean(text)
        except ValidationError:
            number = None
        if not isinstance(number, Decimal) or number >= 100:
            self.errors["calc-percent"] = (
                "Type a percentage above 0 and below 100, such as 65: it is what the newest result weighs."
            )
            return USUAL_PERCENT
        return Percent(number)

    def _ignored(self, assignment_ids: Sequence[str] | None) -> dict[str, str]:
        """The reason by assignment; a row without an assignment and without a reason is none."""
        found: dict[str, str] = {}
        for number in self.numbers():
            name = f"calc-ignored-{number}"
            assignment_id, reason = self.values.get(name, ""), self.values.get(f"{name}-reason", "").strip()
            if not assignment_id:
                if reason:
                    self.errors[name] = "Choose the assignment this is about, or remove the line."
                continue
            if assignment_ids is not None and assignment_id not in assignment_ids:
                self.errors[name] = "That assignment is not in this course. Choose one of the list."
            elif assignment_id in found:
                self.errors[name] = "This assignment is here twice: keep it once."
            if reason and (trouble := fields.title_trouble(reason)):
                self.errors[f"{name}-reason"] = f"The reason {trouble}"
            found[assignment_id] = reason
        return found
