"""The self-check's write test: one grade column is made and taken away again, in any case."""

from __future__ import annotations

import logging
import secrets
from decimal import Decimal

from canvas.ags import Ags
from canvas.counting import CallCounter
from lti_tool.errors import PlatformError
from lti_tool.http import shared_http
from lti_tool.models import Context
from lti_tool.selfcheck import Finding, ok, problem

log = logging.getLogger(__name__)

LABEL = "Test of the grade connection (can be deleted)"
MARK = "lmg-selfcheck-"
"""Begins the resource id of every trial column, so that one left behind is found by the next test."""
WARNING = (
    f"A column “{LABEL}” is made in this course's gradebook and removed within seconds. "
    "Students of the course may see it meanwhile, and may be told of a new assignment."
)
"""What a person reads before it is done."""
TRIES = 3


class TrialColumns(Ags):
    """Columns of this tool, which it also takes away: only its trial ones, because their grades would go too."""

    def remove(self, line_item_url: str) -> None:
        """Delete a trial column in Canvas. Raises PlatformError."""
        self._renewing(
            lambda token: self._call(token, "DELETE", line_item_url, {}, None, "/line_items/:id (trial)")
        )

    def left(self) -> list[str]:
        """The addresses of trial columns that are there now."""
        return [item.url for item in self.line_items() if item.resource_id.startswith(MARK)]


def write_test(context: Context) -> list[Finding]:
    """Make a column and remove it. What an earlier, broken-off test left is removed as well."""
    columns = TrialColumns(context.registration, context, shared_http(), CallCounter())
    made: PlatformError | None = None
    try:
        columns.create_line_item(LABEL, Decimal(1), f"{MARK}{secrets.token_hex(8)}")
    except PlatformError as error:
        made = error
    finally:
        removed = _remove_all(columns)
    findings = [_made(made), removed]
    return findings


def _made(error: PlatformError | None) -> Finding:
    if error is None:
        return ok("write_column", "Write test: make a column", "Canvas made the column.")
    fix = "Check the LTI key's grade scopes (docs/install.md, step 1), and that the course has not ended."
    return problem("write_column", "Write test: make a column", error.detail, fix)


def _remove_all(columns: TrialColumns) -> Finding:
    """However the making went: what it may have left is looked for, and goes."""
    title = "Write test: remove it"
    for _ in range(TRIES):
        try:
            for url in columns.left():
                columns.remove(url)
            if not columns.left():
                return ok("write_removed", title, "No test column is left.")
        except PlatformError as error:
            log.warning("trial column not removed code=%s", error.code)
    fix = f"Delete the assignment “{LABEL}” in Canvas, or run the test again: it removes what it finds."
    return problem("write_removed", title, "Canvas would not say that the test column is gone.", fix)
