"""The headers every page carries: who may frame it, what it may load, that nobody keeps a copy."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from lti_tool.addresses import origin_of
from lti_tool.http import is_loopback
from lti_tool.models import Registration


def frame_origins(registration: Registration) -> list[str]:
    """Where this registration's Canvas shows the tool: its own origin and its further hosts, nobody else's."""
    hosts = [_origin_of_host(registration, host) for host in registration.service_hosts]
    return list(dict.fromkeys([origin_of(registration.canvas_url), *hosts]))


def _origin_of_host(registration: Registration, host: str) -> str:
    """https, except on this machine beside a Canvas that is http itself."""
    is_plain = registration.canvas_url.startswith("http:") and is_loopback(
        urlsplit(f"//{host}").hostname or ""
    )
    return origin_of(f"{'http' if is_plain else 'https'}://{host}")


def content_security_policy(
    nonce: str, registration: Registration | None, frames: Sequence[str] = ("'none'",)
) -> str:
    """The policy of one page; `registration` is whose Canvas may frame it, without one `frames` says who."""
    forms = ["'self'"]
    if registration:
        frames = frame_origins(registration)
        forms += dict.fromkeys([origin_of(registration.authorize_url), *frames])
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            f"form-action {' '.join(forms)}",
            "base-uri 'none'",
            f"frame-ancestors {' '.join(frames)}",
        ]
    )


class SecurityHeadersMiddleware:
    """Views set `request.framed_by` to the registration whose Canvas may frame their answer.

    Outermost, so that health checks, redirects to https and static files carry the headers too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        marked: Any = request
        marked.csp_nonce = secrets.token_urlsafe(16)
        marked.framed_by = None
        response = self.get_response(request)
        policy = content_security_policy(marked.csp_nonce, marked.framed_by)
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response
