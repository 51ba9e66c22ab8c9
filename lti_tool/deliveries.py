"""What a platform sends of its own accord: taken whole, or refused with a status and a code for the log."""

from __future__ import annotations

from django.http import HttpRequest

LARGEST = 262_144


class DeliveryRefused(Exception):
    """The delivery is not taken: `status` and a code for the log."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


def body_of(request: HttpRequest, too_large: str) -> bytes:
    """The delivery; a larger one than any is not read, and refused with the code `too_large`."""
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > LARGEST:
        raise DeliveryRefused(413, too_large)
    body = request.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise DeliveryRefused(413, too_large)
    return bytes(body)
