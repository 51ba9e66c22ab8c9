"""People who launch the tool, for every package's tests.

    from tests.people import launch_as, new_platform, opened

    def test_something(client):                       # pytest.mark.django_db
        teacher = launch_as(client, role="teacher")   # registers a platform, goes through login and launch
        response = client.get("/course/", **teacher.headers)
        response = client.post("/course/x/", {"session_token": teacher.token})

`launch_as` returns an `Opened`: `token`, `headers` (for Django's test client), `session`, `context`, `response`
(the launch's answer) and `platform`. Pass `platform=` to launch a second person or course at the same school,
`context="other"` for another course, `user=` for another person, `claims={...}` to replace claims
(a value `GONE` removes one). Role names: teacher, ta, student, observer, designer, admin, test_student, nobody.

The platform is real: its RSA key signs every id_token and its key set is served over HTTP on a free port.
"""

from __future__ import annotations

import atexit
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from jwt.algorithms import RSAAlgorithm

from lti_tool import claims as c
from lti_tool.models import Context, LaunchSession, Registration
from lti_tool.registering import Platform, register
from lti_tool.states import hash_of

TOOL = "http://127.0.0.1:8000"
LAUNCH = f"{TOOL}/lti/launch"
FORM = "application/x-www-form-urlencoded"
AUTHORIZE = "/api/lti/authorize_redirect"
GONE: Any = object()
"""As a claim's value: leave the claim out."""

MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
PERSON = "http://purl.imsglobal.org/vocab/lis/v2/institution/person"
USER = "http://purl.imsglobal.org/vocab/lis/v2/system/person#User"
ROLES = {
    "teacher": [f"{PERSON}#Instructor", f"{MEMBERSHIP}#Instructor", USER],
    "ta": [f"{MEMBERSHIP}/Instructor#TeachingAssistant", f"{MEMBERSHIP}#Instructor", USER],
    "student": [f"{PERSON}#Student", f"{MEMBERSHIP}#Learner", USER],
    "observer": [f"{PERSON}#Observer", f"{MEMBERSHIP}#Mentor", USER],
    "designer": [f"{MEMBERSHIP}#ContentDeveloper", USER],
    "admin": [f"{PERSON}#Administrator", USER],
    "test_student": [f"{MEMBERSHIP}#Learner", "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"],
    "nobody": [USER],
}


@dataclass
class PlatformKey:
    """One RSA key of a platform."""

    private: rsa.RSAPrivateKey
    kid: str

    def jwk(self, **changes: Any) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        entry = {
            "kty": "RSA",
            "n": public["n"],
            "e": public["e"],
            "kid": self.kid,
            "alg": "RS256",
            "use": "sig",
        }
        return {name: value for name, value in (entry | changes).items() if value is not GONE}


@dataclass
class TestPlatform:
    """A Canvas as far as launches go: keys, a key set served over HTTP, a registration here."""

    __test__ = False
    url: str
    keys: list[PlatformKey]
    issuer: str = "https://canvas.instructure.com"
    client_id: str = "10000000000042"
    deployment_id: str = "265:37750cbd9e8f2a"
    registration: Registration = field(init=False)
    extra_keys: list[dict[str, Any]] = field(default_factory=list)
    """Further entries of the key set, as they are."""
    fetches: int = 0
    """How often the key set was asked for."""
    down: bool = False

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


def new_key(bits: int = 2048) -> PlatformKey:
    return PlatformKey(rsa.generate_private_key(public_exponent=65_537, key_size=bits), secrets.token_hex(6))


@cache
def spare_key(number: int = 0, bits: int = 2048) -> PlatformKey:
    """A key made once per run: making one takes a tenth of a second."""
    return new_key(bits)


def new_platform(**given: Any) -> TestPlatform:
    """A platform that is registered with the tool (needs the database) and serves its key set."""
    register_with = given.pop("register_with", {})
    platform = TestPlatform(url="", keys=[spare_key()], **given)
    platform.url = _serve(platform)
    described = {
        "issuer": platform.issuer,
        "client_id": platform.client_id,
        "canvas_url": platform.url,
        "authorize_url": f"{platform.url}{AUTHORIZE}",
        "token_url": f"{platform.url}/login/oauth2/token",
        "jwks_url": f"{platform.url}/api/lti/security/jwks",
        "deployment_ids": (platform.deployment_id,),
        "api_client_id": "10000000000099",
        "api_client_secret": "api-secret",
    }
    platform.registration, _ = register(Platform(**(described | register_with)))
    return platform


