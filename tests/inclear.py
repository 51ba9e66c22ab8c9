"""Whether a word stands in a text in clear.

Tokens, hashes and sealed values are letters and digits by chance, and by chance any short word is somewhere among
them: one in some thousand runs. What is written in clear stands alone, between quotes, commas or spaces."""

from __future__ import annotations

import re


def in_clear(word: str, text: str) -> bool:
    """Whether the word stands in the text alone, not as a part of what is longer."""
    return re.search(rf"(?<![\w=-]){re.escape(word)}(?![\w=-])", text) is not None
