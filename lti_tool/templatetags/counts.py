"""Numbers in pages. `{{ changes|grouped }}`: a count as people read it, "36,290"; not for grades, ids, run numbers or
addresses. `{{ rule|tied }}`: words in which "3 of 4" stays on one line.

Django's own switch, USE_THOUSAND_SEPARATOR, would put commas into ids and into what a form sends as well.
In Python the same is the format `:,`.
"""

from __future__ import annotations

import re

from django import template

register = template.Library()
OF = re.compile(r"(?<=\d) of (?=\d)")


@register.filter
def grouped(count: int | str) -> str:
    """The count with a comma between thousands; what stands in its place where nothing is counted, as it is."""
    return f"{count:,}" if isinstance(count, int) else str(count)


@register.filter
def tied(words: str) -> str:
    """The words with spaces at which no line breaks in each "3 of 4"."""
    return OF.sub("\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}", str(words))
