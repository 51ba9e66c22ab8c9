"""Mastery from raw results: Canvas's calculation methods.

Imitates lib/outcomes/result_analytics.rb, app/models/rollup_score.rb,
app/models/rollup_score_aggregator_helper.rb and app/models/learning_outcome_result.rb. The sums are
done in floats, as Canvas does them (percents as 0.01 times a number; Ruby's sum is compensated, as
``fsum`` is), and rounded from the float's shortest decimal form.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from math import fsum
from statistics import median

from sandbox.records import (
    ACCOUNT_SCALES,
    NEW_DECAYING,
    Account,
    Course,
    Outcome,
    OutcomeResult,
    Proficiency,
    Rating,
)
from sandbox.world import World

WEIGHTED = ("decaying_average", "weighted_average")
QUIZ_MEANS = ("latest", "average", "standard_decaying_average", *WEIGHTED)
DEFAULT_INT = 65
CENT = Decimal("0.01")


class QuizWithoutPercent(Exception):
    """A quiz result without a percent: the whole request of Canvas ends with a 500."""


@dataclass(frozen=True)
class Scale:
    """What an outcome is measured on in a course."""

    points_possible: Decimal | None
    mastery_points: Decimal | None
    ratings: list[Rating]
    method: str
    method_int: int | None
    of_account: bool


@dataclass(frozen=True)
class Score:
    """One outcome's rollup score for one student (or, with ``course``, for the course)."""

    outcome_id: int
    score: float | None
    title: str | None
    submitted_at: datetime | None
    count: int
    hide_points: bool | None
    results: tuple[OutcomeResult, ...] = ()


def default_proficiency() -> Proficiency:
    """The scale of an account that has the flag on and configured nothing."""
    rows = (
        ("Exceeds Mastery", 4, "0374B5"),
        ("Mastery", 3, "0B874B"),
        ("Near Mastery", 2, "FAB901"),
        ("Below Mastery", 1, "D97900"),
        ("No Evidence", 0, "E0061F"),
    )
    return Proficiency([Rating(text, Decimal(points), points == 3, color) for text, points, color in rows])


def account_proficiency(world: World, course: Course) -> Proficiency | None:
    """The course's resolved account-level scale; None where the root account has no such flag."""
    chain: list[Account] = world.account_chain(course.account_id)
    if ACCOUNT_SCALES not in chain[-1].features:
        return None
    return next((one.proficiency for one in chain if one.proficiency is not None), default_proficiency())


def scale_of(world: World, course: Course, outcome: Outcome) -> Scale:
    """The account's scale where that is on, else the outcome's own."""
    shared = account_proficiency(world, course)
    if shared is not None:
        return Scale(
            shared.points_possible,
            shared.mastery_points,
            shared.ratings,
            shared.method,
            shared.method_int,
            True,
        )
    return Scale(
        outcome.points_possible,
        outcome.mastery_points,
        outcome.ratings,
        outcome.method or "highest",
        outcome.method_int,
        False,
    )


def ruby_round(value: float) -> float:
    """Two decimals, half away from zero, from the float's shortest decimal form."""
    return float(Decimal(repr(value)).quantize(CENT, ROUND_HALF_UP))


def when(result: OutcomeResult) -> datetime:
    """The time a result counts at: submitted, else assessed; whole seconds."""
    return (result.submitted_at or result.assessed_at).replace(microsecond=0)


def value_of(result: OutcomeResult, scale: Scale) -> float:
    """A result on the scale: its percent of the scale's points, else its raw score."""
    if result.percent is None:
        return float(result.score or 0)
    return float(result.percent) * float(scale.points_possible or scale.mastery_points or 0)


def _values(results: Sequence[OutcomeResult], scale: Scale) -> list[float]:
    """The inputs, oldest first; a classic quiz's results become their weighted mean under some methods."""
    if scale.method not in QUIZ_MEANS or not any(result.kind == "quiz" for result in results):
        return [value_of(result, scale) for result in results]
    quizzes: dict[int | None, list[OutcomeResult]] = defaultdict(list)
    for result in results:
        if result.kind == "quiz":
            if result.percent is None:
                raise QuizWithoutPercent
            quizzes[result.assignment_id].append(result)
    means = {key: _quiz_mean(rows, scale) for key, rows in quizzes.items()}
    return [
        means[result.assignment_id] if result.kind == "quiz" else value_of(result, scale)
        for result in results
    ]


def _quiz_mean(rows: list[OutcomeResult], scale: Scale) -> float:
    points = Decimal(scale.points_possible or scale.mastery_points or 0)
    weight = sum((row.possible or Decimal(0) for row in rows), Decimal(0))
    total = sum(((row.percent or Decimal(0)) * (row.possible or Decimal(0)) for row in rows), Decimal(0))
    return float(total / weight * points) if weight else 0.0


