"""The OAuth2 addresses."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from sandbox.app import unlocked
from sandbox.grants import GRANTS

blueprint = Blueprint("oauth", __name__)


@blueprint.post("/login/oauth2/token")
@unlocked
def token() -> Response:
    """One address for every grant; an unknown one is refused."""
    answer = GRANTS.get(request.form.get("grant_type", ""))
    if answer is not None:
        return answer()
    response = jsonify(
        error="unsupported_grant_type",
        error_description="The grant_type you requested is not supported",
    )
    response.status_code = 400
    return response
