"""docs/launch-cases.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_case_of_the_table_names_tests_that_exist() -> None:
    table = (ROOT / "docs" / "launch-cases.md").read_text()
    written = {path.name: path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    everything = "\n".join(written.values())
    assert set(re.findall(r"\b(test_\w+\.py)", table)) <= set(written)
    names = set(re.findall(r"::(test_\w+)", table))
    assert len(names) > 50
    assert [name for name in names if f"def {name}(" not in everything] == []
