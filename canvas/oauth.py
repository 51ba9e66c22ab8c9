"""OAuth2 tokens of connected Canvas accounts: code → tokens → refresh → revoked, all sealed at rest.

canvas-lms: app/controllers/oauth2_provider_controller.rb, lib/canvas/oauth/. `replace_tokens` is never sent:
it would kill the same person's token of another installation of this key.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from canvas.models import CanvasAccount
from canvas.shapes import Fields
from canvas.throttle import pace_of
from lti_tool import answers
from lti_tool.answers import Reply
from lti_tool.errors import AccessLost, MaybeSent, PlatformError, Refused
from lti_tool.http import Http, Policy, rest_hosts, shared_http
from lti_tool.models import Registration
from lti_tool.sealing import API_SECRET_PURPOSE, CannotUnseal, seal, unseal

log = logging.getLogger(__name__)

ACCESS_PURPOSE = "canvas_account.access_token"
REFRESH_PURPOSE = "canvas_account.refresh_token"
MARGIN = timedelta(seconds=60)
"""A token this close to its end is renewed first: the call it is for may take a while."""
TOKEN_SECONDS = 20.0
DOES_NOT_OPEN = (
    "The stored token cannot be opened with the present ENCRYPTION_KEYS. Connect the account again."
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What Canvas gave for a code or a refresh token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime | None
    user_ids: frozenset[str] = frozenset()
    """The user's id and global id, as text; empty where the answer names no user."""
    user_id: str = ""


def access_purpose(registration_id: int, user_id: str) -> str:
    """A token is sealed for one person at one school: moved to another row it does not open."""
    return f"{ACCESS_PURPOSE} {registration_id} {user_id}"


def refresh_purpose(registration_id: int, user_id: str) -> str:
    return f"{REFRESH_PURPOSE} {registration_id} {user_id}"


def has_api_key(registration: Registration) -> bool:
    """Whether an administrator has given this registration a Canvas API key."""
    return bool(registration.api_client_id and registration.sealed_api_client_secret)


def secret_opens(registration: Registration) -> bool:
    """Whether the API key's secret can be opened with the present ENCRYPTION_KEYS."""
    try:
        unseal(registration.sealed_api_client_secret, purpose=API_SECRET_PURPOSE)
    except CannotUnseal:
        return False
    return True


