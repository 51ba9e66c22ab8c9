"""What the database knows of all schools together: runs, cells, calls, jobs, workers. Sums only."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.models import Count, QuerySet
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from grading.models import Run, RunState

BUCKETS = (1, 5, 15, 60, 300, 900, 3600)
SILENT_SECONDS = 60


def collect() -> Iterable[Metric]:
    """Read now. Counts fall when runs are forgotten; Prometheus takes that for a restart."""
    yield _runs()
    yield _cells()
    yield _durations()
    yield from _jobs()


def _runs() -> Metric:
    family = CounterMetricFamily("gradebook_runs", "Finished runs by outcome.", labels=["outcome"])
    for outcome, count in _finished().values_list("outcome").annotate(count=Count("pk")).order_by("outcome"):
        family.add_metric([outcome or "none"], count)
    return family


def _cells() -> Metric:
    family = CounterMetricFamily(
        "gradebook_cells", "Cells of finished runs by decision.", labels=["decision"]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, sum(value::numeric) FROM grading_run, jsonb_each_text(counts)"
            " WHERE state = 'finished' AND NOT dry_run GROUP BY key ORDER BY key"
        )
        for decision, count in cursor.fetchall():
            family.add_metric([decision], count)
    return family


def _durations() -> Metric:
    """Counted by the database: there may be very many runs."""
    bounds = [*BUCKETS, None]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(seconds), 0), "
            + ", ".join("count(*) FILTER (WHERE %s::int IS NULL OR seconds <= %s::int)" for _ in bounds)
            + " FROM (SELECT extract(epoch FROM finished_at - started_at) AS seconds FROM grading_run"
            " WHERE state = 'finished' AND NOT dry_run AND finished_at IS NOT NULL) AS ended",
            [bound for bound in bounds for _ in range(2)],
        )
        total, *counts = cursor.fetchone() or (0, *[0] * len(bounds))
    names = [str(float(bound)) for bound in BUCKETS] + ["+Inf"]
    family = HistogramMetricFamily("gradebook_run_seconds", "From asking for a run to its end.")
    family.add_metric([], buckets=list(zip(names, counts, strict=True)), sum_value=float(total))
    return family


def _finished() -> QuerySet[Run]:
    return Run.objects.filter(state=RunState.FINISHED, dry_run=False)


def _jobs() -> Iterable[Metric]:
    waiting = GaugeMetricFamily("gradebook_jobs", "Background jobs by status.", labels=["status"])
    workers = GaugeMetricFamily("gradebook_workers", "Workers heard of within a minute.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status ORDER BY 1")
        for status, count in cursor.fetchall():
            waiting.add_metric([status], count)
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s)",
            [SILENT_SECONDS],
        )
        [alive] = cursor.fetchone() or (0,)
        workers.add_metric([], alive)
    return [waiting, workers]
