"""The table of who may do what: one row for each address of the tool. A route without a row fails the tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True)
class Row:
    """One address. `get` and `post` are what its own teacher is answered, None where the method is not taken."""

    get: int | None
    post: int | None
    for_whom: str = "staff"
    """`teachers`, `staff`, `staff and admins`, `visitors` (any open visit), `window` (consent's end) or `anybody`."""
    names: str = ""
    """Which object the address names: `alignment` or `run` of a course, `template` of a school, `own template` that
    only its course may change, or nothing."""
    data: dict[str, Any] = field(default_factory=dict)
    head: int | None = None

    def methods(self) -> set[str]:
        answered = {"GET": self.get, "POST": self.post, "HEAD": self.head}
        return {method for method, status in answered.items() if status}


TABLE = {
    "healthz": Row(200, None, "anybody", head=200),
    "readyz": Row(200, None, "anybody", head=200),
    "metrics": Row(200, None, "anybody", head=200),
    "lti:login": Row(400, 400, "anybody"),
    "lti:login-for": Row(400, 400, "anybody"),
    "lti:cookie": Row(200, None, "anybody"),
    "lti:launch": Row(None, 415, "anybody"),
    "lti:jwks": Row(200, None, "anybody"),
    "lti:config": Row(200, None, "anybody"),
    "lti:register": Row(403, None, "anybody"),
    "lti:names": Row(None, 302),
    "lti:signout": Row(None, 200, "visitors"),
    "lti:notices": Row(None, 400, "anybody"),
    "canvas:events": Row(None, 404, "anybody"),
    "canvas:ticket": Row(None, 302, "staff and admins"),
    "canvas:authorize": Row(302, None, "staff and admins"),
    "canvas:callback": Row(400, None, "window"),
    "canvas:connection": Row(200, None, "staff and admins"),
    "canvas:disconnect": Row(None, 302, "staff and admins"),
    "canvas:install": Row(401, 401, "anybody"),
    "home": Row(200, None),
    "alignments:create": Row(200, 422),
    "alignments:suggested": Row(200, 422),
    "alignments:columns": Row(200, 422),
    "alignments:change": Row(200, 422, names="alignment"),
    "alignments:rule": Row(None, 200),
    "alignments:class": Row(None, 200),
    "alignments:schemes": Row(200, 422),
    "alignments:school-schemes": Row(200, 422, "staff and admins"),
    "alignments:school-set-up": Row(None, 422, "staff and admins"),
    "alignments:exceptions": Row(200, 422, names="alignment"),
    "alignments:delete": Row(200, 302, names="alignment"),
    "alignments:repair": Row(None, 422, names="alignment"),
    "alignments:exclude": Row(None, 302),
    "alignments:include": Row(None, 302),
    "alignments:templates": Row(200, None),
    "alignments:template-save": Row(200, 422, data={"name": " "}),
    "alignments:template-import": Row(None, 422),
    "alignments:template": Row(200, 409, names="template"),
    "alignments:template-export": Row(None, 200, names="template"),
    "alignments:template-rename": Row(None, 422, names="own template"),
    "alignments:template-delete": Row(200, 302, names="own template"),
    "alignments:pick": Row(409, 409),
    "alignments:linked": Row(200, None, "visitors", names="picked"),
    "alignments:settings": Row(200, None),
    "alignments:keywords": Row(None, 302, data={"words": "attendance"}),
    "alignments:preferred-group": Row(None, 302),
    "alignments:export": Row(None, 200),
    "alignments:import": Row(None, 422),
    "grading:preview": Row(302, None),
    "grading:start": Row(None, 302),
    "grading:summary": Row(200, None),
    "grading:history": Row(200, None),
    "grading:check": Row(200, None, "staff and admins"),
    "grading:check-results": Row(200, None, "staff and admins"),
    "grading:write-test": Row(None, 200),
    "grading:forget": Row(200, 422, "teachers"),
    "grading:run": Row(200, None, names="run"),
    "grading:progress": Row(200, None, names="run"),
    "grading:choices": Row(302, 200, names="run"),
    "grading:send-bar": Row(None, 200, names="run"),
    "grading:send": Row(None, 409, names="run"),
    "grading:discard": Row(None, 302, names="run"),
    "grading:stop": Row(None, 302, names="run"),
    "grading:undo": Row(None, 302, names="run"),
    "grading:csv": Row(None, 200, names="run"),
    "grading:report-csv": Row(None, 302, names="run"),
    "grading:student": Row(200, None, names="run"),
    "grading:student-exception": Row(None, 422, names="run"),
}
FROM_CANVAS = {"lti:login", "lti:login-for", "lti:launch", "lti:notices", "canvas:events"}
"""Posts that do come from another site: the platform's own. State, nonce and signature stand for the token."""


def routes() -> Iterator[tuple[str, list[str]]]:
    """Every named route of the tool with the names of what it takes."""
    yield from _walk(get_resolver().url_patterns, "")


def _walk(patterns: list[Any], prefix: str) -> Iterator[tuple[str, list[str]]]:
    for each in patterns:
        if isinstance(each, URLResolver):
            inner = f"{prefix}{each.namespace}:" if each.namespace else prefix
            yield from _walk(each.url_patterns, inner)
        elif isinstance(each, URLPattern):
            yield f"{prefix}{each.name}", list(each.pattern.converters)


def address(name: str, taken: list[str], numbers: dict[str, int]) -> str:
    """The address of a route with our course's numbers in it."""
    words = {"key": "0123456789abcdef", "browser_hash": "0" * 64}
    return reverse(name, kwargs={each: numbers.get(each, words.get(each)) for each in taken})
