"""What Canvas said of the course since this tool last looked: a reason to preview, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from grading.models import Run
from lti_tool.marks import marks_of
from lti_tool.models import Context, CourseMark

WORDS = {
    CourseMark.Kind.GRADE: "A person changed grades in Canvas",
    CourseMark.Kind.EVIDENCE: "Results on outcomes changed in Canvas",
    CourseMark.Kind.POINTS: "The points of an assignment changed in Canvas",
    CourseMark.Kind.COPIED: "Content was copied into this course",
}


@dataclass(frozen=True, slots=True)
class News:
    """The newest thing that no run has seen."""

    sentence: str
    at: datetime


def news_of(context: Context) -> News | None:
    """None where nothing came since the last run looked, or no run ever did.

    Grades count from when the last run ended: what Canvas says of cells while we write them is our own doing.
    """
    seen = Run.objects.filter(context=context).aggregate(read=Max("read_at"), ended=Max("finished_at"))
    if seen["read"] is None:
        return None
    ended = max(filter(None, (seen["read"], seen["ended"])))
    fresh = [
        (at, kind)
        for kind, at in marks_of(context).items()
        if at > (ended if kind == CourseMark.Kind.GRADE else seen["read"])
    ]
    if not fresh:
        return None
    at, kind = max(fresh)
    return News(WORDS[CourseMark.Kind(kind)], at)
