"""Launches per second with the real server and database, beside a bare PyLTI1p3 tool doing the same, and what
badly signed launches leave behind.

One run, one machine, in many short turns: some launches of ours, some of the other, and again, each first every
second time. Judged is the median of the rounds' ratios: what else the machine does meets both halves of a round alike.
A launch is the login and the form post that follows; the platform's signing in between is done while nothing is
measured. The other is scripts/bench_bare/, PyLTI1p3's documented Django part.

Alike for both: gunicorn with the same processes and threads, one PostgreSQL, the same connection pool, the platform's
keys cached, launch data in the database, a page of the same length. Different, because they are what is compared: the
other makes no check of ours and serves fewer middlewares, and has a session already at the login.
PostgreSQL's own log counts what each asks of it: a statement is a round trip, BEGIN and COMMIT included.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import urlencode

import psycopg

from scripts import postgres
from scripts.bench_browsers import (
    AT_ONCE,
    CLIENT,
    DEPLOYMENT,
    ISSUER,
    Browsers,
    Platform,
    Target,
    launch,
    log_in,
)
from scripts.bench_flood import MOST_GROWTH_MB, flood
from scripts.bench_formula import Aim
from scripts.bench_school import Tool, free_port, wait_for
from scripts.processes import PYTHON, Child, Problem, Supervisor, manage, run, say, web_server


@dataclass
class Figures:
    """Launches of one tool: per round, per second; and each request's milliseconds."""

    per_second: list[float] = field(default_factory=list)
    logins: list[float] = field(default_factory=list)
    launches: list[float] = field(default_factory=list)
    p95s: list[float] = field(default_factory=list)
    """Of each round, milliseconds of login and launch together."""
    cpu_seconds: float = 0.0
    """Of the web server's processes, in all rounds."""

    def summary(self) -> dict[str, float]:
        both = [one + other for one, other in zip(self.logins, self.launches, strict=True)]
        return {
            "launches_per_second": round(statistics.median(self.per_second), 1),
            "p50_ms": round(_quantile(both, 0.5), 1),
            "p95_ms": round(_quantile(both, 0.95), 1),
            "login_p50_ms": round(_quantile(self.logins, 0.5), 1),
            "launch_p50_ms": round(_quantile(self.launches, 0.5), 1),
            "cpu_ms": round(self.cpu_seconds * 1000 / len(both), 2),
        }


def play(target: Target, platform: Platform, count: int, into: Figures, at_once: int) -> None:
    """One round of whole launches. Raises Problem where one is not let in."""
    browsers, used = Browsers(target), cpu_seconds(target)
    with ThreadPoolExecutor(at_once) as threads:
        began = time.perf_counter()
        timed = list(threads.map(lambda _: _timed(lambda: log_in(browsers, platform)), range(count)))
        spent = time.perf_counter() - began
        into.logins += [milliseconds for milliseconds, _ in timed]
        begun = [each for _, each in timed]
        for each in begun:
            token = platform.token(each.nonce, target.launch_url)
            each.body = urlencode({"id_token": token, "state": each.state})
        began = time.perf_counter()
        done = list(threads.map(lambda each: _timed(lambda: launch(browsers, each)), begun))
        spent += time.perf_counter() - began
        into.launches += [milliseconds for milliseconds, _ in done]
        into.per_second.append(count / spent)
        both = [login + launch for (login, _), (launch, _) in zip(timed, done, strict=True)]
        into.p95s.append(_quantile(both, 0.95))
    into.cpu_seconds += cpu_seconds(target) - used


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    found = act()
    return (time.perf_counter() - began) * 1000, found


def _quantile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def cpu_seconds(target: Target) -> float:
    """Processor time the web server's processes have used, in user and kernel mode. proc(5)."""
    parts = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in target.processes()]
    return sum(int(each[11]) + int(each[12]) for each in parts) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    launches: int = 100
    rounds: int = 15
    at_once: int = AT_ONCE
    bad: int = 100_000


