"""`POST /canvas/events/<key>`: Canvas's data services deliver Live Events here, raw or signed.

The key names the registration. What is believed of an unsigned event is no more than "look again at this course",
and where that is too much, `EVENTS_SIGNED_ONLY` refuses it.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from canvas.events import NotAnEvent, Told, ids_of_course, told_by
from lti_tool import marks, pages
from lti_tool.deliveries import DeliveryRefused, body_of
from lti_tool.http import host_of, rest_hosts
from lti_tool.jws import key_id, verified_claims
from lti_tool.metrics import EVENTS
from lti_tool.models import Context, Registration
from lti_tool.platform_keys import public_key
from lti_tool.refusals import LaunchRefused

log = logging.getLogger(__name__)
RAW, SIGNED = b"{", b"ey"


@require_POST
def events(request: HttpRequest, key: str) -> HttpResponse:
    """Note what changed; 200 also for what nobody here has to know, so that Canvas does not send it again."""
    try:
        registration = _registration(key)
        told = _told(body_of(request, "EVENT-SIZE").strip())
        _check_school(told, registration)
    except DeliveryRefused as refused:
        EVENTS.labels(refused.code).inc()
        log.warning(
            "event refused verdict=%s status=%d reference=%s",
            refused.code,
            refused.status,
            pages.new_reference(),
        )
        return HttpResponse(f"{refused.code}\n", content_type="text/plain", status=refused.status)
    now = timezone.now()
    courses = _courses(told, registration) if told.mark else []
    count = marks.mark(courses, told.mark, told.at or now, now)
    EVENTS.labels(told.verdict).inc()
    log.info("event verdict=%s registration=%s courses=%d", told.verdict, registration.key, count)
    return HttpResponse("ok\n", content_type="text/plain")


def _registration(key: str) -> Registration:
    registration = Registration.objects.filter(key=key, is_active=True).first() if key.isalnum() else None
    if registration is None:
        raise DeliveryRefused(404, "EVENT-KEY")
    return registration


def _told(body: bytes) -> Told:
    try:
        return told_by(_raw(body) if body.startswith(RAW) else _signed(body))
    except (NotAnEvent, ValueError, RecursionError):
        raise DeliveryRefused(400, "EVENT-SHAPE") from None


def _raw(body: bytes) -> Any:
    if settings.EVENTS_SIGNED_ONLY:
        raise DeliveryRefused(401, "EVENT-UNSIGNED")
    return json.loads(body.decode("utf-8"))


def _signed(body: bytes) -> Any:
    """The whole body is a compact JWS, the event its claims; the keys are the data service's own, public ones."""
    if not body.startswith(SIGNED):
        raise DeliveryRefused(400, "EVENT-SHAPE")
    token = body.decode("ascii")
    # Their keys are fetched and kept like a platform's; they belong to no school.
    service = Registration(pk=0, jwks_url=settings.EVENTS_JWKS_URL)
    try:
        return verified_claims(token, public_key(service, key_id(token)))
    except LaunchRefused as refused:
        status = 503 if refused.code == "PLATFORM-KEYS" else 401
        raise DeliveryRefused(status, f"EVENT-{refused.code}") from None


def _check_school(told: Told, registration: Registration) -> None:
    """An event that names another school's Canvas was sent to the wrong address."""
    if told.hostname and host_of(f"https://{told.hostname}") not in _names_of(registration):
        raise DeliveryRefused(401, "EVENT-OTHER-SCHOOL")


def _names_of(registration: Registration) -> set[str]:
    """The school's host names, with and without a port: Canvas names itself without."""
    return {name for host in rest_hosts(registration) for name in (host, host.rsplit(":", 1)[0])}


def _courses(told: Told, registration: Registration) -> list[Context]:
    ids = ids_of_course(told.course_id)
    return list(Context.objects.filter(registration=registration, canvas_course_id__in=ids))
