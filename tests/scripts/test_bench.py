"""`make bench` at its smallest: the figures it prints, and that the calls are those of the formula. No times."""

import json
import subprocess
import sys
from typing import Any, get_args

import pytest

from alignments.core import jsonfile
from alignments.core.definition import Combine, Rule
from canvas.throttle import MOST_IN_FLIGHT
from scripts import bench_ags, bench_night
from scripts import bench_formula as formula
from scripts.bench_formula import Cost, Size
from scripts.bench_report import as_text
from scripts.bench_rules import mixed
from scripts.processes import ROOT

pytestmark = pytest.mark.timeout(1_200)
"""It starts servers and Canvases: two minutes here, and several on a slow machine beside other work."""
ON_OUR_PORTS = """
import runpy, sys
from scripts import bench_school
from tests.plugins.ports import free_port
bench_school.free_port = free_port
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""
"""A benchmark, named as `python -m` names it. Its own ports are some that are free when it begins: beside other tests
the next connection or server may have one of them before its server is up."""
SYNCS = ("rest_first", "rest_second", "ags_first", "ags_second")


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    options = ["--quick", "--students", "5", "--alignments", "2", "--latency-ms", "0", "--no-big", "--no-ags"]
    options += ["--no-launches", "--json"]
    command = [sys.executable, "-c", ON_OUR_PORTS, "scripts.bench", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def test_calls_are_those_of_the_formula(found: dict[str, Any]) -> None:
    """Of the few reads more that the formula allows, a sync needs the course itself and, where it writes, the
    assignments and the roster once more."""
    for name in SYNCS:
        one, asked = found[name], found[name]["requests"]
        spare = formula.FEW_MORE - (3 if asked["write"] else 1)
        assert asked["write"] == one["expected"]["write"], name
        assert asked["read"] - one["polls"] <= one["expected"]["read"] - spare, name
        assert (asked["retried"], asked["throttled"]) == (0, 0), name


def test_canvas_counts_the_same_calls(found: dict[str, Any]) -> None:
    """More only where a service token had to be fetched, perhaps after a pause Canvas asked for: tokens are no
    calls of a run."""
    for name in SYNCS:
        asked = found[name]["requests"]
        tokens = found[name]["canvas_calls"] - asked["read"] - asked["write"]
        assert tokens in ((0, 1, 2) if name == "ags_first" else (0,)), name


def test_nothing_changed_is_nothing_written(found: dict[str, Any]) -> None:
    for name in ("rest_second", "ags_second"):
        assert found[name]["requests"]["write"] == found[name]["counts"]["send"] == 0
        assert found[name]["counts"]["unchanged"] == found["rest_first"]["counts"]["send"] > 0


def test_the_baseline_makes_the_ancestors_calls(found: dict[str, Any]) -> None:
    baseline = found["baseline"]
    assert baseline["read"] == 1 + 5 * (1 + 2 * 2) == baseline["expected"]["read"]
    assert baseline["write"] == found["rest_first"]["counts"]["send"]


def test_aims_are_judged(found: dict[str, Any]) -> None:
    judged = {aim["name"]: aim["met"] for aim in found["aims"]}
    assert judged["REST, first: reads"] and judged["AGS, second: writes"]
    assert not judged["REST, first: fewer calls than the baseline"], (
        "a course this small cannot save that much"
    )
    assert found["ok"] is False


def test_the_tables_say_the_same(found: dict[str, Any]) -> None:
    text = as_text(found)
    assert "5 students x 2 alignments" in text
    assert text.count("PASS") == sum(aim["met"] for aim in found["aims"])


def test_the_formula() -> None:
    size = Size(150, 20, 21)
    assert formula.rest_sync(size, 0) == Cost(30 + 2 + 2 + 1 + 4, 0)
    assert formula.rest_sync(size, 3000) == Cost(39 + 30 + 30, 20)
    assert formula.rest_sync(size, 1500) == Cost(39 + 20 + 20, 20), "half of every column: a page each"
    assert formula.ags_sync(Size(150, 20, 41, 20), 10, 20) == Cost(40 + 2 * 20, 30)
    assert formula.ancestor(size, 2721) == Cost(1 + 150 * 41, 2721)


def test_mixed_rules_are_of_every_kind() -> None:
    entries = mixed({str(number): str(100 + number) for number in range(1, 41)}, ("721", "722"))
    definitions = jsonfile.parse_file(json.dumps({"version": 1, "alignments": entries}).encode())
    assert {type(one.rule) for one in definitions} == set(get_args(Rule))
    assert {one.combine for one in definitions} == set(get_args(Combine))
    assert {one.calculation.method for one in definitions if one.calculation} > {"power_law", "streak"}
    assert any(one.sections for one in definitions)


def test_launches_are_measured_beside_a_bare_tool_and_bad_ones_leave_nothing() -> None:
    command = [sys.executable, "-c", ON_OUR_PORTS, "scripts.bench_launch", "--json"]
    size = ["--launches", "10", "--rounds", "1", "--bad", "500"]
    done = subprocess.run([*command, *size], cwd=ROOT, capture_output=True, text=True)
    launches = json.loads(done.stdout)
    assert launches["ours"]["launches_per_second"] > 0 < launches["bare PyLTI1p3"]["launches_per_second"]
    flood = launches["flood"]
    assert (flood["sent"], flood["refused"], flood["rows_changed"]) == (500, 500, {})
    assert flood["grown_mb"] < 10


def test_the_physical_limit_is_the_tools_own() -> None:
    assert bench_ags.calls_at_once() == MOST_IN_FLIGHT


def test_a_thousand_courses_are_arithmetic() -> None:
    night = {"syncs": 8, "read": 376, "write": 160, "seconds": 32.0}
    found = bench_night.thousand(night)
    assert (found["reads"], found["writes"], found["courses_a_night"]) == (47_000, 20_000, 7_200)
