"""Encryption keys are replaced under load: no request fails, and no row stays on the old key."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from lti_tool import rotation
from lti_tool.keys import PURPOSE, new_key, private_pem
from lti_tool.models import SigningKey
from lti_tool.sealing import seal, unseal

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def keys(settings: Settings) -> Iterator[list[SigningKey]]:
    """Some sealed rows, made when there was only the old key."""
    settings.ENCRYPTION_KEYS = [OLD]
    yield [new_key() for _ in range(3)]


@pytest.mark.django_db
def test_every_value_moves_and_then_the_old_key_may_go(keys: list[SigningKey], settings: Settings) -> None:
    pem = private_pem(keys[0])
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert told() == {"resealed": {COLUMN: 3}, "unreadable": {}, "old_keys_may_go": False}
    assert told() == {"resealed": {}, "unreadable": {}, "old_keys_may_go": True}
    settings.ENCRYPTION_KEYS = [NEW]
    keys[0].refresh_from_db()
    assert private_pem(keys[0]) == pem


@pytest.mark.django_db
def test_a_run_that_was_cut_off_goes_on_where_it_was(
    keys: list[SigningKey], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    seen = iter([False, False])
    monkeypatch.setattr(rotation, "_opens", lambda key, sealed: next(seen))
    with pytest.raises((StopIteration, RuntimeError)):
        rotation.reseal_all()
    monkeypatch.undo()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert rotation.reseal_all().resealed[COLUMN] == 1


@pytest.mark.django_db
def test_what_no_key_opens_is_named_and_keeps_the_old_keys(
    keys: list[SigningKey], settings: Settings
) -> None:
    settings.ENCRYPTION_KEYS = [NEW]
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("rotate_encryption", stdout=out)
    assert f"{COLUMN} (3)" in out.getvalue() and "Remove no key" in out.getvalue()


@dataclass
class Traffic:
    """Work that goes on in threads until `stop`; what failed, and how often everything was read."""

    stop: threading.Event = field(default_factory=threading.Event)
    failures: list[Exception] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)

    def loop(self, work: Callable[[], None]) -> None:
        try:
            while not self.stop.is_set():
                work()
        except Exception as error:
            self.failures.append(error)
        finally:
            connection.close()

    def read(self) -> None:
        for key in SigningKey.objects.all():
            unseal(key.sealed_private_pem, purpose=PURPOSE)
        self.rounds.append(1)

    @contextmanager
    def flows(self, *works: Callable[[], None]) -> Iterator[None]:
        threads = [threading.Thread(target=self.loop, args=[work]) for work in (*works, self.read, self.read)]
        for thread in threads:
            thread.start()
        yield
        self.stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.django_db(transaction=True)
def test_traffic_on_both_keys_meanwhile(keys: list[SigningKey], settings: Settings) -> None:
    """A process that was not restarted yet goes on sealing with the old key; readers know both."""
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    traffic = Traffic()
    with traffic.flows(write_new, write_old):
        while len(traffic.rounds) < 50 and not traffic.failures:
            rotation.reseal_all()
    rotation.reseal_all()
    assert traffic.failures == [] and rotation.reseal_all().old_keys_may_go
    settings.ENCRYPTION_KEYS = [NEW]
    traffic.read()


def write_old() -> None:
    text = Fernet(OLD).encrypt(json.dumps([PURPOSE, "x"]).encode()).decode()
    SigningKey.objects.filter(pk=SigningKey.objects.order_by("pk")[:1].values("pk")).update(
        sealed_private_pem=text
    )


def write_new() -> None:
    SigningKey.objects.create(
        kid=Fernet.generate_key().decode(), sealed_private_pem=seal("x", purpose=PURPOSE), public_jwk={}
    )


COLUMN = "lti_tool_signingkey.sealed_private_pem"


def told() -> dict[str, object]:
    out = StringIO()
    call_command("rotate_encryption", "--json", stdout=out)
    found: dict[str, object] = json.loads(out.getvalue())
    return found
