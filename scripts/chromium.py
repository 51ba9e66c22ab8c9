"""Prints the path of a Chromium for the browser tests; installs Debian's where we may, else says what to run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APT_UPDATE = ["apt-get", "update", "-qq"]
APT_INSTALL = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]


def main() -> int:
    found = find() or (install() and find())
    if not found:
        print(help_text(), file=sys.stderr)
        return 1
    print(found)
    return 0


def find() -> str:
    """The first one that starts, or ""."""
    return next((path for path in _candidates() if _starts(path)), "")


def install() -> bool:
    """With apt and the right to use it."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print("Installing Chromium for the browser tests ...", file=sys.stderr)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    steps = (APT_UPDATE, APT_INSTALL)
    return all(subprocess.run(step, env=environment, stdout=sys.stderr).returncode == 0 for step in steps)


def help_text() -> str:
    sudo = "" if os.geteuid() == 0 else "sudo "
    return (
        "No Chromium was found, and the browser tests need one. Run\n"
        f"    {sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends chromium\n"
        "or\n"
        "    .venv/bin/playwright install --with-deps chromium\n"
        "or set CHROMIUM to the path of a Chromium or Chrome, and start again."
    )


def _candidates() -> Iterator[str]:
    if os.environ.get("CHROMIUM"):
        yield os.environ["CHROMIUM"]
        return
    for name in NAMES:
        path = shutil.which(name)
        if path:
            yield path
    yield from _playwrights_own()


def _playwrights_own() -> Iterator[str]:
    home = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright"
    for path in sorted(Path(home).glob("chromium-*/chrome-linux*/chrome"), reverse=True):
        yield str(path)


def _starts(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    sys.exit(main())
