"""What LTI 1.1's passback could say besides a number, through AGS, and what it does in the pretend Canvas."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canvas.ags import Ags
from canvas.scores import SUBMISSION_EXTENSION, WorkKind, WorkPost, score_body
from canvas.values import LineItem
from lti_tool.errors import Refused
from sandbox.grading import Grade, grade_student
from sandbox.records import Submission
from sandbox.world import World
from tests.canvas.conftest import NOW

TIME = datetime(2026, 3, 1, 12, 0, 0, 123999, tzinfo=UTC)
ONE = Decimal(1)


def work(**changes: Any) -> WorkPost:
    return WorkPost(
        **{"kind": WorkKind.URL, "data": "https://example.edu/r/1", "maximum": ONE, "timestamp": NOW}
        | changes
    )


@given(score=st.decimals(0, 10_000, places=4), needs_review=st.booleans())
def test_a_raw_total_goes_out_digit_by_digit(score: Decimal, needs_review: bool) -> None:
    body = score_body("u-1", score, Decimal("12.5"), TIME, needs_review=needs_review)
    sent = json.loads(body, parse_float=Decimal)
    assert (Decimal(sent["scoreGiven"]), sent["scoreMaximum"]) == (score, Decimal("12.5"))
    assert sent["gradingProgress"] == ("PendingManual" if needs_review else "FullyGraded")
    assert sent[SUBMISSION_EXTENSION] == {"new_submission": False}


def test_work_in_json() -> None:
    sent = json.loads(work(score=ONE, submitted_at=TIME, kind=WorkKind.TEXT, data='<p>"é"</p>').body("u-1"))
    assert sent["submission"] == {"submittedAt": "2026-03-01T12:00:00.123Z"}
    assert sent[SUBMISSION_EXTENSION] == {
        "new_submission": True,
        "submission_type": "online_text_entry",
        "submission_data": '<p>"é"</p>',
    }
    assert (sent["scoreGiven"], sent["scoreMaximum"]) == (1, 1)


def test_work_without_a_score_never_wipes_one() -> None:
    sent = json.loads(work().body("u-1"))
    assert sent[SUBMISSION_EXTENSION]["preserve_score"] is True
    assert not {"scoreGiven", "scoreMaximum", "submission"} & sent.keys()


def test_nonsense_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="something to show"):
        work(data="  ")
    with pytest.raises(ValueError, match="cannot need review"):
        score_body("u-1", None, ONE, TIME, needs_review=True)
    with pytest.raises(ValueError, match="finite"):
        score_body("u-1", Decimal("NaN"), ONE, TIME)


class Desk:
    """One student's cell in one column of ours."""

    def __init__(self, ags: Ags, world: World, item: LineItem, user_id: int) -> None:
        self.ags, self.world, self.item, self.user_id = ags, world, item, user_id

    @property
    def cell(self) -> Submission:
        column = next(one for one in self.world.assignments.values() if one.name == self.item.label)
        return self.world.submission(column, self.user_id)

    def post(self, score: str, *, later: int = 0, needs_review: bool = False) -> None:
        at = NOW + timedelta(seconds=later)
        self.ags.post_score(
            self.item.url, str(self.user_id), Decimal(score), ONE, at, needs_review=needs_review
        )

    def hand_in(self, **changes: Any) -> None:
        self.ags.hand_in(self.item.url, str(self.user_id), work(**changes))


@pytest.fixture
def desk(columns: tuple[Ags, World]) -> Desk:
    ags, world = columns
    student = next(one for one in world.enrollments.values() if one.type == "StudentEnrollment")
    return Desk(ags, world, ags.create_line_item("1.1 Linear", ONE, "alignment-1"), student.user_id)


@pytest.mark.django_db(transaction=True)
class TestInThePretendCanvas:
    @pytest.mark.parametrize(
        ("kind", "data", "kept_in"),
        [
            (WorkKind.TEXT, "<p>Mastered</p>", "body"),
            (WorkKind.URL, "https://example.edu/r/1", "url"),
            (WorkKind.LAUNCH_URL, "https://example.edu/lti/launch?r=1", "url"),
        ],
    )
    def test_work_is_shown_and_counts_an_attempt(
        self, desk: Desk, kind: WorkKind, data: str, kept_in: str
    ) -> None:
        desk.post("0.5")
        assert not desk.cell.attempt
        desk.hand_in(kind=kind, data=data, score=Decimal("0.5"))
        assert (desk.cell.attempt, desk.cell.submission_type, getattr(desk.cell, kept_in)) == (1, kind, data)
        assert desk.cell.score == Decimal("0.5")
        desk.post("0.75", later=1)
        assert (desk.cell.attempt, desk.cell.score) == (1, Decimal("0.75"))

    def test_the_time_of_handing_in_is_the_given_one(self, desk: Desk) -> None:
        earlier = desk.world.now() - timedelta(days=2)
        desk.hand_in(score=ONE, submitted_at=earlier)
        handed_in = desk.cell.submitted_at
        assert handed_in is not None and abs(handed_in - earlier) < timedelta(milliseconds=1)
        with pytest.raises(Refused):
            desk.hand_in(submitted_at=desk.world.now() + timedelta(minutes=5))

    def test_a_persons_grade_survives_work_without_a_score(self, desk: Desk) -> None:
        column = next(one for one in desk.world.assignments.values() if one.name == desk.item.label)
        grade_student(desk.world, column, desk.user_id, Grade("0.8", 11, desk.world.now()))
        desk.hand_in(timestamp=desk.world.now() + timedelta(seconds=1))
        assert (desk.cell.score, desk.cell.grader_id, desk.cell.attempt) == (Decimal("0.8"), 11, 1)

    def test_needs_review_is_shown_and_taken_back(self, desk: Desk) -> None:
        desk.post("0.5", needs_review=True)
        assert (desk.cell.score, desk.cell.workflow_state) == (Decimal("0.5"), "pending_review")
        desk.post("0.5", later=1)
        assert desk.cell.workflow_state == "graded"
