"""The pages of a consent that went no further: what happened, and who does what now."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from canvas.consent import ConsentRefused, redirect_uri
from lti_tool import pages
from lti_tool.errors import AccessLost, PlatformError
from lti_tool.refusals import Wording

AGAIN = "Close this window, go back to the tool in Canvas and press “Connect Canvas” again."
ADMIN = "Ask the Canvas administrator; nothing you entered is lost."


REFUSED = {
    "NO-VISIT": Wording(
        401,
        "Open this window from the tool",
        "It opens once, for one person, within a minute of the click. This link is too old, used, or somebody else's.",
        AGAIN,
    ),
    "TOO-MANY": Wording(
        429,
        "Too many connections at once",
        "From your network accounts were connected more often in the last minute than this tool allows.",
        "Wait a minute. " + AGAIN,
    ),
    "NOT-STAFF": Wording(
        403,
        "Only teachers connect an account",
        "Students and others need no connection to Canvas here.",
        "Close this window. If you teach this course, ask its owner for a teacher's enrolment.",
    ),
    "NO-API-KEY": Wording(
        409,
        "Canvas is not set up for this tool yet",
        "The tool has no Canvas API key of this school, so it cannot ask Canvas for access.",
        "Ask the Canvas administrator to make an API developer key with the redirect address {redirect_uri} "
        "and to give its id and secret to the tool's operator.",
    ),
    "STATE": Wording(
        400,
        "This answer from Canvas was used already or is too old",
        "Each connection can be finished once, within ten minutes.",
        AGAIN,
    ),
    "OTHER-BROWSER": Wording(
        403,
        "This connection was begun in another browser",
        "To keep strangers from connecting their account to your course, it has to end where it began.",
        AGAIN,
    ),
    "VISIT-OVER": Wording(
        401,
        "Your visit to the tool has ended",
        "Nothing was connected.",
        "Close this window, open the tool again in the course and press “Connect Canvas” there.",
    ),
    "DENIED": Wording(
        403,
        "Canvas was not connected",
        "You did not allow the access; nothing was stored. Without it the tool cannot read outcomes or write grades.",
        AGAIN,
    ),
    "SCOPES": Wording(
        409,
        "The Canvas API key lacks a permission",
        "Canvas does not let this key ask for everything the tool needs{names}.",
        "Ask the Canvas administrator to switch these scopes on in the API developer key, and “Allow Include "
        "Parameters”.",
    ),
    "KEY-OFF": Wording(
        409, "The Canvas API key is switched off", "Canvas refused the tool's API developer key.", ADMIN
    ),
    "OTHER-PERSON": Wording(
        403,
        "That is another Canvas account",
        "The account that allowed the access is not the one that opened the tool. Its access was given back.",
        "Sign in to Canvas as yourself in this browser, then press “Connect Canvas” again.",
    ),
    "UNNAMED": Wording(
        409,
        "Canvas did not say who you are",
        "The tool's key in Canvas lacks the custom field canvas_user_id=$Canvas.user.id. Without it the tool "
        "cannot tell whether the account that allows the access is yours, so it asks for none.",
        "Ask the Canvas administrator to add the field, then open the tool again. Until then connecting works "
        "where Canvas opens the tool in a browser tab of its own.",
    ),
    "CANVAS-ERROR": Wording(
        502,
        "Canvas could not connect the account",
        "Canvas answered with an error. Nothing was stored.",
        AGAIN,
    ),
}


def refused(request: HttpRequest, error: ConsentRefused) -> HttpResponse:
    """The page for one refusal."""
    said = REFUSED[error.code]
    names = f": {', '.join(error.names)}" if error.names else ""
    what = said.what.replace("{names}", names)
    step = said.step.replace("{redirect_uri}", redirect_uri())
    return pages.refusal(request, said.status, error.code, said.title, what, step)


def failed(request: HttpRequest, error: PlatformError) -> HttpResponse:
    """The page for a call to Canvas that failed while the code was traded."""
    step = ADMIN if isinstance(error, AccessLost) and error.who != "teacher" else AGAIN
    title = "Canvas could not connect the account"
    return pages.refusal(request, 502, error.code, title, f"{error.detail} Nothing was stored.", step)
