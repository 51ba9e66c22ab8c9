"""`make demo`: a pretend Canvas and the tool side by side, from nothing; Ctrl-C stops everything.

The sandbox Canvas keeps its courses in memory, so the tool's database is as short-lived: every demo
starts afresh, with keys of its own and a throw-away PostgreSQL, whatever the environment says.
`--check` (scripts/demo_check.py) does the main job without a person and tells whether it worked.
"""

import argparse
import base64
import json
import os
import secrets
import shutil
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from scripts import postgres
from scripts.collected import collect_static
from scripts.processes import (
    PYTHON,
    ROOT,
    Child,
    Problem,
    Supervisor,
    manage,
    require_free,
    run,
    say,
    web_server,
)

READY_SECONDS = 120
ISSUER = "https://canvas.instructure.com"
LTI_CLIENT_ID = "10000000000001"
API_CLIENT_ID = "10000000000002"
SETTINGS = (
    "DATABASE_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "TOOL_URL", "ALLOW_HTTP", "DEBUG", "UNDO_DAYS", "PORT", "BIND",
)  # fmt: skip


@dataclass
class Demo:
    """One running demo: its addresses and what its programs need to know."""

    tool_url: str
    canvas_url: str
    folder: Path
    environment: dict[str, str]
    api_secret: str


def main(argv: list[str] | None = None) -> int:
    options = _options(argv)
    try:
        if options.list:
            print(run([PYTHON, "-m", "sandbox", "--list-scenarios"], os.environ), end="")
            return 0
        return play(options)
    except (Problem, postgres.PostgresProblem) as problem:
        say(str(problem))
        return 1


def play(options: argparse.Namespace) -> int:
    require_free("127.0.0.1", options.port, "choose another with --port")
    require_free("127.0.0.1", options.canvas_port, "choose another with --canvas-port")
    with Supervisor(grace_seconds=15) as supervisor:
        folder = _fresh_folder(options.port)
        server = postgres.start(folder / "postgres", *postgres.UNSAFE_AND_FAST)
        supervisor.afterwards.append(lambda: postgres.remove(folder / "postgres"))
        supervisor.afterwards.append(server.stop)
        demo = _prepare(options, folder, server.url)
        _start(supervisor, demo, options)
        if supervisor.stopping:
            return 130
        if options.check:
            return _check(supervisor, demo, options)
        _announce(demo, _registration_link(demo), as_json=options.json)
        supervisor.watch()
    return 0


def _check(supervisor: Supervisor, demo: Demo, options: argparse.Namespace) -> int:
    from scripts import demo_check  # it needs `requests`; the demo alone needs nothing

    supervisor.interrupts = True
    access = demo_check.Access(API_CLIENT_ID, demo.api_secret)
    try:
        return demo_check.check(
            demo.tool_url, demo.canvas_url, options.scenario, access, as_json=options.json
        )
    except KeyboardInterrupt:
        return 130


def _prepare(options: argparse.Namespace, folder: Path, database_url: str) -> Demo:
    tool_url = f"http://127.0.0.1:{options.port}"
    environment = {
        name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in SETTINGS
    }
    environment |= {
        "DATABASE_URL": database_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "TOOL_URL": tool_url,
        "ALLOW_HTTP": "1",
    }
    canvas_url = f"http://localhost:{options.canvas_port}"
    return Demo(tool_url, canvas_url, folder, environment, secrets.token_urlsafe(32))


def _start(supervisor: Supervisor, demo: Demo, options: argparse.Namespace) -> None:
    say("Preparing the database and the sandbox Canvas ...")
    canvas = supervisor.add(
        Child("sandbox", _sandbox(demo, options), os.environ, demo.folder / "sandbox.log")
    )
    _wait_for(supervisor, canvas, demo.canvas_url)
    run(manage("migrate", "--no-input"), demo.environment)
    collect_static(demo.environment)
    run(_registration(demo), demo.environment)
    _write_environment(demo)
    web = Child("web", web_server("127.0.0.1", options.port), demo.environment, demo.folder / "web.log")
    supervisor.add(web)
    supervisor.add(Child("worker", manage("worker"), demo.environment, demo.folder / "worker.log"))
    _wait_for(supervisor, web, f"{demo.tool_url}/readyz")


