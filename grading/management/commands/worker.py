"""`manage.py worker`: background jobs and schedules; any number of processes on any number of machines."""

from argparse import ArgumentParser
from typing import Any, cast

from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

POLL_SECONDS = 0.5
ALIVE_SECONDS = 5.0
"""How often a worker says that it lives: `grading.jobs.DEAD_AFTER_SECONDS` is several times that."""


class Command(BaseCommand):
    help = (
        "Runs background jobs and schedules until SIGTERM or SIGINT, which let the running jobs finish. "
        "Ends with status 0 when the database goes away: start it again whenever it ends."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--concurrency", type=int, default=4, help="Jobs at the same time (default 4).")

    def handle(self, *args: Any, **options: Any) -> None:
        """New jobs arrive by NOTIFY at once; retries and jobs behind a lock are found by the poll."""
        connector = cast(DjangoConnector, app.connector)
        with app.replace_connector(connector.get_worker_connector()):
            app.run_worker(
                concurrency=options["concurrency"],
                fetch_job_polling_interval=POLL_SECONDS,
                update_heartbeat_interval=ALIVE_SECONDS,
            )
