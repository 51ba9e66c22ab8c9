"""What a person sees of the pretend Canvas: courses, gradebook, evidence, settings, faults, the call log.

Every page works without scripts. ``sandbox.pages.control`` is the same for programs, as JSON.
"""

from sandbox.pages import admin, assignments, control, evidence, gradebook, home, operations, settings, tool
from sandbox.pages.routes import blueprint

__all__ = [
    "admin",
    "assignments",
    "blueprint",
    "control",
    "evidence",
    "gradebook",
    "home",
    "operations",
    "settings",
    "tool",
]
