"""Static files are collected where something has changed, and left alone under a running server where nothing has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts import collected


def test_they_are_collected_when_something_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    style, manifest = tmp_path / "static" / "a.css", tmp_path / "staticfiles" / "staticfiles.json"
    for path in (style, manifest):
        path.parent.mkdir()
    style.write_text("a {}")

    def collectstatic(command: list[str], environment: Mapping[str, str]) -> str:
        runs.append(1)
        manifest.write_text("{}")
        return ""

    monkeypatch.setattr(collected, "run", collectstatic)

    def times() -> int:
        collected.collect_static({}, tmp_path)
        return len(runs)

    assert [times(), times()] == [1, 1]
    style.write_text("b {}")
    assert [times(), times()] == [2, 2]
    manifest.unlink()
    assert [times(), times()] == [3, 3]
    (tmp_path / "requirements.lock").write_text("whitenoise==7")
    assert [times(), times()] == [4, 4]
