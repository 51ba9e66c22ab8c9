"""Fixtures for everything that speaks HTTP, and the Canvas that launches."""

import pytest

from tests.people import TestPlatform, new_platform
from tests.plugins.local_server import server

__all__ = ["server"]


@pytest.fixture
def platform() -> TestPlatform:
    return new_platform()
