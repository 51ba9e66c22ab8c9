"""Finding a person by what AGS and NRPS call them (lti.md 5.3)."""

from __future__ import annotations

from typing import Any

from sandbox.records import Course, User
from sandbox.world import World


def find_user(world: World, user_id: Any) -> User | None:
    """By UUID, by a UUID of the past, or by the numeric Canvas id; nothing else is accepted."""
    text = "" if user_id is None or isinstance(user_id, bool) else str(user_id)
    if text.isascii() and text.isdigit():
        return world.live_user(int(text))
    for user in world.users.values():
        if text and (user.lti_id == text or text in user.past_lti_ids):
            return world.live_user(user.id)
    return None


def find_student(world: World, course: Course, user_id: Any) -> User | None:
    """The person, if they have an active student (or Test Student) enrolment in the course."""
    user = find_user(world, user_id)
    return user if user is not None and world.has_student(course.id, user.id) else None
