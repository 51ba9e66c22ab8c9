"""An outcome without a scale is named before the first sync, and holds only its own cells (interface 5.2)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client

from tests.acceptance.rule_doors import NEW, by_file, errors_of, opened, staged, synced, typed
from tests.acceptance.rule_examples import PROPORTIONAL, Example, cutoff

pytestmark = pytest.mark.django_db(transaction=True)

SAID = 'Outcome "Skill B" has no scale: its points possible are missing or 0 in Canvas.'
EXAMPLES = [
    Example("without a scale", PROPORTIONAL, "B", {"3": ""}),
    Example("one of two", cutoff(), "AB", {"3 3": ""}),
    Example("with one", PROPORTIONAL, "A", {"3": "75"}),
]


@pytest.mark.parametrize("points", [None, Decimal(0)])
def test_it_is_named_at_once_and_never_read_as_no_evidence(
    client: Client, tmp_path: Path, points: Decimal | None
) -> None:
    world, cases = staged(EXAMPLES)
    world.outcomes[602].points_possible = points
    with opened(client, world) as room:
        refused = room.post(NEW, typed(cases[0]))
        assert refused.status_code == 422
        assert SAID.replace('"', "&quot;") in errors_of(refused)
        by_file(room, cases, tmp_path)
        assert room.text("/course/").count(SAID.replace('"', "&quot;")) >= 2
        told, cells = synced(room)
    assert told["status"] == "partial"
    assert {problem["detail"] for problem in told["problems"]} == {SAID}
    assert {cell["reason"] for key, cell in cells.items() if key[0] != cases[2].assignment} == {
        "broken_alignment"
    }
    [(user, to)] = cases[2].wanted.items()
    assert cells[cases[2].assignment, user]["to"] == to
