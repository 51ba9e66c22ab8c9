"""Reading claims by name, with their types and sizes; unknown claims and Canvas's leaked internals are ignored.

`errors`, `validation_context` and inner nulls are what Canvas really sends: a null is an absent claim.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lti_tool.refusals import LaunchRefused

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
MESSAGE_TYPE = f"{LTI}message_type"
VERSION = f"{LTI}version"
DEPLOYMENT_ID = f"{LTI}deployment_id"
TARGET_LINK_URI = f"{LTI}target_link_uri"
RESOURCE_LINK = f"{LTI}resource_link"
CONTEXT = f"{LTI}context"
ROLES = f"{LTI}roles"
CUSTOM = f"{LTI}custom"
LAUNCH_PRESENTATION = f"{LTI}launch_presentation"
AGS_ENDPOINT = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS_SERVICE = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"

LONGEST_ID = 255
LONGEST_TITLE = 255
LONGEST_URL = 500
MOST_ROLES = 200
_PRINTABLE_ASCII = re.compile(r"[\x20-\x7e]+")
_CANVAS_ID = re.compile(r"[1-9][0-9]{0,29}")


def required_id(claims: Mapping[str, Any], name: str, code: str) -> str:
    """A claim of 1 to 255 printable ASCII characters. Raises LaunchRefused with `code`."""
    value = claims.get(name)
    if not isinstance(value, str) or len(value) > LONGEST_ID or not _PRINTABLE_ASCII.fullmatch(value):
        raise LaunchRefused(code)
    return value


def optional_object(claims: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A claim that is an object; {} where it is absent or null. Raises LaunchRefused for any other type."""
    value = claims.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise LaunchRefused("CLAIMS", name)
    return value


def optional_text(values: Mapping[str, Any], name: str, longest: int) -> str:
    """A text cut at `longest`; "" where it is absent or null. Raises LaunchRefused for any other type."""
    value = values.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LaunchRefused("CLAIMS", name)
    storable = value.replace("\x00", "").encode("utf-8", "replace").decode()
    return storable[:longest]


def optional_texts(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts; () where it is absent or null. Raises LaunchRefused for anything else."""
    value = values.get(name)
    if value is None:
        return ()
    if (
        not isinstance(value, list)
        or len(value) > MOST_ROLES
        or not all(isinstance(item, str) for item in value)
    ):
        raise LaunchRefused("CLAIMS", name)
    return tuple(value)


def plain_texts(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Those of a list's texts that are printable ASCII of at most 255 characters, such as scopes."""
    texts = optional_texts(values, name)
    return tuple(text for text in texts if len(text) <= LONGEST_ID and _PRINTABLE_ASCII.fullmatch(text))


def canvas_id(custom: Mapping[str, Any], name: str) -> str:
    """A numeric Canvas id given as number or text; "" where it is absent or arrived unexpanded."""
    value = custom.get(name)
    if isinstance(value, (list, dict)):
        raise LaunchRefused("CLAIMS", name)
    text = "" if isinstance(value, bool) else str(value)
    return text if _CANVAS_ID.fullmatch(text) else ""


def is_unexpanded(custom: Mapping[str, Any], name: str) -> bool:
    """Whether the platform sent the variable's own name (`$Canvas.course.id`) or nothing at all in its place."""
    value = custom.get(name)
    return isinstance(value, str) and (value.startswith("$") or not value)
