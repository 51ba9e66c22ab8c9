"""``python -m sandbox``: run the pretend Canvas as a program of its own."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from types import FrameType

from sandbox import scenarios
from sandbox.server import SandboxServer


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    defaults = scenarios.Options()
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A pretend Canvas, in memory.")
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--port", type=int, default=8100, help="0 picks a free one")
    parser.add_argument("--tool-url", default=defaults.tool_url, help="origin of the LTI tool")
    parser.add_argument(
        "--scenario",
        default="small",
        help="the course to start with (--list-scenarios)",
    )
    parser.add_argument("--lti-client-id", default=defaults.lti_client_id)
    parser.add_argument("--api-client-id", default=defaults.api_client_id)
    parser.add_argument("--api-client-secret", default=defaults.api_client_secret)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to every call")
    parser.add_argument("--no-throttle", action="store_true", help="switch the leaky bucket off")
    parser.add_argument("--list-scenarios", action="store_true", help="name the courses and end")
    parser.add_argument("--json-ready", action="store_true", help="print one JSON line once it answers")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    if arguments.list_scenarios:
        width = max(len(name) for name in scenarios.NAMES)
        for name, description in scenarios.NAMES.items():
            print(f"{name:<{width}}  {description}")
        return 0
    options = scenarios.Options(
        arguments.tool_url,
        arguments.lti_client_id,
        arguments.api_client_id,
        arguments.api_client_secret,
    )
    try:
        world = scenarios.build(arguments.scenario, options)
    except scenarios.UnknownScenario:
        print(
            f"No scenario is called {arguments.scenario!r}; --list-scenarios names them.",
            file=sys.stderr,
        )
        return 2
    world.latency = arguments.latency_ms / 1000
    world.throttle.enabled = not arguments.no_throttle
    return _serve(SandboxServer(world, arguments.host, arguments.port), arguments)


def _serve(server: SandboxServer, arguments: argparse.Namespace) -> int:
    """Answer until SIGTERM or Ctrl-C, then stop cleanly."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    with server:
        if arguments.json_ready:
            print(
                json.dumps({"url": server.url, "scenario": arguments.scenario}),
                flush=True,
            )
        else:
            print(
                f"The sandbox Canvas answers at {server.url} ({arguments.scenario})",
                flush=True,
            )
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
