"""The sandbox's course, as for the grading tests."""

from tests.grading.conftest import school

__all__ = ["school"]
