"""`make run`: the tool as a school would start it on one machine. Settings come from the environment.

A web server on $BIND:$PORT (127.0.0.1:8000), one worker, and an embedded PostgreSQL when DATABASE_URL
is unset. Ctrl-C or SIGTERM stops everything; what ends by itself is started again.
"""

import os
import shutil
import sys
from pathlib import Path

from scripts import postgres
from scripts.collected import collect_static
from scripts.processes import ROOT, Child, Problem, Supervisor, manage, require_free, run, say, web_server


def main() -> int:
    try:
        serve()
    except (Problem, postgres.PostgresProblem) as problem:
        say(str(problem))
        return 1
    return 0


def serve() -> None:
    host, port = os.environ.get("BIND", "127.0.0.1"), _port()
    environment = dict(os.environ)
    run(manage("check"), environment)
    require_free(host, port, "set PORT to a free one")
    with Supervisor() as supervisor:
        if not _database_is_given():
            server = postgres.start(ROOT / "var" / "postgres")
            supervisor.afterwards.append(server.stop)
            environment["DATABASE_URL"] = server.url
        environment.setdefault("METRICS_DIR", str(_fresh_folder(ROOT / "var" / "metrics")))
        run(manage("migrate", "--no-input"), environment)
        collect_static(environment)
        supervisor.add(Child("web", web_server(host, port), environment))
        supervisor.add(Child("worker", manage("worker"), environment))
        say(f"The tool listens on http://{host}:{port}; Ctrl-C stops it.")
        supervisor.watch()


def _fresh_folder(path: Path) -> Path:
    """An empty folder: what processes counted that are gone is no longer asked for."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700, parents=True)
    return path


def _database_is_given() -> bool:
    return "DATABASE_URL" in os.environ or "DATABASE_URL_FILE" in os.environ


def _port() -> int:
    text = os.environ.get("PORT", "8000")
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise Problem("PORT: use a number from 1 to 65535.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
