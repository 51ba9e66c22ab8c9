"""A tiny HTTP server on a free port that answers what a test says; it keeps every request it saw."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}


@dataclass
class Answer:
    """What to send back. `cut` sends only so many bytes; `drip` waits so many seconds between bytes."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    drip: float = 0.0

    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Handler = Callable[[Seen], Answer]


class LocalServer:
    """`routes[(method, path)]` is an answer, a list of answers given in turn (the last for ever), or a function."""

    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], Answer | list[Answer] | Handler] = {}
        self.seen: list[Seen] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.host = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def calls(self, method: str, path: str) -> list[Seen]:
        return [seen for seen in self.seen if (seen.method, seen.path) == (method, path)]

    def answer(self, seen: Seen) -> Answer:
        with self._lock:
            self.seen.append(seen)
            route = self.routes.get((seen.method, seen.path))
            if isinstance(route, list):
                route = route.pop(0) if len(route) > 1 else route[0]
        if route is None:
            return Answer({"errors": [{"message": "The specified resource does not exist."}]}, 404)
        return route if isinstance(route, Answer) else route(seen)

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class OneRequest(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = urlsplit(self.path)
                query = parse_qs(parts.query, keep_blank_values=True)
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = server.answer(Seen(self.command, parts.path, query, headers, body))
                self._reply(answer)

            def _reply(self, answer: Answer) -> None:
                time.sleep(answer.delay)
                body = answer.raw()
                self.send_response_only(answer.status, "As You Like")
                usual = {"Date": self.date_time_string(), "Content-Type": "application/json"}
                for name, value in {**usual, **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if answer.cut is not None:
                    self.wfile.write(body[: answer.cut])
                    self.close_connection = True
                    return
                for start in range(0, len(body), 1) if answer.drip else ():
                    self.wfile.write(body[start : start + 1])
                    time.sleep(answer.drip)
                if not answer.drip:
                    self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = _serve

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        return OneRequest


@pytest.fixture
def server() -> Iterator[LocalServer]:
    one = LocalServer()
    yield one
    one.close()
