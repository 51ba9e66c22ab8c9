"""The two ways to one course: REST with a teacher's account, AGS with the tool's own key, one counter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from canvas.ags import Ags
from canvas.counting import CallCounter
from canvas.fencing import Fence
from canvas.models import CanvasAccount
from canvas.rest import Rest
from grading.core.reasons import reason_for
from lti_tool.errors import AccessLost, PlatformError
from lti_tool.http import shared_http
from lti_tool.models import Context

MOST_SKEW = timedelta(seconds=120)
"""How far our clock and Canvas's may be apart. Scores carry a time, and Canvas compares it with its own."""


SAYS_WHICH = {"foreign_host", "foreign_link", "scope_missing"}
"""Reasons that help only with the address or the call that met them."""
STOPS_RUN = {"concluded", "course_gone"}
"""Refusals of a column or a cell that every other one would meet too."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Everything a run asks Canvas goes through here and is counted. `fence` is asked before every write."""

    context: Context
    account: CanvasAccount
    rest: Rest
    ags: Ags
    counter: CallCounter
    fence: Fence

    @property
    def course_id(self) -> str:
        return self.context.canvas_course_id


def connect(context: Context, account: CanvasAccount) -> Connection:
    """A connection for one run. Nothing is asked yet."""
    counter, fence = CallCounter(), Fence()
    http = shared_http()
    return Connection(
        context,
        account,
        Rest(account, http, counter, fence=fence),
        Ags(context.registration, context, http, counter, fence=fence),
        counter,
        fence,
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
    said = reason.sentence if reason.is_known else error.detail
    if error.code in SAYS_WHICH:
        said = f"{said} {error.detail}"
    return Stopped(error.code, "teacher" if who == "nobody" else who, said)


def check_clocks(to: Connection) -> None:
    """After something was read: nothing is decided or written while the clocks disagree. Raises Stopped."""
    skew = to.rest.clock_skew
    if abs(skew) > MOST_SKEW:
        way = "ahead of" if skew > timedelta(0) else "behind"
        raise stopped(
            "clock_skew", f"{reason_for('clock_skew').sentence} It is {_about(skew)} {way} Canvas's."
        )


def _about(skew: timedelta) -> str:
    minutes = round(abs(skew).total_seconds() / 60)
    return f"about {minutes} minutes" if minutes < 120 else f"about {round(minutes / 60)} hours"


def stopped(code: str, detail: str = "") -> Stopped:
    """End a run for a reason of our own."""
    reason = reason_for(code)
    return Stopped(code, "teacher" if reason.who == "nobody" else reason.who, detail or reason.sentence)
