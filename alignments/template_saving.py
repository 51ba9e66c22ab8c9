"""A course's alignments made into a template: what goes into it and what cannot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from alignments.core.definition import Scheme
from alignments.core.templatemaking import CannotName, Course, entry_of
from alignments.core.templates import TemplateEntry
from alignments.pages import Reading
from alignments.services import StoredAlignment


@dataclass(frozen=True, slots=True)
class Gathered:
    """The entries, and for each alignment that cannot be one its name and why."""

    entries: tuple[TemplateEntry, ...]
    left_out: tuple[tuple[str, str], ...]
    with_exceptions: tuple[str, ...]
    """Alignments whose exceptions stay in this course."""


def gather(stored: Iterable[StoredAlignment], reading: Reading) -> Gathered:
    """Every alignment of the course as an entry, in the teacher's order."""
    known = reading.known_schemes
    course = Course(reading.evidence.outcomes, reading.assignments, known.by_id if known else {})
    entries: list[TemplateEntry] = []
    left_out: list[tuple[str, str]] = []
    excepted: list[str] = []
    for one in stored:
        try:
            omit = one.target.omit_from_final_grade
            entries.append(entry_of(one.definition, course, omit_from_final_grade=omit))
        except CannotName as error:
            left_out.append((one.title, str(error)))
            continue
        if one.definition.sections or one.students != {}:
            excepted.append(one.title)
    return Gathered(tuple(entries), tuple(left_out), tuple(excepted))


def uses_schemes(stored: Iterable[StoredAlignment]) -> bool:
    """Whether a rule names a grading scheme, whose title must be read."""
    return any(isinstance(one.definition.rule, Scheme) for one in stored)
