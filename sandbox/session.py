"""Who is logged in to the pretend Canvas: a cookie naming the user, set by "act as".

The cookie is set twice: once as an ordinary one, once as ``SameSite=None; Secure`` because LTI's
authorize step happens inside a frame that another site sent here.
"""

from __future__ import annotations

from flask import Request, Response

from sandbox.records import User
from sandbox.world import World

COOKIE = "canvas_user"
FRAME_COOKIE = "canvas_user_frame"


def session_user(world: World, request: Request) -> User | None:
    """The user of the browser session, if any."""
    value = request.cookies.get(COOKIE) or request.cookies.get(FRAME_COOKIE) or ""
    return world.live_user(int(value)) if value.isdigit() else None


def sign_in(response: Response, user: User) -> Response:
    response.set_cookie(COOKIE, str(user.id), httponly=True, samesite="Lax")
    response.set_cookie(FRAME_COOKIE, str(user.id), httponly=True, samesite="None", secure=True)
    return response


def sign_out(response: Response) -> Response:
    response.delete_cookie(COOKIE, samesite="Lax")
    response.delete_cookie(FRAME_COOKIE, samesite="None", secure=True)
    return response
