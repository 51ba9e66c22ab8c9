"""The two sides of a launch for the benchmark: a platform that signs, and browsers that log in and launch."""

import json
import secrets
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from scripts.processes import Problem

CLIENT, DEPLOYMENT, ISSUER = "10000000000042", "265:37750cbd9e8f2a", "https://canvas.instructure.com"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
AT_ONCE = 8
"""Browsers at the same time."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Platform:
    """A Canvas as far as launches go: it signs id_tokens and serves its key set."""

    url: str = ""
    kid: str = "bench"
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    )

    def serve(self) -> "ThreadingHTTPServer":
        public = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        body = json.dumps({"keys": [dict(public) | {"kid": self.kid, "alg": "RS256", "use": "sig"}]}).encode()

        class KeySet(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), KeySet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        return server

    def token(self, nonce: str, target: str) -> str:
        """A student's launch, as Canvas says it."""
        now = int(time.time())
        claims = {
            "iss": ISSUER, "aud": CLIENT, "azp": CLIENT, "iat": now, "exp": now + 3600, "nonce": nonce,
            "sub": str(uuid.uuid4()), "locale": "en", "errors": {"errors": {}},
            f"{CLAIM}message_type": "LtiResourceLinkRequest", f"{CLAIM}version": "1.3.0",
            f"{CLAIM}deployment_id": DEPLOYMENT, f"{CLAIM}target_link_uri": target,
            f"{CLAIM}roles": [
                "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student",
                "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner",
            ],
            f"{CLAIM}resource_link": {"id": "c77", "title": "Algebra", "validation_context": None},
            f"{CLAIM}context": {"id": "c77", "label": "ALG1", "title": "Algebra 1"},
            f"{CLAIM}custom": {"canvas_course_id": "77", "canvas_user_id": "7"},
            f"{CLAIM}launch_presentation": {"document_target": "iframe", "return_url": f"{self.url}/courses/77"},
            "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {
                "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"],
                "lineitems": f"{self.url}/api/lti/courses/77/line_items",
            },
        }  # fmt: skip
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.kid})


@dataclass(frozen=True)
class Target:
    """One tool to launch: where its login and launch are."""

    name: str
    port: int
    login: str
    launch: str

    @property
    def launch_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.launch}"

    def processes(self) -> list[str]:
        """The ids of its web server's processes."""
        listed = subprocess.run(["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True).stdout
        return [line.split()[0] for line in listed.splitlines() if f"127.0.0.1:{self.port}" in line]


@dataclass
class Begun:
    """One browser between login and launch; what it gets is the form it will post."""

    cookies: dict[str, str]
    state: str
    nonce: str
    body: str = ""


class Browsers:
    """A few keep-alive connections, one for each thread that plays browsers."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._own = threading.local()

    def post(
        self, path: str, body: str, cookies: dict[str, str]
    ) -> tuple[int, dict[str, str], dict[str, str], bytes]:
        """Status, headers, the cookies set, the body."""
        wire: HTTPConnection | None = getattr(self._own, "wire", None)
        if wire is None:
            wire = self._own.wire = HTTPConnection("127.0.0.1", self.target.port, timeout=30)
        sent = FORM | ({"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())} if cookies else {})
        wire.request("POST", path, body, sent)
        answer = wire.getresponse()
        read = answer.read()
        headers = answer.getheaders()
        set_now = (value.split(";", 1)[0].partition("=") for name, value in headers if name == "Set-Cookie")
        return answer.status, dict(headers), {name: value for name, _, value in set_now}, read


def log_in(browsers: Browsers, platform: Platform) -> Begun:
    asked = {
        "iss": ISSUER, "client_id": CLIENT, "login_hint": secrets.token_hex(20), "lti_message_hint": "hint",
        "target_link_uri": browsers.target.launch_url, "deployment_id": DEPLOYMENT,
    }  # fmt: skip
    status, headers, cookies, _ = browsers.post(browsers.target.login, urlencode(asked), {})
    if status != 302:
        raise Problem(f"{browsers.target.name} answered a login with {status}.")
    sent = dict(parse_qsl(urlsplit(headers["Location"]).query))
    return Begun(cookies, sent["state"], sent["nonce"])


def launch(browsers: Browsers, begun: Begun) -> None:
    status, _, _, page = browsers.post(browsers.target.launch, begun.body, begun.cookies)
    if status != 200:
        raise Problem(f"{browsers.target.name} answered a launch with {status}: {page[:300]!r}")
