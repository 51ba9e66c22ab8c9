"""Fixtures for everything that speaks HTTP."""

from tests.plugins.local_server import server

__all__ = ["server"]
