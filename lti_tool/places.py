"""Which course a page belongs to, said by a signed word in its address (`at`), where no visit says so any more.

A frame that is reloaded where no cookie stays sends nothing else. The word opens nothing: it tells which Canvas may
show the page that says no, and where its button leads. Nobody can make one up and so learn which courses exist.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest

from lti_tool.addresses import origin_of
from lti_tool.models import Context, Registration

PARAMETER = "at"
LONGEST = 100
_signer = Signer(sep=".", salt="lti_tool.places")


def place_of(context: Context) -> str:
    """The word for this course."""
    return _signer.sign(str(context.pk))


def place_named_by(request: HttpRequest) -> int | None:
    """The course whose word stands in the page's address; that of the page that asks, where htmx or a form does."""
    headers = (request.headers.get(name, "") for name in ("HX-Current-URL", "Referer"))
    asking = (parse_qs(_query(address)).get(PARAMETER, [""])[-1] for address in headers)
    for word in (request.GET.get(PARAMETER, ""), *asking):
        try:
            if word and len(word) <= LONGEST:
                return int(_signer.unsign(word))
        except BadSignature:
            continue
    return None


def course_at(request: HttpRequest) -> Context | None:
    """That course, where the tool still knows it."""
    found = place_named_by(request)
    if found is None:
        return None
    return Context.objects.select_related("registration", "deployment").filter(pk=found).first()


def way_back(context: Context) -> str:
    """The address in Canvas that opens the tool in this course again: a new launch. canvas-lms: config/routes.rb"""
    school = context.registration.canvas_url
    if not context.canvas_course_id:
        return f"{school}/"
    return f"{school}/courses/{context.canvas_course_id}/external_tools/{context.deployment.external_tool_id}"


def canvas_that_asks(request: HttpRequest) -> Registration | None:
    """The registered Canvas that the browser says this request comes from, where nothing else names one.

    Enough for who may frame a page that says no; for nothing else.
    """
    origins = {origin_of(_safe(request.headers.get(name, ""))) for name in ("Origin", "Referer")} - {""}
    return Registration.objects.filter(canvas_url__in=origins, is_active=True).first() if origins else None


def _query(address: str) -> str:
    return urlsplit(_safe(address)).query


def _safe(address: str) -> str:
    """The address, or "" for one that is none: `https://[`, a port of letters."""
    try:
        parts = urlsplit(address)
        return address if parts.port is None or parts.port else ""
    except ValueError:
        return ""
