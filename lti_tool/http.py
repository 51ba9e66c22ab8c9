"""The only way out of this program: one `requests.Session`, with everything the services need around it.

Timeouts and a total deadline, a size limit, no redirects, only listed hosts, no cookies, no `.netrc`, one
User-Agent. Errors are those of `lti_tool.errors`. Reads are tried again a few times; a write is tried again
only when it certainly had no effect. Safe to share between threads.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from django.conf import settings
from requests.adapters import HTTPAdapter

from lti_tool import answers
from lti_tool.answers import Reply
from lti_tool.env import LOOPBACK
from lti_tool.errors import Incomplete, MaybeSent, NeverSent, PlatformError, Refused, Throttled
from lti_tool.metrics import CALLS
from lti_tool.models import Registration
from lti_tool.publichttp import PublicAdapter, refuse_private_number

log = logging.getLogger(__name__)

USER_AGENT = "mastery-gradebook/0.1 (LTI 1.3 tool)"
MAX_BYTES = 30_000_000
DEADLINE_SECONDS = 60.0
PIECE = 65_536
MAX_URL = 8_000


class Pace(Protocol):
    """Decides when the next call may go; hears of every answer (`canvas.throttle`)."""

    def turn(self) -> AbstractContextManager[None]: ...
    def heard(self, remaining: Decimal | None) -> None: ...
    def refused(self, wait_seconds: float) -> None: ...


class Counts(Protocol):
    """Counts calls (`canvas.counting`)."""

    def sent(self, method: str) -> None: ...
    def tried_again(self) -> None: ...
    def was_throttled(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Policy:
    """What surrounds the calls of one client: pacing, counting, how refusals are read, how long to insist."""

    pace: Pace | None = None
    counts: Counts | None = None
    before_write: Callable[[], None] | None = None
    """Asked the moment before anything but a read leaves, however long its turn took to come; may raise."""
    refusal_of: Callable[[Reply], PlatformError | None] = answers.refusal_of
    attempts: int = 4
    patience: float = 45.0
    """Seconds after which one call is not tried again, waiting included."""


def host_of(url: str) -> str:
    """`host[:port]` of an address, lower case, without the scheme's own port; "" where there is none."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    host = f"[{host}]" if ":" in host else host
    return host if port in (None, {"https": 443, "http": 80}.get(parts.scheme)) else f"{host}:{port}"


def allowed_hosts(registration: Registration) -> frozenset[str]:
    """The hosts this registration's services may live on: those of its own addresses and its service hosts."""
    urls = (
        registration.authorize_url,
        registration.token_url,
        registration.jwks_url,
    )
    return frozenset(filter(None, map(host_of, urls))) | rest_hosts(registration)


def rest_hosts(registration: Registration) -> frozenset[str]:
    """The hosts a person's token may be sent to: the school's own. Keys and logins of all hosted schools live
    on hosts they share."""
    extra = (host_of(f"https://{host}") for host in registration.service_hosts)
    return frozenset(filter(None, (host_of(registration.canvas_url), *extra)))


def is_loopback(host: str) -> bool:
    """Whether a host name (no port) means this machine."""
    if host in LOOPBACK or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@cache
def shared_http() -> Http:
    """This process's one client, so that connections are reused."""
    return Http()


@cache
def public_http() -> Http:
    """The client for addresses that somebody outside chose: it reaches the open internet only."""
    return Http(public_only=True)


