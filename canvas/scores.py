"""What one AGS score says, as the JSON of a post.

https://www.imsglobal.org/spec/lti-ags/v2p0/ section 3.4, as Canvas reads it
(app/controllers/lti/ims/scores_controller.rb).
What LTI 1.1's passback could say besides a number is here too; `docs/canvas-facts.md` has the table of effects.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from canvas.numerals import plain

SUBMISSION_EXTENSION = "https://canvas.instructure.com/lti/submission"
SYNC = f'"{SUBMISSION_EXTENSION}":{{"new_submission":false}}'


class WorkKind(StrEnum):
    """How Submission Details and SpeedGrader show the work; the values are Canvas's `submission_type`."""

    TEXT = "online_text_entry"
    URL = "online_url"
    LAUNCH_URL = "basic_lti_launch"


def score_body(
    user_id: str, score: Decimal | None, maximum: Decimal, timestamp: datetime, *, needs_review: bool = False
) -> bytes:
    """A score for gradebook sync (lti.md 5.5): no new attempt, no comment.

    `score` is the raw total on the column's own scale, of which `maximum` is the top: nothing is scaled. Without a
    score neither `scoreGiven` nor `scoreMaximum` may be there: that empties the cell. `needs_review` shows the grade
    and asks a person to look; the next score without it takes that back.
    """
    if needs_review and score is None:
        raise ValueError("an emptied cell cannot need review")
    progress = "PendingManual" if needs_review else "FullyGraded"
    parts = [*_opening(user_id, progress, timestamp), *_pair(score, maximum), SYNC]
    return _body(parts)


@dataclass(frozen=True, slots=True)
class WorkPost:
    """Work handed in for a student, in a post of its own: Canvas counts an attempt.

    `data` is text (HTML), an address, or an address that Canvas opens as a launch. `score` of `maximum` grades the
    attempt: what the cell should hold. None leaves whatever grade is there, a person's too. `submitted_at`: when it was
    handed in; None is the moment Canvas takes it, and Canvas refuses one over a minute ahead of its clock.
    """

    kind: WorkKind
    data: str
    maximum: Decimal
    timestamp: datetime
    score: Decimal | None = None
    submitted_at: datetime | None = None

    def __post_init__(self) -> None:
        if not self.data.strip():
            raise ValueError("work needs something to show")

    def body(self, user_id: str) -> bytes:
        """The JSON of the post. `submission.submittedAt` is the place for the time that Canvas prefers."""
        extension: dict[str, object] = {
            "new_submission": True,
            "submission_type": self.kind.value,
            "submission_data": self.data,
        }
        if self.score is None:
            extension["preserve_score"] = True
        parts = [*_opening(user_id, "FullyGraded", self.timestamp), *_pair(self.score, self.maximum)]
        if self.submitted_at is not None:
            parts.append(f'"submission":{{"submittedAt":{_text(iso_milliseconds(self.submitted_at))}}}')
        return _body([*parts, f'"{SUBMISSION_EXTENSION}":{json.dumps(extension)}'])


def iso_milliseconds(time: datetime) -> str:
    """UTC with milliseconds, rounded down: never later than the moment itself."""
    time = time.astimezone(UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"


def json_number(value: Decimal) -> str:
    """A Decimal as a JSON number: every digit, no exponent, no detour through float."""
    if not value.is_finite():
        raise ValueError("a score must be finite")
    return plain(value)


def _opening(user_id: str, grading_progress: str, timestamp: datetime) -> list[str]:
    return [
        f'"userId":{_text(user_id)}',
        f'"activityProgress":"Completed","gradingProgress":"{grading_progress}"',
        f'"timestamp":{_text(iso_milliseconds(timestamp))}',
    ]


def _pair(score: Decimal | None, maximum: Decimal) -> list[str]:
    if score is None:
        return []
    return [f'"scoreGiven":{json_number(score)},"scoreMaximum":{json_number(maximum)}']


def _text(value: str) -> str:
    return json.dumps(value)


def _body(parts: list[str]) -> bytes:
    return ("{" + ",".join(parts) + "}").encode()
