"""What a refused login or launch has to look like: its status, its code, and nothing written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps

from lti_tool.models import UsedNonce


def row_counts() -> dict[str, int]:
    """How many rows each table holds, procrastinate's and all others of ours."""
    return {
        model._meta.db_table: model._base_manager.count()
        for model in apps.get_models()
        if model._meta.managed
    }


@contextmanager
def nothing_written() -> Iterator[None]:
    """No table grows or shrinks; a good signature may use up a nonce, a bad one may not."""
    before = row_counts()
    yield
    assert row_counts() == before
    assert UsedNonce.objects.count() == before[UsedNonce._meta.db_table]


def assert_refused(response: Any, status: int, code: str) -> None:
    """A whole page with plain words, the code and a reference, kept by nobody, starting no session."""
    page = response.content.decode()
    assert (response.status_code, f"Code {code} " in page) == (status, True), page
    assert "reference" in page
    assert "<h1>" in page
    assert response["Cache-Control"] == "no-store"
    assert "Content-Security-Policy" in response
    assert not [name for name in response.cookies if "session" in name]
    assert ("WWW-Authenticate" in response) == (status == 401)