def exchange_code(
    registration: Registration, code: str, redirect_uri: str, now: datetime, http: Http
) -> Grant:
    """Trade a consent's code, once. Raises PlatformError."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    return _token_call(registration, form, now, http)


def store_grant(
    registration: Registration, grant: Grant, user_id: str, scopes: list[str], now: datetime
) -> CanvasAccount:
    """Connect `user_id`, or connect them again. An answer without a refresh token leaves the old one."""
    values: dict[str, Any] = {
        "sealed_access_token": seal(grant.access_token, purpose=access_purpose(registration.pk, user_id)),
        "expires_at": grant.expires_at,
        "scopes": scopes,
        "connected_at": now,
        "lost_at": None,
        "lost_code": "",
    }
    if grant.refresh_token:
        purpose = refresh_purpose(registration.pk, user_id)
        values["sealed_refresh_token"] = seal(grant.refresh_token, purpose=purpose)
    account, _ = CanvasAccount.objects.update_or_create(
        registration=registration, canvas_user_id=user_id, defaults=values
    )
    return account


def access_token(account: CanvasAccount, now: datetime, http: Http | None = None) -> str:
    """A token that works now, renewed if it is about to end. Raises AccessLost where a person must act."""
    row = CanvasAccount.objects.select_related("registration").filter(pk=account.pk).first()
    if row is None:
        raise _disconnected()
    check_switched_on(row.registration)
    token = _open_token(row)
    if row.expires_at is None or now < row.expires_at - MARGIN:
        return token
    return renewed_token(account, token, now, http)


def check_switched_on(registration: Registration) -> None:
    """A registration that was switched off launches nothing, and jobs and commands ask nothing of its Canvas
    either. `registration` as the database has it now. Raises AccessLost."""
    if not registration.is_active:
        detail = "The tool's operator has switched this registration off."
        raise AccessLost(detail, who="operator", code="registration_off")


def renewed_token(account: CanvasAccount, old: str, now: datetime, http: Http | None = None) -> str:
    """A token other than `old`: the one another worker fetched meanwhile, or a fresh one.

    A refresh kills the previous access token at once, so two refreshes at a time would leave one worker with a
    dead token. The row lock is held over the one HTTP call that must not happen twice, at most
    `TOKEN_SECONDS` long, and over nothing else; whoever waited for it re-reads the row.
    """
    lost: AccessLost | None = None
    with transaction.atomic():
        row = CanvasAccount.objects.select_for_update().filter(pk=account.pk).first()
        if row is None:
            raise _disconnected()
        current = _open_token(row)
        if current != old:
            return current
        try:
            grant = _refresh(row, now, http or shared_http())
        except AccessLost as error:
            # Raising here would undo the note that the account is lost.
            lost = error
            if error.code == "revoked":
                _note_lost(row, error.code, now)
        else:
            _keep(row, grant)
    if lost is not None:
        raise lost
    return grant.access_token


def _disconnected() -> AccessLost:
    """The person took the account away while it was used."""
    detail = "The Canvas account was disconnected here. Connect it again."
    return AccessLost(detail, who="teacher", code="revoked")


def mark_lost(account: CanvasAccount, token: str, code: str, now: datetime) -> None:
    """Remember that Canvas no longer accepts this account; pages then ask to connect it again. Not where the
    account has another token than the refused one by now: nobody loses a connection that was just renewed."""
    with transaction.atomic(), contextlib.suppress(AccessLost):
        row = CanvasAccount.objects.select_for_update().filter(pk=account.pk).first()
        if row is not None and _open_token(row) == token:
            _note_lost(row, code, now)


def disconnect(account: CanvasAccount, http: Http | None = None) -> None:
    """Revoke the token at Canvas where that is still possible, and forget it in any case."""
    try:
        revoke(account.registration, _open_token(account), http or shared_http())
    except PlatformError as error:
        log.warning("token not revoked code=%s account=%s", error.code, account.pk)
    account.delete()


def revoke(registration: Registration, token: str, http: Http) -> None:
    """Make Canvas forget one token. Raises PlatformError."""
    http.request(
        "DELETE",
        token_url(registration),
        allow_hosts=rest_hosts(registration),
        headers={"Authorization": f"Bearer {token}"},
        deadline=TOKEN_SECONDS,
        where="DELETE /login/oauth2/token",
    )


def token_url(registration: Registration) -> str:
    """Canvas's token endpoint for API keys: always on the school's own Canvas."""
    return f"{registration.canvas_url.rstrip('/')}/login/oauth2/token"


def authorize_url(registration: Registration) -> str:
    """Where a person is asked to consent."""
    return f"{registration.canvas_url.rstrip('/')}/login/oauth2/auth"


def _open_token(row: CanvasAccount) -> str:
    if row.lost_at is not None:
        detail = "The Canvas account is no longer connected. Connect it again."
        raise AccessLost(detail, who="teacher", code=row.lost_code or "revoked")
    try:
        token: str = unseal(row.sealed_access_token, purpose=_access_purpose(row))
    except CannotUnseal as error:
        raise AccessLost(DOES_NOT_OPEN, who="teacher", code="cannot_unseal") from error
    return token


def _access_purpose(row: CanvasAccount) -> str:
    return access_purpose(row.registration_id, row.canvas_user_id)


def _refresh_purpose(row: CanvasAccount) -> str:
    return refresh_purpose(row.registration_id, row.canvas_user_id)


def _refresh(row: CanvasAccount, now: datetime, http: Http) -> Grant:
    """Renew with the refresh token, which stays valid: asking again after a lost answer is safe."""
    if not row.sealed_refresh_token:
        detail = "The connection to Canvas has ended. Connect the account again."
        raise AccessLost(detail, who="teacher", code="revoked")
    try:
        refresh: str = unseal(row.sealed_refresh_token, purpose=_refresh_purpose(row))
    except CannotUnseal as error:
        # Not lost: with the old key among ENCRYPTION_KEYS again it opens.
        raise AccessLost(DOES_NOT_OPEN, who="teacher", code="cannot_unseal") from error
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    try:
        return _token_call(row.registration, form, now, http)
    except MaybeSent:
        return _token_call(row.registration, form, now, http)


def _keep(row: CanvasAccount, grant: Grant) -> None:
    """Store a refreshed token; Canvas usually sends no new refresh token, then the old one stays."""
    row.sealed_access_token = seal(grant.access_token, purpose=_access_purpose(row))
    row.expires_at = grant.expires_at
    if grant.refresh_token:
        row.sealed_refresh_token = seal(grant.refresh_token, purpose=_refresh_purpose(row))
    row.save(update_fields=["sealed_access_token", "expires_at", "sealed_refresh_token"])


def _note_lost(row: CanvasAccount, code: str, now: datetime) -> None:
    CanvasAccount.objects.filter(pk=row.pk).update(lost_at=now, lost_code=code)
    log.warning("canvas account lost code=%s account=%s", code, row.pk)


def _token_call(registration: Registration, form: dict[str, str], now: datetime, http: Http) -> Grant:
    if not has_api_key(registration):
        raise AccessLost("No Canvas API key is set up for this Canvas.", who="admin", code="no_api_key")
    try:
        secret: str = unseal(registration.sealed_api_client_secret, purpose=API_SECRET_PURPOSE)
    except CannotUnseal as error:
        detail = "The secret of the Canvas API key cannot be opened with the present ENCRYPTION_KEYS."
        raise AccessLost(detail, who="operator", code="cannot_unseal") from error
    pace = pace_of(f"token:{registration.pk}")
    reply = http.request(
        "POST",
        token_url(registration),
        allow_hosts=rest_hosts(registration),
        headers={"Accept": "application/json"},
        data={**form, "client_id": registration.api_client_id, "client_secret": secret},
        timeout=(5.0, 15.0),
        deadline=TOKEN_SECONDS,
        where="POST /login/oauth2/token",
        policy=Policy(pace=pace, refusal_of=token_refusal, attempts=2, patience=10.0),
    )
    return parse_grant(reply, now)


def parse_grant(reply: Reply, now: datetime) -> Grant:
    """A token answer. `expires_in` is missing for keys whose tokens do not expire."""
    body = Fields(reply.json(), "token answer")
    seconds = body.integer_or_none("expires_in")
    user = body.child_or_empty("user")
    user_id = user.ident_or_none("id") or ""
    ids = filter(None, (user_id, user.ident_or_none("global_id")))
    return Grant(
        access_token=body.text("access_token"),
        refresh_token=body.text("refresh_token", ""),
        expires_at=None if seconds is None else now + timedelta(seconds=seconds),
        user_ids=frozenset(ids),
        user_id=user_id,
    )


def token_refusal(reply: Reply) -> PlatformError | None:
    """The token endpoint's refusals: RFC 6749 5.2 and what Canvas makes of it (rest.md 8.1)."""
    general = answers.refusal_of(reply)
    if not isinstance(general, (AccessLost, Refused)):
        return general
    said = " ".join(answers.messages(reply)).lower()
    status, where = reply.status, reply.where
    if "refresh_token" in said or "invalid_grant" in said:
        detail = "The connection to Canvas was ended there. Connect the account again."
        return AccessLost(detail, who="teacher", code="revoked", status=status, where=where)
    if "invalid_client" in said or "unauthorized_client" in said or status == 401:
        detail = "Canvas does not accept the API key's id and secret, or the key is switched off."
        return AccessLost(detail, who="admin", code="api_key_refused", status=status, where=where)
    return Refused("Canvas gave no token.", code="no_token", status=status, where=where)
