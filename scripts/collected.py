"""Static files for a web server that is about to start: collected only where something of them has changed.

Collecting takes files away and writes them anew. A server that was started from the same folder a moment ago (a second
demo, the next test) would answer without a style or a script meanwhile, or read half a list of them.
"""

import fcntl
import hashlib
from collections.abc import Mapping
from pathlib import Path

from scripts.processes import ROOT, manage, run


def collect_static(environment: Mapping[str, str], root: Path = ROOT) -> None:
    """Fill `root`/staticfiles, one process at a time. Raises Problem where `collectstatic` does."""
    note = root / "var" / "static-files"
    note.parent.mkdir(exist_ok=True)
    with note.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists() or note.read_text() != _state(root):
            run(manage("collectstatic", "--no-input"), environment)
            note.write_text(_state(root))


def _state(root: Path) -> str:
    """A digest of what is collected, of what decides how, and of what came of it."""
    sources = [path for path in sorted((root / "static").rglob("*")) if path.is_file()]
    deciding = [root / "requirements.lock", root / "lti_tool" / "settings.py"]
    result = [root / "staticfiles" / "staticfiles.json"]
    digest = hashlib.sha256()
    for path in [*sources, *deciding, *result]:
        digest.update(f"{path.relative_to(root)} {path.exists()}\n".encode())
        if path.exists():
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
