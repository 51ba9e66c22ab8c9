"""`/healthz` and `/readyz`, as a load balancer asks them."""

import pytest
from django.db import connection
from django.test import Client


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
