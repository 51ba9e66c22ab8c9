"""Encryption keys replaced while the tool is at work: every sealed column is sealed anew with the first key.

Which columns those are needs no list: their names begin with `sealed` (tests/hardening/test_inventory.py holds
every table to that). A value is replaced only where it is still the one that was read, so that whoever writes at
the same moment wins; a run that is cut off is simply started again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db.models import Model

BATCH = 100


@dataclass
class Outcome:
    """How many values were sealed anew, and how many no key opens, by `table.column`."""

    resealed: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)

    @property
    def old_keys_may_go(self) -> bool:
        """Nothing is sealed with an older key: true of this moment, so of processes that were restarted before."""
        return not self.resealed and not self.unreadable


def sealed_columns() -> Iterator[tuple[type[Model], str]]:
    """Every column that holds sealed text."""
    for model in apps.get_models():
        for each in model._meta.concrete_fields:
            if each.name.startswith("sealed"):
                yield model, each.name


def reseal_all() -> Outcome:
    """Seal with the first key of ENCRYPTION_KEYS whatever another one sealed."""
    keys = [Fernet(key) for key in settings.ENCRYPTION_KEYS]
    outcome = Outcome()
    for model, name in sealed_columns():
        for batch in _batches(model):
            _reseal(model, name, batch, keys, outcome)
    return outcome


def _batches(model: type[Model]) -> Iterator[list[int]]:
    """The numbers of all rows, some at a time; rows that come meanwhile are sealed with the first key already."""
    last = 0
    while batch := list(
        model._base_manager.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        yield batch
        last = batch[-1]


def _reseal(model: type[Model], name: str, batch: list[int], keys: list[Fernet], outcome: Outcome) -> None:
    where = f"{model._meta.db_table}.{name}"
    rows = model._base_manager.filter(pk__in=batch).exclude(**{name: ""}).values_list("pk", name)
    for number, sealed in rows:
        if _opens(keys[0], sealed):
            continue
        try:
            fresh = MultiFernet(keys).rotate(sealed.encode()).decode()
        except InvalidToken:
            outcome.unreadable[where] += 1
            continue
        same = model._base_manager.filter(pk=number, **{name: sealed})
        outcome.resealed[where] += same.update(**{name: fresh})


def _opens(key: Fernet, sealed: str) -> bool:
    try:
        key.decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True
