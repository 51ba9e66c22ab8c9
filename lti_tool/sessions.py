"""Open pages: a launch starts a session, each request proves it belongs to one.

The proof is a random token in the `Authorization` header (htmx sends it) or in a form's hidden field. A
partitioned cookie proves it too, but for requests that change nothing: a form on another site can make a
browser send cookies, never our token. No cookie is needed anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from lti_tool import cookies, deeplink, pages
from lti_tool.launch import Launch
from lti_tool.models import Context, Deployment, LaunchRole, LaunchSession, Ticket, UsedNonce
from lti_tool.places import course_at, place_named_by, place_of
from lti_tool.roles import STAFF
from lti_tool.sealing import CannotUnseal, seal, unseal
from lti_tool.states import KEEP_NONCES, consume_nonce, hash_of, new_secret

IDLE = timedelta(hours=2)
TOTAL = timedelta(hours=10)
TICKET_LIFE = timedelta(seconds=60)
SEEN_EVERY = timedelta(minutes=1)
"""How exactly `last_seen_at` is kept: one write a minute, not one a request."""
HIDDEN_FIELD = "session_token"
PURPOSE = "launch_session.person"
NAMES_HIDDEN, NAMES_SHOWN = "names-hide", "names-show"
"""What a form's own switch for names sends as `do`."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
Params = ParamSpec("Params")


@dataclass(frozen=True, slots=True)
class Person:
    """Who launched, as the platform names them; sealed at rest, gone with the session."""

    sub: str = field(repr=False)
    canvas_user_id: str = field(repr=False)


class LaunchRequest(HttpRequest):
    """A request that belongs to an open session in a course: what `launched` and `staff_required` promise."""

    launch_session: LaunchSession
    context: Context
    role: LaunchRole
    person: Person
    session_token: str
    csp_nonce: str


View = Callable[Concatenate[LaunchRequest, Params], HttpResponseBase]
OpenView = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]


def start_session(
    launch: Launch, now: datetime, *, deployment: Deployment, context: Context
) -> tuple[LaunchSession, str]:
    """A new session, always, and its token, for the launch's nonce; sessions that are over are deleted on the
    way. Raises LaunchRefused where the nonce is used up."""
    forget_over(now)
    token = new_secret()
    session = LaunchSession(
        token_hash=hash_of(token),
        registration=launch.registration,
        deployment=deployment,
        context=context,
        role=launch.role,
        sealed_person=seal([launch.sub, launch.canvas_user_id], purpose=PURPOSE),
        locale=launch.locale,
        sealed_deep_link=deeplink.sealed(launch.deep_link),
        started_at=now,
        last_seen_at=now,
    )
    consume_nonce(launch.registration, launch.nonce, now, opens=session)
    return session, token


_tidied = [datetime.min.replace(tzinfo=UTC)]


def forget_over(now: datetime) -> None:
    """Delete sessions and nonces that are over; once a minute in this process, not at every launch."""
    if abs(now - _tidied[0]) < SEEN_EVERY:
        return
    _tidied[0] = now
    LaunchSession.objects.filter(Q(last_seen_at__lt=now - IDLE) | Q(started_at__lt=now - TOTAL)).delete()
    UsedNonce.objects.filter(used_at__lt=now - KEEP_NONCES).delete()


def end_session(session: LaunchSession) -> None:
    """Nothing opens with its token or tickets any more."""
    session.delete()


def hide_names(session: LaunchSession, hide: bool) -> None:
    """ "Student 7" for every name from here to the end of the visit, or the names again."""
    session.names_hidden = hide
    session.save(update_fields=["names_hidden"])


def switches_names(request: LaunchRequest) -> bool:
    """Whether a form was sent by its own switch for names, which is then set. Where no script runs, this is how the
    page comes back with what was typed in it."""
    asked = request.POST.get("do", "")
    if asked not in (NAMES_HIDDEN, NAMES_SHOWN):
        return False
    hide_names(request.launch_session, asked == NAMES_HIDDEN)
    return True


