"""Names for new columns."""

from __future__ import annotations

from collections.abc import Collection

from alignments.core.definition import MAX_NAME


def free_label(title: str, taken: Collection[str]) -> str:
    """The title, at most as long as Canvas takes it; with a number where the name is taken: "Lines (2)"."""
    label, number = title[:MAX_NAME], 1
    while label in taken:
        number += 1
        ending = f" ({number})"
        label = title[: MAX_NAME - len(ending)] + ending
    return label
