"""What one cell should be, written a second time from the interface's words alone (section 5).

Nothing of the tool is imported here: a mistake made twice, in two ways, is not likely to be the same one.
Scores and points are exact fractions; a grade is text as the gradebook shows it ("EX", None for nothing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

Scale = tuple[Fraction | None, Fraction | None]
"""Points possible and mastery points of an outcome."""
Letters = Sequence[tuple[str, Fraction]]


@dataclass(frozen=True)
class Wish:
    """What the rule gives: `kind` is the reason a sent cell would have, or `not_enough`."""

    kind: str
    grade: str | None
    assessed: int


@dataclass(frozen=True)
class Answer:
    """A decision with its reason, and the grade the rule gives."""

    decision: str
    reason: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class CellState:
    """A cell of the gradebook and whose it is."""

    grade: str | None
    has_grader: bool
    ours: bool
    written: bool


def text_of(score: Fraction, places: int) -> str:
    """Rounded half up (away from zero), plain, without trailing zeros."""
    scaled = abs(score) * 10**places
    whole = int(scaled + Fraction(1, 2))
    digits = str(whole).rjust(places + 1, "0")
    text = digits[: len(digits) - places] + ("." + digits[len(digits) - places :] if places else "")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "-" + text if score < 0 and text != "0" else text


def same(one: str | None, other: str | None) -> bool:
    """Step 3: equal when both are rounded half up to 4 decimals."""
    if one in (None, "EX") or other in (None, "EX"):
        return one == other
    return text_of(Fraction(one), 4) == text_of(Fraction(other), 4)


def is_broken(entry: Mapping[str, Any], scales: Mapping[str, Scale]) -> bool:
    """5.2: an outcome that is gone or has no scale; no mastery level, or no common scale, where needed."""
    found = [scales.get(one["id"]) for one in entry["outcomes"]]
    if any(scale is None or not scale[0] or scale[0] < 0 for scale in found):
        return True
    rule, combine = entry["rule"], entry.get("combine", "mean")
    lines = _lines(rule)
    needs_mastery = None in lines or (combine == "share" and rule["kind"] != "criteria")
    needs_mastery = needs_mastery or any(step.get("mastered_at_least") for step in rule.get("grades", ()))
    if needs_mastery and any(scale is None or scale[1] is None for scale in found):
        return True
    in_points = any(line is not None and not line.endswith("%") for line in lines)
    return in_points and len({scale and scale[0] for scale in found}) > 1


def _lines(rule: Mapping[str, Any]) -> list[str | None]:
    if rule["kind"] == "cutoff":
        return [rule.get("at")]
    if rule["kind"] == "table":
        return [at for at, _ in rule["levels"]]
    names = ("all_at_least", "none_below", "average_at_least")
    return [step[name] for step in rule.get("grades", ()) for name in names if name in step]


def wish(
    entry: Mapping[str, Any],
    scales: Mapping[str, Scale],
    scores: Mapping[str, Fraction | None],
    points: Fraction,
    letters: Letters = (),
    instead: Mapping[str, Any] | None = None,
) -> Wish:
    """5.2 to 5.4 for one student. `instead`: the rule of an exception; all else of the entry stays."""
    rule, combine = entry["rule"], entry.get("combine", "mean")
    parts: list[tuple[Fraction, Fraction, Fraction | None]] = []
    for one in entry["outcomes"]:
        score = scores.get(one["id"])
        if score is not None:
            top, mastery = scales[one["id"]]
            assert top
            weight = Fraction(one.get("weight", "1"))
            parts.append((weight, max(score, Fraction(0)) / top, None if mastery is None else mastery / top))
    every = rule["kind"] == "criteria" or combine in ("min", "share")
    evidence = entry.get("evidence", {})
    needed = evidence.get("at_least", len(entry["outcomes"]) if every else 1)
    if len(parts) < needed:
        otherwise = evidence.get("otherwise", "leave")
        kind = {"leave": "not_enough", "zero": "zeroed", "excuse": "excused", "clear": "cleared"}[otherwise]
        return Wish(kind, {"zero": "0", "excuse": "EX"}.get(otherwise), len(parts))
    tops = {scales[one["id"]][0] for one in entry["outcomes"]}
    share = _share(
        instead or rule, combine, parts, next(iter(tops)) or Fraction(1), len(entry["outcomes"]), letters
    )
    return Wish("graded", text_of(share * points, entry.get("round", 2)), len(parts))


def calculated(calculation: Mapping[str, Any], results: Sequence[Fraction]) -> Fraction | None:
    """docs/interface-5-additions.md: the score of single results, oldest first, and None for not assessed."""
    if not results or len(results) < calculation.get("at_least", 1):
        return None
    left = list(results)
    for _ in range(calculation.get("drop_lowest", 0)):
        if len(left) > 1:
            left.remove(min(left))
    method, count = calculation["method"], calculation.get("count", 0)
    if method == "newest":
        newest = left[-count:]
        return sum(newest, Fraction(0)) / len(newest)
    if method == "latest_and_highest":
        return (left[-1] + max(left)) / 2
    if method == "mode":
        often = max(left.count(one) for one in left)
        return max(one for one in left if left.count(one) == often)
    assert method == "streak"
    held = [min(left[n : n + count]) for n in range(len(left)) if n + count <= len(left)]
    return max(held) if held else None


Part = tuple[Fraction, Fraction, Fraction | None]


def _mean(parts: Sequence[Part], index: int) -> Fraction:
    total = sum((part[0] for part in parts), Fraction(0))
    return sum((part[0] * (part[index] or 0) for part in parts), Fraction(0)) / total


def _level(combine: str, parts: Sequence[Part]) -> Fraction:
    if combine == "min":
        return min(part[1] for part in parts)
    if combine == "max":
        return max(part[1] for part in parts)
    if combine == "share":
        total = sum((part[0] for part in parts), Fraction(0))
        return sum((part[0] for part in parts if _mastered(part)), Fraction(0)) / total
    return _mean(parts, 1)


def _mastered(part: Part) -> bool:
    return part[2] is not None and part[1] >= part[2]


def _percent(text: str) -> Fraction:
    return Fraction(text.rstrip("%")) / 100


def _line(text: str, top: Fraction) -> Fraction:
    return _percent(text) if text.endswith("%") else Fraction(text) / top


def _share(
    rule: Mapping[str, Any], combine: str, parts: Sequence[Part], top: Fraction, count: int, letters: Letters
) -> Fraction:
    kind = rule["kind"]
    if kind == "criteria":
        return _criteria(rule["grades"], parts, top, count)
    level = _level(combine, parts)
    if kind == "proportional":
        return level
    if kind == "table":
        return _table(rule, level, top)
    if kind == "scheme":
        return _letter(letters, level)
    at = rule.get("at")
    if at is not None:
        reached = level >= _line(at, top)
    elif combine == "min":
        reached = all(map(_mastered, parts))
    elif combine == "max":
        reached = any(map(_mastered, parts))
    else:
        reached = level >= (1 if combine == "share" else _mean(parts, 2))
    return _percent(rule.get("credit", "100%")) if reached else _percent(rule.get("below", "0%"))


def _table(rule: Mapping[str, Any], level: Fraction, top: Fraction) -> Fraction:
    steps = [(_line(at, top), _percent(credit)) for at, credit in rule["levels"]]
    reached = [credit for line, credit in steps if level >= line]
    if not rule.get("interpolate"):
        return reached[-1] if reached else Fraction(0)
    steps = (
        [(Fraction(0), Fraction(0)), *[step for step in steps if step[0] > 0]] if steps[0][0] > 0 else steps
    )
    for (low, under), (high, over) in zip(steps, steps[1:], strict=False):
        if level < high:
            return under + (over - under) * (level - low) / (high - low)
    return steps[-1][1]


def _letter(letters: Letters, level: Fraction) -> Fraction:
    falling = sorted(letters, key=lambda one: one[1], reverse=True)
    place = next((n for n, one in enumerate(falling) if level >= one[1]), len(falling) - 1)
    if place == len(falling) - 1:
        return Fraction(1) if place == 0 else level
    if place == 0:
        return Fraction(1)
    above, own = falling[place - 1][1], falling[place][1]
    return max(own, above - (Fraction(1, 100) if above - own >= Fraction(1, 100) else Fraction(1, 1000)))


def _criteria(
    grades: Sequence[Mapping[str, Any]], parts: Sequence[Part], top: Fraction, count: int
) -> Fraction:
    for step in grades:
        holds = True
        if "all_at_least" in step:
            holds = len(parts) == count and all(_reaches(part, step["all_at_least"], top) for part in parts)
        if "none_below" in step:
            holds = holds and all(_reaches(part, step["none_below"], top) for part in parts)
        if "mastered_at_least" in step:
            holds = holds and sum(map(_mastered, parts)) >= step["mastered_at_least"]
        if "average_at_least" in step:
            line = step["average_at_least"]
            holds = holds and _mean(parts, 1) >= (_mean(parts, 2) if line is None else _line(line, top))
        if holds:
            return _percent(step["credit"])
    return Fraction(0)


def _reaches(part: Part, line: str | None, top: Fraction) -> bool:
    return _mastered(part) if line is None else part[1] >= _line(line, top)


@dataclass(frozen=True)
class Place:
    """One student × one target as 5.5 needs it. `cell` is None where there is none to read."""

    is_student: bool
    assigned: bool
    broken: bool
    blocked: bool
    closed: bool
    wish: Wish | None
    cell: CellState | None
    overwrite: str = "ours"
    direction: str = "both"
    not_assessed: bool = False


def decide(place: Place, *, forced: bool = False, approved: bool = False) -> Answer:
    """5.5, step by step."""
    cell = place.cell or CellState(None, False, False, False)
    after = place.wish.grade if place.wish else None
    verdict = _first_steps(place, cell) or _persons(place, cell, forced, approved)
    if not verdict and place.direction == "up" and _lowers(cell.grade, after, cell.ours):
        verdict = "held would_lower"
    decision, reason = (verdict or f"send {place.wish.kind if place.wish else ''}").split(" ")
    return Answer(decision, reason, cell.grade, after)


def _first_steps(place: Place, cell: CellState) -> str:
    """Who, and steps 0 to 3."""
    if not place.is_student:
        return "held not_a_student"
    if not place.assigned:
        return "held not_assigned"
    if place.not_assessed:
        return "held not_assessed"
    if place.broken:
        return "held broken_alignment"
    if place.blocked or place.wish is None:
        return "held column_blocked"
    if place.wish.kind == "not_enough":
        if cell.ours and cell.grade is not None:
            return "held evidence_gone"
        return "held too_little_evidence" if place.wish.assessed else "held no_evidence"
    return "unchanged same" if same(cell.grade, place.wish.grade) else ""


def _persons(place: Place, cell: CellState, forced: bool, approved: bool) -> str:
    """Steps 4 to 8."""
    if cell.grade == "EX" and not cell.ours and not forced:
        return "conflict excused_by_person"
    if place.closed:
        return "conflict closed_period"
    by_policy = cell.grade not in (None, "EX") and not cell.has_grader and not cell.ours
    if cell.grade is None or by_policy:
        return "conflict cleared_by_person" if cell.written and not cell.ours and not forced else ""
    if place.overwrite == "empty":
        return "held already_graded"
    may = cell.ours or forced or (place.overwrite == "all" and approved)
    return "" if may else "conflict graded_by_person"


def _lowers(before: str | None, after: str | None, ours: bool) -> bool:
    if before is None:
        return False
    if before == "EX":
        return ours
    return after in (None, "EX") or Fraction(text_of(Fraction(after), 4)) < Fraction(
        text_of(Fraction(before), 4)
    )
