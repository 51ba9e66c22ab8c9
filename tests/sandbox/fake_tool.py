"""A small LTI tool for the sandbox's own tests: it publishes keys, answers logins, records launches."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

PRIVATE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KID = "tool-key-1"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def public_jwk(key: rsa.RSAPrivateKey, kid: str) -> dict[str, Any]:
    """The public half of a key as the tool publishes it."""
    jwk: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {"kty": "RSA", "n": jwk["n"], "e": jwk["e"], "kid": kid, "alg": "RS256", "use": "sig"}


class FakeTool:
    """Answers on ``127.0.0.1``: another site than the sandbox's ``localhost``."""

    def __init__(self) -> None:
        self.logins: list[dict[str, str]] = []
        self.launches: list[dict[str, str]] = []
        self.jwks_body = json.dumps({"keys": [public_jwk(PRIVATE_KEY, KID)]})
        self.launch_page = "<!doctype html><title>Tool</title><h1>The tool is open</h1>"
        self.canvas_url = ""
        self._server = make_server("127.0.0.1", 0, self._app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> FakeTool:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.server_close()

    def _app(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        views: dict[str, Callable[[Request], Response]] = {
            "/lti/jwks.json": lambda _: Response(self.jwks_body, content_type="application/json"),
            "/lti/login": self._login,
            "/lti/launch": self._launch,
        }
        view = views.get(request.path, lambda _: Response(status=404))
        return view(request)(environ, start_response)

    def _login(self, request: Request) -> Response:
        given = request.values.to_dict()
        self.logins.append(given)
        query = urlencode(authorize_parameters(given, self.url))
        return Response(
            status=302, headers={"Location": f"{self.canvas_url}/api/lti/authorize_redirect?{query}"}
        )

    def _launch(self, request: Request) -> Response:
        self.launches.append(request.form.to_dict())
        return Response(self.launch_page, content_type="text/html")


def authorize_parameters(login: dict[str, str], tool_url: str, **changes: str) -> dict[str, str]:
    """What a tool asks authorize for after a login initiation; an empty change leaves the parameter out."""
    parameters = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": login["client_id"],
        "redirect_uri": f"{tool_url}/lti/launch",
        "login_hint": login["login_hint"],
        "lti_message_hint": login["lti_message_hint"],
        "nonce": uuid.uuid4().hex,
        "state": uuid.uuid4().hex,
        **changes,
    }
    return {name: value for name, value in parameters.items() if value}


def assertion(
    client_id: str,
    token_url: str,
    *,
    key: Any = PRIVATE_KEY,
    kid: str | None = KID,
    algorithm: str = "RS256",
    **claims: Any,
) -> str:
    """A client assertion; a claim given as None is left out."""
    now = int(time.time())
    values = {
        "iss": client_id,
        "sub": client_id,
        "aud": token_url,
        "iat": now,
        "exp": now + 60,
        "jti": uuid.uuid4().hex,
        **claims,
    }
    given = {name: value for name, value in values.items() if value is not None}
    return jwt.encode(given, key, algorithm=algorithm, headers={"kid": kid} if kid else None)
