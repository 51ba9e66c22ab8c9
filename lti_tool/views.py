"""The addresses a platform and its browser call: login, launch, keys, configuration, and signing out."""

from __future__ import annotations

from typing import Any

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    QueryDict,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lti_tool import cookies, entry, pages, sessions
from lti_tool.addresses import origin_of
from lti_tool.configuration import tool_configuration
from lti_tool.keys import public_jwks
from lti_tool.launch import Launch, verify_launch
from lti_tool.limits import too_many
from lti_tool.login import (
    authorize_address,
    find_registration,
    may_be_framed,
    read_initiation,
    registration_with_key,
)
from lti_tool.metrics import VERDICTS
from lti_tool.models import Registration
from lti_tool.places import canvas_that_asks
from lti_tool.refusals import PLATFORM_ERRORS, LaunchRefused
from lti_tool.states import (
    LoginState,
    hash_of,
    is_bound,
    issue_state,
    new_secret,
    read_state,
    registration_in,
    storage_key,
)

BROWSER_SECONDS = 86_400
FORM_TYPE = "application/x-www-form-urlencoded"


@require_http_methods(["GET", "POST"])
def login(request: HttpRequest, key: str = "") -> HttpResponseBase:
    """Send the browser on to the platform's authorize address, bound to this browser."""
    try:
        if too_many(request, "login"):
            raise LaunchRefused("TOO-MANY")
        initiation = read_initiation(request.POST if request.method == "POST" else request.GET)
        registration = find_registration(initiation, key)
    except LaunchRefused as refused:
        return _refused(request, refused, registration_with_key(key) or canvas_that_asks(request))
    _mark_framed(request, registration)
    known = cookies.read_cookie(request, cookies.BROWSER)
    browser = known or new_secret()
    state_text, state = issue_state(registration, browser, initiation.storage_target)
    address = authorize_address(registration, initiation, state_text, state)
    if known or not may_be_framed(request, initiation):
        response: HttpResponse = HttpResponseRedirect(address)
    else:
        page = {
            "address": address,
            "new_tab": f"{reverse('lti:login-for', args=[registration.key])}?{initiation.to_query()}",
            "cookie_check": reverse("lti:cookie", args=[state.browser_hash]),
            "storage": _storage(registration, state_text, state, browser),
        }
        response = render(request, "lti_tool/login.html", page)
    cookies.set_cookie(response, cookies.BROWSER, browser, max_age=BROWSER_SECONDS)
    return response


@require_GET
def cookie(request: HttpRequest, browser_hash: str) -> HttpResponse:
    """Whether this browser gives our cookie back here; asked by the login page before it goes on."""
    browser = cookies.read_cookie(request, cookies.BROWSER)
    return JsonResponse({"reaches": bool(browser) and hash_of(browser) == browser_hash})


def launch(request: HttpRequest) -> HttpResponseBase:
    """Take the platform's id_token and answer with the first page, or say why not."""
    if request.method != "POST":
        return _not_a_post(request)
    registration = verified = None
    try:
        if too_many(request, "launch"):
            raise LaunchRefused("TOO-MANY")
        form = _launch_form(request)
        registration = _registration_in(form.get("state", ""))
        _refuse_error_of_platform(form)
        state_text = _single(form, "state")
        state = read_state(state_text)
        registration = _must_be_on(registration)
        _mark_framed(request, registration)
        now = timezone.now()
        verified = verify_launch(_single(form, "id_token"), state, registration, now)
        if not is_bound(state, _browser(request, form)):
            return _unbound(request, form, registration, state_text, state)
        opened = entry.admit(verified, now)
    except LaunchRefused as refused:
        return _refused(request, refused, registration or canvas_that_asks(request), verified)
    _log_good(verified)
    return entry.landing_page(request, verified, opened)


@require_GET
def jwks(request: HttpRequest) -> HttpResponse:
    """The tool's public keys: every key that is not retired."""
    response = JsonResponse(public_jwks())
    response["Cache-Control"] = "public, max-age=300"
    return response


@require_GET
def config(request: HttpRequest) -> HttpResponse:
    """What an administrator pastes into a Canvas developer key."""
    return JsonResponse(tool_configuration(), json_dumps_params={"indent": 2})


@require_POST
@sessions.launched
def signout(request: sessions.LaunchRequest) -> HttpResponse:
    """End this visit; its token, cookie and tickets open nothing any more."""
    sessions.end_session(request.launch_session)
    sessions.detach(request)
    response = render(request, "lti_tool/signed_out.html")
    cookies.drop_cookie(response, cookies.SESSION)
    return response


