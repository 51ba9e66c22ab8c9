"""The order of the test files. Each file goes to one process as a whole, so what is begun last ends last: a file of a
minute, begun when the others are done, is a minute in which one process works alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LONG = (
    "hardening/test_who_may_see_what.py",
    "journeys/test_rule_form.py",
    "journeys/test_accessibility.py",
    "journeys/test_main_journey.py",
    "soak/test_soak.py",
    "scripts/test_bench.py",
    "scripts/test_demo.py",
    "journeys/test_install_journey.py",
    "journeys/test_wide_table.py",
    "hardening/test_commands.py",
    "hardening/test_logs.py",
    "journeys/test_privacy.py",
    "journeys/test_templates.py",
    "soak/test_machine.py",
    "scripts/test_run.py",
    "alignments/test_rules_properties.py",
    "lti_tool/test_launch_in_a_browser.py",
    "acceptance/test_rules_both_doors.py",
    "hardening/test_fairness.py",
)
"""Files of 15 seconds and more, the longest first (`make test ARGS=--durations=80` tells)."""
APART = 4
"""Every fourth file is a long one while there are any: many of them start a browser and the whole product, which all at
once would keep each other waiting."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, but apart; the others as they come (pytest-randomly has shuffled them)."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    items[:] = [item for path in spread(files) for item in files[path]]


def spread(files: Iterable[Path]) -> list[Path]:
    """Every file once, in the order they are to begin."""
    present = set(files)
    long = [path for name in LONG if (path := TESTS / name) in present]
    short = [path for path in files if path not in long]
    order: list[Path] = []
    while long:
        order += [long.pop(0), *short[: APART - 1]]
        short = short[APART - 1 :]
    return order + short
