"""The self-check as a whole: what each layer contributes, for one installation, registration and course."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db.models import F, Max

from canvas import accounts
from canvas import selfcheck as canvas_checks
from canvas.models import CanvasAccount
from grading.selfcheck import check_jobs
from lti_tool import selfcheck as lti_checks
from lti_tool.models import Context, Registration
from lti_tool.selfcheck import Finding, Verdict, skipped

MARKS = {Verdict.OK: "ok", Verdict.WARNING: "!", Verdict.PROBLEM: "!!", Verdict.SKIPPED: "-"}


def examine_installation(now: datetime) -> list[Finding]:
    """Settings, database, keys, workers: what all schools share."""
    findings = lti_checks.check_installation(now)
    if any(one.code == "database" and one.verdict is Verdict.PROBLEM for one in findings):
        return findings
    return findings + check_jobs(now)


def examine_school(registration: Registration, context: Context | None, now: datetime) -> list[Finding]:
    """One registration, and Canvas as one course of it shows it (None: no course was ever opened)."""
    if context is not None:
        return examine_course(context, account_of(context), now)
    findings = lti_checks.check_registration(registration, now) + canvas_checks.check_keys(registration)
    fix = "Open the tool in a course, as its teacher, then run the check again."
    return [*findings, skipped("course", "Course", "No course has opened the tool yet.", fix)]


def examine_course(context: Context, account: CanvasAccount | None, now: datetime) -> list[Finding]:
    """A registration as one of its courses shows it, looked at with this person's account."""
    registration = context.registration
    findings = lti_checks.check_registration(registration, now) + canvas_checks.check_keys(registration)
    findings += canvas_checks.check_service(context)
    return _clocks_merged(findings + canvas_checks.check_account(context, account, now))


def account_of(context: Context) -> CanvasAccount | None:
    """Whose account a sync of this course would use."""
    return next(iter(accounts.accounts_for_course(context)), None)


def newest_course(registration: Registration) -> Context | None:
    """The course whose staff opened the tool last, before others one whose teacher has connected an account."""
    opened = Context.objects.filter(registration=registration).annotate(at=Max("graders__last_launch_at"))
    courses = list(opened.order_by(F("at").desc(nulls_last=True), "-last_launch_at")[:50])
    connected = (course for course in courses if account_of(course) is not None)
    return next(connected, courses[0] if courses else None)


def worst(findings: Iterable[Finding]) -> Verdict:
    """Problem, else warning, else ok."""
    found = {one.verdict for one in findings}
    return next((each for each in (Verdict.PROBLEM, Verdict.WARNING) if each in found), Verdict.OK)


def as_text(findings: Iterable[Finding]) -> str:
    """One line each, with the fix at its end."""
    return "\n".join(
        f"{MARKS[one.verdict]:>2}  {one.title}: {one.sentence}" + (f" Fix: {one.fix}" if one.fix else "")
        for one in findings
    )


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The same for a program."""
    return [asdict(one) for one in findings]


def _clocks_merged(findings: list[Finding]) -> list[Finding]:
    """Two hosts told the time: one line, the worse."""
    order = [Verdict.PROBLEM, Verdict.WARNING, Verdict.OK, Verdict.SKIPPED]
    clocks = sorted(
        (one for one in findings if one.code == "clock"), key=lambda one: order.index(one.verdict)
    )
    return [one for one in findings if one.code != "clock"] + clocks[:1]