class Http:
    """Sends requests and gives back whole answers. `sleep` waits between attempts."""

    def __init__(self, *, sleep: Callable[[float], None] = time.sleep, public_only: bool = False) -> None:
        self._sleep = sleep
        self._public_only = public_only
        self._session = requests.Session()
        # .netrc would overwrite our Authorization header; cookies would carry state between schools.
        self._session.trust_env = False
        self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers["User-Agent"] = USER_AGENT
        kind = PublicAdapter if public_only else HTTPAdapter
        adapter = kind(pool_connections=32, pool_maxsize=8, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def request(
        self,
        method: str,
        url: str,
        *,
        allow_hosts: Collection[str],
        headers: Mapping[str, str] | None = None,
        params: Any = None,
        json: Any = None,
        data: bytes | Mapping[str, str] | None = None,
        timeout: tuple[float, float] = (5.0, 30.0),
        deadline: float = DEADLINE_SECONDS,
        max_bytes: int = MAX_BYTES,
        where: str = "",
        policy: Policy = Policy(),
    ) -> Reply:
        """One answer with a 2xx status, or an error of the tree. `where` names the route without ids."""
        check_address(url, allow_hosts, where or method)
        if self._public_only:
            refuse_private_number(url)
        limits = _Limits(timeout, deadline, max_bytes)
        given = {"headers": dict(headers or {}), "params": params, "json": json, "data": data}
        request = self._session.prepare_request(requests.Request(method, url, **given))
        if len(request.url or "") > MAX_URL:
            raise Refused("The address would be too long.", code="address_too_long", where=where)
        return self._insist(request, limits, where or method, policy)

    def wait(self, seconds: float) -> None:
        """A pause before something is asked once more."""
        if seconds:
            self._sleep(seconds)

    def _insist(
        self, request: requests.PreparedRequest, limits: _Limits, where: str, policy: Policy
    ) -> Reply:
        """Send, and send again as far as that is safe and `policy` allows."""
        spent = 0.0
        for attempt in range(1, policy.attempts + 1):
            began = time.monotonic()
            try:
                reply = self._once(request, limits, where, policy)
                CALLS.labels(request.method, "ok").inc()
                return reply
            except PlatformError as error:
                CALLS.labels(request.method, type(error).__name__).inc()
                _note(error, where, attempt)
                if isinstance(error, Throttled) and policy.counts:
                    policy.counts.was_throttled()
                pause = _pause_before_retry(error, request.method or "", attempt)
                spent += time.monotonic() - began + (pause or 0.0)
                if pause is None or attempt == policy.attempts or spent > policy.patience:
                    raise
                if policy.counts:
                    policy.counts.tried_again()
                self._sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(self, request: requests.PreparedRequest, limits: _Limits, where: str, policy: Policy) -> Reply:
        with policy.pace.turn() if policy.pace else nullcontext():
            if policy.before_write and request.method not in _READS:
                policy.before_write()
            if policy.counts:
                policy.counts.sent(request.method or "")
            reply = self._send(request, limits, where)
            if policy.pace:
                # Before the place is free: whoever takes it next goes by this answer.
                policy.pace.heard(reply.remaining)
        error = policy.refusal_of(reply)
        if isinstance(error, Throttled) and policy.pace:
            policy.pace.refused(error.wait_seconds)
        if error is not None:
            raise error
        return reply

    def _send(self, request: requests.PreparedRequest, limits: _Limits, where: str) -> Reply:
        until = time.monotonic() + limits.deadline
        writes = request.method not in _READS
        with _translated(where):
            response = self._session.send(
                request,
                timeout=limits.timeout,
                stream=True,
                allow_redirects=False,
                proxies=_proxies(request.url or ""),
                verify=self._session.verify,
            )
        with response:
            try:
                body = b"".join(_pieces(response.raw, until, limits.max_bytes, where))
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise _cut_off(where, writes=writes) from error
            except PlatformError as error:
                if writes:
                    raise _cut_off(where, writes=True) from error
                raise
            return Reply(response.status_code, response.headers, body, request.url or "", where)


_READS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class _Limits:
    timeout: tuple[float, float]
    deadline: float
    max_bytes: int


def check_address(url: str, allow_hosts: Collection[str], where: str) -> None:
    """Refuse an address this program has no business with. Raises Refused, before anything is sent."""
    if not (netloc := host_of(url)) or netloc not in allow_hosts or "@" in urlsplit(url).netloc:
        detail = f"The address is on {netloc or 'no host'}, which is not this registration's."
        raise Refused(detail, code="foreign_host", where=where)
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) and not settings.ALLOW_HTTP:
        raise Refused("The address means this machine.", code="foreign_host", where=where)
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.ALLOW_HTTP and is_loopback(host)):
        raise Refused("The address is not https.", code="not_https", where=where)


def _proxies(url: str) -> dict[str, str]:
    """The proxies of the environment, never for this machine itself."""
    if is_loopback(urlsplit(url).hostname or ""):
        return {}
    return requests.utils.get_environ_proxies(url)


def _pieces(raw: Any, until: float, max_bytes: int, where: str) -> Iterator[bytes]:
    """The body as it arrives; `read1` returns after each packet, so a drip cannot outlast the deadline."""
    size = 0
    while piece := raw.read1(PIECE, decode_content=True):
        size += len(piece)
        if size > max_bytes:
            raise Incomplete("The answer was too large.", code="too_large", where=where)
        if time.monotonic() > until:
            raise MaybeSent("The answer took too long.", where=where)
        yield piece


def _cut_off(where: str, *, writes: bool) -> PlatformError:
    """A body that broke off: after a write its effect is unknown, after a read there is just no answer."""
    if writes:
        return MaybeSent("The answer broke off.", where=where)
    return Incomplete("The answer broke off.", code="cut_off", where=where)


@contextmanager
def _translated(where: str) -> Iterator[None]:
    """Turn the exceptions of `requests` into ours: did anything leave this machine?"""
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise NeverSent("No secure connection could be made.", code="tls", where=where) from error
    except (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError) as error:
        raise NeverSent("The platform could not be reached.", where=where) from error
    except requests.exceptions.ConnectionError as error:
        raise _connection_error(error, where) from error
    except (requests.exceptions.Timeout, urllib3.exceptions.HTTPError) as error:
        raise MaybeSent("The platform did not answer in time.", where=where) from error
    except requests.exceptions.RequestException as error:
        raise Refused("The request could not be made.", code="bad_request", where=where) from error


def _note(error: PlatformError, where: str, attempt: int) -> None:
    """One line for the operator: kind, code, status and route, never an address or a body."""
    kind = type(error).__name__
    log.warning(
        "call failed kind=%s code=%s status=%s where=%s attempt=%d",
        kind,
        error.code,
        error.status,
        where,
        attempt,
    )


def _connection_error(error: requests.exceptions.ConnectionError, where: str) -> PlatformError:
    cause: Any = error.args[0] if error.args else None
    cause = getattr(cause, "reason", cause)
    if isinstance(cause, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)):
        return NeverSent("The platform could not be reached.", where=where)
    return MaybeSent("The connection broke before an answer came.", where=where)


def _pause_before_retry(error: PlatformError, method: str, attempt: int) -> float | None:
    """Seconds to wait before the same request may go again, or None where it may not."""
    jitter = random.uniform(0.0, 0.5)
    if isinstance(error, Throttled):
        return error.wait_seconds + jitter * 2
    backoff = float(0.25 * 2**attempt) + jitter
    if isinstance(error, NeverSent) and error.code != "tls":
        return backoff
    if method in _READS and (isinstance(error, MaybeSent) or error.code == "cut_off"):
        return backoff
    return None
