"""Deep linking through the front door: launch from the assignment form, picking, the signed answer, the link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import jwt
import pytest
import requests
from django.test import Client

from alignments.models import Alignment, DeepLinkedAlignment
from canvas.installing import set_api_key
from lti_tool import claims as c
from lti_tool.deeplink import DL, MESSAGE, SETTINGS
from lti_tool.http import shared_http
from lti_tool.models import Context, LaunchSession
from sandbox import scenarios
from sandbox.records import LineItem
from sandbox.scenarios.base import API_KEY_CLIENT, API_KEY_SECRET, DESIGNER_ID, TEACHER_ID
from sandbox.server import SandboxServer
from tests.alignments.classroom import connect
from tests.lti_tool.sandbox_canvas import SECONDS, browser, course_page, hidden, install, launch, tool_id
from tests.people import GONE, Opened, TestPlatform, launch_as, new_platform
from tests.people import launch as launch_with

pytestmark = pytest.mark.django_db


class Form:
    """A teacher in the sandbox's assignment form, with the tool installed and their account connected."""

    def __init__(self, canvas: SandboxServer, client: Client) -> None:
        self.canvas, self.client, self.world = canvas, client, canvas.world
        install(canvas, client)
        assert launch(canvas, client, TEACHER_ID).status_code == 200
        registration = Context.objects.get().registration
        set_api_key(registration, API_KEY_CLIENT, API_KEY_SECRET, shared_http())
        platform = TestPlatform(canvas.url, [])
        platform.registration = registration
        connect(Opened(platform, None, ""), canvas.world)

    @property
    def student(self) -> int:
        held = self.world.enrollments.values()
        return next(one.user_id for one in held if one.type == "StudentEnrollment" and one.state == "active")

    def open(self, user_id: int = TEACHER_ID) -> Any:
        """Find this tool's content: the deep linking launch."""
        return course_page(
            self.canvas, self.client, user_id, f"external_tools/{tool_id(self.canvas)}/resource_selection"
        )

    def pick(self, page: Any, outcomes: list[str], **more: str) -> Any:
        fields = {**hidden(page.content.decode()), "outcome": outcomes, "points": "4", "do": "make", **more}
        return self.client.post("/course/deep-link/", fields)

    def save(self, answer: Any, **fields: str) -> LineItem:
        """Canvas takes the answer, and the teacher saves the form."""
        page = answer.content.decode()
        action = re.search(r'id="answer" method="post" action="([^"]+)"', page)
        assert action, page
        filled = requests.post(action[1], data=hidden(page), timeout=SECONDS)
        assert filled.status_code == 200, filled.text
        course = next(iter(self.world.courses))
        browser(self.canvas, TEACHER_ID).post(
            f"{self.canvas.url}/courses/{course}/assignments",
            data={**hidden(filled.text), **fields},
            timeout=SECONDS,
        )
        return list(self.world.line_items.values())[-1]

    def launch_link(self, item: LineItem, user_id: int) -> Any:
        return course_page(self.canvas, self.client, user_id, f"assignments/{item.assignment_id}")


@pytest.fixture
def form(client: Client) -> Iterator[Form]:
    with SandboxServer(scenarios.build("small")) as canvas:
        yield Form(canvas, client)


def test_from_the_form_to_an_aligned_assignment(form: Form) -> None:
    page = form.open()
    assert "Outcomes for this assignment" in page.content.decode()
    item = form.save(form.pick(page, ["601", "602"], title="Lines"))
    picked = DeepLinkedAlignment.objects.get()
    assert (item.label, item.score_maximum, item.resource_id) == ("Lines", Decimal(4), picked.tag)
    assert not Alignment.objects.exists()
    opened = form.launch_link(item, TEACHER_ID)
    alignment = Alignment.objects.get()
    assert (opened.status_code, alignment.name) == (200, "Lines")
    assert alignment.target.assignment_id == str(item.assignment_id)
    assert [one["id"] for one in alignment.definition["outcomes"]] == ["601", "602"]
    assert f'action="/course/alignments/{alignment.pk}/' in opened.content.decode()


def test_a_student_who_opens_it_first_binds_it_and_reads_where_the_grade_comes_from(form: Form) -> None:
    item = form.save(form.pick(form.open(), ["601"]))
    page = form.launch_link(item, form.student).content.decode()
    assert "nothing to hand in" in page and "full credit at mastery" in page
    assert Alignment.objects.get().target.assignment_id == str(item.assignment_id)
    form.launch_link(item, form.student)
    assert Alignment.objects.count() == 1


def test_seen_in_the_course_before_anybody_opens_it(form: Form) -> None:
    """Also where Canvas expands no variable in a link: the line item's resourceId is enough."""
    item = form.save(form.pick(form.open(), ["601"], title="Slope"), name="Slope, renamed", points="7")
    launch(form.canvas, form.client, TEACHER_ID)
    assert Alignment.objects.get().target.assignment_id == str(item.assignment_id)


def test_nothing_is_aligned_while_the_form_is_not_saved(form: Form) -> None:
    form.pick(form.open(), ["601"])
    launch(form.canvas, form.client, TEACHER_ID)
    assert (DeepLinkedAlignment.objects.count(), Alignment.objects.count()) == (1, 0)


def test_a_deleted_alignment_is_not_made_again(form: Form) -> None:
    item = form.save(form.pick(form.open(), ["601"]))
    form.launch_link(item, TEACHER_ID)
    Alignment.objects.all().delete()
    assert form.launch_link(item, TEACHER_ID).status_code == 200
    assert not Alignment.objects.exists()
    assert form.launch_link(item, form.student).status_code == 200


