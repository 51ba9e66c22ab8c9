"""Another worker takes runs over here, in transactions that are over: what is asked of a lease is asked in earnest."""

from __future__ import annotations

from pathlib import Path

import pytest

from grading import runs

IN_EARNEST = runs.SURE_SECONDS
TEST_SECONDS = 1_200
"""For a whole test: alone up to a minute; beside other work, on a slow machine, several."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pytest hands over the tests of every folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(autouse=True)
def a_lease_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of what the other tests have: with a lease that is sure for ever, a worker that comes back from a freeze
    would write for a run that it has lost."""
    monkeypatch.setattr(runs, "SURE_SECONDS", IN_EARNEST)
