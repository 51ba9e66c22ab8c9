"""Cells: reading submissions, grading in bulk, following the job. canvas-lms: submissions_api_controller.rb"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from enum import Enum
from typing import Final

from canvas.chunks import MOST_IDS, chunks_of_text, split_without_waste
from canvas.gateway import Gateway, Params
from canvas.library import attributes_of, canvasapi_for
from canvas.shapes import WIDEST_FLOAT, Fields, wrong_shape
from canvas.values import Cell, Progress
from lti_tool.errors import AccessLost, Incomplete, MaybeSent, Refused


class Excuse(Enum):
    """What to send instead of a number."""

    EXCUSE = "EX"


EXCUSE: Final = Excuse.EXCUSE
CLEAR: Final = ""
"""A posted grade that empties the cell."""

Grade = str | Excuse
CellKey = tuple[str, str]
"""Assignment id, user id."""

SHORT_QUERY = 1_700
LONG_QUERY = 3_500
"""Characters. Canvas's Link header holds about 6 KB: the next address alone fits it either way."""
MOST_GARBLED = 3
_PLAIN = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")


class GradebookCalls(Gateway):
    """Submissions of a course, read and graded."""

    def cells(
        self,
        course_id: str,
        assignment_ids: Collection[str],
        user_ids: Collection[str] | None = None,
        *,
        expected_students: int | None = None,
    ) -> dict[CellKey, Cell]:
        """The cells of published assignments: of every student the account sees, or of `user_ids` only.

        One unpublished assignment makes Canvas refuse them all (`unpublished`). Where the number of
        students is known (given here, or from `students` before) the reading is split over parallel calls
        without making more of them.
        """
        wanted = list(dict.fromkeys(assignment_ids))
        if not wanted or (user_ids is not None and not user_ids):
            return {}
        expected = expected_students or self._roster_sizes.get(course_id)
        cells = self._submissions(course_id, wanted, user_ids, expected)
        if not {cell.assignment_id for cell in cells} <= set(wanted):
            raise Incomplete("Canvas answered with another assignment's grades.", code="wrong_cells")
        return {
            (cell.assignment_id, cell.user_id): cell
            for cell in cells
            if user_ids is None or cell.user_id in user_ids
        }

    def _submissions(
        self, course_id: str, wanted: Sequence[str], user_ids: Collection[str] | None, expected: int | None
    ) -> list[Cell]:
        """One named student who has left makes Canvas refuse the whole call; then everybody is read."""
        path, where = f"courses/{course_id}/students/submissions", "/courses/:id/students/submissions"
        if user_ids is not None:
            try:
                return self.values_of_each(path, list(_of_named(wanted, user_ids)), _cell_of, where=where)
            except AccessLost as error:
                if error.code != "no_permission":
                    raise
        self.counter.reads("cells", total=(expected or 0) * len(wanted))
        return self.values_of_each(path, list(_of_everybody(wanted, expected)), _cell_of, where=where)

    def post_grades(self, course_id: str, assignment_id: str, grades: Mapping[str, Grade]) -> Progress:
        """Start the bulk job for one assignment: user id → plain decimal text, `CLEAR` or `EXCUSE`.

        The answer says only that Canvas queued the job; what it wrote has to be read back. A few hundred
        students a call; one assignment a call, so that one refused cell holds up no other column.
        """
        data = {user: _grade_body(grade) for user, grade in grades.items()}
        path = f"courses/{course_id}/assignments/{assignment_id}/submissions/update_grades"
        where = "/courses/:id/assignments/:id/submissions/update_grades"
        reply = self._column_write("POST", path, {"grade_data": data}, where)
        with _written_all_the_same():
            return parse_progress(Fields(reply, "progress"))

    def put_grade(self, course_id: str, assignment_id: str, user_id: str, grade: Grade) -> Cell:
        """Grade one cell at once; refusals say why (closed period, unpublished)."""
        path = f"courses/{course_id}/assignments/{assignment_id}/submissions/{user_id}"
        where = "/courses/:id/assignments/:id/submissions/:user"
        body = {"submission": _grade_body(grade), "prefer_points_over_scheme": True}
        reply = self._column_write("PUT", path, body, where)
        with _written_all_the_same():
            return parse_cell(Fields(reply, "submission"))

    def _column_write(self, method: str, path: str, body: object, where: str) -> object:
        """A write that Canvas refuses with 401 or 403 both when the person may not grade and when the
        assignment cannot be graded: it stops this column, not the run."""
        try:
            with _written_all_the_same():
                return self.write(method, path, body, where=where).json()
        except AccessLost as error:
            if error.code != "no_permission":
                raise
            raise Refused(
                error.detail, code="may_not_grade", status=error.status, where=error.where
            ) from error

    def progress(self, progress: Progress) -> Progress:
        """How a job stands now."""
        found = self._renewing(lambda: canvasapi_for(self.sender("/progress/:id")).get_progress(progress.id))
        now = parse_progress(Fields(attributes_of(found), "progress"))
        if now.id != progress.id:
            raise Incomplete("Canvas answered with another job.", code="wrong_progress")
        return now

    def wait_for(
        self,
        progress: Progress,
        *,
        seconds: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
        on_wait: Callable[[Progress], None] | None = None,
    ) -> Progress:
        """Follow a job until it is over or `seconds` have passed; the last state seen is returned."""
        pause, waited, garbled = 0.1, 0.0, 0
        while not progress.is_over and waited < seconds:
            sleep(pause)
            waited, pause = waited + pause, min(pause * 2, 5.0)
            try:
                progress = self.progress(progress)
            except Incomplete:
                # An answer cut short says nothing about the job, which goes on.
                garbled += 1
                if garbled > MOST_GARBLED:
                    raise
            if on_wait:
                on_wait(progress)
        return progress


