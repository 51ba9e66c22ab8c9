"""The account's developer keys: switches, an API key, and the form that takes a tool's registration link."""

from __future__ import annotations

import secrets
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import abort, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.app import current_world
from sandbox.lti.registration import configuration_url, registration_token
from sandbox.pages.routes import blueprint
from sandbox.pages.shell import back_to, render
from sandbox.records import DeveloperKey, User
from sandbox.scopes import API_SCOPES
from sandbox.session import session_user
from sandbox.world import MAIN_ACCOUNT, World


@blueprint.get("/accounts/developer_keys")
def developer_keys() -> ResponseReturnValue:
    """The keys of the account."""
    world = current_world()
    if _admin(world) is None:
        return _denied()
    keys = sorted(world.keys.values(), key=lambda key: key.id)
    return render("developer_keys.html", "keys", keys=keys)


@blueprint.get("/accounts/developer_keys/register")
def register_tool() -> ResponseReturnValue:
    """Open the pasted address in a frame, with what Canvas adds to it (lti.md 8)."""
    world = current_world()
    admin = _admin(world)
    if admin is None:
        return _denied()
    pasted = urlsplit(request.args.get("url", "").strip())
    if pasted.scheme not in ("http", "https") or not pasted.netloc:
        return back_to("pages.developer_keys", "Paste the tool's whole registration address.")
    token = registration_token(world, admin, issued_at=time.time())
    added = [("openid_configuration", configuration_url(world, token)), ("registration_token", token)]
    query = urlencode(parse_qsl(pasted.query, keep_blank_values=True) + added)
    return render("register_tool.html", "keys", address=pasted._replace(query=query).geturl())


@blueprint.post("/accounts/developer_keys/api")
def add_api_key() -> ResponseReturnValue:
    """A new API key with every scope this Canvas knows, switched on."""
    world = current_world()
    if _admin(world) is None:
        return _denied()
    redirect_uri = request.form.get("redirect_uri", "").strip()
    if not redirect_uri:
        return back_to("pages.developer_keys", "Enter the redirect URI.")
    key = world.add_key(
        "api",
        str(10_000_000_000_000 + world.new_id()),
        name="API key",
        secret=secrets.token_urlsafe(32),
        redirect_uris=redirect_uri.split(),
        scopes=list(API_SCOPES),
    )
    return back_to("pages.developer_keys", f"The API key {key.client_id} is on.")


@blueprint.post("/accounts/developer_keys/<int:key_id>/switch")
def switch_key(key_id: int) -> ResponseReturnValue:
    """On or off; an LTI key that is switched on the first time is installed in the account."""
    world = current_world()
    if _admin(world) is None:
        return _denied()
    key = world.keys.get(key_id)
    if key is None:
        abort(404)
    key.enabled = not key.enabled
    if key.enabled and key.kind == "lti" and not _is_installed(world, key):
        world.install_tool(key, world.accounts[MAIN_ACCOUNT])
    return back_to("pages.developer_keys", f"{key.name} is {'on' if key.enabled else 'off'}.")


def _admin(world: World) -> User | None:
    user = session_user(world, request)
    return user if user is not None and user.account_admin else None


def _is_installed(world: World, key: DeveloperKey) -> bool:
    return any(tool.key_id == key.id and not tool.deleted for tool in world.tools.values())


def _denied() -> ResponseReturnValue:
    return render("denied.html", "denied", next=url_for("pages.developer_keys")), 403
