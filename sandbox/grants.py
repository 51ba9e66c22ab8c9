"""The table of OAuth grants behind ``POST /login/oauth2/token``, shared by REST and LTI.

A grant is a function without arguments that reads ``flask.request`` and returns the answer. It runs
*without* the world's lock (a client_credentials grant fetches the tool's JWKS) and takes it itself.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

GRANTS: dict[str, Callable[[], Response]] = {}


def grant(name: str) -> Callable[[Callable[[], Response]], Callable[[], Response]]:
    """Register the function that answers a ``grant_type``."""

    def register(function: Callable[[], Response]) -> Callable[[], Response]:
        GRANTS[name] = function
        return function

    return register
