"""Connecting and disconnecting a teacher's Canvas account."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from canvas import accounts, consent, oauth, wording
from canvas.consent import ConsentRefused
from lti_tool import cookies
from lti_tool.errors import PlatformError
from lti_tool.http import shared_http
from lti_tool.limits import too_many
from lti_tool.models import LaunchRole, LaunchSession
from lti_tool.roles import STAFF
from lti_tool.sessions import LaunchRequest, issue_ticket, redeem_ticket, staff_or_admin_required
from lti_tool.states import new_secret

TICKET_PURPOSE = "consent"
BROWSER_SECONDS = 86_400
JSON = "application/json"


@require_POST
@staff_or_admin_required
def ticket(request: LaunchRequest) -> HttpResponseBase:
    """Where to open the window: as JSON for a script, as a redirect for a plain form."""
    query = urlencode({"ticket": issue_ticket(request.launch_session, TICKET_PURPOSE)})
    address = f"{reverse('canvas:authorize')}?{query}"
    if JSON in request.headers.get("Accept", ""):
        return JsonResponse({"url": address})
    return HttpResponseRedirect(address)


@require_GET
def authorize(request: HttpRequest) -> HttpResponse:
    """Send the window on to Canvas, bound to this browser by a cookie of its own."""
    try:
        _must_not_be_too_many(request)
        session = _visit(request)
        if session is None:
            raise ConsentRefused("NO-VISIT")
        if session.role not in (*STAFF, LaunchRole.ADMIN):
            raise ConsentRefused("NOT-STAFF")
        consent.check_named(session, in_same_browser=_is_visit_of(request, session))
        browser = cookies.read_cookie(request, cookies.BROWSER) or new_secret()
        address = consent.begin(session, browser, timezone.now())
    except ConsentRefused as refused:
        return _in_its_window(request, wording.refused(request, refused))
    response = HttpResponseRedirect(address)
    cookies.set_cookie(response, cookies.BROWSER, browser, max_age=BROWSER_SECONDS)
    return _in_its_window(request, response)


@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Canvas sends the window back: keep the tokens, say so, close."""
    try:
        _must_not_be_too_many(request)
        _finish(request)
    except ConsentRefused as refused:
        return _in_its_window(request, wording.refused(request, refused))
    except PlatformError as error:
        return _in_its_window(request, wording.failed(request, error))
    return _in_its_window(request, render(request, "canvas/connected.html"))


@require_GET
@staff_or_admin_required
def connection(request: LaunchRequest) -> HttpResponse:
    """Whether the account is connected by now; the page asks while the window is open."""
    account = accounts.account_for(request.launch_session)
    is_connected = (
        account is not None and account.lost_at is None and not accounts.missing_scopes(account, request.role)
    )
    return JsonResponse({"connected": is_connected})


@require_POST
@staff_or_admin_required
def disconnect(request: LaunchRequest) -> HttpResponse:
    """Revoke and forget the person's own tokens."""
    account = accounts.account_for(request.launch_session)
    if account is not None:
        oauth.disconnect(account)
    return HttpResponseRedirect(reverse("home"))


def _must_not_be_too_many(request: HttpRequest) -> None:
    if too_many(request, "consent"):
        raise ConsentRefused("TOO-MANY")


def _visit(request: HttpRequest) -> LaunchSession | None:
    """The visit that asks: by its ticket, else by the session cookie where that reaches this window."""
    text = request.GET.get("ticket", "")
    if text:
        return redeem_ticket(text, TICKET_PURPOSE)
    session: LaunchSession | None = getattr(request, "launch_session", None)
    return session


def _is_visit_of(request: HttpRequest, session: LaunchSession) -> bool:
    """Whether the browser that opened this window holds the visit itself; a ticket proves only a link."""
    visit: LaunchSession | None = getattr(request, "launch_session", None)
    return visit is not None and visit.pk == session.pk


def _finish(request: HttpRequest) -> None:
    given = request.GET
    browser = cookies.read_cookie(request, cookies.BROWSER)
    now = timezone.now()
    session = consent.take_state(given.get("state", ""), browser, now)
    if "error" in given:
        raise consent.refusal_in(given["error"], given.get("error_description", ""))
    if not given.get("code"):
        raise ConsentRefused("CANVAS-ERROR")
    consent.check_named(session, in_same_browser=_is_visit_of(request, session))
    consent.finish(session, given["code"], now, shared_http())


def _in_its_window(request: Any, response: HttpResponse) -> HttpResponse:
    """A window of its own is framed by nobody, whatever session its cookie names. Any stricter opener policy
    would cut it off from the page that waits for it in Canvas's frame."""
    request.framed_by = None
    response["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response
