"""The tool's own RSA keys: the newest signs, every one not retired is published, private halves are sealed."""

from __future__ import annotations

import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from jwt.algorithms import RSAAlgorithm

from lti_tool.models import SigningKey
from lti_tool.sealing import seal, unseal

KEY_BITS = 2048
PURPOSE = "signing_key.private_pem"
_LOCK = 0x4C54494B
"""PostgreSQL advisory lock: one process makes the first key, the others find it."""


def signing_key() -> SigningKey:
    """The newest key; the very first one is made here."""
    newest = _published().first()
    if newest is not None:
        return newest
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        return _published().first() or new_key()


def signing_keys() -> list[SigningKey]:
    """The newest key, and those before it that are published still."""
    signing_key()
    return list(_published())


def new_key() -> SigningKey:
    """Make a key that signs from now on; older ones stay published."""
    private = rsa.generate_private_key(public_exponent=65_537, key_size=KEY_BITS)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    kid = secrets.token_hex(12)
    public: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(private.public_key()))
    jwk = {name: public[name] for name in ("kty", "n", "e")} | {"kid": kid, "alg": "RS256", "use": "sig"}
    return SigningKey.objects.create(kid=kid, sealed_private_pem=seal(pem, purpose=PURPOSE), public_jwk=jwk)


def retire_old_keys() -> int:
    """Stop publishing all keys but the newest; how many that were."""
    newest = signing_key()
    return _published().exclude(pk=newest.pk).update(retired_at=timezone.now())


def public_jwks() -> dict[str, list[dict[str, Any]]]:
    """The key set platforms verify our assertions with (RFC 7517)."""
    return {"keys": [key.public_jwk for key in signing_keys()]}


def private_pem(key: SigningKey) -> str:
    """The private half, for signing. Raises CannotUnseal."""
    pem: str = unseal(key.sealed_private_pem, purpose=PURPOSE)
    return pem


def _published() -> QuerySet[SigningKey]:
    return SigningKey.objects.filter(retired_at=None).order_by("-created_at", "-pk")
