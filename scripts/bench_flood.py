"""Badly signed launches by the hundred thousand: what they leave in the tool's memory and tables."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from psycopg import sql

from scripts.bench_browsers import AT_ONCE, Begun, Browsers, Platform, Target, log_in

MOST_GROWTH_MB = 10.0


def flood(target: Target, platform: Platform, database_url: str, count: int) -> dict[str, Any]:
    """Badly signed launches, each with a nonce of its own: memory and tables before and after."""
    browsers = Browsers(target)
    begun = log_in(browsers, platform)
    header, payload, signature = platform.token(begun.nonce, target.launch_url).split(".")
    _flooding(browsers, begun, (header, payload, signature), 2_000)
    rows, memory, began = rows_of(database_url), _web_mb(target), time.perf_counter()
    statuses = _flooding(browsers, begun, (header, payload, signature), count)
    return {
        "sent": count,
        "refused": statuses.count(401),
        "per_second": round(count / (time.perf_counter() - began), 1),
        "rows_changed": {
            name: now - rows[name] for name, now in rows_of(database_url).items() if now != rows[name]
        },
        "grown_mb": round(_web_mb(target) - memory, 1),
    }


def _flooding(browsers: Browsers, begun: Begun, token: tuple[str, str, str], count: int) -> list[int]:
    header, payload, signature = token

    def send(number: int) -> int:
        spoiled = f"{number:06x}".translate(str.maketrans("0123456789abcdef", "ABCDEFGHIJKLMNOP"))
        body = urlencode({"id_token": f"{header}.{payload}.{spoiled}{signature[6:]}", "state": begun.state})
        return browsers.post(browsers.target.launch, body, begun.cookies)[0]

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(send, range(count)))


def _web_mb(target: Target) -> float:
    """What the web server's processes hold now, together."""
    return sum(int(_status(pid, "VmRSS:")) for pid in target.processes()) / 1000


def rows_of(database_url: str) -> dict[str, int]:
    """How many rows each table of the database holds."""
    with psycopg.connect(database_url) as wire:
        named = wire.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        count = sql.SQL("SELECT count(*) FROM {}")
        found = {name: wire.execute(count.format(sql.Identifier(name))).fetchone() for (name,) in named}
    return {name: row[0] if row else 0 for name, row in found.items()}


def _status(pid: str, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(name))