def _sandbox(demo: Demo, options: argparse.Namespace) -> list[str]:
    return [
        PYTHON, "-m", "sandbox", "--port", str(options.canvas_port), "--host", "localhost",
        "--tool-url", demo.tool_url, "--scenario", options.scenario, "--lti-client-id", LTI_CLIENT_ID,
        "--api-client-id", API_CLIENT_ID, f"--api-client-secret={demo.api_secret}",
        "--latency-ms", str(options.latency_ms), "--json-ready",
    ]  # fmt: skip


def _registration(demo: Demo) -> list[str]:
    """What an administrator types once for a real Canvas (docs/install.md)."""
    secret = demo.folder / "api-client-secret"
    secret.touch(mode=0o600)
    secret.write_text(demo.api_secret)
    return manage(
        "register_platform", "--issuer", ISSUER, "--client-id", LTI_CLIENT_ID,
        "--authorize-url", f"{demo.canvas_url}/api/lti/authorize_redirect",
        "--token-url", f"{demo.canvas_url}/login/oauth2/token",
        "--jwks-url", f"{demo.canvas_url}/api/lti/security/jwks",
        "--canvas-url", demo.canvas_url, "--api-client-id", API_CLIENT_ID,
        "--api-client-secret-file", str(secret), "--allow-new-deployments",
    )  # fmt: skip


def _wait_for(supervisor: Supervisor, child: Child, url: str) -> None:
    """Until `url` answers with anything but a server's fault, `child` ends, or somebody stops us."""
    deadline = time.monotonic() + READY_SECONDS
    while not supervisor.stopping:
        if child.process is None or child.process.poll() is not None or time.monotonic() > deadline:
            raise Problem(f"{child.name} did not start:\n{_tail(child.log)}")
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.HTTPError as answer:
            answer.close()
            if answer.code < 500:
                return
        except OSError:
            pass
        time.sleep(0.1)


def _registration_link(demo: Demo) -> str:
    """A one-time link, for who wants to see an installation (docs/install.md)."""
    return run(manage("registration_link"), demo.environment).strip()


def _announce(demo: Demo, link: str, *, as_json: bool) -> None:
    commands = demo.folder / "environment"
    if as_json:
        found = {
            "canvas": demo.canvas_url,
            "tool": demo.tool_url,
            "environment": str(commands),
            "registration_link": link,
        }
        print(json.dumps(found), flush=True)
        return
    print(
        f"\n  Open  {demo.canvas_url}/\n\n"
        "  Enter as the teacher, open the course and choose the tool in its navigation.\n"
        f"  To see an installation: act as Ada Admin, open Keys, and paste {link}\n"
        f"  Logs: {demo.folder.relative_to(ROOT)}/*.log.  For manage.py commands: "
        f"set -a; . {commands.relative_to(ROOT)}; set +a\n"
        "  Ctrl-C stops everything.\n",
        flush=True,
    )


def _write_environment(demo: Demo) -> None:
    """The settings of this demo for `manage.py` in another shell; of no use once it has ended."""
    path = demo.folder / "environment"
    path.touch(mode=0o600)
    names = [name for name in SETTINGS if name in demo.environment]
    path.write_text("".join(f"{name}='{demo.environment[name]}'\n" for name in names))


def _fresh_folder(port: int) -> Path:
    """One folder per tool port, so that two demos do not meet."""
    folder = ROOT / "var" / f"demo-{port}"
    if postgres.is_running(folder / "postgres"):
        raise Problem(f"Another demo holds {folder}; stop it first.")
    postgres.remove(folder / "postgres")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _tail(log: Path | None) -> str:
    lines = log.read_text(errors="replace").splitlines()[-15:] if log and log.exists() else []
    return "\n".join(f"  {line}" for line in lines)


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='make demo ARGS="..."', description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8000, help="of the tool (default 8000)")
    parser.add_argument("--canvas-port", type=int, default=8100, help="of the sandbox Canvas (default 8100)")
    parser.add_argument("--scenario", default="small", help="the course to start with (see --list)")
    parser.add_argument("--latency-ms", type=int, default=0, help="how long the sandbox takes for every call")
    parser.add_argument("--list", action="store_true", help="name the scenarios and stop")
    parser.add_argument("--check", action="store_true", help="do the main job without a person, and stop")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
