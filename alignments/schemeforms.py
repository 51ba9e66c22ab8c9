"""A new grading scheme from the teacher's own levels: read from the page, refused in words, made in Canvas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from django.core.exceptions import ValidationError

from alignments.core import usual
from alignments.core.numbers import plain, rounded
from alignments.numberfields import NumberField
from alignments.offers import NUMERIC
from alignments.ruleblanks import Blank
from canvas.schemes import NewScheme
from canvas.values import Outcome

MOST_LETTERS = 30
MOST_TITLE = 255
BOUND_PLACES = 2
"""Canvas keeps a bound to a hundredth of a percent."""
CANVAS_SAYS = {
    "scheme_negative": "A bound is below 0. Write percentages from 0 up.",
    "scheme_duplicate": "Two letters have the same bound. Give each its own, a hundredth of a percent apart at least.",
    "scheme_long_name": "A letter's name is too long. Shorten it.",
    "scheme_no_zero": "The lowest letter must start at 0. Set its bound to 0.",
    "scheme_scaling": "Only a scheme in points can have a top in points. Choose points, or leave the top empty.",
}
"""Canvas's validations (grading_standard.rb), and what to do about each."""


@dataclass(frozen=True, slots=True)
class LetterRow:
    number: int
    name: Blank
    bound: Blank


@dataclass
class SchemeForm:
    """The blanks of a new scheme. In points, bounds are typed in points of `top`."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def numbers(self) -> list[int]:
        """The numbers of the rows there are."""
        rows = {name.split("-")[1] for name in self.values if name.startswith("letter-")}
        return sorted(int(row) for row in rows if row.isdecimal() and len(row) < 3)[:MOST_LETTERS]

    @property
    def rows(self) -> list[LetterRow]:
        return [
            LetterRow(number, self.blank(f"letter-{number}-name"), self.blank(f"letter-{number}-bound"))
            for number in self.numbers
        ]

    @property
    def title(self) -> Blank:
        return self.blank("title")

    @property
    def unit(self) -> Blank:
        return self.blank("unit")

    @property
    def top(self) -> Blank:
        return self.blank("top")

    def blank(self, name: str) -> Blank:
        return Blank(name, name, self.values.get(name, ""), self.errors.get(name, ""))

    def change(self, do: str) -> None:
        """`add` or `remove-2`."""
        numbers = self.numbers
        if do == "add" and len(numbers) < MOST_LETTERS:
            self.values[f"letter-{numbers[-1] + 1 if numbers else 0}-name"] = ""
        if do.startswith("remove-") and len(numbers) > 1:
            for part in ("name", "bound"):
                self.values.pop(f"letter-{do.removeprefix('remove-')}-{part}", None)

    def read(self) -> NewScheme | None:
        """The scheme, or None where a blank is wrong (see `errors`)."""
        title = self.values.get("title", "").strip()
        if not title or len(title) > MOST_TITLE:
            self.errors["title"] = f"Give the scheme a name of 1 to {MOST_TITLE} letters."
        top = self._top()
        levels = [self._level(number, top or Decimal(100)) for number in self.numbers]
        if not levels:
            self.errors["title"] = "A scheme needs letters: add at least two."
        read = sorted((one for one in levels if one is not None), key=lambda one: one[1], reverse=True)
        if read and not self.errors:
            self._check_together(read)
        if self.errors:
            return None
        return NewScheme(title, tuple((name, bound) for name, bound, _ in read), top)

    def _check_together(self, read: Sequence[tuple[str, Decimal, int]]) -> None:
        """Canvas's own validations, before it is asked."""
        lowest = read[-1]
        if lowest[1] != 0:
            self.errors[f"letter-{lowest[2]}-bound"] = CANVAS_SAYS["scheme_no_zero"]
        for before, after in zip(read, read[1:], strict=False):
            if before[1] == after[1]:
                self.errors[f"letter-{max(before[2], after[2])}-bound"] = CANVAS_SAYS["scheme_duplicate"]

    def _top(self) -> Decimal | None:
        if self.values.get("unit") != "points":
            return None
        found = self._number("top", Decimal(100_000), above=True)
        if found is None and "top" not in self.errors:
            self.errors["top"] = "Type how many points the full scale is worth, such as 4."
        return found

    def _level(self, number: int, top: Decimal) -> tuple[str, Decimal, int] | None:
        name, place = self.values.get(f"letter-{number}-name", "").strip(), f"letter-{number}-bound"
        if not name or len(name) > MOST_TITLE:
            self.errors[f"letter-{number}-name"] = "Give this letter a name, such as A or Proficient."
        elif NUMERIC.fullmatch(name):
            self.errors[f"letter-{number}-name"] = (
                "A number as a letter would be mistaken for points by Canvas: use a word, such as Level 4."
            )
        bound = self._number(place, top)
        if bound is None:
            self.errors.setdefault(
                place, "Type where this letter starts, such as 80; the lowest starts at 0."
            )
            return None
        return name, rounded(Fraction(bound) / Fraction(top) * 100, BOUND_PLACES), number

    def _number(self, name: str, most: Decimal, *, above: bool = False) -> Decimal | None:
        typed = NumberField(least=Decimal(0), most=most, above=above, required=False)
        try:
            found = typed.clean(self.values.get(name, ""))
        except ValidationError as error:
            self.errors[name] = error.messages[0]
            return None
        return found if isinstance(found, Decimal) else None


def from_levels(outcome: Outcome | None) -> SchemeForm:
    """The outcome's own levels as letters, each from where it starts on the scale; the lowest from 0."""
    if outcome is None or not outcome.points_possible:
        return SchemeForm(
            {"title": "", "unit": "percent", "letter-0-name": "", "letter-1-name": "", "letter-1-bound": "0"}
        )
    names = {one.points: one.description for one in outcome.ratings}
    levels = usual.levels_of(outcome)
    lowest = names.get(Decimal(0), "")
    starts = [Decimal(0), *levels] if lowest else [Decimal(0), *levels[1:]]
    values = {"title": "", "unit": "points", "top": plain(outcome.points_possible)}
    for row, start in enumerate(reversed(starts)):
        rated = start if start or lowest else levels[0]
        values[f"letter-{row}-name"] = names.get(rated) or f"Level {plain(rated)}"
        values[f"letter-{row}-bound"] = plain(start)
    return SchemeForm(values)


def sent(data: Mapping[str, str]) -> SchemeForm:
    """The form as it was sent."""
    known = {
        name: data[name][:300]
        for name in data
        if name in {"title", "unit", "top"} or name.startswith("letter-")
    }
    return SchemeForm(known)
