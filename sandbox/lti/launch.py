"""Launch, login initiation, authorize and the public keys.

Source: app/models/lti/lti_advantage_adapter.rb, app/controllers/lti/ims/authentication_controller.rb,
app/controllers/security_controller.rb (lti.md 1; rows A1 to A15).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import (
    Blueprint,
    Response,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
)
from werkzeug.wrappers import Response as AnyResponse

from sandbox.app import current_world
from sandbox.errors import not_found
from sandbox.lti import vocabulary as v
from sandbox.lti.claims import id_token_claims
from sandbox.lti.jwts import InvalidToken, make_hint, read_hint
from sandbox.lti.keys import JWKS_MAX_AGE
from sandbox.lti.routes import blueprint
from sandbox.lti.state import (
    OpenLaunch,
    facts_of,
    open_launch,
    platform_of,
    site_url,
    take_launch,
)
from sandbox.records import Course, DeveloperKey, ResourceLink, ToolInstall, User
from sandbox.session import session_user
from sandbox.world import World

lti = Blueprint(
    "lti",
    __name__,
    static_folder="static",
    template_folder="templates",
    static_url_path="/_sandbox/lti-static",
)
REQUIRED = (
    "client_id",
    "login_hint",
    "lti_message_hint",
    "nonce",
    "prompt",
    "redirect_uri",
    "response_mode",
    "response_type",
    "scope",
)
Problem = tuple[str, str]


def login_parameters(
    world: World,
    key: DeveloperKey,
    tool: ToolInstall,
    course: Course,
    user: User | None,
    *,
    placement: str = "",
    link: ResourceLink | None = None,
) -> dict[str, str]:
    """Everything Canvas sends to the tool's login initiation for one click (lti.md 1.1)."""
    platform = platform_of(world)
    launch = open_launch(
        world,
        key,
        tool,
        course,
        user,
        placement or ("" if link else "course_navigation"),
        link.id if link else None,
    )
    hint = make_hint(
        platform.secret,
        issued_at=time.time(),
        verifier=launch.verifier,
        canvas_domain=urlsplit(site_url(world)).netloc,
        canvas_scheme=urlsplit(site_url(world)).scheme,
        context_type="Course",
        context_id=course.id,
        canvas_locale=user.locale if user else "en",
        include_storage_target=bool(launch.storage_target),
    )
    parameters = {
        "iss": platform.issuer,
        "login_hint": user.legacy_id if user else v.PUBLIC_LOGIN_HINT,
        "client_id": key.client_id,
        "deployment_id": tool.deployment_id,
        "target_link_uri": key.target_link_uri,
        "lti_message_hint": hint,
        "canvas_environment": "prod",
        "canvas_region": "not_configured",
    }
    return parameters | ({"lti_storage_target": launch.storage_target} if launch.storage_target else {})


@blueprint.get("/api/lti/security/jwks")
def jwks() -> Response:
    """The platform's public keys, cacheable for ten days."""
    answer = jsonify(platform_of(current_world()).keys.as_jwks())
    answer.headers["Cache-Control"] = f"max-age={JWKS_MAX_AGE}, public"
    return answer


@blueprint.get("/api/lti/post_message_forwarding")
def post_message_forwarding() -> str:
    """The hidden frame of platform storage (lti.md 10)."""
    return render_template("lti/forwarding.html")


@blueprint.route("/api/lti/authorize_redirect", methods=["GET", "POST"])
def authorize_redirect() -> AnyResponse:
    """Send the browser on to the school's own host, all parameters kept (A1, A2)."""
    given = request.values.to_dict()
    try:
        hint = read_hint(platform_of(current_world()).secret, given.get("lti_message_hint", ""))
    except InvalidToken as problem:
        return make_response({"message": str(problem), "status": "bad_request"}, 400)
    return redirect(f"{hint['canvas_scheme']}://{hint['canvas_domain']}/api/lti/authorize?{urlencode(given)}")


