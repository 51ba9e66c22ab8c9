"""The Flask application of the pretend Canvas.

One application serves every world of a process; it knows the blueprints of ``sandbox.rest``, ``sandbox.lti``
and ``sandbox.pages``: each of these packages exports ``blueprint``. A view gets the world of its request with
``current_world()`` and runs under that world's lock; a view marked ``@unlocked`` does not (it may
talk to the network, and takes the lock itself for what it reads and writes).
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar, cast

from flask import Flask, Response, jsonify, request
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue

from sandbox.errors import ApiError, unexpected
from sandbox.gate import WORLD, Gate
from sandbox.world import World

PARTS = ("sandbox.oauth", "sandbox.rest", "sandbox.lti", "sandbox.pages")

View = TypeVar("View", bound=Callable[..., Any])


def unlocked(view: View) -> View:
    """Mark a view that must not hold the world's lock while it runs."""
    view.sandbox_unlocked = True  # type: ignore[attr-defined]  # read back by SandboxFlask
    return view


def current_world() -> World:
    """The world that this request came to."""
    return cast(World, request.environ[WORLD])


def iso(at: datetime | None) -> str | None:
    """A time as Canvas prints it: UTC, whole seconds, ``Z``."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class CanvasJson(DefaultJSONProvider):
    """JSON as Canvas writes it: keys in the order given, decimals as floats, times with ``Z``."""

    sort_keys = False
    ensure_ascii = False

    @staticmethod
    def default(value: Any) -> Any:
        if isinstance(value, Decimal):
            return float(value)
        if isinstance(value, datetime):
            return iso(value)
        return DefaultJSONProvider.default(value)


class SandboxFlask(Flask):
    """Flask whose views run one at a time under the world's lock, after the jobs that are due."""

    json_provider_class = CanvasJson

    def dispatch_request(self) -> ResponseReturnValue:
        world = current_world()
        endpoint = request.url_rule.endpoint if request.url_rule is not None else ""
        if getattr(self.view_functions.get(endpoint), "sandbox_unlocked", False):
            return super().dispatch_request()
        with world.lock:
            world.run_jobs()
            return super().dispatch_request()


def create_app(world: World) -> Gate:
    """The pretend Canvas of one world, as a WSGI application."""
    return Gate(world, _application().wsgi_app)


@lru_cache(maxsize=1)
def _application() -> Flask:
    """What answers at which address. It is made once in a process: that takes a tenth of a second."""
    app = SandboxFlask("sandbox")
    app.register_error_handler(ApiError, _api_error)
    app.register_error_handler(500, _unexpected)
    for name in PARTS:
        if importlib.util.find_spec(name) is None:
            continue
        blueprint = getattr(importlib.import_module(name), "blueprint", None)
        if blueprint is not None:
            app.register_blueprint(blueprint)
    return app


def _api_error(error: ApiError) -> Response:
    response = jsonify(error.body) if error.body is not None else Response(content_type="application/json")
    response.status_code = error.status
    response.headers.update(error.headers)
    return response


def _unexpected(error: Exception) -> Response:
    """A fault of the sandbox itself, answered as Canvas answers its own."""
    return _api_error(unexpected(current_world().new_id()))
