"""Reading a compact JWS strictly: what is signed is parsed once, by one parser that refuses what is ambiguous."""

from __future__ import annotations

import binascii
import json
import re
from base64 import urlsafe_b64decode
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from lti_tool.refusals import LaunchRefused

LONGEST_TOKEN = 65_536
LONGEST_KID = 255
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")


def key_id(token: str) -> str:
    """The `kid` of a well-formed token that claims RS256; nothing is trusted yet. Raises LaunchRefused."""
    if len(token) > LONGEST_TOKEN or not _COMPACT.fullmatch(token):
        raise LaunchRefused("TOKEN-SHAPE")
    header = _json_object(_decoded(token.split(".", 1)[0]))
    if header.get("alg") != "RS256" or "crit" in header:
        raise LaunchRefused("ALGORITHM")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KID:
        raise LaunchRefused("KID")
    return kid


def verified_claims(token: str, key: RSAPublicKey) -> dict[str, Any]:
    """The claims of a token signed with this key by RS256, whatever its header says. Raises LaunchRefused.

    RFC 7518 3.3: RSASSA-PKCS1-v1_5 using SHA-256, over the two first parts as they are.
    """
    signed, _, signature = token.rpartition(".")
    try:
        key.verify(_decoded(signature), signed.encode("ascii"), PKCS1v15(), SHA256())
    except InvalidSignature:
        raise LaunchRefused("SIGNATURE") from None
    return _json_object(_decoded(signed.partition(".")[2]))


def unverified_claims(token: str) -> dict[str, Any]:
    """What a well-formed token says, to find whose signature it must have; nothing of it is true yet. Raises
    LaunchRefused."""
    return _json_object(_decoded(token.split(".")[1]))


def _decoded(segment: str) -> bytes:
    try:
        return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError):
        raise LaunchRefused("TOKEN-SHAPE") from None


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        # NaN, which JSON has not, stays: as a time it is refused as one (B48; docs/decisions/0040).
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        raise LaunchRefused("TOKEN-SHAPE") from None
    if not isinstance(value, dict):
        raise LaunchRefused("TOKEN-SHAPE")
    return value


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two parsers may differ about a repeated key: which `sub` would count?"""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
