"""A running sandbox Canvas for each test, and ways to call it as somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.sandbox.rest_client import Canvas


@pytest.fixture
def open_canvas() -> Iterator[Callable[..., Canvas]]:
    """Start the sandbox with a scenario: ``open_canvas("small")``; stopped after the test."""
    with ExitStack() as stack:
        yield lambda scenario="small": stack.enter_context(Canvas(scenario))


@pytest.fixture
def canvas(open_canvas: Callable[..., Canvas]) -> Canvas:
    """The small course, with a 10-point assignment to grade."""
    return open_canvas("small")
