"""This tool's own addresses, always built from TOOL_URL and never from a request's Host header."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse


def absolute(path: str) -> str:
    """The public address of a path of ours."""
    return f"{settings.TOOL_URL}{path}"


def launch_url() -> str:
    """The only redirect URI and target_link_uri of this tool."""
    return absolute(reverse("lti:launch"))


def origin_of(url: str) -> str:
    """`scheme://host[:port]` as a browser writes an origin; "" where there is none."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return (
        f"{parts.scheme}://{host}"
        if parts.port in (None, default)
        else f"{parts.scheme}://{host}:{parts.port}"
    )
