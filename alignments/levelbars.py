"""The class per level of one outcome, as a page shows it: a stacked bar with the counts beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from alignments.core.numbers import plain
from canvas.values import Outcome, Rating

# The colours Canvas gives levels that carry none: above mastery, mastery, and falling below it.
ABOVE, MASTERY, NEAR, BELOW, FAR_BELOW = "#127a1b", "#0b874b", "#fab901", "#fd5d10", "#e0061f"


@dataclass(frozen=True, slots=True)
class Segment:
    """One level's part of the bar; `x` and `width` are hundredths of its length."""

    label: str
    color: str
    count: int
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class LevelBar:
    """All levels of an outcome from the lowest up, with how many students are on each."""

    segments: tuple[Segment, ...]
    mastered: int | None
    """Students at or above mastery; None where the outcome has no mastery level."""

    @property
    def summary(self) -> str:
        return (
            f"{self.assessed:,} assessed"
            if self.mastered is None
            else f"{self.mastered:,} of {self.assessed:,} at mastery"
        )

    @property
    def assessed(self) -> int:
        return sum(segment.count for segment in self.segments)

    @property
    def sentence(self) -> str:
        return ", ".join(f"{segment.count:,} on {segment.label}" for segment in self.segments)


def level_bar(outcome: Outcome, scores: Iterable[Decimal]) -> LevelBar:
    """Count the scores per level of the outcome's scale: the highest level whose points are reached; below
    all of them, the lowest."""
    ratings, found = _ratings(outcome), list(scores)
    counts = [0] * len(ratings)
    for score in found:
        counts[_level_of(score, ratings)] += 1
    line = outcome.mastery_points
    mastered = None if line is None else sum(score >= line for score in found)
    return LevelBar(tuple(_segments(outcome, ratings, counts)), mastered)


def _ratings(outcome: Outcome) -> list[Rating]:
    """The outcome's levels from the lowest up; without any, reached or not."""
    if outcome.ratings:
        return sorted(outcome.ratings, key=lambda rating: rating.points)
    line = outcome.mastery_points
    if line is None or line <= 0:
        return [Rating("Assessed", Decimal(0))]
    return [Rating("Below mastery", Decimal(0)), Rating("Mastery", line)]


def _level_of(score: Decimal, ratings: Sequence[Rating]) -> int:
    reached = [place for place, rating in enumerate(ratings) if score >= rating.points]
    return reached[-1] if reached else 0


def _segments(outcome: Outcome, ratings: Sequence[Rating], counts: Sequence[int]) -> Iterable[Segment]:
    total, start = sum(counts), Decimal(0)
    for rating, count in zip(ratings, counts, strict=True):
        width = Decimal(count * 100) / total if total else Decimal(0)
        label = f"{rating.description} ({plain(rating.points)})"
        yield Segment(label, level_color(outcome, rating), count, f"{start:.2f}", f"{width:.2f}")
        start += width


def level_color(outcome: Outcome, rating: Rating) -> str:
    """The level's own colour where Canvas gives one, else Canvas's usual one by its distance to mastery."""
    if re.fullmatch(r"#?[0-9A-Fa-f]{6}", rating.color):
        return f"#{rating.color.lstrip('#').lower()}"
    line = outcome.mastery_points
    if line is None or rating.points == line:
        return MASTERY
    if rating.points > line:
        return ABOVE
    below = sorted({one.points for one in outcome.ratings if one.points < line}, reverse=True)
    place = below.index(rating.points) if rating.points in below else 0
    return (NEAR, BELOW, FAR_BELOW)[min(place, 2)]
