"""Every example of docs/rules.md is true."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from alignments.core.explain import explain_cell
from tests.alignments.examples import CANVAS_DEFAULT, decided, definition, outcome, spaced

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
WORDS = {"left alone": "not_enough", "zero": "zeroed", "excused": "excused", "emptied": "cleared"}


def examples() -> list[tuple[dict[str, Any], list[str], str]]:
    """Each row of a table that follows `<!-- example {entry} -->`: the entry, the scores, the grade."""
    found = []
    entry: dict[str, Any] | None = None
    for line in PAGE.read_text().splitlines():
        marked = re.fullmatch(r"<!-- example (.*) -->", line)
        if marked:
            entry = json.loads(marked.group(1))
        elif line.startswith("#"):
            entry = None
        elif entry is not None and line.startswith("| ") and "score" not in line:
            scores, *_, grade = [cell.strip() for cell in line.strip("|").split("|")]
            found.append((entry, scores.split(", "), grade))
    return found


@pytest.mark.parametrize(("entry", "scores", "grade"), examples())
def test_an_example_of_the_page(entry: dict[str, Any], scores: list[str], grade: str) -> None:
    weights = entry.get("weights", {"1": "1"})
    given = {key: None if score == "—" else score for key, score in zip(weights, scores, strict=True)}
    made = definition(**entry)
    outcomes = {key: outcome(key) for key in weights}
    assert decided(made, outcomes, given, letters=CANVAS_DEFAULT) == WORDS.get(grade, grade)


def test_the_page_has_examples() -> None:
    assert len(examples()) > 30


def explanations() -> list[tuple[dict[str, Any], str]]:
    """Each quotation that follows `<!-- why {...} -->`: what is explained, and the words."""
    quoted = re.findall(r"<!-- why (.*) -->\n((?:> .*\n)+)", PAGE.read_text())
    return [(json.loads(asked), " ".join(words.replace("> ", "").split())) for asked, words in quoted]


@pytest.mark.parametrize(("asked", "words"), explanations())
def test_an_explanation_of_the_page(asked: dict[str, Any], words: str) -> None:
    made = definition(**asked["entry"])
    given = dict(zip(made.outcome_ids, map(Decimal, asked["scores"].split(", ")), strict=True))
    outcomes = {key: outcome(key) for key in made.outcome_ids}
    assert spaced(" ".join(explain_cell(made, outcomes, given, Decimal(asked["points"])))) == words


def test_the_page_has_explanations() -> None:
    assert len(explanations()) == 3
