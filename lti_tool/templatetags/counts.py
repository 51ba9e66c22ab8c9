"""Numbers and times in pages.

`{{ changes|grouped }}`: a count as people read it, "36,290"; not for grades, ids, run numbers or addresses.
`{{ words|tied }}`: words in which "3 of 4" and "12 January 2026" stay on one line.
`{{ at|moment:zone }}`: a day and a time, "3 Mar 2026, 10:15 MST", broken after the comma or not at all.

Django's own switch, USE_THOUSAND_SEPARATOR, would put commas into ids and into what a form sends as well.
In Python the same is the format `:,`.
"""

from __future__ import annotations

import calendar
import re
from datetime import datetime, tzinfo

from django import template
from django.utils import dateformat

register = template.Library()
MONTHS = "|".join(calendar.month_name[1:])
TOGETHER = re.compile(rf"(?<=\d) of (?=\d)|(?<=\d) (?:{MONTHS}) (?=\d{{4}})")


@register.filter
def grouped(count: int | str) -> str:
    """The count with a comma between thousands; what stands in its place where nothing is counted, as it is."""
    return f"{count:,}" if isinstance(count, int) else str(count)


@register.filter
def tied(words: str) -> str:
    """The words with spaces at which no line breaks in each "3 of 4" and each date."""
    return TOGETHER.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), str(words))


@register.filter
def moment(at: datetime | None, zone: tzinfo) -> str:
    """The day and the time in this zone; a line breaks between them only. Nothing for what has not happened."""
    if at is None:
        return ""
    day, time = (dateformat.format(at.astimezone(zone), form) for form in ("j M Y", "H:i T"))
    return f"{day}, {time}".replace(" ", "\N{NO-BREAK SPACE}").replace(",\N{NO-BREAK SPACE}", ", ")
