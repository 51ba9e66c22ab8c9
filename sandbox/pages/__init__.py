"""What a person sees of the pretend Canvas: courses, gradebook, evidence, settings, faults, the call log.

Every page works without scripts. ``sandbox.pages.control`` is the same for programs, as JSON.
"""

from sandbox.pages import admin, control, evidence, gradebook, home, operations, settings, tool
from sandbox.pages.routes import blueprint

__all__ = ["admin", "blueprint", "control", "evidence", "gradebook", "home", "operations", "settings", "tool"]
