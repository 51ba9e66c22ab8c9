"""Settings from the environment, loudly: a wrong value stops the start and names the variable."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

Value = TypeVar("Value")

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
MOST_DAYS = 3_650
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def text(name: str, default: str | None = None) -> str:
    """`NAME`, or the content of the file `NAME_FILE`; without a default the variable is required."""
    value = os.environ.get(name)
    path = os.environ.get(f"{name}_FILE")
    if value is not None and path is not None:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; keep one.")
    if path is not None:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise ImproperlyConfigured(f"{name}_FILE: cannot read {path!r}: {error}") from None
    if value is None or (value == "" and default is None):
        if default is None:
            raise ImproperlyConfigured(f"{name} is required; set it, or {name}_FILE to a file that holds it.")
        return default
    return value


def parsed(name: str, default: str | None, parse: Callable[[str], Value]) -> Value:
    """The variable read by `parse`, whose ValueError becomes a message that names the variable."""
    try:
        return parse(text(name, default))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None


def to_bool(value: str) -> bool:
    if value.strip().lower() in TRUE:
        return True
    if value.strip().lower() in FALSE:
        return False
    raise ValueError("use 1 or 0")


def to_count(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise ValueError("use a whole number, 0 or more")
    return int(value)


def to_days(value: str) -> int:
    days = to_count(value)
    if days > MOST_DAYS:
        raise ValueError(f"use at most {MOST_DAYS}")
    return days


def to_folder(value: str) -> str:
    """A folder of this machine, made if it is not there yet, that only this account may look into."""
    if value:
        try:
            Path(value).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"cannot use the folder {value!r}: {error.strerror}") from None
    return value


def to_https(value: str) -> str:
    """An https address."""
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("use an https address")
    return value


def to_choice(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"use one of {', '.join(choices)}")
        return value

    return parse


def to_fernet_keys(value: str) -> list[str]:
    """Comma-separated Fernet keys, newest first. The message never repeats a key."""
    keys = [key.strip() for key in value.split(",") if key.strip()]
    if not keys:
        raise ValueError("give at least one Fernet key")
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            raise ValueError(
                f"key {position} is not a Fernet key (32 url-safe base64-encoded bytes)"
            ) from None
    return keys


def to_origin(value: str) -> str:
    """`https://host[:port]`, nothing after it."""
    parts = urlsplit(value.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("use an origin such as https://mastery.school.edu")
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("use scheme, host and port only")
    host = parts.hostname
    if not (_HOST_NAME.fullmatch(host) or ":" in host):
        raise ValueError("use a host name of letters, digits, dots and hyphens (punycode for others)")
    host = f"[{host}]" if ":" in host else host
    # As browsers write an origin: without the scheme's own port, or our own pages would seem foreign.
    is_usual = parts.port in (None, {"https": 443, "http": 80}[parts.scheme])
    return f"{parts.scheme}://{host}" if is_usual else f"{parts.scheme}://{host}:{parts.port}"


def to_postgres(value: str) -> dict[str, Any]:
    """A Django `DATABASES` entry; sockets as `postgresql://user@/name?host=/dir`. The message holds no password."""
    parts = urlsplit(value)
    try:
        port = str(parts.port or "")
    except ValueError:
        # Python's message repeats what stands there: where a password holds a `/`, its beginning.
        raise ValueError("the port is no number; write a / in the password as %2F") from None
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError("only PostgreSQL is supported; use postgres://user:password@host:port/name")
    options = dict(parse_qsl(parts.query))
    name = unquote(parts.path.removeprefix("/"))
    if not name:
        raise ValueError("the database name is missing")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": options.pop("port", port),
        "OPTIONS": options,
    }


def embedded_postgres_url(data: Path) -> str:
    """The address of the embedded server that `make run` keeps on `data`, whether or not it runs now.

    PostgreSQL itself writes its socket folder into line 5 of postmaster.pid.
    """
    try:
        sockets = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[4]
    except (OSError, IndexError):
        sockets = "/nonexistent/embedded-postgresql-is-not-running-and-DATABASE_URL-is-unset"
    return f"postgresql://app@/postgres?host={sockets}"
