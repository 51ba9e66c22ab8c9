"""The JWTs Canvas makes for itself (message hints, access tokens) and the one it gets from a tool.

Source: app/controllers/lti/ims/authentication_controller.rb, lib/canvas/oauth/client_credentials_provider.rb,
lib/canvas/security/jwt_validator.rb, lib/lti/ims/advantage_access_token.rb.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jwt

HINT_LIFETIME = 300  # seconds
ACCESS_TOKEN_LIFETIME = 3600  # seconds
ASSERTION_MAX_AGE = 300  # seconds
FUTURE_SKEW = 30  # seconds; the spec rejects +60 and accepts +5
REQUIRED_CLAIMS = ("sub", "aud", "exp", "iat", "jti", "iss")


class InvalidToken(Exception):
    """A JWT that Canvas refuses; the text is the one Canvas answers with."""


def make_hint(secret: str, *, issued_at: float, **contents: Any) -> str:
    """The opaque ``lti_message_hint``, valid for five minutes (epoch seconds)."""
    return _sign(secret, {**contents, "exp": int(issued_at) + HINT_LIFETIME})


def read_hint(secret: str, hint: str) -> dict[str, Any]:
    """The contents of a hint of ours; InvalidToken when it is not ours or too old (A1)."""
    try:
        contents: dict[str, Any] = jwt.decode(hint, secret, algorithms=["HS256"])
    except jwt.PyJWTError as problem:
        raise InvalidToken("Invalid lti_message_hint") from problem
    return contents


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A verified LTI Advantage access token: for which key, for what."""

    client_id: str
    scopes: frozenset[str]


def make_access_token(
    secret: str,
    *,
    client_id: str,
    scopes: Sequence[str],
    token_url: str,
    account_uuid: str,
    issued_at: float,
) -> str:
    """A token for one developer key; the tool must treat it as opaque (T1)."""
    claims = {
        "iss": token_url.removesuffix("/login/oauth2/token"),
        "sub": client_id,
        "aud": token_url,
        "iat": int(issued_at),
        "exp": int(issued_at) + ACCESS_TOKEN_LIFETIME,
        "jti": secrets.token_hex(16),
        "scopes": " ".join(scopes),
        "canvas.instructure.com": {"account_uuid": account_uuid},
    }
    return _sign(secret, claims)


def read_access_token(secret: str, token: str, *, audiences: Sequence[str], now: float) -> AccessToken:
    """Steps 2 to 4 of the order of checks (lti.md 0); InvalidToken with Canvas's message."""
    claims = _decoded_access_token(secret, token)
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires <= now:
        raise InvalidToken("Access token expired")
    problem = _first_claim_problem(claims, audiences, now)
    if problem:
        raise InvalidToken(f"Invalid access token field/s: {problem}")
    return AccessToken(str(claims["sub"]), frozenset(str(claims.get("scopes", "")).split()))


def _decoded_access_token(secret: str, token: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(token, secret, algorithms=["HS256"], options=_NO_CLAIM_CHECKS)
    except jwt.InvalidAlgorithmError as problem:
        raise InvalidToken("Access token signature algorithm not allowed") from problem
    except jwt.InvalidSignatureError as problem:
        raise InvalidToken("Access token invalid - signature likely incorrect") from problem
    except jwt.PyJWTError as problem:
        raise InvalidToken("Invalid access token format") from problem
    return claims


def _first_claim_problem(claims: dict[str, Any], audiences: Sequence[str], now: float) -> str:
    missing = missing_claims(claims)
    if missing:
        return missing
    if not audience_fits(claims["aud"], audiences):
        return "the 'aud' is invalid"
    if not isinstance(claims["iat"], int | float) or claims["iat"] > now + FUTURE_SKEW:
        return "the 'iat' must not be in the future"
    if claims["iat"] <= now - ACCESS_TOKEN_LIFETIME:
        return "the 'iat' must be less than 3600 seconds old"
    return ""


def assertion_problems(claims: dict[str, Any], *, token_url: str, now: float) -> list[str]:
    """Everything wrong with a client assertion's claims, in Canvas's words (T4). No replay check: nor has Canvas."""
    problems = [missing] if (missing := missing_claims(claims)) else []
    if "aud" in claims and not audience_fits(claims["aud"], [token_url]):
        problems.append("the 'aud' is invalid")
    expires, issued = claims.get("exp"), claims.get("iat")
    if "exp" in claims and not isinstance(expires, int | float):
        problems.append("the 'exp' must be a number")
    elif isinstance(expires, int | float) and expires <= now:
        problems.append("the JWT has expired")
    if isinstance(issued, int | float):
        if issued <= now - ASSERTION_MAX_AGE:
            problems.append(f"the 'iat' must be less than {ASSERTION_MAX_AGE} seconds old")
        if issued > now + FUTURE_SKEW:
            problems.append("the 'iat' must not be in the future")
    return problems


def missing_claims(claims: dict[str, Any]) -> str:
    """Canvas's sentence about absent claims, or nothing."""
    absent = [name for name in REQUIRED_CLAIMS if claims.get(name) in (None, "")]
    return f"the following assertions are missing: {','.join(absent)}" if absent else ""


def audience_fits(audience: Any, accepted: Sequence[str]) -> bool:
    """A string must be one of the accepted URLs, a list must contain one."""
    given = audience if isinstance(audience, list) else [audience]
    return any(url in given for url in accepted)


def _sign(secret: str, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, secret, algorithm="HS256")


_NO_CLAIM_CHECKS: Any = {
    "verify_exp": False,
    "verify_aud": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
