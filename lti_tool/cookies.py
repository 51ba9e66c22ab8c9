"""Two cookies, both optional: which browser this is, and the newest open session of a browser.

Inside Canvas's frame only `Partitioned` cookies arrive where third-party cookies are blocked. Where
ALLOW_HTTP lets the tool be plain http on this machine, the same value goes out a second time without
`Secure`, because programs other than browsers do not send `Secure` cookies over http.
"""

from __future__ import annotations

from http.cookies import Morsel
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

BROWSER = "lmg-browser"
SESSION = "lmg-session"
PLAIN = "-plain"
LONGEST = 200

# Python before 3.14 and Django 5.2 do not know the attribute.
_morsel: Any = Morsel
_morsel._reserved.setdefault("partitioned", "Partitioned")
_morsel._flags.add("partitioned")


def _protected(name: str) -> str:
    return name if settings.ALLOW_HTTP else f"__Host-{name}"


def set_cookie(response: HttpResponseBase, name: str, value: str, *, max_age: int) -> None:
    """Send a cookie that no script reads; `max_age` in seconds."""
    protected = _protected(name)
    response.set_cookie(protected, value, max_age=max_age, secure=True, httponly=True, samesite="None")
    response.cookies[protected]["partitioned"] = True
    if settings.ALLOW_HTTP:
        response.set_cookie(name + PLAIN, value, max_age=max_age, httponly=True, samesite="Lax")


def read_cookie(request: HttpRequest, name: str) -> str:
    """The cookie's value; "" where none reached us."""
    value = request.COOKIES.get(_protected(name), "")
    if not value and settings.ALLOW_HTTP:
        value = request.COOKIES.get(name + PLAIN, "")
    return value if len(value) <= LONGEST else ""


def drop_cookie(response: HttpResponseBase, name: str) -> None:
    """Make the browser forget the cookie in all its forms."""
    set_cookie(response, name, "", max_age=0)
