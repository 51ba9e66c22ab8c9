"""One pretend Canvas for each test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from canvas import throttle
from sandbox.server import SandboxServer
from tests.grading.school import School, open_school, small_world


@pytest.fixture
def school(db: None) -> Iterator[School]:
    throttle._paces.clear()
    with SandboxServer(small_world()) as server:
        yield open_school(server)
