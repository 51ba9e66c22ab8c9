"""Times as Canvas takes them: ISO 8601, or whatever else Rails can parse (lti.md 5.2)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

LEGACY_FORMATS = ("%Y-%m-%d %H:%M:%S UTC", "%B %d, %Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d %b %Y %H:%M:%S")


def parse_time(value: Any, *, iso_only: bool = False) -> datetime | None:
    """The moment a value means, aware; None when it means none. A time without a zone is UTC."""
    if value in (None, "") or isinstance(value, bool):
        return None
    text = str(value)
    found = _iso(text)
    if found is None and not iso_only:
        found = _legacy(text)
    if found is None:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def milliseconds(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as in Canvas's messages."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _iso(text: str) -> datetime | None:
    if "-" not in text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _legacy(text: str) -> datetime | None:
    """A mail date, one of a few written forms, or seconds since 1970."""
    if text.isdigit() and len(text) == 10:
        return datetime.fromtimestamp(int(text), UTC)
    for form in LEGACY_FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
