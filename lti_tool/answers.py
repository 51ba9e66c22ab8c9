"""What a platform answered: one frozen value, its JSON read exactly, and its refusal named.

A refusal is recognised by numeric status, headers and body, never by the reason phrase (proxies and HTTP/2
drop it). `canvas.refusals` knows Canvas's own texts; `refusal_of` here knows what every platform shares.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

from requests.utils import parse_header_links

from lti_tool.errors import AccessLost, Incomplete, MaybeSent, PlatformError, Refused, Throttled

RATE_LIMIT_TEXT = "rate limit exceeded"
DEFAULT_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose body was read whole. `headers` ignores the case of names."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str = field(repr=False)
    where: str = ""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def remaining(self) -> Decimal | None:
        """`X-Rate-Limit-Remaining`, or None where it is absent or no number."""
        try:
            value = Decimal(self.headers.get("X-Rate-Limit-Remaining", "").strip())
        except InvalidOperation:
            return None
        return value if value.is_finite() else None

    @property
    def date(self) -> datetime | None:
        """The platform's clock when it answered, to the second; None where it said nothing usable."""
        return _date(self.headers.get("Date", ""))

    def json(self) -> Any:
        """The body as JSON: fractions become Decimal, NaN and Infinity are refused. Raises Incomplete."""
        try:
            return json.loads(self.body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=no_constant)
        except (ValueError, RecursionError) as error:
            raise self.incomplete("The answer was not JSON.", code="not_json") from error

    def link(self, relation: str) -> str | None:
        """The address the `Link` header gives for `relation`, exactly as written. RFC 8288."""
        for entry in parse_header_links(self.headers.get("Link", "")):
            if relation in entry.get("rel", "").lower().split():
                return str(entry["url"])
        return None

    def incomplete(self, detail: str, *, code: str = "") -> Incomplete:
        """An `Incomplete` that names this call."""
        return Incomplete(detail, code=code, status=self.status, where=self.where)


def _date(text: str) -> datetime | None:
    """An HTTP date, or None for anything else."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def no_constant(name: str) -> NoReturn:
    """For `json.loads`: Python would take NaN and Infinity, which RFC 8259 does not know. Raises ValueError."""
    raise ValueError(f"{name} is not JSON")


def messages(reply: Reply) -> list[str]:
    """Every message in an error body: lists, keyed lists and single texts alike; empty for other bodies."""
    try:
        body = json.loads(reply.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return []
    return list(_texts(body, depth=0))[:20]


_MESSAGE_KEYS = ("errors", "error", "message", "error_description", "messages")


def _texts(value: Any, *, depth: int) -> list[str]:
    if depth > 6:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item, depth=depth + 1)]
    if not isinstance(value, dict):
        return []
    known = [value[key] for key in _MESSAGE_KEYS if key in value]
    # {"errors": {"grade": [{"message": …}]}}: below "errors" any key may be a field's name.
    inner = known or ([v for v in value.values() if isinstance(v, (list, dict))] if depth else [])
    return [text for item in inner for text in _texts(item, depth=depth + 1)]


def wait_seconds(reply: Reply) -> float:
    """How long to wait after a throttled answer: `Retry-After`, else until the leaky bucket has room for one
    more call (50 units, 10 leak away per second), else a few seconds. canvas-lms: request_throttle.rb"""
    after = reply.headers.get("Retry-After", "").strip()
    if after.isascii() and after.isdigit():
        return min(float(after), LONGEST_WAIT_SECONDS)
    if (until := _date(after)) and reply.date:
        # A moment by the platform's clock, so its own Date is what it is compared with. RFC 9110 10.2.3.
        return min(max((until - reply.date).total_seconds(), 0.0), LONGEST_WAIT_SECONDS)
    if reply.remaining is not None and reply.remaining < 0:
        return min(float((50 - reply.remaining) / 10), LONGEST_WAIT_SECONDS)
    return DEFAULT_WAIT_SECONDS


def is_throttled(reply: Reply) -> bool:
    """429, or the 403 in plain text that Canvas has sent for years."""
    if reply.status == 429:
        return True
    return reply.status == 403 and RATE_LIMIT_TEXT in reply.text[:2000].lower()


def refusal_of(reply: Reply) -> PlatformError | None:
    """The error this answer stands for, or None for a 2xx."""
    if 200 <= reply.status < 300:
        return None
    if is_throttled(reply):
        wait = wait_seconds(reply)
        return Throttled(
            "The platform asks for a pause.", wait_seconds=wait, status=reply.status, where=reply.where
        )
    if 300 <= reply.status < 400 or reply.status < 200:
        return reply.incomplete(
            "The platform sent the tool elsewhere instead of answering.", code="redirected"
        )
    if reply.status >= 500:
        return MaybeSent("The platform had a fault of its own.", status=reply.status, where=reply.where)
    if reply.status == 401:
        detail = "The platform does not accept this access."
        return AccessLost(detail, who="admin", status=401, where=reply.where)
    return Refused("The platform refused the request.", status=reply.status, where=reply.where)
