"""Every example of docs/rules.md on own calculations is true."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from alignments.core.numbers import short
from tests.alignments.evidence import scored
from tests.alignments.test_rules_page import PAGE


def examples() -> list[tuple[dict[str, Any], str, str]]:
    """Each row of a table that follows `<!-- results {calculation} -->`: the calculation, results, score."""
    found: list[tuple[dict[str, Any], str, str]] = []
    how: dict[str, Any] | None = None
    for line in PAGE.read_text().splitlines():
        marked = re.fullmatch(r"<!-- results (.*) -->", line)
        if marked:
            how = json.loads(marked.group(1))
        elif line.startswith(("#", "<!-- ")):
            how = None
        elif how is not None and line.startswith("| ") and "results" not in line:
            results, score = [cell.strip() for cell in line.strip("|").split("|")]
            found.append((how, results, score))
    return found


@pytest.mark.parametrize(("how", "results", "score"), examples())
def test_an_example_of_the_page(how: dict[str, Any], results: str, score: str) -> None:
    method, more = how["method"], {key: value for key, value in how.items() if key != "method"}
    found = scored(method, results.split(", "), **more)
    assert ("not assessed" if found is None else short(found)) == score


def test_the_page_has_examples_of_every_method() -> None:
    assert len(examples()) > 25
    assert len({how["method"] for how, _, _ in examples()}) == 11