def measure(size: Size) -> dict[str, Any]:
    """Both tools in turns, then the flood, with a database and servers of their own. One JSON-ready object."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    platform = Platform()
    keys = platform.serve()
    try:
        with Supervisor(grace_seconds=15) as supervisor, postgres.temporary() as server:
            supervisor.interrupts = True
            ours, tool = registered_tool(supervisor, server.url, folder, platform)
            bare = _bare(supervisor, tool, platform, folder)
            found = _in_turns(ours, bare, platform, size)
            for target in (ours, bare):
                found[target.name]["statements"] = _statements(target, platform, server.url)
            if size.bad:
                say(f"{size.bad} badly signed launches ...")
                found["flood"] = flood(ours, platform, tool.database_url, size.bad)
            return found
    finally:
        keys.shutdown()
        keys.server_close()
        rmtree(folder, ignore_errors=True)


def _in_turns(ours: Target, bare: Target, platform: Platform, size: Size) -> dict[str, Any]:
    figures = {ours.name: Figures(), bare.name: Figures()}
    for target in (ours, bare):
        play(target, platform, 50, Figures(), AT_ONCE)
    for number in range(size.rounds):
        say(f"Launches, round {number + 1} of {size.rounds} ...")
        for target in (ours, bare) if number % 2 == 0 else (bare, ours):
            play(target, platform, size.launches, figures[target.name], size.at_once)
    found: dict[str, Any] = {name: each.summary() for name, each in figures.items()}
    found["ratios"] = {
        "launches_per_second": _ratio(figures[ours.name].per_second, figures[bare.name].per_second),
        "p95_ms": _ratio(figures[ours.name].p95s, figures[bare.name].p95s),
    }
    return found


def _ratio(ours: Sequence[float], bare: Sequence[float]) -> float:
    """The median over the rounds."""
    return round(statistics.median(one / other for one, other in zip(ours, bare, strict=True)), 3)


def _statements(target: Target, platform: Platform, database_url: str, launches: int = 10) -> float:
    """What one launch, its login included, asks of the database on average."""
    with psycopg.connect(database_url, autocommit=True) as wire:
        for command in ("ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()"):
            wire.execute(command)
        time.sleep(1)  # the servers' connections read the change before their next statement
        mine = wire.info.backend_pid
        log = "SELECT pg_read_file('server.log')"
        before = _logged(wire.execute(log).fetchone(), mine)
        play(target, platform, launches, Figures(), 1)
        after = _logged(wire.execute(log).fetchone(), mine)
        for command in ("ALTER SYSTEM RESET log_statement", "SELECT pg_reload_conf()"):
            wire.execute(command)
    return (after - before) / launches


def _logged(row: tuple[Any, ...] | None, without: int) -> int:
    """Statements in PostgreSQL's log, but for those of one connection."""
    lines = str(row[0] if row else "").splitlines()
    return sum("LOG:  statement:" in line and f"[{without}]" not in line for line in lines)


def registered_tool(
    supervisor: Supervisor, database_url: str, folder: Path, platform: Platform
) -> tuple[Target, Tool]:
    """The tool with its server, and the platform registered with it."""
    tool = Tool(supervisor, database_url, folder)
    tool.environment |= {"LOGINS_PER_MINUTE": "0", "LOG_LEVEL": "ERROR"}  # one address plays a whole school
    tool.start()
    run(
        manage(
            "register_platform", "--issuer", ISSUER, "--client-id", CLIENT, "--canvas-url", platform.url,
            "--authorize-url", f"{platform.url}/authorize", "--token-url", f"{platform.url}/token",
            "--jwks-url", f"{platform.url}/jwks", "--deployment-id", DEPLOYMENT,
        ),
        tool.environment,
    )  # fmt: skip
    return Target("ours", tool.port, "/lti/login", "/lti/launch"), tool


