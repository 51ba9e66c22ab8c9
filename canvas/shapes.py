"""Reading JSON whose shape somebody else decides: field by field, each of a known kind or an `Incomplete`.

No message holds a value: values are names and scores.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lti_tool.errors import Incomplete

WIDEST = 15
"""Powers of ten a number may have; anything wider is no grade, scale or maximum."""
WIDEST_FLOAT = 308
"""Powers of ten of a score that a person typed: Canvas keeps a double and knows no limit."""


def wrong_shape(what: str) -> Incomplete:
    return Incomplete(f"Canvas's answer has an unexpected shape: {what}.", code="wrong_shape")


def ident(value: Any, what: str) -> str:
    """An id as text, whether it came as a number or as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= 64:
        return value
    raise wrong_shape(what)


def number(value: Any, what: str, widest: int = WIDEST) -> Decimal:
    """A JSON number, exact. Text that looks like one is not one."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or value.adjusted() > widest:
        raise wrong_shape(what)
    return value


def moment(value: Any, what: str) -> datetime:
    """An ISO 8601 time; without an offset it is UTC."""
    if not isinstance(value, str):
        raise wrong_shape(what)
    try:
        time = datetime.fromisoformat(value)
    except ValueError as error:
        raise wrong_shape(what) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


class Fields:
    """One JSON object. `what` names it in errors, for example `rollups[]`."""

    def __init__(self, value: Any, what: str) -> None:
        if not isinstance(value, dict):
            raise wrong_shape(what)
        self._value: dict[str, Any] = value
        self._what = what

    def __contains__(self, key: str) -> bool:
        return self._value.get(key) is not None

    def has(self, key: str) -> bool:
        """Whether the key is there at all, null included."""
        return key in self._value

    def raw(self, key: str) -> Any:
        return self._value.get(key)

    def ident(self, key: str) -> str:
        return ident(self.raw(key), self._name(key))

    def ident_or_none(self, key: str) -> str | None:
        return self.ident(key) if key in self else None

    def number_or_none(self, key: str, widest: int = WIDEST) -> Decimal | None:
        return number(self.raw(key), self._name(key), widest) if key in self else None

    def integer_or_none(self, key: str) -> int | None:
        return int(number(self.raw(key), self._name(key))) if key in self else None

    def text(self, key: str, default: str | None = None) -> str:
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise wrong_shape(self._name(key))
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise wrong_shape(self._name(key))
        return value

    def moment_or_none(self, key: str) -> datetime | None:
        return moment(self.raw(key), self._name(key)) if key in self else None

    def child(self, key: str) -> Fields:
        return Fields(self.raw(key), self._name(key))

    def child_or_empty(self, key: str) -> Fields:
        return Fields(self.raw(key) if key in self else {}, self._name(key))

    def items(self, key: str) -> list[Fields]:
        """The objects of a list that must be there."""
        return each(self.raw(key), self._name(key))

    def items_or_none(self, key: str) -> list[Fields] | None:
        """The objects of a list, or None where there is no such list."""
        return self.items(key) if key in self else None

    def _name(self, key: str) -> str:
        return f"{self._what}.{key}"


def each(value: Any, what: str) -> list[Fields]:
    """A JSON list of objects."""
    if not isinstance(value, list):
        raise wrong_shape(what)
    return [Fields(item, f"{what}[]") for item in value]


def texts(values: Any) -> tuple[str, ...]:
    """Those entries of a JSON list that are text; nothing for anything else."""
    return tuple(item for item in values if isinstance(item, str)) if isinstance(values, Iterable) else ()
