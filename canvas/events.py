"""Canvas Live Events: what an event tells of a course, and nothing else of it.

An event carries logins, SIS ids, addresses and grades. Here it becomes a kind and a time (`Told`); the rest is
dropped unread. rest.md 9; canvas-lms lib/canvas/live_events.rb. Values are never taken from an event: it is only
a reason to look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.dateparse import parse_datetime

from lti_tool.http import USER_AGENT
from lti_tool.models import CourseMark

SHARD = 10**13
"""A global id is shard × 10^13 + local id; bodies mix both kinds."""
LONGEST_NAME = 100
_ID = re.compile(r"[1-9][0-9]{0,29}")
_EVIDENCE = (
    "learning_outcome_result_created",
    "learning_outcome_result_updated",
    "learning_outcome_created",
    "learning_outcome_updated",
    "learning_outcome_link_created",
    "learning_outcome_link_updated",
    "outcome_calculation_method_created",
    "outcome_calculation_method_updated",
    "outcome_proficiency_created",
    "outcome_proficiency_updated",
    "rubric_assessed",
)
"""Mastery may have changed: evidence, an outcome, its calculation or scale."""


class NotAnEvent(Exception):
    """The body is not an event in Canvas's format."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an event says. `mark` is a kind of CourseMark, "" where nobody has to look; `verdict` says why."""

    name: str
    verdict: str
    mark: str
    course_id: str
    at: datetime | None
    hostname: str


def told_by(event: Any) -> Told:
    """Understand one event. Raises NotAnEvent."""
    metadata, body = _part(event, "metadata"), _part(event, "body")
    name = metadata.get("event_name")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise NotAnEvent("event_name")
    verdict, mark = _understood(_documented_name(name, body), metadata, body)
    hostname = metadata.get("hostname")
    return Told(
        name=name,
        verdict=verdict,
        mark=mark,
        course_id=_course_id(metadata, body),
        at=_moment(metadata.get("event_time")),
        hostname=hostname.lower() if isinstance(hostname, str) else "",
    )


def ids_of_course(course_id: str) -> set[str]:
    """The ways this course's id may be written here: as the event has it, and as its own shard has it."""
    return {course_id, str(int(course_id) % SHARD)} if course_id else set()


def _documented_name(name: str, body: Mapping[str, Any]) -> str:
    """Canvas's own sample of `grade_override` calls itself `grade_change`: the body tells them apart."""
    return "grade_override" if name == "grade_change" and "override_score" in body else name


def _understood(name: str, metadata: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[str, str]:
    """(verdict, mark)."""
    if name == "grade_change":
        return _grade_change(metadata, body)
    if name in _EVIDENCE:
        return "evidence", CourseMark.Kind.EVIDENCE
    if name in ("course_grade_change", "grade_override"):
        # Totals follow from cells, and a final grade typed over them is no cell of ours.
        return "totals", ""
    return "not_ours_to_know", ""


def _grade_change(metadata: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[str, str]:
    """Whether a person changed a grade. Our own writes, a quiz that grades itself, grades that were posted and a
    change of the points are not that."""
    same = _equal(body, "score") and body.get("grade") == body.get("old_grade")
    if not _equal(body, "points_possible") and "old_points_possible" in body:
        return "points_changed", CourseMark.Kind.POINTS
    if same:
        return "posted_or_same", ""
    if str(metadata.get("user_agent") or "").startswith(USER_AGENT.split("/", 1)[0]):
        return "our_own", ""
    grader = _id_or_none(body.get("grader_id"))
    if grader is None:
        # A quiz, or a tool: Canvas sends no grader for the negative numbers it gives those.
        return "automatic", ""
    if grader == _id_or_none(body.get("student_id")) or metadata.get("context_role") == "StudentEnrollment":
        return "automatic", ""
    return "by_a_person", CourseMark.Kind.GRADE


def _equal(body: Mapping[str, Any], name: str) -> bool:
    """Whether a number is what it was; absent and null are the same."""
    return _number(body.get(name)) == _number(body.get(f"old_{name}"))


def _number(value: Any) -> Decimal | str | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    # NaN is no number, and a signalling one cannot even be compared.
    return number if number.is_finite() else str(value)


def _part(event: Any, name: str) -> Mapping[str, Any]:
    found = event.get(name) if isinstance(event, dict) else None
    if not isinstance(found, dict):
        raise NotAnEvent(name)
    return found


def _course_id(metadata: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    if metadata.get("context_type") == "Course":
        return _id_or_none(metadata.get("context_id")) or ""
    return _id_or_none(body.get("course_id")) or ""


def _id_or_none(value: Any) -> str | None:
    """An id as text, from text or a JSON integer; never from a fraction, which may have lost digits."""
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text if _ID.fullmatch(text) else None


def _moment(value: Any) -> datetime | None:
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
