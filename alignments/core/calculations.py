"""From an outcome's single results to its score, where a teacher does not want Canvas's rollup.

The six methods Canvas has too are worked out and rounded as Canvas does it (`canvasmethods`: two decimals, half
away from zero), so that they equal its rollup. The others are counted in fractions and never rounded; only the
power law needs logarithms, which are taken with 30 digits, and its score is kept to 10 decimals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import Generic, TypeVar

from alignments.core import canvasmethods
from alignments.core.canvasmethods import Floats
from alignments.core.definition import Calculation, Method, Percent
from alignments.core.numbers import rounded
from canvas.values import Outcome, OutcomeResult

ZERO, NOTHING = Fraction(0), Decimal(0)
PLACES = 10
"""Decimals of a share that Canvas keeps as a float, and of the power law."""
AS_NEAR_AS_A_FLOAT = Fraction(1, 10**9)
WORKING = Context(prec=30, rounding=ROUND_HALF_EVEN)
FLOOR = Fraction(1, 10)
"""The least share of the scale the power law reckons with: 0 has no logarithm."""
OF_CANVAS: tuple[Method, ...] = (
    "average",
    "standard_decaying_average",
    "weighted_average",
    "latest",
    "highest",
    "n_mastery",
)
QUIZ_MEANS: tuple[Method, ...] = ("average", "standard_decaying_average", "weighted_average", "latest")
USUAL_PERCENT, USUAL_TIMES = 65, 5


@dataclass(frozen=True, slots=True)
class Result:
    """One result on its outcome's scale, at the time it counts at; `in_canvas` is the float Canvas reckons
    with. `bank_points` is set for one question bank of a classic quiz: what it is worth in the quiz;
    `submitted` is when the work was handed in, where it counts at another time."""

    id: str
    outcome_id: str
    score: Fraction
    in_canvas: float
    at: datetime
    assignment_id: str | None = None
    bank_points: Fraction | None = None
    submitted: datetime | None = None


class Scale:
    """Puts results on one outcome's scale, as Canvas does (learning_outcome_result.rb): the share of what was
    possible times the scale's top, else the raw score. A class has few different results: each is worked
    out once."""

    def __init__(self, outcome: Outcome) -> None:
        self._top = outcome.points_possible or outcome.mastery_points or Decimal(0)
        self._known: dict[tuple[Decimal, Decimal | None, Decimal | None], tuple[Fraction, float]] = {}

    def result(self, raw: OutcomeResult, counts_at: datetime | None = None) -> Result:
        """The result at the time it counts at, in whole seconds."""
        key = (raw.score, raw.possible, raw.percent)
        if key not in self._known:
            self._known[key] = self._scores(raw)
        score, in_canvas = self._known[key]
        bank_points = None
        if raw.is_quiz and raw.percent is not None:
            bank_points = Fraction(raw.possible or 0)
        at, submitted = _whole_second(counts_at or raw.at), None
        if counts_at is not None:
            submitted = _whole_second(raw.at)
        return Result(raw.id, raw.outcome_id, score, in_canvas, at, raw.assignment_id, bank_points, submitted)

    def _scores(self, raw: OutcomeResult) -> tuple[Fraction, float]:
        if raw.percent is None:
            return Fraction(raw.score), float(raw.score)
        share = _share(raw.score, raw.possible, raw.percent)
        return share * Fraction(self._top), float(raw.percent) * float(self._top)


def on_scale(raw: OutcomeResult, outcome: Outcome, counts_at: datetime | None = None) -> Result:
    """One result on its outcome's scale."""
    return Scale(outcome).result(raw, counts_at)


def _whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0) if moment.microsecond else moment


def _share(score: Decimal, possible: Decimal | None, percent: Decimal) -> Fraction:
    """Canvas stores the share as a float, where a third of three is not one: the quotient it stands for, or
    (rescaled by Canvas) ten decimals of it."""
    stored = Fraction(percent)
    if possible:
        quotient = Fraction(score) / Fraction(possible)
        if abs(quotient - stored) < AS_NEAR_AS_A_FLOAT:
            return quotient
    return Fraction(rounded(stored, PLACES))


def calculate(calculation: Calculation, outcome: Outcome, results: Iterable[Result]) -> Fraction | None:
    """One student's score on one outcome; None: not assessed. The order of `results` plays no part."""
    return Calculator(calculation, outcome).score(results)


