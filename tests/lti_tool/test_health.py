"""`/healthz` and `/readyz`, as a load balancer asks them."""

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings


def test_healthz_answers_without_a_database(client: Client) -> None:
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_readyz_is_ready_when_everything_is_migrated(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (200, b"ready\n")


@pytest.mark.django_db
def test_readyz_names_a_migration_that_is_not_applied(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'contenttypes' AND name LIKE '0002%%'",
        )
    response = client.get("/readyz")
    assert response.status_code == 503
    assert b"contenttypes.0002" in response.content


def test_a_load_balancer_asks_by_address_and_without_https(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz", headers={"Host": "10.0.0.7:8000"}).status_code == 200
    assert client.get("/elsewhere", headers={"Host": "10.0.0.7:8000"}).status_code in (301, 400)


def test_a_health_check_only_reads(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
