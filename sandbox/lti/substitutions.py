"""Custom-field substitutions (lib/lti/variable_expander.rb; lti.md 2.1).

What is unknown or unavailable is sent literally, with its ``$``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from sandbox.lti.facts import ACTIVE_STATES, LaunchFacts, launch_roles, split_name
from sandbox.records import DESIGNER, OBSERVER, STUDENT, TA, TEACHER

Expansion = Callable[[LaunchFacts], str | None]
SHARD = 10_000_000_000_000
MANAGE_GRADES = ("manage_grades", "view_all_grades")
_PERMISSIONS = re.compile(r"^\$Canvas\.membership\.permissions<(?P<names>[^>]*)>$")


def expand_fields(
    fields: Mapping[str, str], facts: LaunchFacts, only: frozenset[str] | None = None
) -> dict[str, str]:
    """Every custom field expanded; ``only`` names the variables a service knows, others stay literal."""
    return {name: expand(value, facts, only) for name, value in fields.items()}


def expand(value: str, facts: LaunchFacts, only: frozenset[str] | None = None) -> str:
    """One value: a variable's meaning, or the text itself."""
    if not value.startswith("$"):
        return value
    granted = _PERMISSIONS.match(value)
    if granted and only is None:
        return _granted_permissions(granted["names"], facts)
    known = VARIABLES.get(value[1:])
    if known is None or (only is not None and value[1:] not in only):
        return value
    expanded = known(facts)
    return value if expanded is None else expanded


def _granted_permissions(names: str, facts: LaunchFacts) -> str:
    asked = [name.strip() for name in names.split(",")]
    return ",".join(name for name in asked if _has_permission(name, facts))


def _has_permission(name: str, facts: LaunchFacts) -> bool:
    admin = facts.user is not None and facts.user.account_admin
    teaches = any(e.type in (TEACHER, TA) for e in facts.here)
    return name in MANAGE_GRADES and (admin or teaches)


def _user_id(facts: LaunchFacts) -> str | None:
    return str(facts.user.id) if facts.user else None


def _user_text(attribute: str) -> Expansion:
    def read(facts: LaunchFacts) -> str | None:
        text: str | None = getattr(facts.user, attribute) if facts.user else None
        return text

    return read


def _given_name(facts: LaunchFacts) -> str | None:
    return split_name(facts.user)[0] if facts.user else None


def _family_name(facts: LaunchFacts) -> str | None:
    return split_name(facts.user)[1] if facts.user else None


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _section_names(facts: LaunchFacts) -> str:
    return json.dumps([section.name for section in facts.sections])


def _membership_names(facts: LaunchFacts) -> str:
    names = [
        name for name in (STUDENT, TEACHER, TA, DESIGNER, OBSERVER) if any(e.type == name for e in facts.here)
    ]
    if facts.user and facts.user.account_admin:
        names.append("Account Admin")
    return ",".join(names)


def _enrollment_state(facts: LaunchFacts) -> str:
    return "active" if any(e.state in ACTIVE_STATES for e in facts.here) else ""


VARIABLES: dict[str, Expansion] = {
    "Canvas.course.id": lambda f: str(f.course.id),
    "Canvas.course.name": lambda f: f.course.name,
    "Canvas.course.workflowState": lambda f: f.course.workflow_state,
    "Canvas.course.sisSourceId": lambda f: f.course.sis_id,
    "Canvas.course.startAt": lambda f: _moment(f.course.start_at),
    "Canvas.course.endAt": lambda f: _moment(f.course.end_at),
    "Canvas.course.sectionIds": lambda f: ",".join(str(section.id) for section in f.sections),
    "Canvas.course.previousCourseIds": lambda f: "",
    "Canvas.course.previousContextIds": lambda f: "",
    "Context.id.history": lambda f: "",
    "Context.id": lambda f: f.course.lti_context_id,
    "Canvas.user.id": _user_id,
    "User.id": _user_id,
    "Canvas.user.globalId": lambda f: str(SHARD + f.user.id) if f.user else None,
    "Canvas.user.loginId": _user_text("login_id"),
    "User.username": _user_text("login_id"),
    "Canvas.user.sisSourceId": _user_text("sis_id"),
    "Person.sourcedId": _user_text("sis_id"),
    "Canvas.user.sisIntegrationId": _user_text("integration_id"),
    "Person.name.full": _user_text("name"),
    "Person.name.display": _user_text("name"),
    "Person.name.given": _given_name,
    "Person.name.family": _family_name,
    "Person.email.primary": _user_text("email"),
    "Message.locale": lambda f: f.user.locale if f.user else "en",
    "Canvas.api.domain": lambda f: urlsplit(f.base_url).netloc,
    "Canvas.api.baseUrl": lambda f: f.base_url,
    "Canvas.assignment.id": lambda f: str(f.link.assignment_id) if f.link and f.link.assignment_id else None,
    "Canvas.account.id": lambda f: str(f.course.account_id),
    "Canvas.rootAccount.id": lambda f: str(f.root_account.id),
    "vnd.Canvas.root_account.uuid": lambda f: f.root_account.uuid,
    "Canvas.membership.roles": _membership_names,
    "com.Instructure.membership.roles": lambda f: ",".join(launch_roles(f)),
    "com.instructure.User.sectionNames": _section_names,
    "Canvas.enrollment.enrollmentState": _enrollment_state,
}

# The variables that NRPS expands (lti.md 7); the rest come back as the literal text.
MEMBER_VARIABLES = frozenset(
    {
        "Canvas.course.endAt",
        "Canvas.course.id",
        "Canvas.course.name",
        "Canvas.course.previousContextIds",
        "Canvas.course.previousCourseIds",
        "Canvas.course.sectionIds",
        "Canvas.course.sisSourceId",
        "Canvas.course.startAt",
        "Canvas.course.workflowState",
        "Canvas.user.globalId",
        "Canvas.user.id",
        "Canvas.user.loginId",
        "Canvas.user.sisIntegrationId",
        "Canvas.user.sisSourceId",
        "Message.locale",
        "Person.email.primary",
        "Person.name.display",
        "Person.name.family",
        "Person.name.full",
        "Person.name.given",
        "Person.sourcedId",
        "User.id",
        "User.username",
        "com.instructure.User.sectionNames",
    }
)
