"""`POST /lti/notices`: the platform's notices, verified one by one."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from lti_tool import pages
from lti_tool.deliveries import DeliveryRefused, body_of
from lti_tool.metrics import EVENTS
from lti_tool.notices import read_notices, take_in

log = logging.getLogger(__name__)


@require_POST
def notices(request: HttpRequest) -> HttpResponse:
    """200 when every notice is the platform's, whether or not it is new."""
    now = timezone.now()
    try:
        found = read_notices(body_of(request, "NOTICE-SIZE"), now)
    except DeliveryRefused as refused:
        EVENTS.labels(refused.code).inc()
        log.warning(
            "notices refused verdict=%s status=%d reference=%s",
            refused.code,
            refused.status,
            pages.new_reference(),
        )
        return JsonResponse({"error": refused.code}, status=refused.status)
    new = take_in(found, now)
    EVENTS.labels("notices").inc()
    log.info("notices verdict=OK count=%d new=%d", len(found), new)
    return JsonResponse({"received": len(found)})
