"""Firefox and WebKitGTK (Safari's engine) for `make test-browsers`: found, else installed from Debian where we may,
else what to run is said.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("firefox-esr", "webkit2gtk-driver", "xvfb")


@dataclass(frozen=True, slots=True)
class Browsers:
    """Paths of programs; "" for what is not there."""

    firefox: str
    webkit_driver: str
    webkit_browser: str
    display: str

    @property
    def missing(self) -> tuple[str, ...]:
        """Debian's packages that would bring what is not there."""
        there = (self.firefox, self.webkit_driver and self.webkit_browser, self.display)
        return tuple(package for package, found in zip(PACKAGES, there, strict=True) if not found)


def main() -> int:
    found = find()
    if found.missing and not (install(found.missing) and not find().missing):
        print(help_text(find().missing), file=sys.stderr)
        return 1
    return 0


def find() -> Browsers:
    """What stands on this machine; FIREFOX may name another Firefox."""
    firefox = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox") or ""
    places = sorted(Path("/usr").glob("lib*/**/webkit2gtk-4*/MiniBrowser")) if _has_driver() else []
    return Browsers(
        firefox=firefox,
        webkit_driver=shutil.which("WebKitWebDriver") or "",
        webkit_browser=str(places[-1]) if places else "",
        display=shutil.which("Xvfb") or "",
    )


def install(packages: tuple[str, ...]) -> bool:
    """With apt and the right to use it."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"Installing {', '.join(packages)} for the browser journeys ...", file=sys.stderr)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    steps = (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    )
    return all(subprocess.run(step, env=environment, stdout=sys.stderr).returncode == 0 for step in steps)


def help_text(packages: tuple[str, ...]) -> str:
    sudo = "" if os.geteuid() == 0 else "sudo "
    return (
        f"The browser journeys need {', '.join(packages)}. Run\n"
        f"    {sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends {' '.join(packages)}\n"
        "and start again. (On other systems: Firefox, WebKitGTK's MiniBrowser with WebKitWebDriver, and Xvfb.)"
    )


def _has_driver() -> bool:
    return shutil.which("WebKitWebDriver") is not None


if __name__ == "__main__":
    sys.exit(main())
