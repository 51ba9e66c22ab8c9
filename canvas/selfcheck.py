"""What the self-check asks Canvas: the tool's own key, a teacher's account, each permission, and how fast it may go.

Everything is a read. What is read is looked at for its shape and dropped; no finding names a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from canvas import accounts, oauth, service_tokens
from canvas.ags import Ags
from canvas.counting import CallCounter
from canvas.gateway import Gateway, Params
from canvas.models import CanvasAccount
from canvas.outcomes import INCLUDES
from canvas.throttle import EMPTY_WATER, LOW_WATER
from lti_tool.answers import Reply
from lti_tool.errors import AccessLost, MaybeSent, NeverSent, PlatformError, Refused
from lti_tool.http import shared_http
from lti_tool.models import Context, Registration
from lti_tool.selfcheck import Finding, clock_finding, ok, problem, skipped, warning

CONNECT = "Open the tool in the course as a teacher and press “Connect Canvas”."
TICK = "In Canvas, Admin ▸ Developer Keys ▸ the API key: tick the scope, save, and connect the account again."
API_KEY = (
    "Make an API key in Canvas (docs/install.md, step 2) and give its id and secret to register_platform."
)


@dataclass(frozen=True, slots=True)
class Probe:
    """A harmless read that shows whether a scope is there. `spare`: the tool works without it."""

    scope: str
    path: str
    params: Params = (("per_page", "1"),)
    spare: bool = False


ROLLUPS = (("sort_by", "student"), ("per_page", "1"), *(("include[]", name) for name in INCLUDES))
PROBES = (
    Probe("url:GET|/api/v1/courses/:id", "courses/{course}", (("include[]", "permissions"),)),
    Probe("url:GET|/api/v1/courses/:course_id/outcome_rollups", "courses/{course}/outcome_rollups", ROLLUPS),
    Probe(
        "url:GET|/api/v1/courses/:course_id/outcome_results", "courses/{course}/outcome_results", spare=True
    ),
    Probe("url:GET|/api/v1/courses/:course_id/outcome_group_links", "courses/{course}/outcome_group_links"),
    Probe("url:GET|/api/v1/courses/:course_id/outcome_groups", "courses/{course}/outcome_groups", spare=True),
    Probe("url:GET|/api/v1/courses/:course_id/enrollments", "courses/{course}/enrollments"),
    Probe("url:GET|/api/v1/courses/:course_id/sections", "courses/{course}/sections", spare=True),
    Probe("url:GET|/api/v1/courses/:course_id/assignments", "courses/{course}/assignments"),
    Probe("url:GET|/api/v1/courses/:course_id/assignment_groups", "courses/{course}/assignment_groups"),
    Probe(
        "url:GET|/api/v1/courses/:course_id/grading_periods", "courses/{course}/grading_periods", spare=True
    ),
    Probe("url:GET|/api/v1/courses/:course_id/grading_standards", "courses/{course}/grading_standards"),
    Probe(
        "url:GET|/api/v1/courses/:course_id/students/submissions",
        "courses/{course}/students/submissions",
        (("student_ids[]", "all"), ("per_page", "1")),
    ),
)


def check_keys(registration: Registration) -> list[Finding]:
    """Whether the school gave the tool an API key that opens."""
    title = "API key"
    if not oauth.has_api_key(registration):
        sentence = "This Canvas has given the tool no API key, so no teacher can connect an account."
        return [problem("api_key", title, sentence, API_KEY)]
    if not oauth.secret_opens(registration):
        fix = "Put the old key back into ENCRYPTION_KEYS, or run register_platform with the secret again."
        return [problem("api_key", title, "The API key's secret cannot be opened.", fix)]
    return [ok("api_key", title, "The API key's id and secret are here.")]


def check_service(context: Context) -> list[Finding]:
    """The tool's own way to the columns of this course (LTI Assignment and Grade Services)."""
    title = "Grade columns"
    lacking = [one.rsplit("/", 1)[1] for one in service_tokens.WANTED if one not in context.ags_scopes]
    if not context.line_items_url or lacking:
        sentence = "Canvas does not let the tool make and fill grade columns in this course."
        named = f" Missing: {', '.join(lacking)}." if lacking else ""
        fix = "Tick the LTI key's grade scopes (docs/install.md, step 1), save, and open the course again."
        return [problem("grade_columns", title, sentence + named, fix)]
    try:
        Ags(context.registration, context, shared_http(), CallCounter()).line_items()
    except PlatformError as error:
        fix = _fix_of(
            error, "Check that the LTI key is on, and that Canvas can read /lti/jwks.json of this tool."
        )
        return [problem("grade_columns", title, error.detail, fix)]
    return [ok("grade_columns", title, "Canvas takes the tool's signature, and its columns can be read.")]


def check_account(context: Context, account: CanvasAccount | None, now: datetime) -> list[Finding]:
    """A teacher's way to the course: token, permissions, what Canvas adds to rollups, and head-room."""
    title = "Canvas account"
    if account is None:
        return [problem("account", title, "Nobody who grades this course has connected an account.", CONNECT)]
    course_id = context.canvas_course_id
    if not course_id.isdigit():
        fix = "Give the LTI key the custom field canvas_course_id=$Canvas.course.id."
        return [problem("account", title, "Canvas did not say which course this is.", fix)]
    access = _Access(Gateway(account, shared_http(), CallCounter()), course_id)
    try:
        first = access.read(PROBES[0])
    except PlatformError as error:
        return [problem("account", title, error.detail, _fix_of(error, CONNECT))]
    findings = [ok("account", title, "Canvas accepts the connected account.")]
    findings += [_scope_finding(access, account, scope, why) for scope, why in accounts.SCOPES]
    findings += [*_rollups(access), _headroom(access.last or first), clock_finding(_ahead(first, now))]
    return findings


