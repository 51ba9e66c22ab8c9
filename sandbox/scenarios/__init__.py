"""Courses by name. ``build("small", Options(...))`` gives a fresh world; ``NAMES`` describes them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from sandbox.scenarios.base import Options, Stage
from sandbox.world import World

__all__ = ["NAMES", "Options", "UnknownScenario", "build"]


@dataclass(frozen=True)
class _Scenario:
    module: str
    function: str
    description: str


_ALL = {
    "small": _Scenario(
        "courses",
        "small",
        "6 students, 5 outcomes by 5 methods, one ungraded column for each outcome",
    ),
}

NAMES: dict[str, str] = {name: scenario.description for name, scenario in _ALL.items()}


class UnknownScenario(KeyError):
    """No scenario has this name."""


def build(name: str, options: Options | None = None) -> World:
    """A fresh world holding the scenario's course, its people and both developer keys."""
    scenario = _ALL.get(name)
    if scenario is None:
        raise UnknownScenario(name)
    stage = Stage(options or Options())
    module = importlib.import_module(f"sandbox.scenarios.{scenario.module}")
    getattr(module, scenario.function)(stage)
    stage.world.name = name
    return stage.world
