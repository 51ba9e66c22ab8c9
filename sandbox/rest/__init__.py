"""The REST API of the pretend Canvas, under ``/api/v1``."""

from __future__ import annotations

from sandbox.rest import assignments, courses, grades, outcomes, people, rollups, standards, submissions
from sandbox.rest.api import blueprint

__all__ = [
    "assignments",
    "blueprint",
    "courses",
    "grades",
    "outcomes",
    "people",
    "rollups",
    "standards",
    "submissions",
]
