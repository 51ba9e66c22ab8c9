"""The gate every request passes: latency, faults, the throttle, the answer's headers and the call log."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterable
from email.utils import format_datetime
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from sandbox.errors import unexpected
from sandbox.plumbing import Call, Fault
from sandbox.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WORLD = "sandbox.world"
"""Where a request's environment holds the world it came to."""
TOKEN_FAULT = "sandbox.token_fault"
CUT = "sandbox.cut"
TOKEN_PATH = "/login/oauth2/token"


def bearer(request: Request) -> str | None:
    """The bearer token of a request, from the header or ``access_token``."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return request.args.get("access_token") or None


def client_identity(request: Request) -> str:
    """Whose bucket a request fills: LTI client, access token, user, or address."""
    token = bearer(request)
    if token is None:
        user = request.cookies.get("canvas_user")
        return f"user:{user}" if user else f"ip:{request.remote_addr}"
    parts = token.split(".")
    if len(parts) == 3:
        try:
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
            return f"lti:{claims['sub']}"
        except (ValueError, KeyError, TypeError):
            pass
    return f"token:{hashlib.sha256(token.encode()).hexdigest()[:12]}"


class Gate:
    """WSGI middleware around the pretend Canvas."""

    def __init__(self, world: World, app: WSGIApplication) -> None:
        self.world = world
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[WORLD] = self.world
        request = Request(environ)
        started = time.monotonic()
        fault = self.world.faults.take(request.method, request.path)
        response = self._answer(request, fault)
        self._log(request, environ, response, started, fault)
        return response(environ, start_response)

    def _answer(self, request: Request, fault: Fault | None) -> Response:
        metered = request.path.startswith("/api/") or request.path == TOKEN_PATH
        identity = client_identity(request)
        if not metered:
            return self._meet(request, fault)
        if (fault is not None and fault.kind == "throttled") or not self.world.throttle.enter(identity):
            return self._refuse()
        cost = time.thread_time()
        try:
            response = self._meet(request, fault)
        finally:
            cost = time.thread_time() - cost
            if request.path == TOKEN_PATH and request.method == "POST":
                cost += self.world.throttle.token_cost
            remaining = self.world.throttle.leave(identity, cost)
        if fault is None or fault.kind != "reply":
            response.headers["X-Request-Cost"] = repr(cost)
            response.headers["X-Rate-Limit-Remaining"] = self.world.throttle.show(remaining)
        return response

    def _refuse(self) -> Response:
        status, text = self.world.throttle.refusal()
        return Response(
            text,
            status,
            {"X-Rate-Limit-Remaining": "0.0"},
            content_type="text/plain; charset=utf-8",
        )

    def _meet(self, request: Request, fault: Fault | None) -> Response:
        """The answer, with this request's fault before or after the effect."""
        environ = request.environ
        kind = fault.kind if fault is not None else ""
        if self.world.latency:
            time.sleep(self.world.latency)
        if fault is not None and fault.seconds:
            time.sleep(fault.seconds)
        if kind in ("expired", "revoked"):
            environ[TOKEN_FAULT] = kind
        if kind == "drop_before":
            environ[CUT] = 0
            return Response(status=500)
        if fault is not None and kind == "reply":
            headers = {"Content-Type": "application/json", **fault.headers}
            return Response(fault.body, fault.status, headers)
        if fault is not None and kind == "error_before":
            return self._broken(fault)
        response = Response.from_app(self.app, environ)
        if fault is not None and kind == "error_after":
            return self._broken(fault)
        if fault is not None and kind in ("drop_after", "truncate"):
            environ[CUT] = 0 if kind == "drop_after" else fault.size
        return response

    def _broken(self, fault: Fault) -> Response:
        return Response(
            json.dumps(unexpected(1).body),
            fault.status,
            content_type="application/json; charset=utf-8",
        )

    def _log(
        self,
        request: Request,
        environ: WSGIEnvironment,
        response: Response,
        started: float,
        fault: Fault | None,
    ) -> None:
        response.headers["Date"] = format_datetime(self.world.now(), usegmt=True)
        cut = environ.get(CUT) == 0
        self.world.calls.add(
            Call(
                at=self.world.now(),
                method=request.method,
                path=request.path,
                query=request.query_string.decode("latin-1"),
                status=0 if cut else response.status_code,
                milliseconds=(time.monotonic() - started) * 1000,
                identity=client_identity(request),
                fault=fault.kind if fault is not None else "",
            )
        )