def test_the_answer_is_signed_for_this_platform(form: Form) -> None:
    answer = form.pick(form.open(), ["601"])
    token = hidden(answer.content.decode())["JWT"]
    session = LaunchSession.objects.latest("pk")
    public = jwt.PyJWK(form.client.get("/lti/jwks.json").json()["keys"][0]).key
    said = jwt.decode(token, public, ["RS256"], audience="https://canvas.instructure.com")
    (item,) = said[f"{DL}content_items"]
    assert (said["iss"], said[c.DEPLOYMENT_ID]) == (
        session.registration.client_id,
        session.deployment.deployment_id,
    )
    assert (
        said["exp"] - said["iat"] == 300
        and said["nonce"]
        and said[c.MESSAGE_TYPE] == "LtiDeepLinkingResponse"
    )
    assert item["custom"]["canvas_assignment_id"] == "$Canvas.assignment.id"
    assert f"form-action 'self' {form.canvas.url}" in answer["Content-Security-Policy"]


def test_searching_keeps_what_is_ticked(form: Form) -> None:
    page = form.open()
    found = form.client.post(
        "/course/deep-link/",
        {**hidden(page.content.decode()), "outcome": ["601"], "q": "no such", "do": "search"},
    ).content.decode()
    assert 'value="601" checked' in found and 'value="602"' not in found
    assert not DeepLinkedAlignment.objects.exists()


@pytest.mark.parametrize(
    ("outcomes", "more", "words"),
    [
        ([], {}, "Nothing was chosen"),
        (["999999"], {}, "no longer in this course"),
        (["601"], {"points": "0"}, "field-wrong"),
        (["601"], {"points": "x"}, "field-wrong"),
        (["601"], {"title": "x" * 256}, "field-wrong"),
    ],
)
def test_what_cannot_be_handed_over(
    form: Form, outcomes: list[str], more: dict[str, str], words: str
) -> None:
    answer = form.pick(form.open(), outcomes, **more)
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert not DeepLinkedAlignment.objects.exists()


def test_a_designer_may_not_pick(form: Form) -> None:
    assert form.open(DESIGNER_ID).status_code == 403


def test_a_link_of_another_course_leads_nowhere_special(form: Form) -> None:
    """A copied course: the tag belongs to the course it was picked in."""
    item = form.save(form.pick(form.open(), ["601"]))
    DeepLinkedAlignment.objects.update(context=_other_course())
    assert form.launch_link(item, TEACHER_ID).status_code == 200
    assert not Alignment.objects.exists()


def _other_course() -> Context:
    context = Context.objects.get()
    context.pk, context.context_id = None, "another"
    context.save()
    return context


def request_claims(platform: TestPlatform, **changes: Any) -> dict[str, Any]:
    settings = {
        "deep_link_return_url": f"{platform.url}/courses/77/deep_linking_response?data=x",
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["iframe"],
        "data": "opaque",
    }
    found = {name: value for name, value in (settings | changes).items() if value is not GONE}
    return {c.MESSAGE_TYPE: MESSAGE, c.RESOURCE_LINK: GONE, SETTINGS: found}


def test_an_accepted_request_keeps_the_platforms_data_sealed(client: Client) -> None:
    platform = new_platform()
    visit = launch_as(client, "teacher", platform, claims=request_claims(platform))
    assert "Connect Canvas" in visit.response.content.decode()
    assert visit.session.sealed_deep_link and "opaque" not in visit.session.sealed_deep_link


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"deep_link_return_url": GONE}, 422, "DEEP-LINK"),
        ({"deep_link_return_url": 7}, 422, "DEEP-LINK"),
        ({"deep_link_return_url": "https://evil.test/x"}, 403, "DEEP-LINK-HOST"),
        ({"deep_link_return_url": "javascript:alert(1)"}, 403, "DEEP-LINK-HOST"),
        ({"deep_link_return_url": "https://evil.test\\@127.0.0.1/"}, 403, "DEEP-LINK-HOST"),
        ({"accept_types": GONE}, 422, "DEEP-LINK"),
        ({"accept_types": ["html", "link"]}, 422, "DEEP-LINK"),
        ({"accept_types": "ltiResourceLink"}, 422, "CLAIMS"),
        ({"accept_presentation_document_targets": "iframe"}, 422, "CLAIMS"),
        ({"data": {"a": 1}}, 422, "DEEP-LINK"),
        ({"data": "x" * 8_001}, 422, "DEEP-LINK"),
    ],
)
def test_requests_that_are_refused(client: Client, changes: dict[str, Any], status: int, code: str) -> None:
    platform = new_platform()
    response = launch_with(client, platform, claims=request_claims(platform, **changes))
    assert (response.status_code, f"Code {code}" in response.content.decode()) == (status, True)
    assert not LaunchSession.objects.exists()


@pytest.mark.parametrize("role", ["student", "observer", "designer", "test_student"])
def test_only_staff_pick(client: Client, role: str) -> None:
    platform = new_platform()
    response = launch_with(client, platform, role=role, claims=request_claims(platform))
    assert (response.status_code, "Code NOT-STAFF" in response.content.decode()) == (403, True)


def test_a_visit_that_was_not_asked_to_pick_picks_nothing(client: Client) -> None:
    visit = launch_as(client)
    response = client.get("/course/deep-link/", **visit.headers)
    assert (response.status_code, "Code NOT-PICKING" in response.content.decode()) == (409, True)
