"""Canvas's refusals, by numeric status and text: what they are called here and who can do something.

One table, first match wins; texts from `canvas-lms` (lti/ims/*_controller.rb, submissions_api_controller.rb,
abstract_assignment.rb, authentication_methods.rb). The words a person reads are elsewhere: see the `code`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lti_tool import answers
from lti_tool.answers import Reply
from lti_tool.errors import AccessLost, MaybeSent, PlatformError, Refused

COURSE_ITSELF = re.compile(r"GET /courses/:id(/[a-z_]+|/students/submissions)?")
"""Reads that need nothing but the course: it itself, and its lists. Canvas finds the course first
(application_controller.rb, get_context), and says 404 only where it does not."""
TOKEN_EXPIRED = "token_expired"
"""The access token is no longer valid: renew it once and repeat."""

Who = Literal["teacher", "admin", "operator", ""]


@dataclass(frozen=True, slots=True)
class Row:
    """`text` is searched in lower case in the messages of the body; `who` empty: only this call is refused."""

    status: int
    text: str
    code: str
    who: Who = ""


TABLE: tuple[Row, ...] = (
    # Access: REST tokens, then LTI service tokens.
    Row(401, "insufficient scopes", "scope_missing", "teacher"),
    Row(401, "insufficient permissions", "scope_missing", "admin"),
    Row(401, "access token expired", TOKEN_EXPIRED, "admin"),
    Row(401, "jwt has expired", TOKEN_EXPIRED, "admin"),
    Row(401, "must be less than 3600 seconds old", TOKEN_EXPIRED, "admin"),
    Row(401, "missing access token", TOKEN_EXPIRED, "admin"),
    Row(401, "access token invalid", TOKEN_EXPIRED, "admin"),
    Row(401, "signature algorithm not allowed", TOKEN_EXPIRED, "admin"),
    Row(401, "invalid developer key", "key_off", "admin"),
    Row(401, "unknown or inactive developer key", "key_off", "admin"),
    Row(401, "not linked to a tool", "not_installed", "admin"),
    Row(401, "invalid access token", TOKEN_EXPIRED, "teacher"),
    Row(401, "expired access token", TOKEN_EXPIRED, "teacher"),
    Row(401, "revoked access token", TOKEN_EXPIRED, "teacher"),
    Row(401, "not authorized", "no_permission", "teacher"),
    Row(403, "insufficient scopes", "scope_missing", "teacher"),
    Row(403, "invalid assignment ids requested", "unpublished"),
    Row(403, "not authorized", "no_permission", "teacher"),
    Row(403, "no access to all grades", "no_permission", "teacher"),
    # Columns and cells.
    Row(400, "before last updated timestamp", "superseded"),
    Row(400, "in the future", "clock_skew"),
    Row(400, "not a valid timestamp", "malformed_call"),
    Row(400, "closed grading period", "closed_period"),
    Row(400, "cannot grade this submission at this time", "closed_period"),
    Row(400, "some assignments could not be found", "column_gone"),
    # New grading schemes (grading_standard.rb).
    Row(400, "grading scheme values cannot be negative", "scheme_negative"),
    Row(400, "grading scheme cannot contain duplicate values", "scheme_duplicate"),
    Row(400, "grading scheme name is too long", "scheme_long_name"),
    Row(400, "must have 0% for the lowest grade", "scheme_no_zero"),
    Row(400, "must be 1 if scheme points_based is false", "scheme_scaling"),
    Row(404, "context is deleted", "course_gone"),
    Row(404, "context not found", "course_gone"),
    Row(412, "is not associated with the line item", "wrong_link"),
    Row(412, "", "not_ours"),
    Row(422, "has concluded", "concluded"),
    Row(422, "user not found in course", "not_a_student"),
    Row(422, "must be enrolled in the course", "not_a_student"),
    Row(422, "still unpublished", "unpublished"),
    Row(422, "closed grading period", "closed_period"),
    Row(422, "cannot be zero if line item", "points_changed"),
    Row(422, "allowed attempts has been reached", "no_attempts_left"),
    Row(422, "scoremaximum", "malformed_call"),
    Row(422, "scoregiven", "malformed_call"),
    Row(422, "content items must be provided", "malformed_call"),
    Row(400, "is missing", "malformed_call"),
    Row(404, "", "gone"),
    Row(403, "", "no_permission", "teacher"),
)


def refusal_of(reply: Reply) -> PlatformError | None:
    """The error an answer of Canvas stands for, or None for a 2xx."""
    general = answers.refusal_of(reply)
    if not isinstance(general, (AccessLost, Refused)):
        return general
    if row := _row(reply):
        return _error(row, reply)
    if reply.status == 401:
        return _unknown_401(reply)
    return Refused(general.detail, status=reply.status, where=reply.where)


def _row(reply: Reply) -> Row | None:
    said = "\n".join(answers.messages(reply)).lower()
    return next((row for row in TABLE if row.status == reply.status and row.text in said), None)


def _error(row: Row, reply: Reply) -> PlatformError:
    detail = f"Canvas refused {reply.where or 'the call'}."
    if row.who:
        return AccessLost(detail, who=row.who, code=row.code, status=reply.status, where=reply.where)
    code = row.code
    if code == "gone" and COURSE_ITSELF.fullmatch(reply.where):
        code = "course_gone"
    return Refused(detail, code=code, status=reply.status, where=reply.where)


def _unknown_401(reply: Reply) -> PlatformError:
    """`WWW-Authenticate` tells "this token is no good" from everything else; a page of a proxy or a login
    form is no answer of Canvas at all."""
    if "WWW-Authenticate" in reply.headers:
        detail = "Canvas no longer accepts this token."
        return AccessLost(detail, who="teacher", code=TOKEN_EXPIRED, status=401, where=reply.where)
    if reply.body.lstrip()[:1] == b"<":
        return MaybeSent("Something between here and Canvas answered instead.", status=401, where=reply.where)
    return AccessLost(
        "Canvas refused access.", who="teacher", code="no_permission", status=401, where=reply.where
    )