@contextmanager
def _written_all_the_same() -> Iterator[None]:
    """Canvas took the write, but what it answered cannot be read: look what became of it."""
    try:
        yield
    except Incomplete as error:
        raise MaybeSent(error.detail, code=error.code, status=error.status, where=error.where) from error


def _grade_body(grade: Grade) -> dict[str, object]:
    if isinstance(grade, Excuse):
        return {"excuse": True}
    if grade != CLEAR and not _PLAIN.fullmatch(grade):
        # Canvas would answer 200 and wipe the grade.
        raise ValueError("a posted grade must be plain decimal text")
    return {"posted_grade": grade}


_TRIMMED = [("exclude_response_fields[]", name) for name in ("preview_url", "attachments", "body")]


def _of_everybody(assignment_ids: Sequence[str], expected: int | None) -> Iterator[Params]:
    """Queries for every student's cells, in parallel parts, each short enough for Canvas's Link header."""
    for chunk in chunks_of_text(assignment_ids, "assignment_ids[]", SHORT_QUERY):
        for part in split_without_waste(chunk, expected):
            yield [("student_ids[]", "all"), *(("assignment_ids[]", one) for one in part), *_TRIMMED]


def _of_named(assignment_ids: Sequence[str], user_ids: Collection[str]) -> Iterator[Params]:
    """Queries for the cells of given students, at most a hundred at a time, in parallel parts. Where a hundred
    long ids leave no room, one assignment a query: that is one page, and needs no Link header."""
    for users in chunks_of_text(sorted(user_ids), "student_ids[]", LONG_QUERY, most=MOST_IDS):
        who = [("student_ids[]", user) for user in users]
        room = LONG_QUERY - sum(len(user) + 20 for user in users)
        for chunk in chunks_of_text(assignment_ids, "assignment_ids[]", max(room, 1)):
            for part in split_without_waste(chunk, len(users)):
                yield [*who, *(("assignment_ids[]", one) for one in part), *_TRIMMED]


def _cell_of(row: object) -> Cell:
    return parse_cell(Fields(row, "submissions[]"))


def parse_cell(row: Fields) -> Cell:
    """One submission. lib/api/v1/submission.rb: whoever may grade is told the score and whether it is excused. Raises
    Incomplete where one that was graded leaves that out: nobody may take it for an empty one."""
    if "graded_at" in row or row.raw("workflow_state") == "graded":
        if not row.has("excused"):
            raise wrong_shape("submissions[].excused")
        if not row.has("score") and not row.has("entered_score"):
            raise wrong_shape("submissions[].score")
    return Cell(
        # Tens of thousands of cells name the same few ids.
        assignment_id=sys.intern(row.ident("assignment_id")),
        user_id=sys.intern(row.ident("user_id")),
        entered_score=_entered_score(row),
        excused=row.flag("excused"),
        grader_id=row.ident_or_none("grader_id"),
        graded_at=row.moment_or_none("graded_at"),
        workflow_state=row.text("workflow_state", "unsubmitted"),
        grading_period_id=row.ident_or_none("grading_period_id"),
        posted="posted_at" in row or not row.has("posted_at"),
        late_policy_status=row.text("late_policy_status", "") or None,
        missing=row.flag("missing"),
        due_at=row.moment_or_none("cached_due_date"),
    )


def _entered_score(row: Fields) -> Decimal | None:
    """The score before late deductions; older servers send only what is left of it and what was taken."""
    if row.has("entered_score"):
        return row.number_or_none("entered_score", WIDEST_FLOAT)
    score = row.number_or_none("score", WIDEST_FLOAT)
    return None if score is None else score + (row.number_or_none("points_deducted") or 0)


def parse_progress(row: Fields) -> Progress:
    """A background job. lib/api/v1/progress.rb"""
    return Progress(
        id=row.ident("id"),
        url=row.text("url", ""),
        workflow_state=row.text("workflow_state"),
        message=row.text("message", ""),
    )
