"""The course and its columns: course, assignments, groups, grading periods. canvas-lms: lib/api/v1/assignment.rb"""

from __future__ import annotations

from canvas.gateway import Gateway
from canvas.library import attributes_of, canvasapi_for
from canvas.schemes import scheme_levels
from canvas.shapes import Fields, each, texts
from canvas.values import Assignment, AssignmentGroup, Course
from lti_tool.errors import AccessLost, Incomplete, Refused


class StructureCalls(Gateway):
    """The course as the gradebook sees it."""

    def course(self, course_id: str) -> Course:
        """The course; Incomplete where Canvas answers with another one."""
        if not course_id.isdigit():
            raise Refused("The launch did not say which Canvas course this is.", code="no_course_id")
        asked = ["concluded", "grading_scheme", "permissions", "term"]
        found = self._renewing(
            lambda: canvasapi_for(self.sender("/courses/:id")).get_course(course_id, include=asked)
        )
        course = parse_course(Fields(attributes_of(found), "course"))
        if course.id != course_id:
            raise Incomplete("Canvas answered with another course.", code="wrong_course")
        return course

    def assignments(self, course_id: str) -> dict[str, Assignment]:
        """All assignments, unpublished ones too, by id."""
        path = f"courses/{course_id}/assignments"
        rows = each(self.entries(path, (), where="/courses/:id/assignments"), "assignments")
        found = (parse_assignment(row) for row in rows)
        return {assignment.id: assignment for assignment in found}

    def assignment_groups(self, course_id: str) -> dict[str, AssignmentGroup]:
        """The groups assignments are listed in, by id."""
        path = f"courses/{course_id}/assignment_groups"
        rows = each(self.entries(path, (), where="/courses/:id/assignment_groups"), "assignment groups")
        found = (
            AssignmentGroup(row.ident("id"), row.text("name", ""), row.integer_or_none("position") or 0)
            for row in rows
        )
        return {group.id: group for group in found}

    def closed_grading_periods(self, course_id: str) -> set[str] | None:
        """Ids of the grading periods that are closed; None where Canvas will not say."""
        path = f"courses/{course_id}/grading_periods"
        try:
            pages = self.pages(path, [("per_page", "100")], where="/courses/:id/grading_periods")
        except (Refused, AccessLost) as error:
            if error.code == "revoked":
                raise
            return None
        rows = [row for page in pages for row in Fields(page, "grading periods").items("grading_periods")]
        return {row.ident("id") for row in rows if row.flag("is_closed")}

    def set_omit_from_final(self, course_id: str, assignment_id: str) -> None:
        """Keep a column out of the final grade."""
        body = {"assignment": {"omit_from_final_grade": True}}
        path = f"courses/{course_id}/assignments/{assignment_id}"
        self.write("PUT", path, body, where="/courses/:id/assignments/:id")


def parse_course(row: Fields) -> Course:
    """A course as `GET /courses/:id` describes it. lib/api/v1/course_json.rb"""
    state = row.text("workflow_state", "available")
    permissions = row.child_or_empty("permissions")
    mine = row.raw("enrollments") or []
    limits = [one.flag("limit_privileges_to_course_section") for one in each(mine, "own enrollments")]
    return Course(
        id=row.ident("id"),
        name=row.text("name", ""),
        workflow_state=state,
        concluded=row.flag("concluded", state == "completed"),
        grading_standard_id=row.ident_or_none("grading_standard_id"),
        scheme_levels=scheme_levels(row.raw("grading_scheme")),
        account_id=row.ident_or_none("account_id") or "",
        root_account_id=row.ident_or_none("root_account_id") or "",
        time_zone=row.text("time_zone", "UTC"),
        ends_at=row.moment_or_none("end_at") or row.child_or_empty("term").moment_or_none("end_at"),
        may_grade=permissions.flag("manage_grades") if "manage_grades" in permissions else None,
        own_sections_only=bool(limits) and all(limits),
    )


def parse_assignment(row: Fields) -> Assignment:
    """An assignment, with what decides whether it can be graded in bulk."""
    in_groups = "group_category_id" in row
    return Assignment(
        id=row.ident("id"),
        name=row.text("name", ""),
        points_possible=row.number_or_none("points_possible"),
        grading_type=row.text("grading_type", "points"),
        grading_standard_id=row.ident_or_none("grading_standard_id"),
        published=row.flag("published", row.text("workflow_state", "published") == "published"),
        assignment_group_id=row.ident_or_none("assignment_group_id") or "",
        position=row.integer_or_none("position") or 0,
        submission_types=texts(row.raw("submission_types") or ()),
        omit_from_final_grade=row.flag("omit_from_final_grade"),
        post_manually=row.flag("post_manually"),
        moderated_grading=row.flag("moderated_grading"),
        anonymous_grading=row.flag("anonymous_grading"),
        graded_as_group=in_groups and not row.flag("grade_group_students_individually"),
        in_closed_grading_period=row.flag("in_closed_grading_period"),
        only_visible_to_overrides=row.flag("only_visible_to_overrides"),
        html_url=row.text("html_url", ""),
    )
