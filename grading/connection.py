"""The two ways to one course: REST with a teacher's account, AGS with the tool's own key, one counter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from canvas.ags import Ags
from canvas.counting import CallCounter
from canvas.models import CanvasAccount
from canvas.rest import Rest
from grading.core.reasons import reason_for
from lti_tool.errors import AccessLost, PlatformError
from lti_tool.http import shared_http
from lti_tool.models import Context


@dataclass(frozen=True, slots=True)
class Connection:
    """Everything a run asks Canvas goes through here and is counted."""

    context: Context
    account: CanvasAccount
    rest: Rest
    ags: Ags
    counter: CallCounter

    @property
    def course_id(self) -> str:
        return self.context.canvas_course_id


def connect(context: Context, account: CanvasAccount) -> Connection:
    """A connection for one run. Nothing is asked yet."""
    counter = CallCounter()
    http = shared_http()
    return Connection(
        context,
        account,
        Rest(account, http, counter),
        Ags(context.registration, context, http, counter),
        counter,
    )


class Stopped(Exception):
    """The run ends here: nothing more can be sent until a person acts."""

    def __init__(self, code: str, who: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.who, self.detail = code, who, detail

    def as_error(self) -> dict[str, Any]:
        """Interface 4's `error`."""
        return {"code": self.code, "who": self.who, "detail": self.detail}


def stopped_by(error: PlatformError) -> Stopped:
    """Say a platform's error as the end of a run: our sentence where the code is known, else its own."""
    reason = reason_for(error.code)
    who = error.who if isinstance(error, AccessLost) else reason.who
    return Stopped(
        error.code,
        "teacher" if who == "nobody" else who,
        reason.sentence if reason.is_known else error.detail,
    )


def stopped(code: str, detail: str = "") -> Stopped:
    """End a run for a reason of our own."""
    reason = reason_for(code)
    return Stopped(code, "teacher" if reason.who == "nobody" else reason.who, detail or reason.sentence)
