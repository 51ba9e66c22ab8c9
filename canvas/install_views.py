"""The install page: what is missing until teachers can connect, and the form for it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from canvas import oauth
from canvas.accounts import SCOPES_OF_KEY
from canvas.consent import redirect_uri
from canvas.installing import KeyRefused, set_api_key
from lti_tool import pages
from lti_tool.http import shared_http
from lti_tool.models import Registration
from lti_tool.registration_links import issue_install_pass, read_install_pass
from lti_tool.sessions import is_forged


@require_http_methods(["GET", "POST"])
def install(request: Any) -> HttpResponse:
    """The page as its own form posts it, and as registration and an admin's launch show it (lti_tool.entry)."""
    if is_forged(request):
        return _closed(request, 403)
    if request.method == "GET":
        registration = getattr(request, "installing", None)
    else:
        registration = read_install_pass(request.POST.get("install_pass", ""))
    if registration is None:
        return _closed(request)
    request.framed_by = registration
    if request.method == "GET":
        return _page(request, registration, is_new=request.is_new_registration)
    return _save(request, registration)


def _save(request: HttpRequest, registration: Registration) -> HttpResponse:
    client_id = request.POST.get("api_client_id", "")
    try:
        set_api_key(registration, client_id, request.POST.get("api_client_secret", ""), shared_http())
    except KeyRefused as refused:
        wrong = {"client_id": client_id[:255], "wrong_field": refused.field, "wrong": str(refused)}
        return _page(request, registration, status=422, **wrong)
    registration.refresh_from_db()
    return _page(request, registration, is_saved=True)


def _page(
    request: HttpRequest, registration: Registration, *, status: int = 200, **more: Any
) -> HttpResponse:
    page = {
        "registration": registration,
        "has_key": oauth.has_api_key(registration),
        "install_pass": issue_install_pass(registration),
        "redirect_uri": redirect_uri(),
        "scopes": SCOPES_OF_KEY,
        **more,
    }
    return render(request, "canvas/install.html", page, status=status)


def _closed(request: HttpRequest, status: int = 401) -> HttpResponse:
    return pages.refusal(
        request,
        status,
        "NO-INSTALL",
        "This page opens from Canvas",
        "It is for the administrator who installs the tool, and this window has not come from an installation, or "
        "an hour has passed since.",
        "Open the tool in any course of your Canvas as an account administrator, or ask the tool's operator.",
    )
