"""Why a login or launch is refused: a stable code, an HTTP status and sentences for a person.

400 malformed · 401 cannot be trusted · 403 trusted but not allowed · 422 signed but no valid LTI message ·
429 too often · 503 the platform's keys cannot be had. The sentences never repeat anything the caller sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

AGAIN = "Go back to the course in Canvas and open the tool again."
ADMIN = (
    "Ask your Canvas administrator to check how this tool is installed, and give them the reference below."
)
UNTRUSTED = (
    "The message that opened this tool could not be verified as coming from your Canvas, so nothing was done."
)


@dataclass(frozen=True, slots=True)
class Wording:
    """What a refusal says: its HTTP status, a title, what happened, and the step that helps."""

    status: int
    title: str
    what: str
    step: str


def _login(what: str, step: str = ADMIN) -> Wording:
    return Wording(400, "Canvas could not open this tool", what, step)


def _untrusted(what: str = UNTRUSTED, step: str = AGAIN) -> Wording:
    return Wording(401, "This launch could not be verified", what, step)


def _incomplete(what: str) -> Wording:
    return Wording(422, "Canvas's message is incomplete", f"{what} Nothing was done.", ADMIN)


WORDINGS = {
    "LOGIN-PARAM": _login(
        "The request that starts a launch lacks something or holds something twice or too long."
    ),
    "PLATFORM-UNKNOWN": _login("This tool does not know the Canvas that asked for it."),
    "AMBIGUOUS": _login(
        "Several registrations of this tool fit the request, and guessing could mix up two schools.",
        "Ask your Canvas administrator to use the login address that `register_platform` printed for this "
        "registration.",
    ),
    "TARGET": _login("Canvas asked for an address that is not part of this tool."),
    "TOO-MANY": Wording(
        429,
        "Too many people at once",
        "From your network this tool was opened more often in the last minute than it allows.",
        "Wait a minute, then open the tool from the course again.",
    ),
    "REGISTRATION-OFF": Wording(
        403,
        "This tool is switched off here",
        "The tool's operator has switched this registration off.",
        ADMIN,
    ),
    "FORM": Wording(400, "This page opens from Canvas", "The request was not a launch from Canvas.", AGAIN),
    "METHOD": Wording(405, "This page opens from Canvas", "Its address alone opens nothing.", AGAIN),
    "FORM-TYPE": Wording(
        415, "This page opens from Canvas", "The request was not a form from Canvas.", AGAIN
    ),
    "TOKEN-SHAPE": Wording(
        400,
        "This launch could not be read",
        "Canvas's message was damaged on its way, so nothing was done.",
        AGAIN,
    ),
    "STATE": _untrusted("The launch took longer than ten minutes, or it did not start at this tool."),
    "BROWSER": _untrusted(
        "The launch did not end in the browser window it started in, or its cookies are blocked."
    ),
    "KID": _untrusted(),
    "KID-UNKNOWN": _untrusted(),
    "ALGORITHM": _untrusted(),
    "SIGNATURE": _untrusted(),
    "KEY-WEAK": _untrusted(step=ADMIN),
    "ISSUER": _untrusted(step=ADMIN),
    "AUDIENCE": _untrusted(step=ADMIN),
    "MIXUP": _untrusted(
        "The launch began at one registration of this tool and came back for another.", ADMIN
    ),
    "TIME": _untrusted("The launch is too old, or the clocks of Canvas and this tool differ too much."),
    "NONCE": _untrusted("This launch belongs to another visit, so nothing was done."),
    "NONCE-USED": _untrusted(
        "This launch was used already; reloading or going back sends it a second time. Nothing was done."
    ),
    "VERSION": _incomplete("The message is not LTI version 1.3.0."),
    "MESSAGE-TYPE": _incomplete(
        "The message is neither a request to open a resource nor one to pick one, which is all this tool offers."
    ),
    "ROLES": _incomplete("Canvas did not say which roles you have."),
    "DEPLOYMENT-MISSING": _incomplete("Canvas did not say which installation of the tool was opened."),
    "RESOURCE-LINK": _incomplete("Canvas did not say which link was opened."),
    "DEEP-LINK": _incomplete("Canvas asked to pick a resource without saying what the tool has to know."),
    "DEEP-LINK-HOST": Wording(
        403,
        "Canvas waits for the answer at an address this tool does not know",
        "The address belongs to none of the hosts this Canvas is registered with. Nothing was sent there.",
        "Ask the tool's operator to add the host with `register_platform --service-host`.",
    ),
    "SUB": _incomplete("Canvas did not say who you are."),
    "TARGET-CLAIM": _incomplete("Canvas's message names an address that is not part of this tool."),
    "CLAIMS": _incomplete("Canvas's message lacks required parts or has them in the wrong form."),
    "COURSE-ID": Wording(
        422,
        "Canvas did not say which course this is",
        "The custom field canvas_course_id arrived as its own name instead of a number. Nothing was done.",
        "Ask your Canvas administrator to set the tool's custom field canvas_course_id=$Canvas.course.id.",
    ),
    "COURSE-MISMATCH": Wording(
        403,
        "Canvas named two different courses",
        "The custom field canvas_course_id and the address of the course's grades differ. Nothing was done.",
        "Ask your Canvas administrator to set the tool's custom field canvas_course_id=$Canvas.course.id.",
    ),
    "DEPLOYMENT": Wording(
        403,
        "This installation is not known",
        "Canvas opened an installation of this tool that the tool's operator has not allowed.",
        "Ask your Canvas admin to add the deployment id with `register_platform --deployment-id`.",
    ),
    "DEPLOYMENT-OFF": Wording(
        403,
        "This tool is switched off here",
        "The tool's operator has switched this installation off.",
        ADMIN,
    ),
    "PLATFORM-KEYS": Wording(
        503,
        "Canvas's keys cannot be reached",
        "This tool could not get the keys that prove a launch comes from your Canvas. Nothing was done.",
        "Wait a minute, then open the tool from the course again.",
    ),
    "PLATFORM-ERROR": Wording(
        400, "Canvas did not open the tool", "Canvas ended the launch with an error of its own.", AGAIN
    ),
    "LOGIN-REQUIRED": Wording(
        400,
        "You are not signed in to Canvas",
        "Canvas says that nobody is signed in, or that it is somebody else than at the click.",
        "Sign in to Canvas again, then open the tool from the course.",
    ),
    "PLATFORM-OFF": Wording(
        400,
        "This tool is switched off in Canvas",
        "Canvas says that this tool's developer key is not switched on for this course.",
        "Ask your Canvas administrator to switch the key on for this account.",
    ),
    "PLATFORM-EXPIRED": Wording(
        400, "This launch is over", "Canvas accepts each launch once and for five minutes only.", AGAIN
    ),
}
"""By code. Every `LaunchRefused` carries one of these codes."""

PLATFORM_ERRORS = {
    "login_required": "LOGIN-REQUIRED",
    "unauthorized_client": "PLATFORM-OFF",
    "launch_no_longer_valid": "PLATFORM-EXPIRED",
}
"""Canvas's form posts instead of an id_token: app/controllers/lti/ims/authentication_controller.rb."""


class RefusedWithReason(Exception):
    """A request that goes no further, for the reason `code`. `names` are names of ours, safe to show and to log."""

    wordings: ClassVar[Mapping[str, Wording]]

    def __init__(self, code: str, *names: str, hint: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.names = names
        self.hint = hint
        """For the log only: what an operator wants to know; never anything the caller sent."""

    @property
    def wording(self) -> Wording:
        return self.wordings[self.code]


class LaunchRefused(RefusedWithReason):
    """A login or launch that goes no further. `names` are claim names."""

    wordings = WORDINGS