class _Access:
    """Reads of one course; remembers the last answer, which says how much Canvas would still take."""

    def __init__(self, gateway: Gateway, course_id: str) -> None:
        self._gateway, self._course_id = gateway, course_id
        self.last: Reply | None = None

    def read(self, probe: Probe) -> Reply:
        path = probe.path.format(course=self._course_id)
        self.last = self._gateway.get(path, probe.params, where=probe.scope.split("|")[1].split("/v1")[1])
        return self.last


def _scope_finding(access: _Access, account: CanvasAccount, scope: str, why: str) -> Finding:
    """One permission: tried where a read can try it, else as it was granted."""
    method, path = scope.removeprefix("url:").split("|")
    code, title = f"scope {method} {path.removeprefix('/api/v1')}", f"Permission {method} {path}"
    probe = next((one for one in PROBES if one.scope == scope), None)
    if probe is None:
        if scope in account.scopes:
            return ok(code, title, f"Granted, {why}; not tried.")
        return problem(code, title, f"Not granted. It is needed {why}.", TICK)
    try:
        access.read(probe)
    except (AccessLost, Refused) as error:
        if error.code == "scope_missing":
            return problem(code, title, f"Canvas refuses it. It is needed {why}.", TICK)
        say = warning if probe.spare else problem
        fix = "Give the teacher's role this permission in Canvas, or connect the account of another teacher."
        return say(code, title, f"This account may not do it. It is needed {why}.", fix)
    except PlatformError as error:
        return problem(code, title, error.detail, "Try again in a minute.")
    return ok(code, title, f"Works, {why}.")


def _rollups(access: _Access) -> list[Finding]:
    """Mastery, and whether Canvas sends along what the tool asks to have included."""
    title = "Mastery results"
    try:
        body = access.read(PROBES[1]).json()
    except PlatformError as error:
        fix = _fix_of(error, "Connect the account of a teacher who may see the Learning Mastery Gradebook.")
        return [problem("rollups", title, error.detail, fix), _includes(None)]
    if not isinstance(body, dict) or not isinstance(body.get("rollups"), list):
        fix = "Something between this server and Canvas answers for it; ask who runs the proxy."
        return [problem("rollups", title, "Canvas's answer has not the expected form.", fix), _includes(None)]
    linked = body.get("linked")
    return [
        ok("rollups", title, "Every student's mastery can be read."),
        _includes(linked if isinstance(linked, dict) else {}),
    ]


def _includes(linked: dict[str, object] | None) -> Finding:
    title = "Include parameters"
    if linked is None:
        return skipped("includes", title, "Not seen, because mastery results cannot be read.")
    if "outcomes" in linked:
        return ok("includes", title, "Canvas includes outcomes with the results, which saves calls.")
    sentence = "Canvas leaves out what the tool asks to include. It works all the same, with more calls."
    return warning("includes", title, sentence, "In the API key, tick “Allow Include Parameters” and save.")


def _headroom(reply: Reply) -> Finding:
    title = "Speed limit"
    left = reply.remaining
    if left is None:
        return skipped("throttle", title, "Canvas did not say how many calls it would still take.")
    words = f"Canvas would take {left.quantize(Decimal(1))} more units of calls at once."
    if left < EMPTY_WATER:
        return problem(
            "throttle", title, words, "Wait a minute: something else uses this account very busily."
        )
    if left < LOW_WATER:
        return warning("throttle", title, words, "Syncs go slower until other programs use the account less.")
    return ok("throttle", title, words)


def _ahead(reply: Reply, now: datetime) -> timedelta | None:
    return now - reply.date if reply.date else None


def _fix_of(error: PlatformError, usual: str) -> str:
    """The step for an error that says more than `usual` does: by its code, or a fault that may pass by itself."""
    passing = isinstance(error, MaybeSent | NeverSent)
    return _FIXES.get(error.code, "Try again in a minute." if passing else usual)


_FIXES = {
    "scope_missing": TICK,
    "not_installed": "Install the LTI key in the course or its account: Settings ▸ Apps ▸ + App ▸ By Client ID.",
    "concluded": "The course has ended. Reopen it in its settings, or check with --context in one that is open.",
    "key_off": "Switch the key on: Canvas, Admin ▸ Developer Keys.",
    "api_key_refused": "Check the API key's id and secret with register_platform, and that the key is on.",
    "no_api_key": API_KEY,
    "revoked": CONNECT,
    "cannot_unseal": "Put the old key back into ENCRYPTION_KEYS, or connect the account again.",
    "registration_off": "The tool's operator can switch the registration on again.",
    "course_gone": "The course was deleted in Canvas; forget_course removes it here.",
    "gone": "The course was deleted in Canvas, or this account is no longer in it.",
    "unreachable": "Check this server's way out (firewall, proxy) to Canvas.",
    "jwks_unreachable": "Canvas has to reach /lti/jwks.json of this tool: check TOOL_URL and the proxy in front.",
    "clock_skew": "Have this server keep its time by NTP.",
    "throttled": "Wait a minute: something else uses this account or key very busily.",
}
