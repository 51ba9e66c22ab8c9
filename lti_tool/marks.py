"""Marks of a course: Canvas said that something there changed. A hint to look, never a value to use."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models.functions import Greatest

from lti_tool.models import Context, CourseMark

OLDEST = timedelta(days=2)
"""An event that comes later than this tells nothing: whoever looks at the course has looked since, or will."""


def mark(contexts: Iterable[Context], kind: str, at: datetime, now: datetime) -> int:
    """Remember the newest time; the same event again, an older one, or one from the future adds nothing.
    Returns how many courses were marked."""
    if at < now - OLDEST:
        return 0
    at, count = min(at, now), 0
    for context in contexts:
        # Of hundreds of events a second nearly all find their mark there: one statement each.
        known = CourseMark.objects.filter(context=context, kind=kind)
        if not known.update(at=Greatest("at", at)):
            _, is_new = CourseMark.objects.get_or_create(context=context, kind=kind, defaults={"at": at})
            if not is_new:
                known.update(at=Greatest("at", at))
        count += 1
    return count


def marks_of(context: Context) -> dict[str, datetime]:
    """The newest time of each kind."""
    return dict(CourseMark.objects.filter(context=context).values_list("kind", "at"))
