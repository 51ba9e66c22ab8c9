"""Courses by name. ``build("small", Options(...))`` gives a fresh world; ``NAMES`` describes them."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass

from sandbox.scenarios.base import Options, Stage
from sandbox.scenarios.crowd import several
from sandbox.world import World

__all__ = ["NAMES", "Options", "UnknownScenario", "build"]


@dataclass(frozen=True)
class _Scenario:
    module: str
    function: str
    description: str


def _course(function: str, description: str) -> _Scenario:
    return _Scenario("courses", function, description)


def _sample(number: str, description: str) -> _Scenario:
    return _Scenario("samples", f"sample_{number}", description)


_ALL = {
    "small": _course("small", "6 students, 5 outcomes by 5 methods, an ungraded column for each outcome"),
    "two-sections": _course("two_sections", "students in one, the other or both sections; a teacher of one"),
    "large": _Scenario("crowd", "large", "250 students x 12 outcomes"),
    "huge": _Scenario("crowd", "huge", "1,000 students x 40 outcomes"),
    "nobody-assessed": _course("nobody_assessed", "outcomes and rubrics, no results"),
    "graded-by-people": _course(
        "graded_by_people", "columns that hold a teacher's, a TA's and a quiz's grades"
    ),
    "excused-and-late": _course("excused_and_late", "excused, late, hidden, closed-period and missing cells"),
    "concluded": _course("concluded", "a concluded course: read, not write"),
    "unpublished": _course("unpublished", "two of the columns are unpublished"),
    "account-scales": _course("account_scales", "account-level mastery scales, weighted average 65 %"),
    "odd-columns": _course("odd_columns", "every kind of column that cannot be graded or only with care"),
    "global-ids": _course("global_ids", "the small course with ids beyond 2^53"),
    "seed-003": _course("seed_003", "student 642, section 515, outcome 605 and a Current Score outcome"),
    "rollups-01": _sample("01", "3 students, 5 outcomes, 5 methods, a real zero"),
    "rollups-02": _sample("02", "5 students for pages of three"),
    "rollups-03": _sample("03", "n_mastery: null scores"),
    "rollups-04": _sample("04", "outcomes and a student without evidence"),
    "rollups-05": _sample("05", "students in several sections"),
    "rollups-06": _sample("06", "inactive, concluded, invited, rejected, Test Student"),
    "rollups-07": _sample("07", "account-level proficiency, rubric rows out of 5"),
    "rollups-08": _sample("08", "a synthetic Current Score outcome"),
    "rollups-09": _sample("09", "attendance, same titles, above the scale, a stored rollup"),
    "rollups-10": _sample("05", "rollups-05, to be asked for with string ids"),
    "rollups-11": _sample("01", "rollups-01, to be asked for as the course's median"),
}

NAMES: dict[str, str] = {name: scenario.description for name, scenario in _ALL.items()}


_SIZED = re.compile(r"(?:([2-9])-)?crowd-([1-9][0-9]{0,3})x([1-9][0-9]{0,2})(?:x([1-9]))?", re.ASCII)
"""A big course of any size: ``crowd-150x20`` has 150 students and 20 outcomes, ``crowd-150x20x3`` up to three
results of each student on each outcome, ``4-crowd-38x20`` four such courses."""


class UnknownScenario(KeyError):
    """No scenario has this name."""


def build(name: str, options: Options | None = None) -> World:
    """A fresh world holding the scenario's course, its people and both developer keys."""
    scenario, size = _ALL.get(name), _SIZED.fullmatch(name)
    stage = Stage(options or Options())
    if size:
        courses, students, outcomes, works = (int(number or 1) for number in size.groups())
        several(stage, courses, students, outcomes, works)
    elif scenario is None:
        raise UnknownScenario(name)
    else:
        module = importlib.import_module(f"sandbox.scenarios.{scenario.module}")
        getattr(module, scenario.function)(stage)
    stage.world.name = name
    return stage.world
