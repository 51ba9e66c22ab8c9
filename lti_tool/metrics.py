"""`GET /metrics` for Prometheus: counters and histograms of what happened, by kind. No person, course or school.

Counters live in the process. With `METRICS_DIR` the processes of a machine keep them in files there, and any of
them answers for all (prometheus_client's multi-process mode); without it each answers for itself. What the database
knows (runs, jobs, workers) is read when it is asked for, by the functions that `METRICS_SOURCES` names.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterable

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

OURS = CollectorRegistry()
# Their constructor has no types.
_collect_all: Callable[..., object] = MultiProcessCollector
Source = Callable[[], Iterable[Metric]]

REQUESTS = Histogram(
    "gradebook_request_seconds",
    "Requests by route, method and class of status.",
    ["route", "method", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=OURS,
)
VERDICTS = Counter(
    "gradebook_verdicts", "Launches and other visits by verdict: OK or a code.", ["verdict"], registry=OURS
)
CALLS = Counter(
    "gradebook_platform_calls",
    "Calls to Canvas by method and what became of them.",
    ["method", "result"],
    registry=OURS,
)
EVENTS = Counter("gradebook_events", "Live Events and notices by verdict.", ["verdict"], registry=OURS)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


class MetricsMiddleware:
    """Times every request by its route's name: an address would hold ids."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.view_name if match else "none"
        method = request.method if request.method in METHODS else "other"
        status = f"{response.status_code // 100}xx"
        REQUESTS.labels(route, method, status).observe(time.perf_counter() - began)
        return response


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The text format. With `METRICS_TOKEN` only for who sends it as a bearer token."""
    if settings.METRICS_TOKEN and not _may_read(request):
        response = HttpResponse("A bearer token is needed.\n", content_type="text/plain", status=401)
        response["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return response
    body = generate_latest(_registry()) + generate_latest(_from_sources())
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())


def _registry() -> CollectorRegistry:
    if not settings.METRICS_DIR:
        return OURS
    together = CollectorRegistry()
    _collect_all(together, path=settings.METRICS_DIR)
    return together


def _from_sources() -> CollectorRegistry:
    """What the database knows; nothing while it does not answer."""
    registry = CollectorRegistry()
    try:
        found = [metric for path in settings.METRICS_SOURCES for metric in _source(path)()]
    except DatabaseError:
        return registry
    registry.register(_Ready(found))
    return registry


def _source(path: str) -> Source:
    source: Source = import_string(path)
    return source


class _Ready(Collector):
    """Metrics that were read already, so that a failing database leaves no half page."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found