def _bare(supervisor: Supervisor, tool: Tool, platform: Platform, folder: Path) -> Target:
    port = free_port()
    given = {
        "issuer": ISSUER, "client_id": CLIENT, "auth_login_url": f"{platform.url}/authorize",
        "auth_token_url": f"{platform.url}/token", "key_set_url": f"{platform.url}/jwks",
        "deployment_ids": json.dumps([DEPLOYMENT]),
    }  # fmt: skip
    environment = tool.environment | {"BENCH_PLATFORM": json.dumps(given)}
    run([PYTHON, "-m", "scripts.bench_bare.app"], environment)
    command = [
        "scripts.bench_bare.app:application" if part == "lti_tool.wsgi:application" else part
        for part in web_server("127.0.0.1", port)
    ]
    child = supervisor.add(Child("bare", command, environment, folder / "bare.log"))
    wait_for(child, f"http://127.0.0.1:{port}/")
    return Target("bare PyLTI1p3", port, "/login/", "/launch/")


def aims(found: dict[str, Any]) -> list[Aim]:
    ours, bare, ratios = found["ours"], found["bare PyLTI1p3"], found["ratios"]
    judged = [
        Aim(
            "launches a second: ours / bare PyLTI1p3",
            "at least 1.00",
            f"{ratios['launches_per_second']:.2f}",
            ratios["launches_per_second"] >= 1,
        ),
        Aim(
            "95 % of launches are done in: ours / bare PyLTI1p3",
            "at most 1.00",
            f"{ratios['p95_ms']:.2f}",
            ratios["p95_ms"] <= 1,
        ),
        Aim(
            "statements a launch: ours / bare PyLTI1p3",
            "no more",
            f"{ours['statements']:g} / {bare['statements']:g}",
            ours["statements"] <= bare["statements"],
        ),
    ]
    if bad := found.get("flood"):
        judged += [
            Aim(
                "badly signed: refused", str(bad["sent"]), str(bad["refused"]), bad["refused"] == bad["sent"]
            ),
            Aim(
                "badly signed: rows left",
                "0",
                str(sum(bad["rows_changed"].values())),
                not bad["rows_changed"],
            ),
            Aim(
                "badly signed: memory grown, MB",
                f"below {MOST_GROWTH_MB:g}",
                str(bad["grown_mb"]),
                bad["grown_mb"] < MOST_GROWTH_MB,
            ),
        ]
    return judged


def as_text(found: dict[str, Any]) -> list[str]:
    """Lines for a person."""
    lines = [
        "",
        f"{'Launches, login and launch together':<40}{'per s':>8}{'p50 ms':>9}{'p95 ms':>9}"
        f"{'login':>8}{'launch':>8}{'CPU ms':>9}{'SQL':>6}",
    ]
    for name in ("ours", "bare PyLTI1p3"):
        one = found[name]
        lines.append(
            f"{name:<40}{one['launches_per_second']:>8.1f}{one['p50_ms']:>9.1f}{one['p95_ms']:>9.1f}"
            f"{one['login_p50_ms']:>8.1f}{one['launch_p50_ms']:>8.1f}{one['cpu_ms']:>9.2f}"
            f"{one['statements']:>6g}"
        )
    if bad := found.get("flood"):
        lines.append(
            f"{bad['refused']} of {bad['sent']} badly signed launches refused, {bad['per_second']:g} a second; "
            f"rows changed: {bad['rows_changed'] or 'none'}; memory {bad['grown_mb']:+g} MB."
        )
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Launches alone: `python -m scripts.bench_launch --bad 1000`."""
    usual = Size()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--launches", type=int, default=usual.launches, help="of each tool in a round")
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="of both tools in turns")
    parser.add_argument("--at-once", type=int, default=usual.at_once, help="browsers at the same time")
    parser.add_argument("--bad", type=int, default=usual.bad, help="badly signed launches; 0: none")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(argv)
    try:
        found = measure(Size(given.launches, given.rounds, given.at_once, given.bad))
    except (Problem, postgres.PostgresProblem) as problem:
        say(str(problem))
        return 1
    judged = aims(found)
    lines = as_text(found)
    for aim in judged:
        lines.append(f"  {'PASS' if aim.met else 'MISS'}  {aim.name:<52}{aim.measured:>10}   aim {aim.aim}")
    print(json.dumps(found) if given.json else "\n".join(lines))
    return 0 if all(aim.met for aim in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
