"""What a verified launch changes: the course and installation it names, and the visit it opens."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import resolve
from django.utils.module_loading import import_string

from lti_tool import sessions
from lti_tool.launch import Launch
from lti_tool.models import Context, Deployment, LaunchRole, LaunchSession, Registration
from lti_tool.roles import STAFF
from lti_tool.states import consume_nonce

log = logging.getLogger(__name__)
Observer = Callable[[Context, Launch, datetime], None]
LinkPage = Callable[[Context, Launch, datetime], str]

REMEMBERED_EVERY = timedelta(hours=1)
"""How exactly a course knows its last launch: a class that comes together would wait for one row otherwise."""
WITHOUT_VISIT = (LaunchRole.OTHER,)
"""Roles that belong to no course: they read one page and need no session."""


def admit(launch: Launch, now: datetime) -> tuple[LaunchSession, str] | None:
    """Use the launch up and record it; its session and token, or None where there is no visit to open.

    All or nothing, but for a class that comes together: where a student's launch names what is known, the one
    statement that opens the visit needs no transaction around it.
    """
    is_known = launch.deployment and launch.context and not _news(launch, launch.deployment, now)
    if is_known and launch.role not in STAFF:
        return _admit(launch, now)
    with transaction.atomic():
        return _admit(launch, now)


def _admit(launch: Launch, now: datetime) -> tuple[LaunchSession, str] | None:
    """What the nonce must allow comes after it, or is undone by the transaction around it."""
    opened = None
    deployment = launch.deployment or _new_deployment(launch)
    context = _remember_context(launch, deployment, now) if launch.context_id else None
    if context is None or launch.role in WITHOUT_VISIT:
        consume_nonce(launch.registration, launch.nonce, now)
    else:
        opened = sessions.start_session(launch, now, deployment=deployment, context=context)
    if context is not None:
        for path in settings.LAUNCH_OBSERVERS:
            observer: Observer = import_string(path)
            observer(context, launch, now)
    return opened


def _remember_context(launch: Launch, deployment: Deployment, now: datetime) -> Context:
    """The course as this launch names it; what this launch leaves out stays as an earlier one said."""
    news = _news(launch, deployment, now)
    known = launch.context
    if known is None:
        return _new_context(launch, news)
    if news:
        for name, value in news.items():
            setattr(known, name, value)
        # A plain update: it lets the other launches of the class refer to the row meanwhile.
        Context.objects.filter(pk=known.pk).update(**news)
    return known


def _news(launch: Launch, deployment: Deployment, now: datetime) -> dict[str, Any]:
    """What is to be written of the course: nothing where it was launched lately and all is as it was."""
    said: dict[str, Any] = {
        "canvas_course_id": launch.canvas_course_id,
        "title": launch.title,
        "label": launch.label,
        "line_items_url": launch.services.line_items_url,
        "ags_scopes": list(launch.services.ags_scopes),
        "memberships_url": launch.services.memberships_url,
        "return_url": launch.return_url,
    }
    said = {name: value for name, value in said.items() if value}
    said |= {"deployment": deployment}
    known = launch.context
    lately = known is not None and abs(now - known.last_launch_at) < REMEMBERED_EVERY
    if lately and all(getattr(known, name) == value for name, value in said.items()):
        return {}
    return said | {"last_launch_at": now}


def _new_context(launch: Launch, said: dict[str, Any]) -> Context:
    return Context.objects.get_or_create(
        registration=launch.registration, context_id=launch.context_id, defaults=said
    )[0]


def _new_deployment(launch: Launch) -> Deployment:
    """An installation that comes for the first time, where the registration takes new ones."""
    return Deployment.objects.get_or_create(
        registration=launch.registration, deployment_id=launch.deployment_id
    )[0]


def landing_page(
    request: HttpRequest, launch: Launch, opened: tuple[LaunchSession, str] | None
) -> HttpResponseBase:
    """The first page, whole, as the answer to the launch: a redirect would lose who is calling where no cookie is."""
    if launch.role == LaunchRole.ADMIN and not launch.registration.api_client_id:
        return install_page(request, launch.registration)
    if opened is None:
        return render(request, "lti_tool/limited.html", {"launch": launch})
    session, token = opened
    sessions.attach(request, session, token, sessions.Person(launch.sub, launch.canvas_user_id))
    path = _first_path(launch, session)
    if path is None:
        response: HttpResponseBase = render(request, "lti_tool/visitor.html", {"launch": launch})
    elif not session.context or not session.context.canvas_course_id:
        response = render(request, "lti_tool/limited.html", {"launch": launch})
    else:
        response = _page_at(request, path)
    sessions.remember_in_cookie(response, token)
    return response


def _first_path(launch: Launch, session: LaunchSession) -> str | None:
    """Where this launch leads: to picking, to what its link was made for, else to the first page of its role."""
    if launch.deep_link:
        return settings.DEEP_LINK_PATH
    if launch.link_tag and session.context:
        page_of_link: LinkPage = import_string(settings.LINK_PAGE)
        path = page_of_link(session.context, launch, session.started_at)
        if path:
            return path
    return settings.LANDING_PATHS.get(launch.role)


def install_page(request: Any, registration: Registration, *, is_new: bool = False) -> HttpResponseBase:
    """The page that takes the API key, for whoever may set it: who has just registered this Canvas, and an
    administrator of it who launched while there is none."""
    request.framed_by = request.installing = registration
    request.is_new_registration = is_new
    return _page_at(request, settings.INSTALL_PATH)


def _page_at(request: HttpRequest, path: str) -> HttpResponseBase:
    """The page that a GET of `path` gives this session."""
    match = resolve(path)
    visit: Any = copy.copy(request)
    visit.method, visit.path, visit.path_info, visit.resolver_match = "GET", path, path, match
    visit.GET = visit.POST = QueryDict()
    # Pages name their own address: what came with this one (a registration's token) is no part of it.
    visit.META = {**request.META, "QUERY_STRING": ""}
    response: HttpResponseBase = match.func(visit, *match.args, **match.kwargs)
    return response
