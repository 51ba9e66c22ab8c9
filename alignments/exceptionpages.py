"""What the exceptions page shows: who has a rule of their own, in words, and who may be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alignments.effect import by_name, numbers_of
from alignments.exceptionforms import in_words
from alignments.pages import Reading
from alignments.reading import Look
from alignments.services import StoredAlignment
from canvas.counting import CallCounter
from canvas.rest import Rest
from canvas.values import Section
from lti_tool.errors import PlatformError
from lti_tool.http import shared_http

UNNAMED = "A student whose name cannot be read now"


@dataclass(frozen=True, slots=True)
class Row:
    """One exception: the value that changes or removes it, whom it is for and what counts."""

    value: str
    who: str
    words: str
    students: str = ""
    """How many students a section's exception is for."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One student to choose. `name` is "Student 7" while names are hidden."""

    user_id: str
    name: str


def sections_of(look: Look) -> Mapping[str, Section]:
    """The sections by id; none where they cannot be read now."""
    if look.account is None or look.reading is None:
        return {}
    try:
        return Rest(look.account, shared_http(), CallCounter()).sections(look.reading.course.id)
    except PlatformError:
        return {}


def section_rows(
    stored: StoredAlignment, reading: Reading | None, sections: Mapping[str, Section]
) -> list[Row]:
    """In the alignment's order, which decides for students in several of them."""
    outcomes = reading.evidence.outcomes if reading else {}
    return [
        Row(
            f"section:{one.section_id}",
            sections[one.section_id].name if one.section_id in sections else f"Section {one.section_id}",
            in_words(stored.definition, one.rule, outcomes),
            _students_in(one.section_id, reading),
        )
        for one in stored.definition.sections
    ]


def _students_in(section_id: str, reading: Reading | None) -> str:
    if reading is None:
        return ""
    active = (reading.students[user].active_section_ids for user in reading.class_ids)
    count = sum(section_id in sections for sections in active)
    return f"{count:,} student{'' if count == 1 else 's'}"


def student_rows(stored: StoredAlignment, reading: Reading | None, *, names: bool) -> list[Row]:
    """By name; somebody who left the course, or everybody where names cannot be read, has none."""
    known = _names(reading, names)
    outcomes = reading.evidence.outcomes if reading else {}
    rows = [
        (f"student:{user}", known.get(user, UNNAMED), in_words(stored.definition, rule, outcomes))
        for user, rule in (stored.students or {}).items()
    ]
    order = {name: place for place, name in enumerate(known.values())}
    rows.sort(key=lambda row: (order.get(row[1], len(order)), row[0]))
    return [Row(*row) for row in rows]


def to_choose(reading: Reading | None, *, names: bool) -> list[Choice]:
    """The active students, by name."""
    known = _names(reading, names)
    return [Choice(user, name) for user, name in known.items() if reading and user in reading.class_ids]


def _names(reading: Reading | None, shown: bool) -> dict[str, str]:
    """The class, then those who are not active, in the order they are listed: by name, or by number."""
    if reading is None:
        return {}
    numbers = numbers_of(reading)
    active = by_name(reading) if shown else sorted(reading.class_ids, key=numbers.__getitem__)
    users = [*active, *(user for user in numbers if user not in reading.class_ids)]
    names = {user: one.sortable_name for user, one in reading.students.items() if shown and one.sortable_name}
    return {user: names.get(user) or f"Student {numbers[user]}" for user in users}
