"""Good launches: the valid instructor and student messages of the certification list, and Canvas's own habits."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from lti_tool import claims as c
from lti_tool.models import Context, LaunchSession
from tests.people import GONE, LAUNCH, MEMBERSHIP, TestPlatform, launch, launch_as, new_platform

pytestmark = pytest.mark.django_db

UNKNOWN_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/uknownrole/unknown#Helper"
NAMES = {"name": "Ada L", "given_name": "Ada", "family_name": "L"}
CERTIFICATION = {
    "plain": ("as launched", {}),
    "several roles": ("as launched", {c.ROLES: [f"{MEMBERSHIP}#{{}}", f"{MEMBERSHIP}#Member"]}),
    "short role name": ("as launched", {c.ROLES: ["{}"]}),
    "unknown role": ("limited", {c.ROLES: [UNKNOWN_ROLE]}),
    "no role": ("limited", {c.ROLES: []}),
    "e-mail only": ("as launched", {"email": "ada@example.test"}),
    "names only": ("as launched", NAMES),
    "no personal data": ("as launched", {"locale": GONE}),
    "e-mail without context": ("limited", {"email": "ada@example.test", c.CONTEXT: GONE}),
    "new resource link id": ("as launched", {c.RESOURCE_LINK: {"id": "never-seen-before"}}),
}
"""By name: what comes of it and which claims differ; `{}` stands for the role's short name."""


def spelled(changes: dict[str, Any], name: str) -> dict[str, Any]:
    """The changes with the role's short name filled in."""
    roles = changes.get(c.ROLES)
    return changes | {c.ROLES: [role.format(name) for role in roles]} if roles else changes


@pytest.mark.parametrize("case", CERTIFICATION)
@pytest.mark.parametrize(("role", "short"), [("teacher", "Instructor"), ("student", "Learner")])
def test_a_valid_launch_succeeds(
    client: Client, platform: TestPlatform, settings: Any, case: str, role: str, short: str
) -> None:
    settings.LANDING_PATHS = {}
    outcome, changes = CERTIFICATION[case]
    response = launch(client, platform, role=role, claims=spelled(changes, short))
    assert response.status_code == 200
    opened = list(LaunchSession.objects.values_list("role", flat=True))
    assert opened == ([role] if outcome == "as launched" else [])


def test_a_student_reaches_a_calm_page_of_their_own(client: Client) -> None:
    opened = launch_as(client, role="student")
    assert "Your grades appear in" in opened.response.content.decode()
    assert opened.session.role == "student"


def test_a_teacher_lands_on_the_teachers_home_with_the_session_in_the_page(client: Client) -> None:
    opened = launch_as(client, role="teacher")
    assert f"Bearer {opened.token}" in opened.response.content.decode()


def test_the_course_is_remembered_once_with_its_services(client: Client, platform: TestPlatform) -> None:
    launch_as(client, platform=platform)
    launch_as(client, platform=platform, role="ta", user="u8")
    context = Context.objects.get()
    assert (context.canvas_course_id, context.title, context.label) == ("77", "Algebra 1", "ALG1")
    assert context.line_items_url == f"{platform.url}/api/lti/courses/77/line_items"
    assert context.ags_scopes == ["https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"]


@pytest.mark.parametrize("given", ["$Canvas.course.id", "", None, GONE])
def test_without_the_custom_field_the_course_comes_from_the_line_items_address(
    client: Client, platform: TestPlatform, given: Any
) -> None:
    custom = {} if given is GONE else {"canvas_course_id": given}
    opened = launch_as(client, "student", platform, claims={c.CUSTOM: custom})
    assert opened.context.canvas_course_id == "77"


def test_a_course_id_that_arrives_unexpanded_names_the_fix(client: Client, platform: TestPlatform) -> None:
    claims = {c.CUSTOM: {"canvas_course_id": "$Canvas.course.id"}, c.AGS_ENDPOINT: GONE}
    response = launch(client, platform, claims=claims)
    assert response.status_code == 422
    assert b"canvas_course_id=$Canvas.course.id" in response.content


