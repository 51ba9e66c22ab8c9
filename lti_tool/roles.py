"""What a launch lets a person do here, from its role URIs, exactly as the vocabulary spells them.

Canvas lists every role of the user, institution roles earned anywhere in the account among them: a student
who teaches elsewhere carries `institution/person#Instructor`. So only membership roles make anyone a teacher.
https://www.imsglobal.org/spec/lti/v1p3/#role-vocabularies
"""

from __future__ import annotations

from collections.abc import Collection

from lti_tool.models import LaunchRole

MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
INSTITUTION = "http://purl.imsglobal.org/vocab/lis/v2/institution/person"
SYSTEM = "http://purl.imsglobal.org/vocab/lis/v2/system/person"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
TEACHING_ASSISTANT = f"{MEMBERSHIP}/Instructor#TeachingAssistant"

STAFF = (LaunchRole.TEACHER, LaunchRole.TEACHING_ASSISTANT)

_COURSE_ROLES = (
    ("Instructor", LaunchRole.TEACHER),
    ("ContentDeveloper", LaunchRole.DESIGNER),
    ("Learner", LaunchRole.STUDENT),
    ("Mentor", LaunchRole.OBSERVER),
    ("Administrator", LaunchRole.ADMIN),
)
"""Short name (allowed for course roles only) and what it means here; of several the first counts."""

_ADMINISTRATORS = frozenset(
    {
        f"{INSTITUTION}#Administrator",
        f"{SYSTEM}#Administrator",
        f"{SYSTEM}#SysAdmin",
        f"{SYSTEM}#AccountAdmin",
    }
)


def role_of(roles: Collection[str]) -> LaunchRole:
    """The one role a launch has here. The Test Student is a student whatever else it is called."""
    named = frozenset(roles)
    if TEST_USER in named:
        return LaunchRole.STUDENT
    if named & {TEACHING_ASSISTANT, "TeachingAssistant"}:
        return LaunchRole.TEACHING_ASSISTANT
    for name, role in _COURSE_ROLES:
        if named & {name, f"{MEMBERSHIP}#{name}"}:
            return role
    return LaunchRole.ADMIN if named & _ADMINISTRATORS else LaunchRole.OTHER