class Calculator:
    """One method made ready for a class: equal rows of scores are worked out once."""

    def __init__(self, calculation: Calculation, outcome: Outcome) -> None:
        self.calculation = calculation
        self._ignored = frozenset(calculation.ignore_assignments)
        if calculation.method in OF_CANVAS:
            exact = _method_of_canvas(calculation, outcome)
            self._of_canvas = _Known(lambda values: _to_cents(exact(values)))
        else:
            self._of_ours = _Known(_method_of_ours(calculation, outcome))

    def counted(self, results: Iterable[Result]) -> list[Result]:
        """The results that are not ignored, oldest first."""
        ignored = self._ignored
        kept = [one for one in results if one.assignment_id not in ignored] if ignored else list(results)
        if len(kept) > 1:
            kept.sort(key=in_time)
        return kept

    def score(self, results: Iterable[Result]) -> Fraction | None:
        counted = self.counted(results)
        method, drop = self.calculation.method, self.calculation.drop_lowest
        if method in OF_CANVAS:
            floats = _floats(method, counted)
            return self._of_canvas(without_lowest(floats, drop)) if self._enough(floats) else None
        values = _pieces(counted)
        return self._of_ours(without_lowest(values, drop)) if self._enough(values) else None

    def _enough(self, values: Sequence[object]) -> bool:
        return len(values) >= self.calculation.at_least


Number = TypeVar("Number", float, Fraction)


class _Known(Generic[Number]):
    """A method that remembers its answers: a class has few different rows of scores."""

    def __init__(self, method: Callable[[Sequence[Number]], Fraction | None]) -> None:
        self._method: Callable[[Sequence[Number]], Fraction | None] = method
        self._answers: dict[tuple[float, ...], tuple[tuple[Number, ...], Fraction | None]] = {}

    def __call__(self, values: tuple[Number, ...]) -> Fraction | None:
        # Floats are hashed many times faster than fractions; the values themselves must be equal too.
        key = tuple(map(float, values))
        known = self._answers.get(key)
        if known is None or known[0] != values:
            known = self._answers[key] = (values, self._method(values))
        return known[1]


def in_time(result: Result) -> tuple[datetime, datetime, int, str, float]:
    """Oldest first. Work due or graded at the same second goes by when it was handed in; results of the same
    second have no order in Canvas, here their ids give one."""
    return result.at, result.submitted or result.at, len(result.id), result.id, result.in_canvas


def _to_cents(value: float | None) -> Fraction | None:
    return None if value is None else canvasmethods.to_cents(value)


def _floats(method: Method, ordered: Sequence[Result]) -> tuple[float, ...]:
    """Canvas's inputs. A classic quiz gives one result for each question bank; where Canvas does so, each is
    replaced by their mean, by the banks' points."""
    if method not in QUIZ_MEANS or all(one.bank_points is None for one in ordered):
        return tuple([one.in_canvas for one in ordered])
    means = {quiz: float(value) for quiz, value in _quiz_means(ordered).items()}
    return tuple(one.in_canvas if one.bank_points is None else means[one.assignment_id] for one in ordered)


def _pieces(ordered: Sequence[Result]) -> tuple[Fraction, ...]:
    """The inputs of our own methods: the same, but a classic quiz is one piece of work and counts once."""
    if all(one.bank_points is None for one in ordered):
        return tuple([one.score for one in ordered])
    means = _quiz_means(ordered)
    seen: set[str | None] = set()
    found: list[Fraction] = []
    for one in ordered:
        if one.bank_points is None:
            found.append(one.score)
        elif one.assignment_id not in seen:
            seen.add(one.assignment_id)
            found.append(means[one.assignment_id])
    return tuple(found)


def _quiz_means(results: Iterable[Result]) -> dict[str | None, Fraction]:
    sums: dict[str | None, tuple[Fraction, Fraction]] = {}
    for one in results:
        if one.bank_points is not None:
            points, weight = sums.get(one.assignment_id, (ZERO, ZERO))
            sums[one.assignment_id] = (points + one.score * one.bank_points, weight + one.bank_points)
    return {quiz: points / weight if weight else ZERO for quiz, (points, weight) in sums.items()}


