"""Raw results: the single pieces of evidence behind a rollup. canvas-lms: outcome_results_controller.rb"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from canvas.chunks import chunks_of_text
from canvas.gateway import PER_PAGE, Gateway, Params, changed, settled
from canvas.shapes import Fields, wrong_shape
from canvas.throttle import MOST_IN_FLIGHT
from canvas.values import OutcomeResult
from lti_tool.errors import Incomplete

SHORT_QUERY = 1_700
"""Characters: Canvas's Link header holds the next address only up to about 6 KB."""
MOST_PAIRS = 1_000
"""Student × outcome pairs of one call: some calls run at once and each is held whole until its outcomes' scores
are known, so memory grows with these, not with the course. A page is 100 results: smaller calls would cost more."""
QUIZ_BANK = "assessment_question_bank_"
ASSIGNMENT = "assignment_"


class ResultReads(Gateway):
    """Single results, of some outcomes at a time."""

    def results_of(
        self, course_id: str, outcome_ids: Sequence[str], students: int
    ) -> Iterator[list[OutcomeResult]]:
        """The results of these outcomes, all of one outcome together; hidden ones and those without a score
        are left out, as in Canvas's rollups. Every outcome must be linked to the course: Canvas refuses the
        whole call for one that is not. Several calls run at once; each gives a list when it is read whole."""
        most = max(1, MOST_PAIRS // max(1, students))
        queries = iter(list(chunks_of_text(outcome_ids, "outcome_ids[]", SHORT_QUERY, most)))
        read = 0
        while batch := list(islice(queries, MOST_IN_FLIGHT)):
            self.counter.reads("single_results", read, len(outcome_ids))
            yield from self._at_once(
                lambda query: self._results(course_id, [one for _, one in query]),
                [[("outcome_ids[]", one) for one in chunk] for chunk in batch],
            )
            read += sum(map(len, batch))

    def results_of_student(
        self, course_id: str, outcome_ids: Sequence[str], user_id: str
    ) -> list[OutcomeResult]:
        """One student's results of these outcomes, who must be a student of the course."""
        found: list[OutcomeResult] = []
        for chunk in chunks_of_text(outcome_ids, "outcome_ids[]", SHORT_QUERY):
            found += self._renewing(partial(self._read, course_id, chunk, user_id))
        return [one for one in found if one.user_id == user_id]

    def _results(self, course_id: str, outcome_ids: Sequence[str]) -> list[OutcomeResult]:
        """One call's results; a list that changes while it is read is read once more."""
        return settled(lambda: self._read(course_id, outcome_ids))

    def _read(self, course_id: str, outcome_ids: Sequence[str], user_id: str = "") -> list[OutcomeResult]:
        path, where = f"courses/{course_id}/outcome_results", "/courses/:id/outcome_results"
        of_user = [("user_ids[]", user_id)] if user_id else []
        asked = [("outcome_ids[]", one) for one in outcome_ids]
        params: Params = [*asked, ("per_page", str(PER_PAGE)), *of_user]
        pages = self._pages(path, params, where)
        rows = (row for page in pages for row in Fields(page, "results answer").items("outcome_results"))
        return _whole(rows, set(outcome_ids))


def _whole(rows: Iterable[Fields], asked: Collection[str]) -> list[OutcomeResult]:
    """Each result once. A result that reads differently on two pages changed meanwhile; results of New
    Quizzes, which Canvas fetches from elsewhere, may have no id."""
    found: list[OutcomeResult] = []
    by_id: dict[str, OutcomeResult | None] = {}
    for row in rows:
        result = parse_result(row)
        number = row.ident_or_none("id")
        if number is not None and number in by_id:
            if by_id[number] != result:
                raise changed("A result changed while the results were read.")
            continue
        if number is not None:
            by_id[number] = result
        if result is not None:
            if result.outcome_id not in asked:
                raise Incomplete("Canvas answered with another outcome's results.", code="wrong_results")
            found.append(result)
    return found


def parse_result(row: Fields) -> OutcomeResult | None:
    """A result that counts; None for one that is hidden or has no score. lib/api/v1/outcome_results.rb"""
    links = row.child("links")
    user, outcome = links.ident("user"), links.ident("learning_outcome")
    if not row.has("score"):
        raise wrong_shape("outcome_results[].score")
    score, at = row.number_or_none("score"), row.moment_or_none("submitted_or_assessed_at")
    if row.flag("hidden") or score is None:
        return None
    if at is None:
        raise wrong_shape("outcome_results[].submitted_or_assessed_at")
    assignment = links.text("assignment", "")
    return OutcomeResult(
        id=row.ident_or_none("id") or "",
        # Tens of thousands of results name the same few ids.
        user_id=sys.intern(user),
        outcome_id=sys.intern(outcome),
        score=score,
        at=at,
        possible=row.number_or_none("possible"),
        percent=row.number_or_none("percent"),
        assignment_id=sys.intern(assignment.removeprefix(ASSIGNMENT))
        if assignment.startswith(ASSIGNMENT)
        else None,
        is_quiz=links.text("alignment", "").startswith(QUIZ_BANK),
    )