@require_POST
@sessions.staff_required
def names(request: sessions.LaunchRequest) -> HttpResponseBase:
    """Hide or show every student's name for the rest of this visit, and go back to the page it was pressed on."""
    sessions.hide_names(request.launch_session, request.POST.get("hide") == "yes")
    back = request.POST.get("back", "")
    if "in_place" in request.POST:
        response = render(request, "_names_switch.html", {"names_in_place": True, "names_back": back})
        response["HX-Trigger-After-Swap"] = "names-switched"
        return response
    is_ours = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return HttpResponseRedirect(back if is_ours else reverse("home"))


def _not_a_post(request: HttpRequest) -> HttpResponse:
    """Somebody reloaded the page, or typed its address: more help than an empty 405."""
    response = _refused(request, LaunchRefused("METHOD"), canvas_that_asks(request))
    response["Allow"] = "POST"
    return response


def _mark_framed(request: Any, registration: Registration) -> None:
    request.framed_by = registration


def _refused(
    request: HttpRequest,
    refused: LaunchRefused,
    registration: Registration | None,
    believed: Launch | None = None,
) -> HttpResponse:
    """The page that says no, in the frame that asked for it: a browser shows no page there that it may not frame."""
    if registration:
        _mark_framed(request, registration)
    return pages.refused_launch(request, refused, registration, believed.context if believed else None)


def _registration_in(state_text: str) -> Registration | None:
    """Whose login this state of ours began; nothing is checked yet but who signed it."""
    found = registration_in(state_text)
    # Not `first()`, which would have one row put in order.
    return next(iter(Registration.objects.filter(pk=found)), None) if found else None


def _must_be_on(registration: Registration | None) -> Registration:
    if registration is None:
        raise LaunchRefused("STATE")
    if not registration.is_active:
        raise LaunchRefused("REGISTRATION-OFF")
    return registration


def _launch_form(request: HttpRequest) -> QueryDict:
    if request.content_type != FORM_TYPE:
        raise LaunchRefused("FORM-TYPE")
    return request.POST


def _refuse_error_of_platform(form: QueryDict) -> None:
    """Canvas's own error posts, without an id_token: each says what it means."""
    if "error" in form and "id_token" not in form:
        error = form.get("error", "")
        known = error if error in {*PLATFORM_ERRORS, "invalid_request_object"} else "other"
        raise LaunchRefused(PLATFORM_ERRORS.get(error, "PLATFORM-ERROR"), hint=f"error={known}")


def _single(form: QueryDict, name: str) -> str:
    values = form.getlist(name)
    if len(values) != 1 or not values[0]:
        raise LaunchRefused("FORM")
    return values[0]


def _browser(request: HttpRequest, form: QueryDict) -> str:
    """The secret of this browser: what our own page got back from platform storage, else its cookie.

    The field counts only from our own page: who starts a login knows its secret, and could otherwise make
    another person's browser finish it.
    """
    if form.get("browser") and "Origin" in request.headers and not sessions.is_forged(request):
        return _single(form, "browser")
    return cookies.read_cookie(request, cookies.BROWSER)


def _unbound(
    request: HttpRequest, form: QueryDict, registration: Registration, state_text: str, state: LoginState
) -> HttpResponse:
    """No proof reached us that this browser began the login. The page says so; by script it asks once more, from
    our own address: platform storage, and cookies that browsers keep back from another site's form."""
    refused = LaunchRefused("BROWSER")
    if "browser" in form:
        raise refused
    entry.log.info("launch verdict=ASKS-BROWSER registration=%s", registration.key)
    page = pages.wording_of(refused, registration) | {
        "id_token": form["id_token"],
        "state": state_text,
        "storage": _storage(registration, state_text, state, ""),
    }
    response = render(request, "lti_tool/unbound.html", page, status=401)
    response["WWW-Authenticate"] = 'Bearer realm="lti"'
    return response


def _storage(registration: Registration, state_text: str, state: LoginState, value: str) -> dict[str, str]:
    """What the page's script needs for LTI platform storage (LTI Client Side postMessages 1.0)."""
    return {
        "target": state.storage_target,
        "origin": origin_of(registration.authorize_url),
        "key": storage_key(state_text),
        "value": value,
    }


def _log_good(verified: Launch) -> None:
    VERDICTS.labels("OK").inc()
    entry.log.info(
        "launch verdict=OK reference=%s registration=%s role=%s services=%s",
        pages.new_reference(),
        verified.registration.key,
        verified.role.value,
        "refused" if verified.services.refused else "ok",
    )
