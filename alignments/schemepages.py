"""Grading schemes as a page shows them: letters, bounds as Canvas stores and compares them, and what each earns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from alignments.classunder import scheme_of
from alignments.core import schemes
from alignments.core.definition import Definition, Scheme
from alignments.core.numbers import percentage, plain, short
from alignments.forms import AlignmentForm
from alignments.offers import has_numeric_labels
from alignments.pages import Reading
from canvas.schemes import Schemes
from canvas.values import GradingScheme

FROM = {"Course": "this course", "Account": "your school", "": "Canvas itself"}


@dataclass(frozen=True, slots=True)
class LetterShown:
    """One letter: `bound` in percent, `value` as Canvas stores it, `compared` as Canvas shows it."""

    name: str
    bound: str
    value: str
    compared: str
    earns: str


@dataclass(frozen=True, slots=True)
class SchemeShown:
    """One scheme in words."""

    id: str
    title: str
    origin: str
    kind: str
    letters: tuple[LetterShown, ...]
    warning: str
    in_points: bool
    assumed: bool = False


def shown(scheme: GradingScheme) -> SchemeShown:
    """The scheme with what each letter earns when a rule uses it."""
    top = plain(scheme.scaling_factor)
    warning = (
        "Its letters are numbers, which Canvas would mistake for points."
        if has_numeric_labels(scheme)
        else ""
    )
    return SchemeShown(
        scheme.id,
        scheme.title or f"Scheme {scheme.id}",
        FROM.get(scheme.context_type, "your school"),
        f"in points, {top} at the top" if scheme.points_based else "in percent",
        tuple(_letter(one, scheme) for one in schemes.letters(scheme)),
        warning,
        scheme.points_based,
        scheme.assumed,
    )


def _letter(letter: schemes.Letter, scheme: GradingScheme) -> LetterShown:
    factor = Fraction(scheme.scaling_factor) if scheme.points_based else Fraction(100)
    unit = "points" if scheme.points_based else "%"
    return LetterShown(
        letter.name,
        percentage(short(letter.bound * 100)),
        short(letter.bound, 4),
        f"{short(letter.bound * factor, 4)}\N{NO-BREAK SPACE}{unit}",
        "the level itself" if letter.worth is None else percentage(short(letter.worth * 100)),
    )


def listed(known: Schemes, more: Iterable[GradingScheme] = ()) -> list[SchemeShown]:
    """All schemes in reach: the course's first, then the school's, then Canvas's own."""
    found = sorted(known.by_id.values(), key=lambda one: (one.context_type != "Course", one.title.casefold()))
    return [shown(one) for one in (*found, *more)]


def shown_for_form(form: AlignmentForm, reading: Reading, draft: Definition | None) -> SchemeShown | None:
    """The scheme chosen in the form, or the one Canvas uses for the target; None where it cannot be read."""
    chosen = form.blanks.values.get("scheme", "")
    known = reading.known_schemes
    if draft is not None and isinstance(draft.rule, Scheme):
        found = scheme_of(draft, reading)
    elif known is not None:
        found = known.find(chosen) if chosen else known.applying_to(None, reading.course)
    else:
        found = None
    return shown(found) if found else None
