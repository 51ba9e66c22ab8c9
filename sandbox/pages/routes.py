"""The blueprint that the modules of this package add their views to."""

from __future__ import annotations

import secrets

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

blueprint = Blueprint(
    "pages",
    __name__,
    static_folder="static",
    template_folder="templates",
    static_url_path="/_sandbox/static",
)


@blueprint.record_once
def _sign_messages(state: BlueprintSetupState) -> None:
    """The pages' one-time messages travel in Flask's signed cookie; its key is new with every start."""
    state.app.secret_key = state.app.secret_key or secrets.token_hex(16)
