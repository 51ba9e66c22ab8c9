"""`GET /metrics`, as Prometheus asks: text it can read, sums only, one answer for all processes of a machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from grading import services
from scripts.processes import ROOT
from tests.hardening.two_schools import MARK, two_schools
from tests.people import launch_as, new_platform


def scrape(client: Client, **headers: str) -> dict[str, float]:
    """Every sample by its name and labels."""
    answer = client.get("/metrics", headers={"Host": "10.0.0.7:8000", **headers})
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {
        f"{one.name}{sorted(one.labels.items())}": one.value for family in families for one in family.samples
    }


@pytest.mark.django_db
def test_launches_are_counted_by_verdict(client: Client) -> None:
    name = "gradebook_verdicts_total[('verdict', '{}')]".format
    before = scrape(client)
    launch_as(client, "teacher")
    client.post("/lti/login", {"iss": "x"})
    after = scrape(client)
    assert after[name("OK")] == before.get(name("OK"), 0) + 1
    assert after[name("LOGIN-PARAM")] == before.get(name("LOGIN-PARAM"), 0) + 1


@pytest.mark.django_db
def test_runs_cells_calls_and_jobs_are_there_and_nobodys_name(client: Client) -> None:
    with two_schools() as schools:
        waiting = services.open_run_of(schools.ours.context)
        assert waiting is not None
        services.discard(waiting)
        services.sync(schools.ours.context)
        found = scrape(client)
        text = client.get("/metrics").content.decode()
        numbers = [user.name for user in schools.ours.world.users.values()]
    assert found["gradebook_runs_total[('outcome', 'done')]"] >= 3
    assert found["gradebook_cells_total[('decision', 'send')]"] >= 2
    assert found["gradebook_run_seconds_count[]"] >= 3
    assert any(name.startswith("gradebook_platform_calls_total") for name in found)
    assert "gradebook_workers[]" in found
    assert MARK not in text and not [one for one in numbers if one in text]
    assert schools.ours.context.registration.key not in text and "127.0.0.1" not in text


@pytest.mark.django_db
def test_routes_are_names_and_not_addresses(client: Client) -> None:
    client.get("/course/runs/4711/", headers={"Authorization": "Bearer x"})
    client.get("/somewhere/4711/else")
    # Labels only: a sum of seconds may contain any digits.
    labels = " ".join(scrape(client))
    assert "('route', 'grading:run')" in labels and "('route', 'none')" in labels and "4711" not in labels


@pytest.mark.django_db
def test_with_a_token_only_who_has_it(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "secret"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert scrape(client, Authorization="Bearer secret")


PROGRAM = """
import django; django.setup()
from lti_tool.metrics import VERDICTS
VERDICTS.labels("OK").inc(2)
"""


@pytest.mark.django_db
def test_one_process_answers_for_all_of_the_machine(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    environment = os.environ | {"METRICS_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, check=True)
    settings.METRICS_DIR = str(tmp_path)
    assert scrape(client)["gradebook_verdicts_total[('verdict', 'OK')]"] == 4


def test_a_platform_is_not_named(db: None, client: Client) -> None:
    platform = new_platform()
    assert platform.registration.key not in client.get("/metrics").content.decode()
