"""Parameters as Rails reads them: ``include[]=a``, ``grade_data[1][2][posted_grade]=8``, JSON bodies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Request

from sandbox.errors import ApiError

_KEY = re.compile(r"\[([^\[\]]*)\]")


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Pairs of a query or form as nested dicts and lists; a repeated plain key keeps the last value."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        head, bracket, rest = name.partition("[")
        steps = [head, *_KEY.findall(bracket + rest)]
        _put(tree, steps, value)
    return tree


def _put(tree: dict[str, Any], steps: list[str], value: str) -> None:
    node = tree
    for place, (step, following) in enumerate(zip(steps, steps[1:], strict=False)):
        if following == "":
            wanted = node.setdefault(step, [])
            if isinstance(wanted, list):
                _append(wanted, steps[place + 2 :], value)
            return
        child = node.setdefault(step, {})
        if not isinstance(child, dict):
            child = node[step] = {}
        node = child
    node[steps[-1]] = value


def _append(rows: list[Any], inner: list[str], value: str) -> None:
    """``x[]=a`` adds ``a``; ``x[][name]=a`` goes into the first hash without that key, or a new one: the pairs
    come grouped by their name."""
    if not inner:
        rows.append(value)
        return
    open_row = next((row for row in rows if isinstance(row, dict) and inner[0] not in row), None)
    if open_row is None:
        open_row = {}
        rows.append(open_row)
    _put(open_row, inner, value)


def read_params(request: Request) -> dict[str, Any]:
    """Query, then form or JSON body; the body wins."""
    params = nested(request.args.items(multi=True))
    if request.mimetype == "application/json" and request.get_data(cache=True):
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise ApiError(400, {"errors": [{"message": "The request body could not be parsed"}]})
        return {**params, **body}
    return {**params, **nested(request.form.items(multi=True))}


def as_list(value: Any) -> list[str]:
    """A list parameter: ``x[]=a&x[]=b`` or one comma-separated text."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    if isinstance(value, (list, tuple)):
        return [str(part) for part in value]
    if isinstance(value, dict):
        return [str(part) for part in value.values()]
    return [str(value)]


def truthy(value: Any) -> bool:
    """Canvas's value_to_boolean."""
    return value is True or str(value).lower() in ("true", "yes", "on", "1", "t", "y")
