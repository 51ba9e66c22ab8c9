"""Who may do what in a course (app/models/course.rb, role_override.rb, with the default roles)."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox import records as r
from sandbox.world import World


@dataclass(frozen=True)
class Rights:
    """A person's rights in one course, from the enrolments that count now."""

    read: bool = False
    view_all_grades: bool = False
    manage_grades: bool = False
    manage_assignments: bool = False
    read_roster: bool = False
    read_reports: bool = False
    change_course_state: bool = False
    observed: frozenset[int] = frozenset()
    own_student: bool = False
    section_ids: frozenset[int] | None = None

    @property
    def sees_grades(self) -> bool:
        return self.view_all_grades or self.manage_grades

    def sees_section(self, section_id: int) -> bool:
        """A section-limited teacher sees only the own sections (``section_ids`` None: all)."""
        return self.section_ids is None or section_id in self.section_ids


def rights_of(world: World, user: r.User, course: r.Course) -> Rights:
    """The rights of ``user`` in ``course``: readers of a concluded course may no longer write."""
    open_course = not course.is_concluded(world.now())
    if user.account_admin:
        return Rights(True, True, open_course, open_course, True, True, True)
    mine = [
        enrollment
        for enrollment in world.user_enrollments(user.id, course.id)
        if enrollment.state in ("active", "completed")
    ]
    active = {enrollment.type for enrollment in mine if enrollment.state == "active"}
    held = {enrollment.type for enrollment in mine}
    grader = bool(held & set(r.GRADER_TYPES))
    writes = open_course and bool(active & set(r.GRADER_TYPES))
    designer = r.DESIGNER in held
    visible = course.published or grader or designer
    return Rights(
        read=bool(held) and visible,
        view_all_grades=grader,
        manage_grades=writes,
        manage_assignments=writes or (open_course and r.DESIGNER in active),
        read_roster=grader or designer or r.STUDENT in held,
        read_reports=grader,
        change_course_state=r.TEACHER in active,
        observed=frozenset(one.associated_user_id for one in mine if one.associated_user_id is not None),
        own_student=bool(held & set(r.STUDENT_TYPES)),
        section_ids=_limited_sections(mine),
    )


def _limited_sections(mine: list[r.Enrollment]) -> frozenset[int] | None:
    """The sections a person is limited to; None unless every staff enrolment is limited."""
    staff = [enrollment for enrollment in mine if enrollment.type in (r.TEACHER, r.TA, r.DESIGNER)]
    if not staff or not all(enrollment.limit_privileges for enrollment in staff):
        return None
    return frozenset(enrollment.section_id for enrollment in staff)


def visible_students(
    world: World, user: r.User, course: r.Course, states: tuple[str, ...] | None = None
) -> list[int]:
    """Ids of the students a person can see, in id order; ``states`` None: every non-deleted enrolment."""
    rights = rights_of(world, user, course)
    found = {
        enrollment.user_id
        for enrollment in world.course_enrollments(course.id, r.STUDENT_TYPES)
        if (states is None or enrollment.state in states)
        and (
            (rights.sees_grades and rights.sees_section(enrollment.section_id))
            or enrollment.user_id == user.id
            or enrollment.user_id in rights.observed
        )
    }
    return sorted(found)
