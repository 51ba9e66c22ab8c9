"""Docs that name what the code decides are held to it."""

from __future__ import annotations

import json
from pathlib import Path

from canvas.accounts import SCOPES
from lti_tool.refusals import WORDINGS

ROOT = Path(__file__).resolve().parents[2]
INSTALL = (ROOT / "docs/install.md").read_text()


def test_the_install_page_lists_every_api_scope_with_its_reason() -> None:
    for scope, why in SCOPES:
        assert f"| `{scope.replace('|', '&#124;')}` | {why} |" in INSTALL
    assert INSTALL.count("url:") == len(SCOPES)


def test_the_install_page_lists_every_lti_scope() -> None:
    for scope in json.loads((ROOT / "lti_config.json").read_text())["scopes"]:
        assert scope.removeprefix("https://purl.imsglobal.org/spec/") in INSTALL


def test_the_codes_the_install_page_explains_exist() -> None:
    for code in ("PLATFORM-UNKNOWN", "DEPLOYMENT", "COURSE-ID", "PLATFORM-KEYS"):
        assert code in WORDINGS and f"`{code}`" in INSTALL
