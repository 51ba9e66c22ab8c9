"""Asking Canvas to send notices of copied courses (Platform Notification Service) to `/lti/notices`.

One handler per installation and kind, set anew every day: it is the same each time, so nothing is remembered here. An
older Canvas, or a key without the scope, has no such service; everything else works without it. canvas-lms:
app/controllers/lti/ims/notice_handlers_controller.rb, doc/api/pns.md
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.urls import reverse

from canvas.service_tokens import service_token
from canvas.throttle import pace_of
from lti_tool.addresses import absolute
from lti_tool.errors import PlatformError
from lti_tool.http import Http, Policy, rest_hosts, shared_http
from lti_tool.models import Deployment, Registration
from lti_tool.notices import COPIED

log = logging.getLogger(__name__)

SCOPE = "https://purl.imsglobal.org/spec/lti/scope/noticehandlers"


def subscribe_all(now: datetime, http: Http | None = None) -> int:
    """Every installation of every school, as far as its Canvas lets us; how many are told of copies now."""
    count = 0
    for registration in Registration.objects.filter(is_active=True):
        count += _subscribe(registration, now, http or shared_http())
    return count


def _subscribe(registration: Registration, now: datetime, http: Http) -> int:
    """The installations of one school. One refusal of a token is for all of them."""
    rows = Deployment.objects.filter(registration=registration, is_active=True)
    deployments = [one for one in rows.order_by("pk") if one.external_tool_id.isdigit()]
    if not deployments:
        return 0
    try:
        token = service_token(registration, (SCOPE,), now, http)
    except PlatformError as error:
        log.info("no notices registration=%s cause=%s", registration.key, error.code)
        return 0
    return sum(_put(one, token, http) for one in deployments)


def _put(deployment: Deployment, token: str, http: Http) -> bool:
    """Whether Canvas has our address for this installation now."""
    registration = deployment.registration
    body = {"notice_type": COPIED, "handler": absolute(reverse("lti:notices"))}
    try:
        http.request(
            "PUT",
            f"{registration.canvas_url}/api/lti/notice-handlers/{deployment.external_tool_id}",
            allow_hosts=rest_hosts(registration),
            headers={"Accept": "application/json", "Authorization": f"Bearer {token}"},
            json=body,
            where="PUT /notice-handlers/:id",
            policy=Policy(pace=pace_of(f"key:{registration.pk}")),
        )
    except PlatformError as error:
        log.info("no notices registration=%s cause=%s", registration.key, error.code)
        return False
    return True