def calculate(values: list[float], scale: Scale, new_decaying: bool = True) -> float | None:
    """The method's answer, unrounded; None when the method yields nothing."""
    method, number = scale.method, scale.method_int
    if method == "n_mastery":
        return _n_mastery(values, float(scale.mastery_points or 0), number or 5)
    if method == "standard_decaying_average" and new_decaying:
        return _fold(values, number or DEFAULT_INT)
    if method in WEIGHTED or method == "standard_decaying_average":
        return _weighted(values, number or DEFAULT_INT)
    if method == "latest":
        return values[-1]
    if method == "average":
        return fsum(values) / len(values)
    return max(values)


def _n_mastery(values: list[float], mastery: float, needed: int) -> float | None:
    kept = [value for value in values if value >= mastery]
    if len(values) < needed or len(kept) < needed:
        return None
    return fsum(kept) / len(kept)


def _fold(values: list[float], percent: int) -> float:
    old, new = 0.01 * (100 - percent), 0.01 * percent
    answer = values[0]
    for value in values[1:]:
        answer = answer * old + value * new
    return answer


def _weighted(values: list[float], percent: int) -> float:
    if len(values) == 1:
        return values[0]
    earlier = fsum(values[:-1]) / len(values[:-1])
    return values[-1] * (0.01 * percent) + earlier * (0.01 * (100 - percent))


def student_scores(
    world: World,
    course: Course,
    user_ids: Iterable[int],
    outcome_ids: Iterable[int],
    results: Iterable[OutcomeResult],
) -> dict[int, list[Score]]:
    """Every student's scores, ascending by outcome id; outcomes without a result are absent.

    ``results`` are the ones the caller may see; hidden ones, other courses' and deleted alignments'
    are left out here.
    """
    users, outcomes = set(user_ids), set(outcome_ids)
    rows: dict[tuple[int, int], list[OutcomeResult]] = defaultdict(list)
    for result in results:
        if result.user_id in users and result.outcome_id in outcomes and counts(world, course, result):
            rows[(result.user_id, result.outcome_id)].append(result)
    scales = {number: scale_of(world, course, world.outcomes[number]) for number in outcomes}
    new_decaying = NEW_DECAYING in world.account_chain(course.account_id)[-1].features
    scores: dict[int, list[Score]] = {user: [] for user in users}
    for (user, outcome), inputs in sorted(rows.items()):
        scores[user].append(_score(outcome, inputs, scales[outcome], new_decaying))
    _add_stored(world, course, outcomes, scores)
    return scores


def counts(world: World, course: Course, result: OutcomeResult) -> bool:
    """Is this result an input of a rollup in this course?"""
    assignment = world.assignments.get(result.assignment_id or 0)
    return (
        result.course_id == course.id
        and not result.deleted
        and not result.hidden
        and result.score is not None
        and (assignment is None or not assignment.deleted)
    )


def _score(outcome_id: int, inputs: list[OutcomeResult], scale: Scale, new_decaying: bool) -> Score:
    ordered = sorted(inputs, key=lambda result: (when(result), result.id))
    answer = calculate(_values(ordered, scale), scale, new_decaying)
    latest = ordered[-1]
    return Score(
        outcome_id,
        None if answer is None else ruby_round(answer),
        shown_title(latest.title),
        when(latest),
        len(ordered),
        None if answer is None else all(result.hide_points for result in ordered),
        tuple(ordered),
    )


def shown_title(stored: str) -> str | None:
    """The second piece of "User name, Assignment title": the rest of a title with ", " is lost."""
    pieces = stored.split(", ")
    return pieces[1] if len(pieces) > 1 else None


def _add_stored(world: World, course: Course, outcomes: set[int], scores: dict[int, list[Score]]) -> None:
    """Pre-computed rollups: count 0, points shown, no title and no date."""
    for stored in world.stored_rollups:
        mine = scores.get(stored.user_id)
        if stored.course_id != course.id or stored.outcome_id not in outcomes or mine is None:
            continue
        mine.append(Score(stored.outcome_id, float(stored.score), None, None, 0, False))
        mine.sort(key=lambda score: score.outcome_id)


def course_scores(per_student: Iterable[list[Score]], statistic: str) -> list[Score]:
    """The course's aggregate: a mean (two decimals) or a median (not rounded) for each outcome."""
    columns: dict[int, list[Score]] = defaultdict(list)
    for scores in per_student:
        for score in scores:
            columns[score.outcome_id].append(score)
    answer = []
    for outcome, column in sorted(columns.items()):
        values = [score.score for score in column if score.score is not None]
        number = _statistic(values, statistic)
        hidden = None if number is None else all(score.hide_points for score in column)
        answer.append(Score(outcome, number, None, None, len(column), hidden))
    return answer


def _statistic(values: list[float], statistic: str) -> float | None:
    if not values:
        return None
    if statistic == "median":
        return float(median(Decimal(repr(value)) for value in values))
    return ruby_round(sum(values) / len(values))
