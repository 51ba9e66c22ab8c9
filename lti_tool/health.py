"""What a load balancer asks: is the process alive, and may it have traffic?"""

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 only when the database answers and every migration is applied, else 503 naming what is missing."""
    missing = _missing()
    if missing:
        return HttpResponse(f"{missing}\n", content_type="text/plain", status=503)
    return HttpResponse("ready\n", content_type="text/plain")


def _missing() -> str:
    try:
        executor = MigrationExecutor(connection)
    except Error:
        return "The database does not answer."
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in waiting[:5])
        return f"{len(waiting)} migrations are not applied ({names}); run manage.py migrate."
    return ""
