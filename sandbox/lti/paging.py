"""Numbered pages with a ``Link`` header (lib/api.rb#paginate)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import urlencode

from flask import Response, request

Row = TypeVar("Row")


def page_of(rows: Sequence[Row], *, default: int, maximum: int) -> tuple[list[Row], str]:
    """This request's page of the rows, and its Link header; ``limit`` beats ``per_page``."""
    size = min(max(_number("limit") or _number("per_page") or default, 1), maximum)
    page = max(_number("page") or 1, 1)
    last = max((len(rows) + size - 1) // size, 1)
    pages = {
        "current": page,
        "next": page + 1 if page < last else None,
        "prev": page - 1 if page > 1 else None,
    }
    links = [
        _link(name, number, size) for name, number in {**pages, "first": 1, "last": last}.items() if number
    ]
    return list(rows[(page - 1) * size : page * size]), ",".join(links)


def with_links(response: Response, links: str) -> Response:
    """The answer with its Link header."""
    response.headers["Link"] = links
    return response


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isdigit() else None


def _link(name: str, page: int, size: int) -> str:
    kept = [
        (key, value)
        for key, value in request.args.items(multi=True)
        if key not in ("page", "per_page", "access_token")
    ]
    query = urlencode([*kept, ("page", page), ("per_page", size)])
    return f'<{request.base_url}?{query}>; rel="{name}"'
