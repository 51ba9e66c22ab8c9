"""Sealing: everything secret or about a student that must rest in the database is encrypted here.

Fernet has no associated data, so each sealed text carries its `purpose` inside and is refused when opened
for another one: a token moved into a journal's column by mistake or malice does not open.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

FINGERPRINT_PURPOSE = "fingerprint key"
API_SECRET_PURPOSE = "registration.api_client_secret"
"""Purposes of what one module seals and others open."""


class CannotUnseal(Exception):
    """None of ENCRYPTION_KEYS opens this text, or it was sealed for something else."""


def _fernet() -> MultiFernet:
    return _fernet_of(tuple(settings.ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def _fernet_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(value: Any, *, purpose: str) -> str:
    """Encrypt a JSON-able value with the first key of ENCRYPTION_KEYS."""
    text = json.dumps([purpose, value], separators=(",", ":"))
    return _fernet().encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> Any:
    """Open what `seal` made for the same purpose, with any key; `CannotUnseal` otherwise."""
    try:
        found, value = json.loads(_fernet().decrypt(sealed.encode()))
    except (InvalidToken, ValueError) as error:
        raise CannotUnseal(purpose) from error
    if found != purpose:
        raise CannotUnseal(purpose)
    return value
