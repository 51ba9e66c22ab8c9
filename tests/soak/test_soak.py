"""A short soak: some fixed seeds, so that a mistake in sending shows in minutes rather than in a term."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.soak.scrub import scrub
from tests.soak.walk import Tally, Walk
from tests.soak.weather import no_waiting


@pytest.fixture
def fast(transactional_db: None) -> Iterator[None]:
    with no_waiting():
        yield
    scrub()


@pytest.mark.parametrize("seed", [3, 14, 15, 92, 65])
def test_no_grade_is_ever_wrong(fast: None, seed: int) -> None:
    tally = Tally()
    walk = Walk(seed, tally)
    try:
        walk.run(steps=5)
    except BaseException:
        print("\n".join(walk.said))
        raise
    assert tally.walks == 1 and tally.cells


def test_two_workers(fast: None) -> None:
    """Another process in every operation: killed, frozen and replaced, or started at the same moment."""
    tally = Tally()
    # Six workers are struck on these, so that it takes no luck to meet one.
    for seed in (18, 34):
        walk = Walk(seed, tally, crowded=True)
        try:
            walk.run(steps=4)
        except BaseException:
            print("\n".join(walk.said))
            raise
        finally:
            scrub()
    assert tally.doubled and tally.killed_elsewhere + tally.frozen


def test_a_wrong_grade_is_noticed(fast: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control: a tool that takes everybody's grade for its own must be caught soon."""
    monkeypatch.setattr("grading.fingerprints.Memory._is_as_left", lambda self, tags, cell: True)
    with pytest.raises(AssertionError):
        for seed in range(10):
            try:
                Walk(seed, Tally()).run(steps=5)
            finally:
                scrub()