def test_a_teacher_of_an_unnamed_course_gets_a_page_that_says_so(
    client: Client, platform: TestPlatform
) -> None:
    response = launch(client, platform, claims={c.CUSTOM: {}, c.AGS_ENDPOINT: GONE})
    assert response.status_code == 200
    assert b"Canvas did not say which of its courses this is" in response.content


def test_ids_may_be_numbers(client: Client, platform: TestPlatform) -> None:
    custom = {"canvas_course_id": 21070000000000355, "canvas_user_id": 42}
    opened = launch_as(client, "student", platform, claims={c.CUSTOM: custom, c.AGS_ENDPOINT: GONE})
    assert opened.context.canvas_course_id == "21070000000000355"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.test/api/lti/courses/77/line_items",
        "http://evil.test/api/lti/courses/77/line_items",
        "http://user@{host}/api/lti/courses/77/line_items",
        "http://127.0.0.1:1/api/lti/courses/77/line_items",
        "javascript:alert(1)",
    ],
)
def test_a_service_on_a_foreign_host_is_left_out(
    client: Client, platform: TestPlatform, address: str
) -> None:
    endpoint = {"scope": [], "lineitems": address.format(host=platform.host)}
    opened = launch_as(client, "student", platform, claims={c.AGS_ENDPOINT: endpoint})
    assert opened.context.line_items_url == ""


def test_a_service_on_a_host_the_registration_names_is_kept(client: Client) -> None:
    platform = new_platform(register_with={"service_hosts": ("principal.school.test",)})
    address = "https://principal.school.test/api/lti/courses/77/line_items"
    opened = launch_as(
        client, "student", platform, claims={c.AGS_ENDPOINT: {"scope": [], "lineitems": address}}
    )
    assert opened.context.line_items_url == address


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "https://evil.test/"])
def test_a_return_address_that_is_not_canvas_is_forgotten(
    client: Client, platform: TestPlatform, address: str
) -> None:
    opened = launch_as(client, "student", platform, claims={c.LAUNCH_PRESENTATION: {"return_url": address}})
    assert opened.context.return_url == ""
    assert address not in opened.response.content.decode()


def test_fifty_unknown_claims_are_ignored(client: Client, platform: TestPlatform) -> None:
    claims = {f"https://example.test/claim/{number}": {"n": [number, None]} for number in range(50)}
    assert launch(client, platform, role="student", claims=claims).status_code == 200


def test_markup_in_a_title_is_text(client: Client, platform: TestPlatform) -> None:
    context = {"id": "c77", "title": "<script>x</script>\u202e" * 200, "label": None}
    opened = launch_as(client, "student", platform, claims={c.CONTEXT: context})
    assert "<script>x" not in opened.response.content.decode()
    assert len(opened.context.title) == 255


@pytest.mark.parametrize("seconds", [-60, -30, 30, 60])
def test_clocks_may_differ_by_a_minute(client: Client, platform: TestPlatform, seconds: int) -> None:
    import time

    now = int(time.time()) + seconds
    claims = {"iat": now, "exp": now + 3600}
    assert launch(client, platform, role="student", claims=claims).status_code == 200


def test_an_audience_list_that_holds_only_us_is_fine(client: Client, platform: TestPlatform) -> None:
    claims = {"aud": [platform.client_id], "azp": GONE}
    assert launch(client, platform, role="student", claims=claims).status_code == 200


def test_a_new_installation_is_taken_where_the_registration_allows_it(client: Client) -> None:
    platform = new_platform(register_with={"deployment_ids": (), "allow_new_deployments": True})
    opened = launch_as(client, "student", platform)
    assert opened.session.deployment.external_tool_id == "265"


def test_the_target_of_the_helpers_is_the_tools_launch_address() -> None:
    from lti_tool.addresses import launch_url

    assert launch_url() == LAUNCH
