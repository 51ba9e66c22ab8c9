"""Pages for what is missing and for a fault, and the line a launch leaves in the log."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from lti_tool import lti_urls
from lti_tool import urls as project_urls
from tests.people import launch_as, new_platform


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a fault of ours")


def away(request: HttpRequest) -> HttpResponse:
    raise OperationalError("the database is away")


handler500 = "lti_tool.pages.broken"
urlpatterns = [path("broken", broken), path("away", away), path("", include(lti_urls))]


@pytest.mark.django_db
def test_a_missing_page_says_what_to_do(client: Client) -> None:
    response = client.get("/no-such-page", **launch_as(client, "student").headers)
    assert response.status_code == 404
    assert "it belongs to another course. Nothing was changed" in response.content.decode()
    assert response["Cache-Control"] == "no-store"


@pytest.mark.urls(__name__)
def test_a_fault_shows_a_calm_page_its_reference_and_no_detail(caplog: Any) -> None:
    assert project_urls.handler500 == handler500
    response = Client(raise_request_exception=False).get("/broken")
    assert response.status_code == 500
    assert "This page broke on our side" in response.content.decode()
    (reference,) = re.findall(r"Reference ([0-9a-f]{8})<", response.content.decode())
    (line,) = [one.getMessage() for one in caplog.records if one.name == "lti_tool.pages"]
    assert line.startswith(f"broken reference={reference} status=500")
    assert "a fault of ours" not in response.content.decode()
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


@pytest.mark.urls(__name__)
def test_without_its_database_the_tool_is_away_for_a_moment() -> None:
    response = Client(raise_request_exception=False).get("/away")
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert "This page broke on our side" in response.content.decode()
    assert "the database is away" not in response.content.decode()


@pytest.mark.django_db
def test_a_good_launch_leaves_one_line_without_the_person(client: Client, caplog: Any) -> None:
    platform = new_platform()
    with caplog.at_level(logging.INFO, logger="lti_tool"):
        launch_as(client, "student", platform, user="u987654321", claims={"name": "Zyxwv Canary"})
    (line,) = [record.getMessage() for record in caplog.records if "verdict" in record.getMessage()]
    assert "verdict=OK" in line and f"registration={platform.registration.key}" in line
    assert "987654321" not in caplog.text
    assert "Canary" not in caplog.text
