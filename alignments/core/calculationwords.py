"""Calculations in words: the method, one student's results, and where the school's Canvas computes otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from alignments.core.calculations import Calculator, Result, calculate, canvas_calculation, in_time
from alignments.core.definition import Calculation, Order
from alignments.core.levels import Score
from alignments.core.linewords import day_in_words, is_exact
from alignments.core.numbers import percentage, plain, short
from canvas.values import Outcome

OLD_DECAYING = (
    'Your school\'s Canvas works out its "Decaying Average" in the older way: the newest result against the '
    "average of all earlier ones, as its Weighted Average does. (A Canvas administrator can switch the new "
    "decaying average on.)"
)
ACCOUNT_METHOD = (
    "Your school sets the mastery scale and the calculation for all outcomes ({method}): what an outcome says "
    "of itself does not count in Canvas."
)
OTHERWISE = (
    "For {count} of {of} students Canvas's score is not what its own method ({method}) gives from the results "
    "it lists. Results of New Quizzes may be up to 5 minutes late; otherwise ask your Canvas administrator."
)


MOST_SHOWN = 6
"""More results than this are not added up in words."""
IN_ORDER: dict[Order, str] = {
    "submitted": "in the order they were handed in",
    "assessed": "in the order they were assessed",
    "due": "in the order they were due",
}


def calculation_in_words(calculation: Calculation) -> str:
    """The method as a phrase, such as "the mean of the 3 newest results"."""
    words = [_method(calculation)]
    if calculation.drop_lowest:
        lowest = "lowest" if calculation.drop_lowest == 1 else f"{calculation.drop_lowest} lowest"
        words.append(f"without the {lowest}")
    if calculation.ignore_assignments:
        ignored = len(calculation.ignore_assignments)
        words.append(f"{ignored} {'assignment' if ignored == 1 else 'assignments'} ignored")
    if calculation.order != "submitted":
        words.append(IN_ORDER[calculation.order])
    if calculation.at_least > 1:
        words.append(f"from {calculation.at_least} results on")
    return ", ".join(words)


def _method(calculation: Calculation) -> str:
    count = calculation.count or 1
    share = percentage(plain(calculation.percent.number)) if calculation.percent else ""
    return {
        "average": "the mean of all results",
        "standard_decaying_average": f"the decaying average (each newer result counts {share})",
        "weighted_average": f"the newest result counted {share}, the mean of the earlier ones the rest",
        "latest": "the newest result",
        "highest": "the highest result",
        "n_mastery": f"the mean of the results at mastery, once there {_are(count)}",
        "latest_and_highest": "the mean of the newest and the highest result",
        "mode": "the most frequent result (of several, the highest)",
        "newest": "the newest result" if count == 1 else f"the mean of the {count} newest results",
        "power_law": "Marzano's power law over all results",
        "streak": f"the highest level held {_times(count)}",
    }[calculation.method]


def _are(count: int) -> str:
    return "is one" if count == 1 else f"are {count}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times in a row"


def results_in_words(calculation: Calculation, outcome: Outcome, results: Iterable[Result]) -> list[str]:
    """One student's evidence on one outcome, oldest first, a sentence each, and the score it gives."""
    calculator = Calculator(calculation, outcome)
    listed = list(results)
    said = [
        f"{day_in_words(one.at)}: {short(one.score)}{_of(outcome)}{_ignored(one, calculation)}."
        for one in sorted(listed, key=in_time)
    ]
    score = calculator.score(listed)
    words = calculation_in_words(calculation)
    words = f"{words[:1].upper()}{words[1:]}"
    if score is None:
        return [*said, f"{words}: not assessed."]
    worked, result = _worked(calculation, calculator.counted(listed)), f"{shown(score)}{_of(outcome)}"
    return [*said, f"{words}: {worked}. That is {result}." if worked else f"{words}: {result}."]


def _worked(calculation: Calculation, results: Sequence[Result]) -> str:
    """The arithmetic of a mean, decaying or not; "" where there is none to show, or more than anybody reads."""
    plainly = not calculation.drop_lowest and all(one.bank_points is None for one in results)
    if not plainly or not 1 < len(results) <= MOST_SHOWN:
        return ""
    scores = [one.score for one in results]
    match calculation.method:
        case "average":
            return _sum(scores)
        case "newest" if calculation.count != 1:
            return _sum(scores[-(calculation.count or 1) :])
        case "standard_decaying_average" if calculation.percent:
            return "; ".join(_decaying(scores, calculation.percent.share))
        case "weighted_average" if calculation.percent:
            earlier = sum(scores[:-1], Fraction(0)) / (len(scores) - 1)
            return _weighed(earlier, scores[-1], calculation.percent.share)
    return ""


def _sum(scores: Sequence[Fraction]) -> str:
    return f"({' + '.join(short(one, 4) for one in scores)}) ÷ {len(scores)}"


def _decaying(scores: Sequence[Fraction], newer: Fraction) -> Iterator[str]:
    before = scores[0]
    for score in scores[1:]:
        yield _weighed(before, score, newer)
        before = before * (1 - newer) + score * newer


def _weighed(before: Fraction, score: Fraction, newer: Fraction) -> str:
    """ "35 % of 2 + 65 % of 3 = 2.65": what came before, and the newer result."""
    old, new = percentage(short(100 - newer * 100)), percentage(short(newer * 100))
    parts = f"{old} of {short(before, 4)} + {new} of {short(score, 4)}"
    return f"{parts} = {short(before * (1 - newer) + score * newer, 4)}"


def _ignored(result: Result, calculation: Calculation) -> str:
    """Whether it counts, with the teacher's reason where it does not."""
    if result.assignment_id not in calculation.ignore_assignments:
        return ""
    reason = calculation.reason_to_ignore(result.assignment_id)
    return f", ignored ({reason})" if reason else ", ignored"


def shown(score: Score) -> str:
    """A score for a person to read: Canvas's as it is, a calculated one to two decimals, and "about" where
    that is not all of it (2.996 is not yet 3)."""
    if not isinstance(score, Fraction):
        return plain(score)
    return short(score) if is_exact(score, 2) else f"about {short(score)}"


def _of(outcome: Outcome) -> str:
    return f" of {plain(outcome.points_possible)}" if outcome.points_possible else ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One student's score in Canvas on one outcome, and the results behind it."""

    score: Score | None
    results: Sequence[Result]


def how_canvas_differs(outcome: Outcome, students: Sequence[Evidence]) -> str | None:
    """Where the school's account makes Canvas compute otherwise than this outcome's method says: a sentence
    for the page; None where everything agrees or there is nothing to compare."""
    compared = [one for one in students if one.results]
    usual = canvas_calculation(outcome)
    if usual is None or not compared:
        return _by_account(outcome)
    differing = _differing(usual, outcome, compared)
    if not differing:
        return _by_account(outcome)
    old = canvas_calculation(outcome, new_decaying=False)
    if old is not None and old != usual and not _differing(old, outcome, compared):
        return OLD_DECAYING
    return OTHERWISE.format(count=differing, of=len(compared), method=calculation_in_words(usual))


def _differing(calculation: Calculation, outcome: Outcome, students: Iterable[Evidence]) -> int:
    return sum(one.score != calculate(calculation, outcome, one.results) for one in students)


def _by_account(outcome: Outcome) -> str | None:
    """Canvas gives ratings a colour only where the account's scale has replaced the outcome's own."""
    method = canvas_calculation(outcome)
    if method is None or not any(rating.color for rating in outcome.ratings):
        return None
    return ACCOUNT_METHOD.format(method=calculation_in_words(method))
