"""At LOG_LEVEL=DEBUG as at INFO: no secret, token, name, score, body or address with a query in any line."""

from __future__ import annotations

import copy
import io
import logging
import logging.config
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings

from canvas.models import CanvasAccount
from canvas.oauth import access_purpose, refresh_purpose
from grading import services
from lti_tool.logs import logging_config
from lti_tool.sealing import unseal
from sandbox.scenarios.base import API_KEY_SECRET
from tests.hardening.addresses import METHODS, TABLE, address, routes
from tests.hardening.two_schools import MARK, Schools, two_schools, undone
from tests.people import initiation, launch, log_in


@contextmanager
def logged(level: str, form: str) -> Iterator[io.StringIO]:
    """The tool's own logging at this level, written to a text instead of standard error."""
    lines, config = io.StringIO(), copy.deepcopy(logging_config(level, form))
    config["handlers"]["stderr"] |= {"class": "logging.StreamHandler", "stream": lines}
    handlers = logging.root.handlers[:]
    logging.config.dictConfig(config)
    try:
        yield lines
    finally:
        logging.config.dictConfig(settings.LOGGING)
        logging.root.handlers[:] = handlers


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.django_db
def test_debug_lines_hold_nothing_to_hide(form: str) -> None:
    with logged("DEBUG", form) as lines, two_schools() as schools:
        everything(schools)
        secret = secrets_of(schools)
        text = lines.getvalue()
    assert "ended with status" in text or "verdict=OK" in text
    assert [name for name, value in secret.items() if value in text] == []
    assert MARK not in text
    assert "login_hint" not in text and "ticket=" not in text and "?" not in text.replace("??", "")


@pytest.mark.django_db
def test_without_the_quiet_loggers_names_would_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search finds what it looks for: Django's templates do write a whole page's values at DEBUG."""
    with logged("DEBUG", "text") as lines, two_schools() as schools:
        logging.getLogger("django.template").setLevel("DEBUG")
        schools.people["teacher"].ask("GET", "/course/alignments/new/")
        text = lines.getvalue()
    assert MARK in text


def everything(schools: Schools) -> None:
    """Every address as a teacher and as nobody, a sync, an undo, and launches that fail."""
    for name, taken in routes():
        for person in ("teacher", "without a session"):
            for method in METHODS[:3]:
                with undone(schools):
                    where = address(name, taken, schools.numbers())
                    schools.people[person].ask(method, f"{where}?q=login_hint", TABLE[name].data)
    client = schools.people["without a session"].client
    log_in(client, schools.platform)
    client.post("/lti/login", initiation(schools.platform, login_hint=""))
    launch(client, schools.platform, claims={"name": f"Ada {MARK}", "sub": None})
    waiting = services.open_run_of(schools.ours.context)
    assert waiting is not None
    services.discard(waiting)
    services.sync(schools.ours.context)
    services.undo(schools.ours.context, started_by="teacher 11")


def secrets_of(schools: Schools) -> dict[str, str]:
    found = {"api secret": API_KEY_SECRET, "session": schools.people["teacher"].token}
    for account in CanvasAccount.objects.all():
        whose = (account.registration_id, account.canvas_user_id)
        found[f"access {account.pk}"] = unseal(account.sealed_access_token, purpose=access_purpose(*whose))
        found[f"refresh {account.pk}"] = unseal(account.sealed_refresh_token, purpose=refresh_purpose(*whose))
    for user in schools.ours.world.users.values():
        found[f"user {user.id}"] = user.name
    return found
