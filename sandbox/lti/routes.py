"""The blueprint that the modules of this package add their views to."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint(
    "lti",
    __name__,
    static_folder="static",
    template_folder="templates",
    static_url_path="/_sandbox/lti-static",
)
