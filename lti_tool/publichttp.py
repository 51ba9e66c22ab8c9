"""Connections to public addresses only, for the few calls whose address somebody else chose (SSRF).

A name is looked up once, and the connection goes to the public address that was found: nothing private is even knocked
at, so neither the answer nor its time tells whether something listens there.
A proxy of the operator's decides for itself where it connects to; a number as host is refused in any case.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from lti_tool.errors import Refused


def is_public(number: str) -> bool:
    """Whether an IP address is one of the open internet; this machine itself counts with ALLOW_HTTP."""
    address = ipaddress.ip_address(number.split("%", 1)[0])
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return address.is_global or (settings.ALLOW_HTTP and address.is_loopback)


def refuse_private_number(url: str) -> None:
    """Refuse an address whose host is a number of a private network. Raises Refused."""
    host = urlsplit(url).hostname or ""
    try:
        public = is_public(host)
    except ValueError:
        return
    if not public:
        raise _private()


def _private() -> Refused:
    return Refused("The address lies in a private network.", code="private_address")


def _public_numbers(name: str, port: int) -> list[str]:
    """The numbers a name leads to. Raises Refused where one of them is private, whatever the others are."""
    try:
        found = socket.getaddrinfo(name.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        # The connection itself will say so.
        return [name]
    numbers = list(dict.fromkeys(str(address[0]) for *_, address in found))
    if not all(is_public(number) for number in numbers):
        raise _private()
    return numbers


class _PublicHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        """`_dns_host` is what urllib3 looks up and connects to; the certificate is the name's all the same."""
        name, numbers = self._dns_host, _public_numbers(self._dns_host, self.port)
        try:
            for number in numbers[:-1]:
                self._dns_host = number
                with suppress(NewConnectionError, ConnectTimeoutError):
                    return super()._new_conn()
            self._dns_host = numbers[-1]
            return super()._new_conn()
        finally:
            self._dns_host = name


class _PublicHTTPSConnection(HTTPSConnection, _PublicHTTPConnection):
    """Its own `connect` in TLS, the lookup of the class beside it: HTTPSConnection defines none."""


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTPConnection


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


class PublicAdapter(HTTPAdapter):
    """Like its base, and connects to public addresses only."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager: urllib3.PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}
