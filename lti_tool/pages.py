"""Pages that say no, in plain words, each with a code and a reference that stand in the log as well."""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import render
from django.template.loader import render_to_string

from lti_tool.metrics import VERDICTS
from lti_tool.models import Context, Registration
from lti_tool.places import way_back
from lti_tool.refusals import LaunchRefused

log = logging.getLogger(__name__)

AWAY_SECONDS = 30


def new_reference() -> str:
    """What a person reads out and an operator looks for in the log."""
    return secrets.token_hex(4)


@dataclass(frozen=True, slots=True)
class Button:
    """The one thing to press on a page that says no: it leads out of the frame and into Canvas."""

    label: str
    address: str

    @classmethod
    def again(cls, course: Context) -> Button:
        return cls("Open the tool again", way_back(course))

    @classmethod
    def to(cls, registration: Registration) -> Button:
        return cls("Go to Canvas", f"{registration.canvas_url}/")


def refusal(
    request: HttpRequest,
    status: int,
    code: str,
    title: str,
    what: str,
    step: str,
    *,
    note: str = "",
    button: Button | None = None,
) -> HttpResponse:
    """A whole page for a request that is refused, and its line in the log. `note` goes to the log only."""
    reference = new_reference()
    VERDICTS.labels(code).inc()
    route = request.resolver_match.view_name if request.resolver_match else "-"
    log.warning("refused verdict=%s status=%d reference=%s route=%s %s", code, status, reference, route, note)
    page = {
        "title": title, "what": what, "step": step, "code": code, "reference": reference, "button": button
    }  # fmt: skip
    response = render(request, "lti_tool/refusal.html", page, status=status)
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="lti"'
    if status in (429, 503):
        response["Retry-After"] = "60"
    return response


def wording_of(refused: LaunchRefused, registration: Registration) -> dict[str, object]:
    """What a page that may yet go on shows of a refusal."""
    wording = refused.wording
    return {
        "title": wording.title,
        "what": wording.what,
        "step": wording.step,
        "code": refused.code,
        "reference": new_reference(),
        "button": Button.to(registration),
    }


def refused_launch(
    request: HttpRequest,
    refused: LaunchRefused,
    registration: Registration | None = None,
    course: Context | None = None,
) -> HttpResponse:
    """The page for a login or launch that goes no further. `course` is where a believed launch came from."""
    wording = refused.wording
    what = wording.what
    if refused.names:
        what = f"{what} What is missing or wrong: {', '.join(refused.names)}."
    note = f"registration={registration.key if registration else '-'} {refused.hint}".rstrip()
    button = Button.again(course) if course else Button.to(registration) if registration else None
    return refusal(
        request, wording.status, refused.code, wording.title, what, wording.step, note=note, button=button
    )


def broken(request: HttpRequest) -> HttpResponse:
    """The page for a fault of ours, and the line before its traceback in the log. Without its database the tool is away
    for a moment: 503, as for a load balancer.

    It is made without the request: what the page usually shows may be what is broken.
    """
    reference = new_reference()
    route = request.resolver_match.view_name if request.resolver_match else "-"
    is_away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    status = 503 if is_away else 500
    log.error("broken reference=%s status=%d route=%s", reference, status, route)
    response = HttpResponse(render_to_string("500.html", {"reference": reference}), status=status)
    if is_away:
        response["Retry-After"] = str(AWAY_SECONDS)
    return response


class MethodMiddleware:
    """A method that no view takes is answered with a page too: Django's own answer is an empty one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        page = refused_launch(request, LaunchRefused("METHOD"))
        page["Allow"] = response["Allow"]
        return page
