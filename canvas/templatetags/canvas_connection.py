"""`{% connection_of launch_session as connection %}`: how a person's connection to Canvas stands."""

from __future__ import annotations

from dataclasses import dataclass

from django import template

from canvas import accounts, oauth
from canvas.consent import redirect_uri
from lti_tool.models import LaunchSession

register = template.Library()


@dataclass(frozen=True, slots=True)
class Connection:
    """`state` is connected, none, lost, scopes or no_key."""

    state: str
    scopes: tuple[tuple[str, str], ...] = accounts.SCOPES
    missing: tuple[str, ...] = ()
    redirect_uri: str = ""


@register.simple_tag
def connection_of(session: LaunchSession | None) -> Connection:
    """For `canvas/_connection.html`, wherever it is included."""
    if session is None:
        return Connection("none")
    account, scopes = accounts.account_for(session), accounts.scopes_of(session.role)
    if account is None or account.lost_at is not None:
        if not oauth.has_api_key(session.registration):
            return Connection("no_key", redirect_uri=redirect_uri())
        return Connection("lost" if account else "none", scopes)
    missing = tuple(accounts.missing_scopes(account, session.role))
    return Connection("scopes" if missing else "connected", scopes, missing)
