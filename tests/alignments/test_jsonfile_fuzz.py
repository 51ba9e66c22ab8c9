"""Whatever is in the file, it is read or refused in sentences: nothing else ever happens."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alignments.core import jsonfile
from tests.alignments import strategies as some

KEYS = [
    "name", "outcomes", "id", "weight", "combine", "rule", "kind", "at", "levels", "interpolate", "grades", "credit",
    "all_at_least", "mastered_at_least", "grading_standard_id", "evidence", "at_least", "otherwise", "target",
    "column", "label", "points", "assignment", "overwrite", "direction", "round", "below",
    "calculation", "method", "percent", "count", "order", "drop_lowest", "ignore_assignments",
]  # fmt: skip
WORDS = [
    "mean",
    "share",
    "cutoff",
    "table",
    "scheme",
    "criteria",
    "zero",
    "excuse",
    "75%",
    "3",
    "2.80",
    "1e5",
    "",
]
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=5)
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
)


def refused_or_read(data: bytes) -> None:
    try:
        read = jsonfile.parse_file(data)
    except jsonfile.FileErrors as errors:
        assert 1 <= len(errors.lines) <= jsonfile.MAX_ERRORS
        assert all(line.endswith(".") and "\n" not in line for line in errors.lines)
    else:
        assert [jsonfile.parse_definition(jsonfile.to_json(one)) for one in read] == list(read)


@given(some.definitions(), st.data())
def test_an_entry_with_something_else_in_one_place(definition: Any, data: st.DataObject) -> None:
    entry: Any = jsonfile.to_json(definition)
    place, spoiled = entry, values.filter(lambda value: value != entry)
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(spoiled)
    refused_or_read(json.dumps({"version": 1, "alignments": [entry]}).encode())


@given(st.lists(st.dictionaries(st.sampled_from(KEYS), values), max_size=3))
def test_entries_of_anything(entries: Any) -> None:
    refused_or_read(json.dumps({"version": 1, "alignments": entries}).encode())


@given(st.binary(max_size=40) | values.map(lambda value: json.dumps(value).encode()))
def test_bytes_of_anything(data: bytes) -> None:
    refused_or_read(data)
