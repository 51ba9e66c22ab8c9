"""The login's `state`: a signed text bound to a registration, a nonce and a browser. Nothing is stored for a
launch that may never come; only the nonce of a good launch is, so that it works once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.core import signing
from django.db import connection
from django.db.models import Model
from psycopg import sql

from lti_tool.models import LaunchSession, Registration, UsedNonce
from lti_tool.refusals import LaunchRefused

SALT = "lti_tool.states"
STATE_SECONDS = 600
KEEP_NONCES = timedelta(days=1)
"""Longer than any state or token lives, so that no nonce is forgotten while it could come again. `forget_over`
and the daily job delete older ones."""


@dataclass(frozen=True, slots=True)
class LoginState:
    """What one login remembers of itself."""

    registration_id: int
    nonce: str
    browser_hash: str
    storage_target: str = ""
    """LTI platform storage frame the login was offered; "" where there was none."""


def new_secret() -> str:
    """256 random bits as text, for nonces, browsers, sessions and tickets."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What may be stored or shown of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def issue_state(registration: Registration, browser: str, storage_target: str) -> tuple[str, LoginState]:
    """A signed state for one login from the browser that holds the secret `browser`."""
    state = LoginState(registration.pk, new_secret(), hash_of(browser), storage_target)
    values = [state.registration_id, state.nonce, state.browser_hash, state.storage_target]
    return signing.dumps(values, salt=SALT), state


def read_state(text: str) -> LoginState:
    """The state this tool signed at most ten minutes ago. Raises LaunchRefused."""
    try:
        return LoginState(*signing.loads(text, salt=SALT, max_age=STATE_SECONDS))
    except signing.BadSignature:
        raise LaunchRefused("STATE") from None


def registration_in(text: str) -> int | None:
    """Which registration a state of ours names, however old it is: whose Canvas may show that it is too old."""
    try:
        return LoginState(*signing.loads(text, salt=SALT)).registration_id
    except signing.BadSignature:
        return None


def storage_key(state_text: str) -> str:
    """The name of this login's entry in platform storage, short because the platform counts characters."""
    return f"lti1p3_state_{hash_of(state_text)[:32]}"


def is_bound(state: LoginState, browser: str) -> bool:
    """Whether `browser` is the secret of the browser where the login began."""
    return bool(browser) and hmac.compare_digest(hash_of(browser), state.browser_hash)


def consume_nonce(
    registration: Registration, nonce: str, now: datetime, opens: LaunchSession | None = None
) -> None:
    """Use the nonce up; of several at once exactly one succeeds. Raises LaunchRefused.

    `opens` is saved by the same statement: both or neither, without a transaction around them that would hold
    its locks on the registration for several round trips, each a wait for the rest of the class. The commit waits
    for the disk (synchronous_commit stays on): a nonce that a crash forgot could be used again.
    """
    given = _values(UsedNonce(registration=registration, nonce_hash=hash_of(nonce), used_at=now))
    if opens is not None:
        given += _values(opens)
    with connection.cursor() as cursor:
        cursor.execute(_use_up(opens is not None), given)
        added = cursor.fetchone()
    if added is None:
        raise LaunchRefused("NONCE-USED")
    if opens is not None:
        opens.pk, opens._state.adding, opens._state.db = added[0], False, connection.alias


@cache
def _use_up(opens_session: bool) -> str:
    """The statement, put together once in a process."""
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING RETURNING id").format(
        *_columns(UsedNonce)
    )
    if opens_session:
        statement = sql.SQL("WITH used AS ({}) INSERT INTO {} ({}) SELECT {} FROM used RETURNING id").format(
            statement, *_columns(LaunchSession)
        )
    return statement.as_string(None)


def _columns(model: type[Model]) -> tuple[sql.Composable, sql.Composable, sql.Composable]:
    """Table, columns and placeholders of a row that has no id yet."""
    columns = [sql.Identifier(str(each.column)) for each in _fields(model)]
    comma = sql.SQL(", ")
    marks = comma.join([sql.Placeholder() for _ in columns])
    return sql.Identifier(model._meta.db_table), comma.join(columns), marks


def _values(new: Model) -> list[Any]:
    return [each.get_db_prep_save(each.pre_save(new, True), connection) for each in _fields(type(new))]


def _fields(model: type[Model]) -> list[Any]:
    return [each for each in model._meta.concrete_fields if not each.primary_key]
