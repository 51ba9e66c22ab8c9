"""Single fields of the file: each reader takes a value and its spot, and reports what is wrong there.

After reporting, a reader returns a stand-in so that the rest can be read too and every error be listed;
whoever called throws the result away when there is any problem.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from alignments.core.definition import MAX_NAME, Percent
from alignments.core.jsontext import JsonConstant, JsonNumber, JsonObject

TOO_LARGE = Decimal(10) ** 15
"""Canvas keeps doubles, which hold that many digits; answers with wider ones are not believed (canvas/shapes.py)."""
MAX_DIGITS = 30
MAX_PERCENT = 1000
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
PERCENT = re.compile(NUMBER.pattern + "%")
INTEGER = re.compile(r"0|[1-9][0-9]*")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MISSING = object()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: in which entry, in which field, and what to do."""

    entry: str
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.entry, self.path, self.message) if part)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the file, and the list its problems go to."""

    problems: list[Problem] = field(default_factory=list)
    entry: str = ""
    path: str = ""

    def key(self, name: str) -> Spot:
        shown = name if NICE_KEY.fullmatch(name) else quoted(name)
        return replace(self, path=f"{self.path}.{shown}" if self.path else shown)

    def item(self, index: int) -> Spot:
        return replace(self, path=f"{self.path}[{index}]")

    def wrong(self, message: str) -> None:
        self.problems.append(Problem(self.entry, self.path, message))


NICE_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")


def quoted(value: object) -> str:
    """A value as a person finds it in the file, shortened."""
    if isinstance(value, JsonNumber | JsonConstant):
        text = value.text
    elif isinstance(value, Mapping):
        return "an object"
    elif isinstance(value, list | tuple):
        return "a list"
    else:
        unsafe = isinstance(value, str) and UNSTORABLE.search(value) is not None
        text = json.dumps(value, ensure_ascii=unsafe, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def members(
    spot: Spot, value: object, required: Collection[str], optional: Collection[str] = ()
) -> Mapping[str, object] | None:
    """The object's members, once its keys are known, not repeated and complete; None when it is no object."""
    if not isinstance(value, dict):
        spot.wrong(f"must be an object in {{ }}, not {quoted(value)}.")
        return None
    for key in value.repeated if isinstance(value, JsonObject) else ():
        spot.key(key).wrong("is written twice: keep one.")
    known = [*required, *optional]
    for key in value:
        if key not in known:
            spot.key(key).wrong(f"is not known here: remove it, or use one of {', '.join(known)}.")
    for key in required:
        if key not in value:
            spot.key(key).wrong("is missing: add it.")
    return value


def items(spot: Spot, value: object) -> Sequence[object] | None:
    """The list's items, at least one; None when there are none."""
    if not isinstance(value, list | tuple):
        spot.wrong(f"must be a list in [ ], not {quoted(value)}.")
        return None
    if not value:
        spot.wrong("is empty: it needs at least one entry.")
        return None
    return value


def decimal(spot: Spot, value: object) -> Decimal:
    """A number of at most 30 digits: a JSON number or the same in quotes."""
    text = value.text if isinstance(value, JsonNumber) else value
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        spot.wrong(f"{quoted(value)} is not a number: write digits with a point where needed, such as 2.5.")
        return Decimal(1)
    if len(text) - text.count(".") > MAX_DIGITS:
        spot.wrong(f"has more than {MAX_DIGITS} digits: shorten it.")
        return Decimal(1)
    return Decimal(text)


def above_zero(spot: Spot, value: object) -> Decimal:
    number = decimal(spot, value)
    if number == 0:
        spot.wrong("must be more than 0.")
    return number


def column_points(spot: Spot, value: object) -> Decimal:
    """The points of a column: more than 0, and no more than Canvas can keep."""
    points = above_zero(spot, value)
    if points >= TOO_LARGE:
        spot.wrong("is larger than any grade in Canvas: write a number below 1000000000000000.")
        return Decimal(1)
    return points


def percent(spot: Spot, value: object) -> Percent:
    """A percentage from 0% to 1000%, in quotes."""
    if not isinstance(value, str) or not PERCENT.fullmatch(value):
        spot.wrong(f'{quoted(value)} is not a percentage: write it with %, such as "75%".')
        return Percent(Decimal(0))
    number = decimal(spot, value[:-1])
    if number > MAX_PERCENT:
        spot.wrong(f"{quoted(value)} is too much: a percentage runs from 0% to {MAX_PERCENT}%.")
    return Percent(number)


def whole(spot: Spot, value: object, lowest: int, highest: int | None) -> int:
    """A count: a JSON integer from `lowest` to `highest` (None: not known, because something else is wrong)."""
    text = value.text if isinstance(value, JsonNumber) else value
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    elif not isinstance(value, JsonNumber):
        text = ""
    if not isinstance(text, str) or not INTEGER.fullmatch(text) or len(text) > MAX_DIGITS:
        spot.wrong(f"{quoted(value)} is not a whole number: write it with digits only and without quotes.")
        return lowest
    number = int(text)
    if number < lowest or (highest is not None and number > highest):
        spot.wrong(f"{number} is out of range: use {lowest} to {highest if highest is not None else 'more'}.")
    return number


def flag(spot: Spot, value: object) -> bool:
    if not isinstance(value, bool):
        spot.wrong(f"must be true or false, not {quoted(value)}.")
        return False
    return value


def choice(spot: Spot, value: object, choices: Collection[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        spot.wrong(f"{quoted(value)} is not a choice: use one of {', '.join(choices)}.")
        return next(iter(choices))
    return value


def canvas_id(spot: Spot, value: object) -> str:
    """A Canvas id: an integer above 0, or its digits in quotes."""
    text = value.text if isinstance(value, JsonNumber) else value
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str) or not INTEGER.fullmatch(text) or text == "0" or len(text) > MAX_DIGITS:
        spot.wrong(f"{quoted(value)} is not a Canvas id: write the digits of a whole number above 0.")
        return ""
    return text


def title(spot: Spot, value: object) -> str:
    """A name or label: 1 to 255 characters, not blank."""
    trouble = title_trouble(value)
    if trouble:
        spot.wrong(trouble)
    return value if isinstance(value, str) else ""


def title_trouble(value: object) -> str:
    """Why this cannot be a name, or nothing."""
    if not isinstance(value, str):
        return f"must be text in quotes, not {quoted(value)}."
    if not value.strip():
        return "is blank: write a name."
    if len(value) > MAX_NAME:
        return f"is {len(value)} characters long: use at most {MAX_NAME}."
    if UNSTORABLE.search(value):
        return "holds a character that is no text (a zero byte or half a symbol): remove it."
    return ""
