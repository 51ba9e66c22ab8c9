"""Asking a teacher for access to their Canvas account: RFC 6749 4.1, in a window of its own.

`state` is random, single use, ten minutes old at most, and bound to the open visit and to the browser window
that began; only hashes rest here.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from canvas import oauth
from canvas.accounts import SCHOOL_SCOPES, SCOPES, names_to_ask
from canvas.models import CanvasAccount, ConsentState, CourseGrader
from lti_tool.addresses import absolute
from lti_tool.errors import PlatformError
from lti_tool.http import Http
from lti_tool.models import LaunchSession
from lti_tool.roles import STAFF
from lti_tool.sealing import seal
from lti_tool.sessions import IDLE, TOTAL, person_of
from lti_tool.sessions import PURPOSE as PERSON_PURPOSE
from lti_tool.states import hash_of, new_secret

STATE_LIFE = timedelta(minutes=10)
PURPOSE = "Mastery Gradebook"
"""What Canvas writes beside the token in the person's list of approved integrations."""


class ConsentRefused(Exception):
    """The consent goes no further; `code` chooses the page."""

    def __init__(self, code: str, *, names: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.names = names


def redirect_uri() -> str:
    """What the administrator enters in the API key."""
    return absolute(reverse("canvas:callback"))


def begin(session: LaunchSession, browser: str, now: datetime) -> str:
    """Canvas's address to send the window to. Raises ConsentRefused."""
    registration = session.registration
    if not oauth.has_api_key(registration):
        raise ConsentRefused("NO-API-KEY")
    ConsentState.objects.filter(expires_at__lt=now).delete()
    state = new_secret()
    ConsentState.objects.create(
        state_hash=hash_of(state), browser_hash=hash_of(browser), session=session, expires_at=now + STATE_LIFE
    )
    query = {
        "client_id": registration.api_client_id,
        "response_type": "code",
        "redirect_uri": redirect_uri(),
        "state": state,
        "scope": " ".join(names_to_ask(session)),
        "purpose": PURPOSE,
    }
    return f"{oauth.authorize_url(registration)}?{urlencode(query)}"


def take_state(state: str, browser: str, now: datetime) -> LaunchSession:
    """The visit a state belongs to, the first time, in the browser that began it. Raises ConsentRefused."""
    rows = ConsentState.objects.filter(state_hash=hash_of(state), expires_at__gt=now)
    row = rows.first()
    if row is None:
        raise ConsentRefused("STATE")
    if not (browser and hmac.compare_digest(hash_of(browser), row.browser_hash)):
        # Not used up: the right browser may still come.
        raise ConsentRefused("OTHER-BROWSER")
    if rows.delete()[0] == 0:
        raise ConsentRefused("STATE")
    session = _open_session(row.session_id, now)
    if session is None:
        raise ConsentRefused("VISIT-OVER")
    return session


def refusal_in(error: str, description: str) -> ConsentRefused:
    """What Canvas sent back instead of a code. Its text is searched for our scopes, never shown."""
    known = {"access_denied": "DENIED", "invalid_scope": "SCOPES", "unauthorized_client": "KEY-OFF"}
    named = set(description.replace(",", " ").split())
    names = tuple(name for name in dict((*SCOPES, *SCHOOL_SCOPES)) if name in named)
    return ConsentRefused(known.get(error, "CANVAS-ERROR"), names=names)


def check_named(session: LaunchSession, *, in_same_browser: bool) -> None:
    """Whoever launched must be known: by the launch, or because the window is in the browser of the visit
    itself. Otherwise a teacher could have a colleague consent to the teacher's visit (docs/decisions/0030).
    Raises ConsentRefused."""
    if not in_same_browser and not person_of(session).canvas_user_id:
        raise ConsentRefused("UNNAMED")


def finish(session: LaunchSession, code: str, now: datetime, http: Http) -> CanvasAccount:
    """Trade the code for tokens and keep them, if they are those of the person who launched; after
    `check_named`. Raises ConsentRefused and PlatformError."""
    registration = session.registration
    grant = oauth.exchange_code(registration, code, redirect_uri(), now, http)
    launched = person_of(session).canvas_user_id
    if not grant.user_id or (launched and launched not in grant.user_ids):
        _revoke_quietly(session, grant.access_token, http)
        raise ConsentRefused("OTHER-PERSON")
    names = names_to_ask(session)
    if not launched:
        _remember_person(session, grant.user_id, now)
    return oauth.store_grant(registration, grant, launched or grant.user_id, names, now)


def _open_session(session_id: int, now: datetime) -> LaunchSession | None:
    """The visit, unless it ended while the person was at Canvas."""
    visits = LaunchSession.objects.select_related("registration", "deployment", "context")
    recent = visits.filter(last_seen_at__gt=now - IDLE, started_at__gt=now - TOTAL)
    return recent.filter(pk=session_id, registration__is_active=True, deployment__is_active=True).first()


def _remember_person(session: LaunchSession, user_id: str, now: datetime) -> None:
    """A launch that did not say who launched in Canvas's numbers: the consent did."""
    session.sealed_person = seal([person_of(session).sub, user_id], purpose=PERSON_PURPOSE)
    session.save(update_fields=["sealed_person"])
    if session.role not in STAFF:
        return
    CourseGrader.objects.update_or_create(
        context=session.context, canvas_user_id=user_id, defaults={"last_launch_at": now}
    )


def _revoke_quietly(session: LaunchSession, token: str, http: Http) -> None:
    """Give back a token we must not keep; Canvas lists it for its owner if this fails."""
    try:
        oauth.revoke(session.registration, token, http)
    except PlatformError:
        return
