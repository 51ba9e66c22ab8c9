"""canvasapi, for the reads of one object, on our own transport.

Its `Requester` has no timeouts, leaves 429 and next-page hosts to chance and keeps answers in memory, so
requests go through `Gateway` instead; see docs/decisions/0020-canvasapi.md for what it is not used for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from canvasapi import Canvas
from canvasapi.requester import Requester

from lti_tool.answers import Reply

Sender = Callable[[str, str, Sequence[tuple[str, str]]], Reply]
"""Method, path below /api/v1/, parameters → answer, or one of our errors."""


class OurRequester(Requester):  # type: ignore[misc]  # canvasapi publishes no types
    """Hands every request of canvasapi to `send`; its own session is never used."""

    def __init__(self, send: Sender) -> None:
        super().__init__("https://canvas.invalid", "")
        self._send = send

    def request(
        self,
        method: str,
        endpoint: str | None = None,
        headers: dict[str, str] | None = None,
        use_auth: bool = True,
        _url: str | None = None,
        _kwargs: list[tuple[str, Any]] | None = None,
        json: bool = False,
        **kwargs: Any,
    ) -> Reply:
        """What `Requester.request` promises, as far as canvasapi's object reads use it: `json()`."""
        pairs = [*(_kwargs or ()), *kwargs.items()]
        reply = self._send(method, endpoint or "", [(name, str(value)) for name, value in pairs])
        if not isinstance(reply.json(), dict):
            # canvasapi would trip over it with an error of Python's own.
            raise reply.incomplete("Canvas's answer is not an object.", code="wrong_shape")
        return reply


def canvasapi_for(send: Sender) -> Canvas:
    """A `Canvas` whose requests go through `send`. Errors raised by `send` pass through it unchanged."""
    canvas = Canvas("https://canvas.invalid", "-")
    canvas._Canvas__requester = OurRequester(send)
    return canvas


def attributes_of(found: Any) -> dict[str, Any]:
    """The JSON object a CanvasObject was made of (with the `…_date` doubles it adds)."""
    return {name: value for name, value in vars(found).items() if name != "_requester"}
