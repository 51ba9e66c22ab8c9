"""Cutting lists of ids into calls: short addresses, and parallel parts that cost no extra page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from canvas.gateway import PER_PAGE

MOST_IDS = 100
"""Canvas refuses more explicit student ids: 400 "too many students"."""


def chunks_of_text(
    ids: Sequence[str], name: str, longest: int, most: int | None = None
) -> Iterator[Sequence[str]]:
    """Consecutive pieces whose query text `name=id&…` has at most `longest` characters."""
    piece: list[str] = []
    length = 0
    for one in ids:
        cost = len(quote(name, safe="")) + len(quote(one, safe="")) + 2
        if piece and (length + cost > longest or len(piece) == most):
            yield piece
            piece, length = [], 0
        piece.append(one)
        length += cost
    if piece:
        yield piece


def pages_of(rows: int) -> int:
    """Pages of 100 that so many rows fill."""
    return -(-rows // PER_PAGE)


def split_without_waste(ids: Sequence[str], rows_each: int | None) -> list[Sequence[str]]:
    """Up to four parts to read in parallel whose pages add up to no more than one reading of all of them.

    `rows_each` is how many rows each id brings; unknown, the list stays whole.
    """
    if not rows_each:
        return [ids]
    halves = _halved(ids, rows_each)
    return [part for half in halves for part in _halved(half, rows_each)] if len(halves) > 1 else halves


def _halved(ids: Sequence[str], rows_each: int) -> list[Sequence[str]]:
    whole = pages_of(len(ids) * rows_each)
    for cut in range(len(ids) // 2, 0, -1):
        if pages_of(cut * rows_each) + pages_of((len(ids) - cut) * rows_each) == whole and whole > 1:
            return [ids[:cut], ids[cut:]]
    return [ids]
