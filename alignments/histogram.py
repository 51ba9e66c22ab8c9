"""A histogram of grades as plain numbers for an inline SVG: one bar a grade, or ten even bins where many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from alignments.core.numbers import plain, short

WIDTH, HEIGHT, TOP, BOTTOM = 360, 150, 18, 22
MOST_BARS = 12
BINS = 10
WIDEST_BAR = 48


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; all lengths are in the SVG's own units."""

    x: str
    middle: str
    y: str
    width: str
    height: str
    count: int
    count_y: str
    label: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars from the lowest grade to the highest. `words` says the same to who does not see it."""

    bars: tuple[Bar, ...]
    words: str
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - BOTTOM
    label_y: int = HEIGHT - 6


def histogram(scores: Sequence[Decimal], points: Decimal) -> Histogram | None:
    """None where nobody has a grade."""
    if not scores:
        return None
    counted = Counter(scores)
    if len(counted) <= MOST_BARS:
        named = [(plain(score), counted[score]) for score in sorted(counted)]
    else:
        named = binned(scores, max(points, *scores))
    return Histogram(tuple(_bars(named)), ", ".join(f"{label}: {count:,}" for label, count in named))


def binned(scores: Iterable[Decimal], top: Decimal) -> list[tuple[str, int]]:
    """Ten even bins from 0 to `top`, each with its start and its count."""
    counts = Counter(min(BINS - 1, int(Fraction(score) * BINS / Fraction(top))) for score in scores)
    return [(f"{short(Fraction(top) * place / BINS)}–", counts[place]) for place in range(BINS)]


def _bars(named: Sequence[tuple[str, int]]) -> Iterable[Bar]:
    most = max(count for _, count in named)
    slot = Fraction(WIDTH, len(named))
    wide = min(Fraction(WIDEST_BAR), slot * 4 / 5)
    for place, (label, count) in enumerate(named):
        middle = slot * place + slot / 2
        tall = Fraction((HEIGHT - TOP - BOTTOM) * count, most)
        top = HEIGHT - BOTTOM - tall
        yield Bar(
            x=short(middle - wide / 2),
            middle=short(middle),
            y=short(top),
            width=short(wide),
            height=short(tall),
            count=count,
            count_y=short(top - 4),
            label=label,
        )