@blueprint.route("/api/lti/authorize", methods=["GET", "POST"])
def authorize() -> AnyResponse:
    """Validate the parameters, the user, the client and the launch; post the answer to the tool."""
    world, given = current_world(), request.values.to_dict()
    platform = platform_of(world)
    try:
        hint = read_hint(platform.secret, given.get("lti_message_hint", ""))
    except InvalidToken as problem:
        return make_response({"message": str(problem), "status": "bad_request"}, 400)
    key = world.key_by_client_id(given.get("client_id", ""))
    if key is None or key.kind != "lti":
        raise not_found()
    if not _is_registered(key, given.get("redirect_uri", "")):
        return make_response({"message": "Invalid redirect_uri", "status": "bad_request"}, 400)
    user = session_user(world, request)
    visitor_may = _is_open_to_visitors(world, int(hint["context_id"]))
    if user is None and not visitor_may and _asks_for_a_session(given):
        return _answer_without_session(given)
    return _decide(world, key, given, hint["verifier"], user)


def _decide(
    world: World,
    key: DeveloperKey,
    given: dict[str, str],
    verifier: str,
    user: User | None,
) -> AnyResponse:
    """Later failures overwrite earlier ones, as in Canvas."""
    problem = _parameter_problem(given)
    if user is not None and given.get("login_hint") != user.legacy_id:
        problem = ("login_required", "Must have an active user session")
    if not (key.active and key.enabled):
        problem = ("unauthorized_client", "Client not authorized in requested context")
    launch = platform_of(world).launches.get(verifier) if problem else take_launch(world, verifier)
    if launch is None or launch.key_id != key.id:
        problem = (
            "launch_no_longer_valid",
            "The launch has either expired or already been consumed",
        )
    if problem or launch is None:
        return _post_error(given, problem or ("server_error", ""))
    return _post_id_token(world, given, launch, user)


def _parameter_problem(given: Mapping[str, str]) -> Problem | None:
    missing = [name for name in REQUIRED if not given.get(name)]
    if missing:
        return (
            "invalid_request_object",
            f"The following parameters are missing: {','.join(missing)}",
        )
    if given["scope"] != "openid":
        return "invalid_request_object", "The 'scope' must be 'openid'"
    return None


def _is_registered(key: DeveloperKey, redirect_uri: str) -> bool:
    """Equal up to ``?``, and every query parameter of the registered one is there (A11 to A13)."""
    return any(_covers(registered, redirect_uri) for registered in key.redirect_uris)


def _covers(registered: str, given: str) -> bool:
    base, _, query = registered.partition("?")
    given_base, _, given_query = given.partition("?")
    return base == given_base and set(parse_qsl(query)) <= set(parse_qsl(given_query))


def _is_open_to_visitors(world: World, course_id: int) -> bool:
    course = world.course(course_id)
    return course is not None and course.public and course.published


def _asks_for_a_session(given: Mapping[str, str]) -> bool:
    """Parameter errors are answered before anyone asks who is logged in."""
    return _parameter_problem(given) is None


def _answer_without_session(given: dict[str, str]) -> AnyResponse:
    """A6 and A7: a page that tries again once, then a Canvas error page; the tool gets nothing."""
    platform = platform_of(current_world())
    if platform.retry_without_session and "retried" not in given:
        fields = {**given, "retried": "true"}
        return make_response(render_template("lti/cookie_fix.html", action=request.path, fields=fields))
    if not platform.retry_without_session:
        return _post_error(given, ("login_required", "Must have an active user session"))
    text = (
        "<!doctype html><html lang='en'><title>Canvas</title><h1>It looks like your session has ended.</h1>"
    )
    return make_response(text, 401)


def _post_error(given: Mapping[str, str], problem: Problem) -> AnyResponse:
    error, description = problem
    fields = {
        "error": error,
        "error_description": description,
        "state": given.get("state", ""),
    }
    return _form_post(given["redirect_uri"], fields)


def _post_id_token(
    world: World, given: Mapping[str, str], launch: OpenLaunch, user: User | None
) -> AnyResponse:
    platform = platform_of(world)
    facts = facts_of(world, launch, user)
    claims = id_token_claims(facts, nonce=given["nonce"], built_at=time.time())
    fields = {"id_token": platform.keys.sign(claims), "state": given.get("state", "")}
    if launch.storage_target:
        fields["lti_storage_target"] = launch.storage_target
    return _form_post(given["redirect_uri"], fields)


def _form_post(action: str, fields: Mapping[str, str]) -> AnyResponse:
    answer = make_response(render_template("lti/form_post.html", action=action, fields=fields))
    answer.headers["Cache-Control"] = "no-store"
    return answer
