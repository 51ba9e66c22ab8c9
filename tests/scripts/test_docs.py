"""Docs that name what the code decides are held to it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from canvas.accounts import SCOPES_OF_KEY
from lti_tool.refusals import WORDINGS

ROOT = Path(__file__).resolve().parents[2]
INSTALL = (ROOT / "docs/install.md").read_text()


def test_the_install_page_lists_every_api_scope_with_its_reason() -> None:
    for scope, why in SCOPES_OF_KEY:
        in_table = scope.replace("|", r"\|")
        assert f"| `{in_table}` | {why} |" in INSTALL
    assert INSTALL.count("url:") == len(SCOPES_OF_KEY)


def test_the_install_page_lists_every_lti_scope() -> None:
    for scope in json.loads((ROOT / "lti_config.json").read_text())["scopes"]:
        assert scope.removeprefix("https://purl.imsglobal.org/spec/") in INSTALL


def test_the_codes_the_install_page_explains_exist() -> None:
    for code in ("PLATFORM-UNKNOWN", "DEPLOYMENT", "COURSE-ID", "PLATFORM-KEYS"):
        assert code in WORDINGS and f"`{code}`" in INSTALL


def test_one_cells_way_names_what_is_there() -> None:
    named = re.findall(
        r"`((?:grading|canvas|alignments)/[\w/]+\.py)(?:::([\w.]+))?`",
        (ROOT / "docs/one-cell.md").read_text(),
    )
    assert len(named) > 20
    for file, name in named:
        text = (ROOT / file).read_text()
        assert all(re.search(rf"(def|class) {part}\b", text) for part in name.split(".") if part), (
            file,
            name,
        )


FAULTS = ("network", "access", "people", "workers", "database", "between")


def test_the_fault_matrix_names_tests_that_are_there() -> None:
    text = (ROOT / "docs/fault-matrix.md").read_text()
    short = {name: f"hardening/test_faults_{name}.py" for name in FAULTS}
    short["guards"] = "hardening/test_guards_hold.py"
    named = re.findall(r"`([\w/.]+)::(test_\w+)`", text)
    assert len(named) > 70
    for file, test in named:
        assert f"def {test}(" in (ROOT / "tests" / short.get(file, file)).read_text(), (file, test)
    for number in range(1, 69):
        assert f"F{number:02}" in text
