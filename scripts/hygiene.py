"""What no linter looks for: addresses of package indexes in tracked files, and suppressions without a reason."""

import re
import subprocess
import sys
from pathlib import Path

from scripts.processes import ROOT

SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no cover|pyright:|nosec)")
WITH_REASON = re.compile(r"#\s*(noqa:|type:\s*ignore\[|pragma:\s*no cover)[^#]*?(#\s*|\s[-–]\s)\w+")
# An address, not the name: documentation may say "PyPI".
INDEX = re.compile(
    r"(https?|file)://[^\s\"'<>]*(/simple\b|pypi\.org|pythonhosted|registry\.npmjs|npmmirror|artifactory|devpi|nexus)"
    r"|--(extra-)?index-url|--find-links|--trusted-host",
    re.IGNORECASE,
)
# These name the options in order to switch them off, or look for them.
MAY_NAME_OPTIONS = {"Makefile", "scripts/hygiene.py"}
SUPPRESSIONS_PER_THOUSAND_LINES = 0.5


def main() -> int:
    files = [Path(name) for name in _tracked()]
    problems = [*index_addresses(files), *suppressions(files)]
    print("\n".join(problems) if problems else "No index addresses; suppressions are few and have reasons.")
    return 1 if problems else 0


def index_addresses(files: list[Path]) -> list[str]:
    found = []
    for path in files:
        if str(path) in MAY_NAME_OPTIONS:
            continue
        for number, line in enumerate(_lines(path), start=1):
            if INDEX.search(line):
                found.append(f"{path}:{number}: names a package index")
    return found


def suppressions(files: list[Path]) -> list[str]:
    """Every suppression needs a reason behind it, and they may not be many (docs/decisions, CONTRIBUTING.md)."""
    found, problems, total = 0, [], 0
    for path in files:
        if path.suffix != ".py" or path == Path("scripts/hygiene.py"):
            continue
        for number, line in enumerate(_lines(path), start=1):
            total += bool(line.strip())
            if SUPPRESSION.search(line):
                found += 1
                if not WITH_REASON.search(line):
                    problems.append(f"{path}:{number}: a suppression without a reason: {line.strip()}")
    allowed = max(5, round(total * SUPPRESSIONS_PER_THOUSAND_LINES / 1000))
    print(f"{found} suppressions in {total} lines of Python; {allowed} are allowed.")
    if found > allowed:
        problems.append(f"{found} suppressions are more than {allowed}")
    return problems


def _tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def _lines(path: Path) -> list[str]:
    try:
        return (ROOT / path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []


if __name__ == "__main__":
    sys.exit(main())
