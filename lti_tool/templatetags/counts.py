"""`{{ changes|grouped }}`: a count as people read it, "36,290". Not for grades, ids, run numbers or addresses.

Django's own switch, USE_THOUSAND_SEPARATOR, would put commas into ids and into what a form sends as well.
In Python the same is the format `:,`.
"""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def grouped(count: int | str) -> str:
    """The count with a comma between thousands; what stands in its place where nothing is counted, as it is."""
    return f"{count:,}" if isinstance(count, int) else str(count)
