"""Pages and Link headers (lib/api.rb: paginate, build_links_from_hash)."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from sandbox.rest.api import Call

Item = TypeVar("Item")
MAX_PER_PAGE = 100
LINKS_LIMIT = 6 * 1024
DROPPED = ("page", "per_page", "access_token", "api_key")
BOOKMARK = "bookmark:"


@dataclass(frozen=True)
class Page:
    """Where a numbered list stands; ``links`` are rel to URL in Canvas's order."""

    number: int
    per_page: int
    total: int
    links: dict[str, str]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.per_page))


def per_page(call: Call) -> int:
    """The asked size, clamped to 1..100; 10 without one."""
    text = str(call.params.get("per_page") or "10")
    size = int(text) if text.lstrip("-").isdigit() else 0
    return max(1, min(MAX_PER_PAGE, size))


def numbered(call: Call, items: Sequence[Item]) -> tuple[Sequence[Item], Page]:
    """The asked page of a list, with its Link header set on the call."""
    page = page_of(call, len(items))
    start = (page.number - 1) * page.per_page
    set_link_header(call, page.links)
    return items[start : start + page.per_page], page


def page_of(call: Call, total: int) -> Page:
    size = per_page(call)
    text = str(call.params.get("page") or "1")
    number = max(1, int(text)) if text.isdigit() else 1
    last = max(1, -(-total // size))
    numbers = {"current": number}
    if number < last:
        numbers["next"] = number + 1
    if number > 1:
        numbers["prev"] = number - 1
    numbers |= {"first": 1, "last": last}
    return Page(number, size, total, {rel: page_url(call, str(each), size) for rel, each in numbers.items()})


def page_url(call: Call, page: str, size: int) -> str:
    """This request's URL for another page; credentials and paging are stripped, the rest is echoed."""
    kept = [pair for pair in call.request.args.items(multi=True) if pair[0] not in DROPPED]
    query = urlencode([*kept, ("page", page), ("per_page", str(size))])
    return f"{call.base}{call.path}?{query}"


def set_link_header(call: Call, links: dict[str, str]) -> None:
    """Write the header; what does not fit in about 6 KB is left out, ``next`` being kept first."""
    order = ["current", "next", "prev", "first", "last"]
    parts = {rel: f'<{url}>; rel="{rel}"' for rel, url in links.items()}
    chosen: set[str] = set()
    used = 0
    for rel in sorted(parts, key=lambda each: (each != "next", order.index(each))):
        if used + len(parts[rel]) > LINKS_LIMIT:
            if rel == "next":
                return
            continue
        chosen.add(rel)
        used += len(parts[rel]) + 1
    if chosen:
        call.headers["Link"] = ",".join(parts[rel] for rel in order if rel in chosen)


def bookmarked(call: Call, items: Sequence[Item], key: Any) -> Sequence[Item]:
    """A page after an opaque, case-sensitive bookmark; a typed page number starts at the beginning.

    ``items`` are in ascending order of ``key(item)``, an integer. No ``last``, and no ``prev``.
    """
    size = per_page(call)
    after = _read_bookmark(str(call.params.get("page") or ""))
    rest = [item for item in items if after is None or key(item) > after]
    shown = rest[:size]
    asked = str(call.params.get("page") or "first")
    links = {"current": page_url(call, asked if asked.startswith(BOOKMARK) else "first", size)}
    if len(rest) > size:
        links["next"] = page_url(call, _bookmark(key(shown[-1])), size)
    links["first"] = page_url(call, "first", size)
    set_link_header(call, links)
    return shown


def _bookmark(value: int) -> str:
    packed = json.dumps({"after": value, "kind": "Submission"}).encode()
    return BOOKMARK + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _read_bookmark(text: str) -> int | None:
    if not text.startswith(BOOKMARK):
        return None
    packed = text.removeprefix(BOOKMARK)
    try:
        value = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
        return int(value["after"])
    except (ValueError, KeyError, TypeError):
        return None
