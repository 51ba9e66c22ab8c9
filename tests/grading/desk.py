"""A teacher at the grading pages: a course at a running sandbox Canvas, its outcomes aligned, jobs run on demand."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from django.test import Client
from procrastinate.contrib.django import app

from alignments.core import jsonfile
from alignments.services import import_alignments, stored
from grading.core.plan import PlannedCell
from grading.models import Run
from grading.openings import open_preview
from tests.alignments.classroom import Classroom, classroom


@dataclass
class Desk:
    """Short ways through the pages. `room` is the course and the person in it."""

    room: Classroom

    @property
    def run(self) -> Run:
        """The newest run."""
        return Run.objects.select_related("context__registration").get(
            context=self.room.opened.context, number=Run.objects.count()
        )

    @property
    def address(self) -> str:
        return f"/course/runs/{self.run.number}/"

    def align(self, *numbers: int) -> None:
        """Outcomes into the columns whose names they bear."""
        world = self.room.world
        columns = {one.name: one.id for one in world.assignments.values() if not one.deleted}
        chosen = [
            one
            for one in world.outcomes.values()
            if one.title in columns and (one.id in numbers or not numbers)
        ]
        entries = [
            {
                "outcomes": [{"id": one.id}],
                "rule": {"kind": "cutoff"},
                "target": {"assignment": columns[one.title]},
            }
            for one in chosen
        ]
        definitions = [jsonfile.parse_definition(one) for one in entries]
        import_alignments(self.room.opened.context, definitions, replace=True)

    def preview(self, *numbers: int) -> str:
        """Align, press Preview changes, let the worker work; the page."""
        self.align(*numbers)
        assert self.room.post("/course/preview/start/").status_code == 302
        work()
        return self.page()

    def page(self, **query: str) -> str:
        return plain(self.room.text(self.address, **query))

    def cells(self) -> tuple[PlannedCell, ...]:
        """The open preview with the choices made so far."""
        return open_preview(self.run).plan.cells

    def form(self, **more: Any) -> dict[str, Any]:
        """What the preview's form sends besides what is ticked: everything it shows."""
        page = self.room.text(self.address)
        shown = {
            name: re.findall(rf'name="{name}" value="([^"]+)"', page) for name in ("shown", "shown_student")
        }
        columns = re.findall(r'name="shown_column" value="([^"]+)"', page)
        [digest] = re.findall(r'name="digest" value="([^"]+)"', page)
        return {**shown, "shown_column": columns, "digest": digest, **more}

    def post(self, step: str, data: dict[str, Any] | None = None) -> Any:
        return self.room.post(f"{self.address}{step}/", data)

    def send(self, **more: Any) -> str:
        """Send what the preview shows, let the worker work; the report."""
        assert self.post("send", self.form(**more)).status_code == 302
        work()
        return self.page()

    def ref(self, outcome: str, student: int) -> str:
        """How the form names a cell."""
        [alignment] = [one.id for one in stored(self.room.opened.context) if one.name.startswith(outcome)]
        return f"{alignment}.{self.place(student)}"

    def place(self, student: int) -> int:
        return open_preview(self.run).order.index(str(student)) + 1


@contextmanager
def desk(client: Client, scenario: str = "small", **given: Any) -> Iterator[Desk]:
    with classroom(client, scenario=scenario, **given) as room:
        yield Desk(room)


def work() -> None:
    """What a worker would do now, in this process. Nothing that is due by the clock: at a quarter to four it would ask
    every Canvas for notices as well."""
    with (
        app.replace_connector(app.connector.get_worker_connector()) as worker,  # type: ignore[attr-defined]  # Django's connector has it
        mock.patch.object(worker.periodic_registry, "periodic_tasks", {}),
    ):
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False, queues=["grades"])


def plain(page: str) -> str:
    """A page's text as it is read: no tags, single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