def without_lowest(values: tuple[Number, ...], drop: int) -> tuple[Number, ...]:
    """Without the `drop` lowest, of equal ones the oldest first; the best one always stays."""
    drop = min(drop, len(values) - 1)
    if drop <= 0:
        return values
    gone = set(sorted(range(len(values)), key=lambda place: (values[place], place))[:drop])
    return tuple(value for place, value in enumerate(values) if place not in gone)


def _method_of_canvas(calculation: Calculation, outcome: Outcome) -> Callable[[Floats], float | None]:
    percent = float(calculation.percent.number) if calculation.percent else 0.0
    mastery, times = float(outcome.mastery_points or 0), calculation.count or 1
    methods: Mapping[Method, Callable[[Floats], float | None]] = {
        "average": canvasmethods.mean,
        "standard_decaying_average": lambda values: canvasmethods.decayed(values, percent),
        "weighted_average": lambda values: canvasmethods.weighted(values, percent),
        "latest": lambda values: values[-1],
        "highest": max,
        "n_mastery": lambda values: canvasmethods.n_mastery(values, mastery, times),
    }
    return methods[calculation.method]


Values = Sequence[Fraction]
"""Scores on the outcome's scale, oldest first, at least one."""


def _method_of_ours(calculation: Calculation, outcome: Outcome) -> Callable[[Values], Fraction | None]:
    top, count = Fraction(outcome.points_possible or 0), calculation.count or 1
    methods: Mapping[Method, Callable[[Values], Fraction | None]] = {
        "latest_and_highest": lambda values: (values[-1] + max(values)) / 2,
        "mode": mode,
        "newest": lambda values: mean(values[-count:]),
        "power_law": lambda values: power_law(values, top),
        "streak": lambda values: streak(values, count),
    }
    return methods[calculation.method]


def mean(values: Values) -> Fraction:
    return sum(values, ZERO) / len(values)


def mode(values: Values) -> Fraction:
    """The most frequent score; of several, the highest."""
    counted = Counter(values)
    return max(counted, key=lambda value: (counted[value], value))


def streak(values: Values, length: int) -> Fraction | None:
    """The highest level held `length` times in a row, whenever that was: it is mastery exactly when there
    were so many results in a row at mastery or above. Fewer results: none."""
    windows = [min(values[start : start + length]) for start in range(len(values) - length + 1)]
    return max(windows, default=None)


def power_law(values: Values, top: Fraction) -> Fraction:
    """Marzano's estimate: the curve a * x**b through the results (x = 1, 2, 3, …), fitted by least squares on
    logarithms, read off at the newest. Never above the scale, unless a result was.

    A result under a tenth of the scale counts as a tenth here; without any better one, the mean is taken.
    """
    if len(values) == 1 or max(values) <= top * FLOOR:
        return mean(values)
    with localcontext(WORKING):
        ys = [_logarithm(max(value, top * FLOOR)) for value in values]
        xs = [_logarithm(Fraction(place)) for place in range(1, len(values) + 1)]
        middle_x, middle_y = sum(xs, NOTHING) / len(xs), sum(ys, NOTHING) / len(ys)
        spread = sum(((x - middle_x) ** 2 for x in xs), NOTHING)
        rise = sum(((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)), NOTHING)
        estimate = (middle_y + rise / spread * (xs[-1] - middle_x)).exp()
    return min(Fraction(rounded(Fraction(estimate), PLACES)), max(top, *values))


@lru_cache(maxsize=4096)
def _logarithm(value: Fraction) -> Decimal:
    number = WORKING.divide(Decimal(value.numerator), Decimal(value.denominator))
    return number.ln(WORKING)


def canvas_calculation(outcome: Outcome, new_decaying: bool = True) -> Calculation | None:
    """The outcome's own method as a calculation; None for a method not known here. Without `new_decaying`,
    the root account's feature of that name is off and the decaying average is the weighted one."""
    number = outcome.calculation_int
    percent = Percent(Decimal(number or USUAL_PERCENT))
    match outcome.calculation_method:
        case "standard_decaying_average" if new_decaying:
            return Calculation("standard_decaying_average", percent=percent)
        case "standard_decaying_average" | "decaying_average" | "weighted_average":
            return Calculation("weighted_average", percent=percent)
        case "n_mastery":
            return Calculation("n_mastery", count=number or USUAL_TIMES)
        case "average":
            return Calculation("average")
        case "latest":
            return Calculation("latest")
        case "highest":
            return Calculation("highest")
    return None
