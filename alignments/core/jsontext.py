"""Bytes to JSON values that still know what was written: numbers keep their text, objects their repeated keys."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

MAX_BYTES = 5_000_000


class NotJson(ValueError):
    """The bytes are not one JSON text; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class JsonNumber:
    """A number as it was written: `1.0`, `1` and `1e0` are three."""

    text: str


@dataclass(frozen=True, slots=True)
class JsonConstant:
    """`NaN`, `Infinity` or `-Infinity`, which JSON does not have but many writers write."""

    text: str


class JsonObject(dict[str, object]):
    """An object (the last of repeated keys wins) that remembers which keys were repeated."""

    repeated: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    made = JsonObject(pairs)
    if len(made) < len(pairs):
        counted = Counter(key for key, _ in pairs)
        made.repeated = tuple(key for key, times in counted.items() if times > 1)
    return made


def parse(data: bytes) -> object:
    """The one JSON value in `data`: UTF-8, with or without a BOM, at most 5,000,000 bytes."""
    if len(data) > MAX_BYTES:
        raise NotJson(f"The file is larger than {MAX_BYTES:,} bytes: split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotJson(f"The file is not UTF-8 (byte {error.start + 1}): save it as UTF-8.") from error
    if not text.strip():
        raise NotJson("The file is empty.")
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=JsonNumber,
            parse_float=JsonNumber,
            parse_constant=JsonConstant,
        )
    except json.JSONDecodeError as error:
        raise NotJson(_where(error)) from error
    except RecursionError as error:
        raise NotJson("The file is nested too deeply to be a list of alignments.") from error


def _where(error: json.JSONDecodeError) -> str:
    place = f"Line {error.lineno}, column {error.colno}"
    if error.msg == "Extra data":
        return f"{place}: there is text after the end of the JSON: remove it."
    return f"{place}: this is not JSON ({error.msg[:1].lower()}{error.msg[1:]})."
