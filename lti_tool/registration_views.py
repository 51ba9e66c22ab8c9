"""`/lti/register`: what Canvas opens in a frame when an administrator pastes a registration link."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.utils import timezone
from django.views.decorators.http import require_GET

from lti_tool import entry, pages, sessions
from lti_tool.headers import content_security_policy
from lti_tool.registration import open_link, register_by_link
from lti_tool.registration_refusals import RegistrationRefused


@require_GET
def register(request: HttpRequest) -> HttpResponseBase:
    """Register the Canvas that opened the link, and go on to the install page; or say why not."""
    now = timezone.now()
    sessions.detach(request)
    try:
        link = open_link(_single(request.GET, "key"), now)
        address = _single(request.GET, "openid_configuration")
        if not address:
            raise RegistrationRefused("LINK-ALONE")
        registration = register_by_link(link, address, _single(request.GET, "registration_token"), now)
    except RegistrationRefused as refused:
        return _refusal(request, refused)
    return entry.install_page(request, registration, is_new=True)


def _single(params: QueryDict, name: str) -> str:
    values = params.getlist(name)
    if len(values) > 1 or "\0" in "".join(values):
        raise RegistrationRefused("REG-PARAM", name)
    return values[0] if values else ""


def _refusal(request: Any, refused: RegistrationRefused) -> HttpResponse:
    """Shown in whatever frame asked: the school is not known yet, and there is nothing to click on the page.
    Pages name their own address; the key and the token in this one's are left out."""
    request.META["QUERY_STRING"] = ""
    wording, what = refused.wording, refused.wording.what
    if refused.names:
        what = f"{what} What is missing or wrong: {', '.join(refused.names)}."
    response = pages.refusal(
        request, wording.status, refused.code, wording.title, what, wording.step, note=refused.hint
    )
    anyone = ["https:", "http:"] if settings.ALLOW_HTTP else ["https:"]
    response["Content-Security-Policy"] = content_security_policy(request.csp_nonce, None, frames=anyone)
    return response
