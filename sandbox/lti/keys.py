"""The platform's signing keys: past, present and future, as Canvas publishes them (lti.md 1.2)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

JWKS_MAX_AGE = 864_000  # seconds, security_controller_spec


@dataclass(frozen=True, slots=True)
class PlatformKey:
    """One RSA key pair with its key id."""

    private: rsa.RSAPrivateKey = field(repr=False)
    kid: str

    def as_jwk(self) -> dict[str, str]:
        """The public half as a JWK: ``kid kty alg e n use`` and nothing else."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kid": self.kid,
            "kty": "RSA",
            "alg": "RS256",
            "e": _base64url(numbers.e),
            "n": _base64url(numbers.n),
            "use": "sig",
        }


@dataclass(slots=True)
class KeyRing:
    """Three keys; a token is always signed with the present one."""

    past: PlatformKey
    present: PlatformKey
    future: PlatformKey

    def sign(self, claims: dict[str, Any]) -> str:
        """The claims as a compact RS256 JWT with the present key's ``kid``."""
        return jwt.encode(
            claims,
            self.present.private,
            algorithm="RS256",
            headers={"kid": self.present.kid},
        )

    def as_jwks(self) -> dict[str, list[dict[str, str]]]:
        """The set that ``/api/lti/security/jwks`` serves."""
        return {"keys": [key.as_jwk() for key in (self.past, self.present, self.future)]}

    def rotate(self) -> None:
        """The future key becomes the present one and a new future key is made."""
        self.past, self.present, self.future = self.present, self.future, new_key()


def new_key() -> PlatformKey:
    """A fresh 2048-bit key whose ``kid`` comes from its modulus."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    digest = hashlib.sha256(str(private.public_key().public_numbers().n).encode()).hexdigest()
    return PlatformKey(private, digest[:16])


def new_key_ring() -> KeyRing:
    """A ring for one sandbox; the keys are made once per process, since making them is slow."""
    past, present, future = _process_keys()
    return KeyRing(past, present, future)


@lru_cache(maxsize=1)
def _process_keys() -> tuple[PlatformKey, PlatformKey, PlatformKey]:
    return new_key(), new_key(), new_key()


def _base64url(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
