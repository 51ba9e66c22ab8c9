"""What the self-check says of this layer: settings, database, keys, and what a platform lets us read without a person.

A finding is one line: what was looked at, how it stands, one sentence, and the fix. `canvas.selfcheck` and
`grading.selfcheck` add theirs; nothing here or there changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.core.checks import run_checks
from django.db import Error

from lti_tool import keys
from lti_tool.errors import PlatformError
from lti_tool.health import missing
from lti_tool.http import Policy, allowed_hosts, shared_http
from lti_tool.models import Deployment, Registration, SigningKey
from lti_tool.sealing import FINGERPRINT_PURPOSE, CannotUnseal, unseal

OLD_KEY = timedelta(days=365)
CLOCK_WARNING = timedelta(seconds=10)
CLOCK_PROBLEM = timedelta(seconds=60)
"""Launches forgive a minute; Canvas forgives an assertion from its future nothing."""


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `code` is stable, for programs; `fix` is empty where there is nothing to do."""

    code: str
    title: str
    verdict: Verdict
    sentence: str
    fix: str = ""


def ok(code: str, title: str, sentence: str) -> Finding:
    return Finding(code, title, Verdict.OK, sentence)


def warning(code: str, title: str, sentence: str, fix: str) -> Finding:
    return Finding(code, title, Verdict.WARNING, sentence, fix)


def problem(code: str, title: str, sentence: str, fix: str) -> Finding:
    return Finding(code, title, Verdict.PROBLEM, sentence, fix)


def skipped(code: str, title: str, sentence: str, fix: str = "") -> Finding:
    return Finding(code, title, Verdict.SKIPPED, sentence, fix)


def check_installation(now: datetime) -> list[Finding]:
    """What does not depend on any school. Where the database fails, its line is the last."""
    database = _database()
    if database.verdict is Verdict.PROBLEM:
        return [_settings(), database]
    return [_settings(), database, _signing_keys(now)]


def check_registration(registration: Registration, now: datetime) -> list[Finding]:
    """What one school's registration needs before anybody launches."""
    return [_registration(registration), _sealed(registration), *_platform_keys(registration, now)]


def clock_finding(ahead: timedelta | None) -> Finding:
    """Our clock beside a platform's; `ahead` is how much ours is ahead, None where nobody said."""
    title = "Clock"
    if ahead is None:
        return skipped("clock", title, "Canvas did not say what time it is.")
    words = f"This server's clock is {_seconds(ahead)} {'ahead of' if ahead > timedelta(0) else 'behind'} Canvas's."
    fix = "Have this server keep its time by NTP (timedatectl set-ntp true)."
    if abs(ahead) >= CLOCK_PROBLEM:
        return problem("clock", title, f"{words} Launches are refused.", fix)
    if abs(ahead) >= CLOCK_WARNING:
        return warning("clock", title, words, fix)
    return ok("clock", title, "This server's clock and Canvas's agree.")


def _seconds(span: timedelta) -> str:
    return f"{abs(span).total_seconds():.0f} seconds"


def _settings() -> Finding:
    serious = [one for one in run_checks(include_deployment_checks=True) if one.is_serious()]
    if not serious:
        return ok("settings", "Settings", "Nothing in the settings weakens the tool.")
    said = " ".join(str(one.msg) for one in serious)
    hints = " ".join(str(one.hint) for one in serious if one.hint)
    return problem("settings", "Settings", said, hints or "Run manage.py check --deploy.")


def _database() -> Finding:
    try:
        waiting = missing()
    except Error:
        waiting = "The database does not answer."
    if waiting:
        return problem("database", "Database", waiting, "Check DATABASE_URL, then run manage.py migrate.")
    return ok("database", "Database", "PostgreSQL answers, and every migration is applied.")


def _signing_keys(now: datetime) -> Finding:
    title = "Signing key"
    published = list(SigningKey.objects.filter(retired_at=None).order_by("-created_at", "-pk"))
    if not published:
        return ok("signing_key", title, "The first key is made when it is needed.")
    try:
        keys.private_pem(published[0])
    except CannotUnseal:
        return problem(
            "signing_key",
            title,
            "The tool's private key cannot be opened with the present ENCRYPTION_KEYS.",
            "Put the key it was sealed with back behind the first one, or run manage.py rotate_keys.",
        )
    if now - published[0].created_at > OLD_KEY:
        return warning(
            "signing_key", title, "The tool's key is over a year old.", "Run manage.py rotate_keys."
        )
    if len(published) > 1:
        return warning(
            "signing_key",
            title,
            f"{len(published)} keys are published; the newest signs.",
            "When a day has passed since rotate_keys, run manage.py rotate_keys --retire.",
        )
    return ok("signing_key", title, "The tool's key opens and is published.")


def _registration(registration: Registration) -> Finding:
    title = "Registration"
    if not registration.is_active:
        return problem(
            "registration",
            title,
            "This registration is switched off.",
            "The tool's operator can switch it on again.",
        )
    on = Deployment.objects.filter(registration=registration, is_active=True).count()
    if not on and not registration.allow_new_deployments:
        return problem(
            "registration",
            title,
            "No installation may launch.",
            "Run register_platform again with --deployment-id ID or --allow-new-deployments.",
        )
    return ok("registration", title, f"Switched on, with {on} installation{'' if on == 1 else 's'}.")


def _sealed(registration: Registration) -> Finding:
    title = "Encryption keys"
    try:
        unseal(registration.sealed_fingerprint_key, purpose=FINGERPRINT_PURPOSE)
    except CannotUnseal:
        return problem(
            "encryption_keys",
            title,
            "What this registration keeps sealed cannot be opened: a key is missing from ENCRYPTION_KEYS.",
            "Put the old key back, behind the first one.",
        )
    if len(settings.ENCRYPTION_KEYS) > 1:
        return warning(
            "encryption_keys",
            title,
            f"What is sealed for this school opens, with one of {len(settings.ENCRYPTION_KEYS)} keys.",
            "Run manage.py rotate_encryption; it says when the older keys may be removed.",
        )
    return ok("encryption_keys", title, "What is sealed for this school opens.")


def _platform_keys(registration: Registration, now: datetime) -> Iterable[Finding]:
    title = "Canvas's keys"
    try:
        reply = shared_http().request(
            "GET",
            registration.jwks_url,
            allow_hosts=allowed_hosts(registration),
            deadline=10.0,
            where="GET platform keys",
            policy=Policy(attempts=1),
        )
        body = reply.json()
        found = len(body["keys"]) if isinstance(body, dict) and isinstance(body.get("keys"), list) else 0
    except PlatformError as error:
        fix = "Check --jwks-url of register_platform and this server's way out (firewall, proxy)."
        yield problem("platform_keys", title, f"{error.detail} Nobody can launch.", fix)
        return
    if found:
        yield ok("platform_keys", title, "Canvas's public keys can be read.")
    else:
        fix = "Check --jwks-url of register_platform."
        yield problem("platform_keys", title, "The address of Canvas's keys holds none.", fix)
    yield clock_finding(now - reply.date if reply.date else None)
