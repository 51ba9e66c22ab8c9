"""The service token of a registration: one per set of scopes, shared by all workers until it ends.

Each token request costs 200 units of a bucket of 600 (request_throttle.rb), so a token is kept, sealed, in the
database. canvas-lms: lib/canvas/oauth/grant_types/client_credentials.rb
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import jwt
from django.db import connection, transaction

from canvas.models import ServiceToken
from canvas.shapes import Fields
from canvas.throttle import pace_of
from lti_tool import answers, keys
from lti_tool.answers import Reply
from lti_tool.errors import AccessLost, MaybeSent, PlatformError, Refused
from lti_tool.http import Http, Policy, allowed_hosts
from lti_tool.models import Context, Registration, SigningKey
from lti_tool.sealing import CannotUnseal, seal, unseal

PURPOSE = "service_token.token"
MARGIN = timedelta(seconds=60)
ASSERTION_LIFE = timedelta(minutes=5)
BACKDATED = timedelta(seconds=5)
"""Canvas refuses an `iat` in its future; our clock may be a little ahead."""
TOKEN_SECONDS = 20.0
_LOCK = 0x41475354

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
WANTED = (f"{AGS}lineitem", f"{AGS}result.readonly", f"{AGS}score")


def ags_scopes(context: Context) -> tuple[str, ...]:
    """The scopes to ask for: ours among those the launch granted. Canvas grants all or none (T5)."""
    granted = tuple(scope for scope in WANTED if scope in context.ags_scopes)
    return granted or WANTED


def service_token(
    registration: Registration, scopes: tuple[str, ...], now: datetime, http: Http, *, refused: str = ""
) -> str:
    """A token that still lives for a minute and is not `refused`. Raises PlatformError.

    Workers that need one at the same time wait for the first (an advisory lock, held over that one call), then
    find its token.
    """
    scope_hash = hashlib.sha256(" ".join([registration.token_url, *scopes]).encode()).hexdigest()
    if token := _stored(registration, scope_hash, now, refused):
        return token
    # Made and committed before the lock: Canvas fetches our key set from another process while we wait.
    keys.signing_key()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, registration.pk % 2**31])
        if token := _stored(registration, scope_hash, now, refused):
            return token
        token, seconds = _request(registration, scopes, now, http)
        ServiceToken.objects.update_or_create(
            registration=registration,
            scope_hash=scope_hash,
            defaults={
                "sealed_token": seal(token, purpose=PURPOSE),
                "expires_at": now + timedelta(seconds=seconds),
            },
        )
    return token


def _stored(registration: Registration, scope_hash: str, now: datetime, refused: str) -> str:
    rows = ServiceToken.objects.filter(registration=registration, scope_hash=scope_hash)
    row = rows.filter(expires_at__gt=now + MARGIN).first()
    if row is None:
        return ""
    try:
        token: str = unseal(row.sealed_token, purpose=PURPOSE)
    except CannotUnseal:
        return ""
    return "" if token == refused else token


def assertion(registration: Registration, now: datetime, key: SigningKey) -> str:
    """The statement that we are this client, signed with `key`. RFC 7523; `aud` is the very address asked (lti.md 3).
    Raises AccessLost where the tool's own key does not open."""
    try:
        pem = keys.private_pem(key)
    except CannotUnseal as error:
        detail = "The tool's signing key cannot be opened with the present ENCRYPTION_KEYS."
        raise AccessLost(detail, who="operator", code="cannot_unseal") from error
    claims = {
        "iss": registration.client_id,
        "sub": registration.client_id,
        "aud": registration.token_url,
        "iat": int((now - BACKDATED).timestamp()),
        "exp": int((now + ASSERTION_LIFE).timestamp()),
        "jti": secrets.token_urlsafe(24),
    }
    return jwt.encode(claims, pem, algorithm="RS256", headers={"kid": key.kid})


def _request(
    registration: Registration, scopes: tuple[str, ...], now: datetime, http: Http
) -> tuple[str, int]:
    """Ask for a token; asking twice does no harm, so a lost answer is asked for once more. A platform that holds an
    older key set than ours may know the key before this one only (F27)."""
    newest, *before = keys.signing_keys()
    try:
        reply = _insist(registration, scopes, now, http, newest)
    except AccessLost as error:
        if error.code != ASSERTION_REFUSED or not before:
            raise
        reply = _insist(registration, scopes, now, http, before[0])
    body = Fields(reply.json(), "token answer")
    seconds = body.integer_or_none("expires_in")
    return body.text("access_token"), 3600 if seconds is None else seconds


def _insist(
    registration: Registration, scopes: tuple[str, ...], now: datetime, http: Http, key: SigningKey
) -> Reply:
    try:
        return _ask(registration, scopes, now, http, key)
    except MaybeSent:
        return _ask(registration, scopes, now, http, key)


def _ask(
    registration: Registration, scopes: tuple[str, ...], now: datetime, http: Http, key: SigningKey
) -> Reply:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(registration, now, key),
        "scope": " ".join(scopes),
    }
    return http.request(
        "POST",
        registration.token_url,
        allow_hosts=allowed_hosts(registration),
        headers={"Accept": "application/json"},
        data=form,
        timeout=(5.0, 15.0),
        deadline=TOKEN_SECONDS,
        where="POST token",
        policy=Policy(pace=pace_of(f"token:{registration.pk}"), refusal_of=token_refusal, patience=25.0),
    )


def token_refusal(reply: Reply) -> PlatformError | None:
    """Refusals of a client assertion (lti.md 3, T2 to T7)."""
    general = answers.refusal_of(reply)
    if not isinstance(general, (AccessLost, Refused)):
        return general
    said = " ".join(answers.messages(reply)).lower()
    code, who, detail = _ASSERTION_REFUSED
    for text, *row in _TOKEN_TABLE:
        if text in said:
            code, who, detail = row
            break
    return AccessLost(detail, who=who, code=code, status=reply.status, where=reply.where)


ASSERTION_REFUSED = "assertion_refused"
_ASSERTION_REFUSED = (ASSERTION_REFUSED, "operator", "Canvas does not accept this tool's signature.")
_TOKEN_TABLE = (
    ("invalid_scope", "scope_missing", "admin", "The LTI key lacks a grading scope this tool needs."),
    ("invalid_client", "key_off", "admin", "Canvas does not know the LTI key, or it is switched off."),
    ("jwk error", "jwks_unreachable", "operator", "Canvas could not fetch this tool's public keys."),
    ("'iat'", "clock_skew", "operator", "This server's clock and Canvas's differ too much."),
    ("has expired", "clock_skew", "operator", "This server's clock and Canvas's differ too much."),
)
