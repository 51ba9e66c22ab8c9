"""What every answer carries, whoever asks: who may frame it, what it may load, that nobody keeps a copy."""

from __future__ import annotations

import re
from typing import Any

from lti_tool.headers import frame_origins
from tests.hardening.two_schools import Person

KEPT = {"lti:jwks": "public, max-age=300"}
IN_A_WINDOW = {"canvas:authorize", "canvas:callback"}
NEVER_FRAMED = {"healthz", "readyz", "metrics"} | IN_A_WINDOW


def right_frame(name: str, person: Person, has_visit: bool, status: int) -> str:
    """The `frame-ancestors` of this address's answer to this person.

    Logins and launches are Canvas's own requests: their answers are framed by whom the message names."""
    if name == "lti:register" and status == 403:
        return "https: http:"  # whose frame it is is not known yet, and the page has nothing to press
    # A method that no view takes is answered, without a page, before the view could say who frames it.
    shown = name not in NEVER_FRAMED or (name in IN_A_WINDOW and status == 405)
    if has_visit and shown and person.school is not None:
        return " ".join(frame_origins(person.school.context.registration))
    return "'none'"


def header_problems(name: str, answer: Any, frame: str) -> list[str]:
    """The names of what is missing or too wide in one answer."""
    policy = _directives(answer)
    fixed = {"default-src": "'none'", "base-uri": "'none'", "connect-src": "'self'", "style-src": "'self'"}
    wrong = [each for each, value in fixed.items() if policy.get(each) != value]
    if policy["frame-ancestors"] != frame:
        wrong.append(f"frame-ancestors {policy['frame-ancestors']} not {frame}")
    if "unsafe" in answer["Content-Security-Policy"] or "*" in answer["Content-Security-Policy"]:
        wrong.append("unsafe")
    if not re.fullmatch(r"'self' 'nonce-[A-Za-z0-9_-]{20,}'", policy["script-src"]):
        wrong.append("script-src")
    if (KEPT.get(name, "no-store") if answer.status_code == 200 else "no-store") not in answer.get(
        "Cache-Control", ""
    ):
        wrong.append("kept")
    if answer.get("X-Content-Type-Options") != "nosniff" or answer.get("Referrer-Policy") != "same-origin":
        wrong.append("sniffed")
    return wrong


def _directives(answer: Any) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer["Content-Security-Policy"].split(";"))
    return {name: values for name, _, values in parts}
