"""A platform's public keys: fetched, cached, fetched again once for a key id nobody has seen.

The cache lives in the process. A storm of made-up key ids costs at most one request a minute and registration.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from lti_tool.errors import PlatformError
from lti_tool.http import Policy, allowed_hosts, shared_http
from lti_tool.models import Registration
from lti_tool.refusals import LaunchRefused

FRESH_SECONDS = 3_600.0
LAST_GOOD_SECONDS = 86_400.0
"""How long known keys go on being trusted while the platform's key set cannot be had."""
REFETCH_SECONDS = 60.0
AGAIN_SECONDS = 5.0
"""How soon a platform is asked again that has never given its keys: launches meanwhile do not wait for it."""
ASK_TIMEOUT, ASK_SECONDS = (1.0, 2.0), 2.5
"""How long one question may take: to connect and between two pieces of the answer, and in all."""
MAX_BYTES = 262_144
SMALLEST_KEY_BITS = 2048
_ONCE = Policy(attempts=1)


@dataclass(slots=True)
class _KeySet:
    """Times are of the monotonic clock. `lock` is held while the platform is asked."""

    keys: dict[str, Any] = field(default_factory=dict)
    fetched_at: float = float("-inf")
    tried_at: float = float("-inf")
    asked_for_unknown_at: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_due(self, kid: str, now: float) -> bool:
        """Whether this launch should ask the platform."""
        if not self.has_been_had:
            return now - self.tried_at > AGAIN_SECONDS
        if now - self.fetched_at > FRESH_SECONDS:
            return now - self.tried_at > REFETCH_SECONDS
        return kid not in self.keys and now - self.asked_for_unknown_at > REFETCH_SECONDS

    def parsed(self, kid: str) -> RSAPublicKey:
        """Raises LaunchRefused for a key that proves nothing; a good one is read once."""
        entry = self.keys[kid]
        if not isinstance(entry, RSAPublicKey):
            entry = self.keys[kid] = _to_key(entry)
        return entry

    @property
    def has_been_had(self) -> bool:
        return self.fetched_at > float("-inf")


_sets: dict[tuple[int, str], _KeySet] = {}
_lock = threading.Lock()


def forget_keys() -> None:
    """Start again with an empty cache."""
    with _lock:
        _sets.clear()


def public_key(registration: Registration, kid: str) -> RSAPublicKey:
    """The platform's RSA key with this id. Raises LaunchRefused.

    While one launch asks the platform, launches with a known key go on and those with an unknown one wait for
    the answer: a class that comes together after a change of keys is let in together.
    """
    with _lock:
        known = _sets.setdefault((registration.pk, registration.jwks_url), _KeySet())
    must_wait = kid not in known.keys
    if (must_wait or known.is_due(kid, time.monotonic())) and known.lock.acquire(blocking=must_wait):
        try:
            _refresh_if_due(registration, known, kid)
        finally:
            known.lock.release()
    if kid in known.keys:
        return known.parsed(kid)
    raise LaunchRefused("KID-UNKNOWN" if known.has_been_had else "PLATFORM-KEYS")


def _refresh_if_due(registration: Registration, known: _KeySet, kid: str) -> None:
    """Fetch the key set; while the platform is away the last good keys stay."""
    now = time.monotonic()
    if not known.is_due(kid, now):
        return
    if known.has_been_had and kid not in known.keys:
        known.asked_for_unknown_at = now
    known.tried_at = now
    try:
        keys = _fetch(registration)
    except PlatformError as error:
        if now - known.fetched_at < LAST_GOOD_SECONDS:
            return
        known.keys, known.fetched_at = {}, float("-inf")
        raise LaunchRefused("PLATFORM-KEYS", hint=f"cause={error.code}") from error
    known.keys, known.fetched_at = keys, now


def _fetch(registration: Registration) -> dict[str, Any]:
    """The RSA signing keys by id. Raises PlatformError."""
    reply = shared_http().request(
        "GET",
        registration.jwks_url,
        allow_hosts=allowed_hosts(registration),
        headers={"Accept": "application/json"},
        timeout=ASK_TIMEOUT,
        deadline=ASK_SECONDS,
        max_bytes=MAX_BYTES,
        where="GET platform keys",
        policy=_ONCE,
    )
    body = reply.json()
    entries = body.get("keys") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        raise reply.incomplete("The platform's key set has no list of keys.")
    return {entry["kid"]: entry for entry in entries if _is_usable(entry)}


def _is_usable(entry: Any) -> bool:
    """An RSA key for RS256 signatures; `alg` and `use` may be left out."""
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("kid"), str)
        and entry.get("kty") == "RSA"
        and entry.get("alg") in (None, "RS256")
        and entry.get("use") in (None, "sig")
    )


def _to_key(entry: dict[str, Any]) -> RSAPublicKey:
    """The bare key: an object that carries its own algorithm has misled verifiers before (CVE-2026-48523)."""
    try:
        key = RSAAlgorithm.from_jwk({name: entry[name] for name in ("kty", "n", "e") if name in entry})
    except (jwt.InvalidKeyError, ValueError, TypeError):
        raise LaunchRefused("KEY-WEAK", hint="cause=unreadable") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY_BITS or key.public_numbers().e < 3:
        raise LaunchRefused("KEY-WEAK", hint="cause=too-small")
    return key