def find_session(token: str, now: datetime) -> LaunchSession | None:
    """The open session of this token, whose installation is still switched on."""
    session = (
        LaunchSession.objects.select_related("registration", "deployment", "context")
        .filter(
            token_hash=hash_of(token),
            last_seen_at__gt=now - IDLE,
            started_at__gt=now - TOTAL,
            registration__is_active=True,
            deployment__is_active=True,
        )
        .first()
    )
    if session is not None and now - session.last_seen_at > SEEN_EVERY:
        session.last_seen_at = now
        LaunchSession.objects.filter(pk=session.pk).update(last_seen_at=now)
    return session


def person_of(session: LaunchSession) -> Person:
    """Who launched. Raises CannotUnseal."""
    return Person(*unseal(session.sealed_person, purpose=PURPOSE))


def issue_ticket(session: LaunchSession, purpose: str) -> str:
    """A pass for one window of its own: once, within a minute, for this purpose only."""
    now = timezone.now()
    Ticket.objects.filter(expires_at__lt=now).delete()
    ticket = new_secret()
    Ticket.objects.create(
        ticket_hash=hash_of(ticket), session=session, purpose=purpose, expires_at=now + TICKET_LIFE
    )
    return ticket


def redeem_ticket(text: str, purpose: str) -> LaunchSession | None:
    """The session a ticket stands for, the first time; of several at once exactly one gets it."""
    now = timezone.now()
    tickets = Ticket.objects.filter(ticket_hash=hash_of(text), purpose=purpose, expires_at__gt=now)
    ticket = tickets.select_related(
        "session__registration", "session__deployment", "session__context"
    ).first()
    if ticket is None or Ticket.objects.filter(pk=ticket.pk).delete()[0] == 0:
        return None
    session = ticket.session
    ended = session.last_seen_at <= now - IDLE or session.started_at <= now - TOTAL
    return None if ended or not (session.registration.is_active and session.deployment.is_active) else session


def attach(request: Any, session: LaunchSession, token: str, person: Person | None = None) -> None:
    """Make the request one of this session, and of the `person` sealed in it. Raises CannotUnseal."""
    request.person = person or person_of(session)
    request.launch_session = session
    request.session_token = token
    request.context = session.context
    request.role = LaunchRole(session.role)
    request.framed_by = session.registration


def detach(request: Any) -> None:
    """The request's answer no longer shows or carries a session."""
    request.launch_session = request.context = request.role = request.person = None
    request.session_token = ""


def remember_in_cookie(response: HttpResponseBase, token: str) -> None:
    """For downloads and plain links inside the frame, where the browser keeps partitioned cookies."""
    cookies.set_cookie(response, cookies.SESSION, token, max_age=int(TOTAL.total_seconds()))


class LaunchSessionMiddleware:
    """Finds the session of each request; `launch_session` is None where there is none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        detach(request)
        token, by_cookie = _token_of(request)
        if not token and _repeats_a_launch(request):
            return HttpResponseRedirect(request.get_full_path(), status=303)
        if token and not is_forged(request):
            session = find_session(token, timezone.now())
            if session is not None and not (by_cookie and _is_of_another_tab(request, session)):
                _attach_or_end(request, session, token)
        return self.get_response(request)


def is_forged(request: HttpRequest) -> bool:
    """Whether a browser says that a request that changes something comes from a page that is not ours."""
    if request.method in SAFE_METHODS:
        return False
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    return request.headers.get("Origin", settings.TOOL_URL) != settings.TOOL_URL


def launched(view: View[Params]) -> OpenView[Params]:
    """Only for an open session in a course, whatever the role."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs) -> HttpResponseBase:
        refused = _refusal(request)
        return refused or view(_typed(request), *args, **kwargs)

    return guarded


def staff_required(view: View[Params]) -> OpenView[Params]:
    """Only for teachers and teaching assistants of the course they launched from."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs) -> HttpResponseBase:
        refused = _refusal(request) or _refusal_of_role(request)
        return refused or view(_typed(request), *args, **kwargs)

    return guarded


def teacher_required(view: View[Params]) -> OpenView[Params]:
    """Only for teachers of the course: what a teaching assistant should not decide alone."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs) -> HttpResponseBase:
        refused = _refusal(request) or _refusal_of_role(request) or _refusal_of_assistant(request)
        return refused or view(_typed(request), *args, **kwargs)

    return guarded


