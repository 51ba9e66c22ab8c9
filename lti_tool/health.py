"""What a load balancer asks: is the process alive, and may it have traffic?

It asks by the machine's address and without https, so the answers come before any check of host or scheme.
"""

from collections.abc import Callable

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lti_tool.metrics import metrics


class HealthMiddleware:
    """Answers `/healthz`, `/readyz` and `/metrics` before anything else looks at the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.answers = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.answers.get(request.path_info, self.get_response)(request)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 only when the database answers and every migration is applied, else 503 naming what is missing."""
    waiting = missing()
    if waiting:
        return HttpResponse(f"{waiting}\n", content_type="text/plain", status=503)
    return HttpResponse("ready\n", content_type="text/plain")


def missing() -> str:
    """What keeps this process from work, in a sentence; "" for nothing."""
    try:
        executor = MigrationExecutor(connection)
    except Error:
        return "The database does not answer."
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in waiting[:5])
        return f"{len(waiting)} migrations are not applied ({names}); run manage.py migrate."
    return ""
