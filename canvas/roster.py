"""Who is in the course: enrolments and sections. canvas-lms: lib/api/v1/user.rb, enrollments_api_controller.rb"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from canvas.gateway import Gateway
from canvas.shapes import Fields, each
from canvas.values import Section, Student
from lti_tool.errors import Refused

STUDENT_TYPES = ("StudentEnrollment", "StudentViewEnrollment")
STATES = ("active", "invited", "creation_pending", "inactive", "completed", "rejected")
OLDER_STATES = ("active", "inactive", "completed")


class RosterReads(Gateway):
    """Students and sections of a course."""

    def students(self, course_id: str) -> dict[str, Student]:
        """Everybody with a student enrolment in any state, the Test Student included, by user id."""
        try:
            rows = self._enrollments(course_id, STATES)
        except Refused as error:
            if error.status != 400:
                raise
            rows = self._enrollments(course_id, OLDER_STATES)
        students: dict[str, Student] = {}
        for row in rows:
            if row.text("type") in STUDENT_TYPES:
                student = parse_student(row)
                known = students.get(student.user_id)
                students[student.user_id] = _merged(known, student) if known else student
        self._roster_sizes[course_id] = sum(
            1 for student in students.values() if student.states != {"rejected"}
        )
        return students

    def _enrollments(self, course_id: str, states: tuple[str, ...]) -> list[Fields]:
        params = [("type[]", kind) for kind in STUDENT_TYPES] + [("state[]", state) for state in states]
        path = f"courses/{course_id}/enrollments"
        return each(self.entries(path, params, where="/courses/:id/enrollments"), "enrollments")

    def sections(self, course_id: str) -> dict[str, Section]:
        """The sections the account may see, by id."""
        entries = self.entries(f"courses/{course_id}/sections", (), where="/courses/:id/sections")
        found = (Section(row.ident("id"), row.text("name", "")) for row in each(entries, "sections"))
        return {section.id: section for section in found}


def parse_student(row: Fields) -> Student:
    """One enrolment as a student; the names stay in memory for this request or run only."""
    user = row.child_or_empty("user")
    name = user.text("name", "")
    state = row.text("enrollment_state")
    sections = frozenset(filter(None, [row.ident_or_none("course_section_id")]))
    return Student(
        user_id=row.ident("user_id"),
        states=frozenset({state}),
        section_ids=sections,
        active_section_ids=sections if state == "active" else frozenset(),
        is_test_student=row.text("type") == "StudentViewEnrollment",
        name=name,
        sortable_name=user.text("sortable_name", "") or name,
    )


def _merged(one: Student, other: Student) -> Student:
    """Two enrolments of one person: a test student is one by every enrolment."""
    return replace(
        one,
        states=one.states | other.states,
        section_ids=one.section_ids | other.section_ids,
        active_section_ids=one.active_section_ids | other.active_section_ids,
        is_test_student=one.is_test_student and other.is_test_student,
    )


def by_name(students: Mapping[str, Student]) -> list[Student]:
    """Students in the order Canvas lists them."""
    return sorted(students.values(), key=lambda student: (student.sortable_name.casefold(), student.user_id))
