"""The login's `state`: a signed text bound to a registration, a nonce and a browser. Nothing is stored for a
launch that may never come; only the nonce of a good launch is, so that it works once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.db import IntegrityError, transaction

from lti_tool.models import Registration, UsedNonce
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


def consume_nonce(registration: Registration, nonce: str, now: datetime) -> None:
    """Use the nonce up; of several at once exactly one succeeds. Raises LaunchRefused.

    A transaction around it ends with the refusal: a savepoint of its own would be two more questions a launch.
    """
    try:
        with transaction.atomic(savepoint=False):
            UsedNonce.objects.create(registration=registration, nonce_hash=hash_of(nonce), used_at=now)
    except IntegrityError:
        raise LaunchRefused("NONCE-USED") from None