def claims_for(platform: TestPlatform, *, nonce: str, role: str, context: str, user: str) -> dict[str, Any]:
    """What Canvas says in a course-navigation launch, with the noise it leaks (lti.md 2)."""
    number = course_number(context)
    now = int(time.time())
    return {
        "iss": platform.issuer,
        "aud": platform.client_id,
        "azp": platform.client_id,
        "iat": now,
        "exp": now + 3600,
        "nonce": nonce,
        "sub": f"sub-{user}",
        "locale": "en",
        "errors": {"errors": {}},
        c.MESSAGE_TYPE: "LtiResourceLinkRequest",
        c.VERSION: "1.3.0",
        c.DEPLOYMENT_ID: platform.deployment_id,
        c.TARGET_LINK_URI: LAUNCH,
        c.ROLES: ROLES[role],
        c.RESOURCE_LINK: {"id": context, "title": "Algebra", "description": None, "validation_context": None},
        c.CONTEXT: {
            "id": context,
            "label": "ALG1",
            "title": "Algebra 1",
            "type": ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"],
            "validation_context": None,
            "errors": {"errors": {}},
        },
        c.CUSTOM: {
            "canvas_course_id": number,
            "canvas_user_id": user_number(user),
            "canvas_api_domain": "evil.test",
        },
        c.LAUNCH_PRESENTATION: {
            "document_target": "iframe",
            "return_url": f"{platform.url}/courses/{number}",
        },
        c.AGS_ENDPOINT: {
            "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"],
            "lineitems": f"{platform.url}/api/lti/courses/{number}/line_items",
            "validation_context": None,
        },
    }


def course_number(context: str) -> str:
    """The Canvas course id the platform gives a context: stable within a run, the digits of "c7" are 7."""
    digits = "".join(filter(str.isdigit, context)).lstrip("0")
    return digits[:12] or str(100 + sum(context.encode()))


def user_number(user: str) -> str:
    return course_number(user)


def changed(claims: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (claims | changes).items() if value is not GONE}


def sign_launch(platform: TestPlatform, claims: dict[str, Any], **headers: Any) -> str:
    """The claims as a real RS256 id_token of the platform's newest key; `kid=GONE` leaves the header out."""
    key = platform.keys[-1]
    header = {name: value for name, value in ({"kid": key.kid} | headers).items() if value is not GONE}
    return jwt.encode(claims, key.private, algorithm="RS256", headers=header)


@dataclass
class Login:
    """A login that has been answered: where the browser was sent."""

    address: str
    params: dict[str, str]

    @property
    def state(self) -> str:
        return self.params["state"]

    @property
    def nonce(self) -> str:
        return self.params["nonce"]


def initiation(platform: TestPlatform, **changes: Any) -> dict[str, str]:
    """The parameters Canvas starts a login with."""
    given = {
        "iss": platform.issuer,
        "client_id": platform.client_id,
        "login_hint": "535fa085f22b4655f48cd5a36a9215f64c062838",
        "lti_message_hint": "eyJ0eXAiOiJKV1QifQ.eyJ2IjoxfQ.c2ln",
        "target_link_uri": LAUNCH,
        "deployment_id": platform.deployment_id,
        "canvas_environment": "prod",
        "canvas_region": "not_configured",
    }
    return {name: value for name, value in (given | changes).items() if value is not GONE}


def log_in(client: Client, platform: TestPlatform, **changes: Any) -> Login:
    """Go through `/lti/login/<key>` as a client with cookies and no scripts."""
    response = client.post(f"/lti/login/{platform.registration.key}", initiation(platform, **changes))
    assert response.status_code == 302, response.content
    return Login(response["Location"], dict(parse_qsl(urlsplit(response["Location"]).query)))


def post_launch(client: Client, state: str, id_token: str, **headers: str) -> Any:
    """The platform's form post."""
    body = urlencode({"id_token": id_token, "state": state})
    return client.post("/lti/launch", body, content_type=FORM, **headers)


@dataclass
class Opened:
    """An open visit."""

    platform: TestPlatform
    response: Any
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"HTTP_AUTHORIZATION": f"Bearer {self.token}"}

    @property
    def session(self) -> LaunchSession:
        return LaunchSession.objects.get(token_hash=hash_of(self.token))

    @property
    def context(self) -> Context:
        found = self.session.context
        assert found is not None
        return found


def launch(
    client: Client,
    platform: TestPlatform,
    *,
    role: str = "teacher",
    context: str = "c77",
    user: str = "u7",
    claims: dict[str, Any] | None = None,
) -> Any:
    """Login and launch; the launch's answer, whatever it is."""
    begun = log_in(client, platform)
    said = claims_for(platform, nonce=begun.nonce, role=role, context=context, user=user)
    return post_launch(client, begun.state, sign_launch(platform, changed(said, claims or {})))


def launch_as(
    client: Client, role: str = "teacher", platform: TestPlatform | None = None, **given: Any
) -> Opened:
    """A visit that is open, reached through the tool's own front door."""
    platform = platform or new_platform()
    response = launch(client, platform, role=role, **given)
    assert response.status_code == 200, response.content.decode()
    return Opened(platform, response, response.cookies["lmg-session"].value)


def _serve(platform: TestPlatform) -> str:
    """Serve the platform's key set on a free port until the run ends."""

    class KeySet(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            platform.fetches += 1
            keys = [key.jwk() for key in platform.keys] + platform.extra_keys
            body = json.dumps({"keys": keys}).encode()
            self.send_response(503 if platform.down else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), KeySet)
    server.daemon_threads = True
    # Never shut down, so it need not look whether it should: hundreds of these would keep a core busy with looking.
    threading.Thread(target=server.serve_forever, args=(3600,), daemon=True).start()
    atexit.register(server.server_close)
    return f"http://127.0.0.1:{server.server_port}"