def staff_or_admin_required(view: View[Params]) -> OpenView[Params]:
    """For teachers and teaching assistants of the course, and an administrator who launched it: pages about the
    installation, without anybody's data."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs) -> HttpResponseBase:
        is_admin = getattr(request, "role", None) == LaunchRole.ADMIN
        refused = _refusal(request) or (None if is_admin else _refusal_of_role(request))
        return refused or view(_typed(request), *args, **kwargs)

    return guarded


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What every template may use of the session."""
    names = ("session_token", "launch_session", "context", "role", "csp_nonce")
    found = {name: getattr(request, name, None) for name in names}
    return found | {
        "place": place_of(found["context"]) if found["context"] else "",
        "names_back": request.get_full_path() if request.method == "GET" else "",
    }


def _typed(request: Any) -> LaunchRequest:
    found: LaunchRequest = request
    return found


def _attach_or_end(request: HttpRequest, session: LaunchSession, token: str) -> None:
    """A session whose person no key opens any more (keys were rotated away) is over."""
    try:
        attach(request, session, token)
    except CannotUnseal:
        end_session(session)


def _repeats_a_launch(request: HttpRequest) -> bool:
    """WebKit reloads a page that followed a launch by sending the launch's form to the page's own address."""
    if request.method != "POST" or request.path_info == reverse("lti:launch"):
        return False
    return {"id_token", "state"} <= request.POST.keys()


def _is_of_another_tab(request: HttpRequest, session: LaunchSession) -> bool:
    """The cookie is of the course opened last in this browser; the page asked for says it belongs to another."""
    place = place_named_by(request) if "at" in request.GET else None
    return place not in (None, session.context_id)


def _token_of(request: HttpRequest) -> tuple[str, bool]:
    """Header, else hidden field, else, where nothing is changed, the cookie; and whether it was the cookie."""
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer ").strip(), False
    if request.method in SAFE_METHODS:
        return cookies.read_cookie(request, cookies.SESSION), True
    return (request.POST.get(HIDDEN_FIELD, "") if request.method == "POST" else ""), False


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if is_forged(request):
        return pages.refusal(
            request,
            403,
            "CROSS-SITE",
            "This request came from another site",
            "The tool takes changes from its own pages only. Nothing was changed.",
            "Go back to the course in Canvas and open the tool again.",
        )
    return _no_visit(request) if getattr(request, "launch_session", None) is None else None


def _no_visit(request: Any) -> HttpResponse:
    """Where the page's address says which course it belongs to, that Canvas may show this and a button leads there."""
    course = course_at(request)
    if course:
        request.framed_by = course.registration
    return pages.refusal(
        request,
        401,
        "NO-SESSION",
        "Open this tool from Canvas",
        "This page belongs to a course, and this window has no open visit to it, or it ended after a pause.",
        "Go to the course in Canvas and open the tool in its navigation.",
        button=pages.Button.again(course) if course else None,
    )


def _refusal_of_role(request: HttpRequest) -> HttpResponse | None:
    if getattr(request, "role", None) in STAFF:
        return None
    return pages.refusal(
        request,
        403,
        "NOT-STAFF",
        "This page is for teachers",
        "Only teachers and teaching assistants of this course can see it.",
        "If you teach this course, ask its owner for a teacher's enrolment and open the tool again.",
    )


def _refusal_of_assistant(request: HttpRequest) -> HttpResponse | None:
    if getattr(request, "role", None) != LaunchRole.TEACHING_ASSISTANT:
        return None
    return pages.refusal(
        request,
        403,
        "NOT-TEACHER",
        "Only a teacher can do this",
        "It concerns everybody who teaches this course. Nothing was changed.",
        "Ask a teacher of this course to open the tool and do it.",
    )
