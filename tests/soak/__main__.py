"""`make soak N=1000`: that many randomised syncs with faults, and the seed of anything that went wrong."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
import traceback
from typing import Any

from cryptography.fernet import Fernet

from scripts import postgres


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("-n", "--syncs", type=int, default=1000, help="stop after this many randomised syncs")
    parser.add_argument("--seed", type=int, default=None, help="the first seed; one walk each")
    parser.add_argument("--walks", type=int, default=0, help="stop after this many walks")
    parser.add_argument("--seconds", type=float, default=0, help="stop after this long")
    parser.add_argument("--crowded", action="store_true", help="a second worker in every operation")
    parser.add_argument("--go-on", action="store_true", help="go on after a failure")
    parser.add_argument("-v", "--verbose", action="store_true", help="print what led to a failure")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    os.environ.update(
        DJANGO_SETTINGS_MODULE="tests.settings",
        SECRET_KEY="soak-" + Fernet.generate_key().decode(),
        ENCRYPTION_KEYS=Fernet.generate_key().decode(),
        TOOL_URL="http://127.0.0.1:8000",
        ALLOW_HTTP="1",
        LOG_LEVEL="CRITICAL",
    )
    with postgres.temporary() as server:
        os.environ["DATABASE_URL"] = server.url
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        return soak(given)


def soak(given: argparse.Namespace) -> int:
    from tests.soak.scrub import scrub
    from tests.soak.walk import Tally, Walk
    from tests.soak.weather import no_waiting

    tally, failures = Tally(), list[int]()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *given: stop.set())
    seed = given.seed if given.seed is not None else int(time.time())
    first, began = seed, time.monotonic()
    with no_waiting():
        while tally.syncs < given.syncs and not (given.walks and seed - first >= given.walks):
            if stop.is_set() or given.seconds and time.monotonic() - began > given.seconds:
                break
            walk = Walk(seed, tally, crowded=given.crowded)
            try:
                walk.run()
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    break
                failures.append(seed)
                report(walk, error, given.verbose)
                if not given.go_on:
                    break
            finally:
                scrub()
            seed += 1
            if (seed - first) % 50 == 0:
                print(summary(tally, failures, first, time.monotonic() - began), flush=True)
    print(summary(tally, failures, first, time.monotonic() - began))
    return 1 if failures else 0


def report(walk: Any, error: BaseException, verbose: bool) -> None:
    print(f"seed {walk.seed}: {type(error).__name__}: {error}", flush=True)
    if verbose:
        for line in walk.said[-30:]:
            print("   ", line[:1500])
        traceback.print_exception(error)


def summary(tally: Any, failures: list[int], first: int, seconds: float) -> str:
    outcomes = ", ".join(f"{name} {count}" for name, count in sorted(tally.outcomes.items()))
    return "\n".join(
        (
            f"{tally.walks} walks from seed {first}, {tally.syncs} syncs, {tally.stormy} of them in bad weather, "
            f"{tally.undos} undos, {tally.clean} clean checks in {seconds:.0f} s",
            f"{tally.faults} faults, {tally.killed} kills, {tally.edits} edits by people; ends: {outcomes}",
            f"{tally.doubled} times two workers: {tally.killed_elsewhere} killed, {tally.frozen} frozen, "
            f"{tally.fenced} of them replaced",
            f"{tally.realigned} alignments changed under an open run, {tally.limited} undos of one section only",
            f"{tally.cells} cells checked, {tally.writes} written, "
            f"{tally.raced} edits inside the unavoidable window between reading and writing",
            f"wrong: {len(failures)}" + (f", seeds {failures}" if failures else ""),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
