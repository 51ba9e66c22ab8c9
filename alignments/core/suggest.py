"""Which assignment looks like which outcome, and which outcomes do not belong in grades."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from canvas.values import Assignment, Outcome

DEFAULT_KEYWORDS = ("attendance", "behaviour", "behavior")
"""Titles with one of these words are left out until a teacher says otherwise."""

ALIKE = 0.85
"""How alike two names without numbers must be: 1 is equal."""

LEADING_NUMBER = re.compile(
    r"^\W*(?:[a-z]{1,12}\.?[\s-]*)?(\d+(?:[.-]\d+)*)(?=$|[\s.:)\]–—-])[\s.:)\]–—-]*", re.I
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One pair to accept or not, and what speaks for it."""

    outcome_id: str
    assignment_id: str
    because: Literal["number and name", "number", "name"]
    likeness: float


@dataclass(frozen=True, slots=True)
class Numbered:
    """A title taken apart: `1.1 Linear models` has the number (1, 1) and the words `linear models`."""

    number: tuple[int, ...]
    words: str


def numbered(title: str) -> Numbered:
    """The title's leading number, if any, and its other words in lower case.

    >>> numbered("1.1 Linear models"), numbered("Quiz 1.1: Linear Models")
    (Numbered(number=(1, 1), words='linear models'), Numbered(number=(1, 1), words='linear models'))
    """
    found = LEADING_NUMBER.match(title)
    rest = title[found.end() :] if found else title
    number = tuple(int(part[:9]) for part in re.split(r"[.-]", found.group(1))) if found else ()
    return Numbered(number, " ".join(re.findall(r"\w+", rest.casefold())))


def suggest(outcomes: Iterable[Outcome], assignments: Iterable[Assignment]) -> list[Suggestion]:
    """The most likely pairs, each outcome and each assignment at most once, in the outcomes' order.

    A number on both sides must be the same; without one, the names must be nearly equal. Where two
    assignments are equally likely, none is suggested: a guess would be a wrong grade.
    """
    left = list(outcomes)
    pairs = _pairs(left, list(assignments))
    taken: dict[str, Suggestion] = {}
    used: set[str] = set()
    for pair in sorted(pairs, key=lambda pair: -pair.likeness):
        if pair.outcome_id in taken or pair.assignment_id in used or _is_ambiguous(pair, pairs, used):
            continue
        taken[pair.outcome_id] = pair
        used.add(pair.assignment_id)
    return [taken[outcome.id] for outcome in left if outcome.id in taken]


def _pairs(outcomes: Sequence[Outcome], assignments: Sequence[Assignment]) -> list[Suggestion]:
    names = [(assignment.id, numbered(assignment.name)) for assignment in assignments]
    found = []
    for outcome in outcomes:
        ours = numbered(outcome.title)
        for assignment_id, theirs in names:
            pair = _pair(outcome.id, ours, assignment_id, theirs)
            if pair is not None:
                found.append(pair)
    return found


def _pair(outcome_id: str, ours: Numbered, assignment_id: str, theirs: Numbered) -> Suggestion | None:
    if ours.number and theirs.number and ours.number != theirs.number:
        return None
    same_number = bool(ours.number) and ours.number == theirs.number
    alike = _likeness(ours.words, theirs.words)
    if same_number:
        return Suggestion(
            outcome_id, assignment_id, "number and name" if alike >= ALIKE else "number", 1 + alike
        )
    if ours.words and alike >= ALIKE:
        return Suggestion(outcome_id, assignment_id, "name", alike)
    return None


def _likeness(ours: str, theirs: str) -> float:
    """1 when equal; 0 where a quick look shows that they are not alike."""
    if ours == theirs:
        return 1.0
    matcher = SequenceMatcher(None, ours, theirs)
    return matcher.ratio() if matcher.real_quick_ratio() >= ALIKE else 0.0


def _is_ambiguous(pair: Suggestion, pairs: Sequence[Suggestion], used: set[str]) -> bool:
    """Another free assignment is just as likely for this outcome."""
    return any(
        other.outcome_id == pair.outcome_id
        and other.assignment_id != pair.assignment_id
        and other.assignment_id not in used
        and other.likeness == pair.likeness
        for other in pairs
    )


def is_synthetic(outcome: Outcome) -> bool:
    """The "Current Score" outcome that a script of the course keeps: an average of the others, not a skill."""
    return outcome.title.strip().casefold() == "current score" and outcome.calculation_method == "latest"


def keyword_in(title: str, keywords: Iterable[str]) -> str | None:
    """The first keyword the title holds, whatever its case."""
    lowered = title.casefold()
    return next((word for word in keywords if word.strip() and word.strip().casefold() in lowered), None)
