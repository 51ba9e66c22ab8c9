"""Deep linking from the assignment form: the request, the answers that are taken and refused, the assignment."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from sandbox.lti import vocabulary as v
from sandbox.lti.deep_linking import DL
from tests.sandbox.school import COURSE, SECONDS, STUDENT, TEACHER, TOOL, School, form_of, open_school

PRIVATE = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
FAR = int(time.time()) + 10**9
"""Still to come when the last test of a long run is at work."""
ITEM = {
    "type": "ltiResourceLink",
    "title": "Slope",
    "url": "https://tool.edu/launch",
    "custom": {"mine": "t1", "assignment": "$Canvas.assignment.id"},
    "lineItem": {"label": "Slope", "scoreMaximum": 4, "tag": "t", "resourceId": "r1"},
}


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        public = json.loads(RSAAlgorithm.to_jwk(PRIVATE.public_key()))
        school.key.jwks_url, school.key.public_jwk = "", public | {"kid": "k"}
        yield school


def launched(school: School, path: str, user_id: int = TEACHER) -> dict[str, Any]:
    """The claims of the launch that a page of the course starts."""
    browser = school.browser(user_id)
    page = browser.get(f"{school.url}/courses/{COURSE}/{path}", timeout=SECONDS)
    assert page.status_code == 200, page.text
    login = form_of(page.text, "tool_form")[1]
    fields = form_of(school.authorize(browser, login).text, "form_post")[1]
    claims: dict[str, Any] = jwt.decode(fields["id_token"], options={"verify_signature": False})
    return claims


def settings_of(school: School) -> dict[str, Any]:
    claims = launched(school, f"external_tools/{TOOL}/resource_selection")
    assert claims[v.LTI + "message_type"] == "LtiDeepLinkingRequest" and v.LTI + "resource_link" not in claims
    found: dict[str, Any] = claims[DL + "deep_linking_settings"]
    return found


def answer(school: School, *items: dict[str, Any], key: Any = PRIVATE, **changes: Any) -> str:
    now = int(time.time())
    deployment = school.world.tools[TOOL].deployment_id
    claims = {
        "iss": school.key.client_id,
        "aud": school.platform.issuer,
        "iat": now,
        "exp": now + 60,
        "nonce": "n",
        v.LTI + "message_type": "LtiDeepLinkingResponse",
        v.LTI + "version": "1.3.0",
        v.LTI + "deployment_id": deployment,
        DL + "content_items": list(items or [ITEM]),
    }
    return jwt.encode(claims | changes, key, algorithm="RS256", headers={"kid": "k"})


def post(school: School, url: str, token: str) -> requests.Response:
    return requests.post(url, data={"JWT": token}, timeout=SECONDS)


def save(school: School, page: str, user_id: int = TEACHER, **fields: str) -> requests.Response:
    ticket = re.search(r'name="picked" value="([^"]+)"', page)
    assert ticket, page
    url = f"{school.url}/courses/{COURSE}/assignments"
    return school.browser(user_id).post(url, data={"picked": ticket[1], **fields}, timeout=SECONDS)


def test_an_answer_fills_the_form_and_saving_makes_all_three(school: School) -> None:
    settings = settings_of(school)
    assert settings["accept_types"] == ["ltiResourceLink"] and "accept_lineitem" not in settings
    before = len(school.world.assignments)
    page = post(school, settings["deep_link_return_url"], answer(school))
    assert page.status_code == 200 and 'value="Slope"' in page.text
    assert len(school.world.assignments) == before
    save(school, page.text, name="Slope of a line", points="5")
    item = list(school.world.line_items.values())[-1]
    assignment = school.world.assignments[item.assignment_id]
    assert (assignment.name, assignment.points_possible) == ("Slope of a line", Decimal(5))
    assert assignment.submission_types == ["external_tool"]
    assert (item.resource_id, item.tag, item.coupled, item.score_maximum) == ("r1", "t", True, Decimal(5))


def test_the_link_launches_with_its_custom_parameters_and_line_item(school: School) -> None:
    page = post(school, settings_of(school)["deep_link_return_url"], answer(school))
    save(school, page.text)
    item = list(school.world.line_items.values())[-1]
    claims = launched(school, f"assignments/{item.assignment_id}", STUDENT)
    assert claims[v.LTI + "message_type"] == "LtiResourceLinkRequest"
    assert claims[v.LTI + "custom"]["mine"] == "t1"
    assert claims[v.LTI + "custom"]["assignment"] == str(item.assignment_id)
    assert claims[v.AGS_CLAIM]["lineitem"].endswith(f"/line_items/{item.id}")
    assert (
        claims[v.LTI + "resource_link"]["id"] == school.world.resource_links[item.resource_link_id or 0].uuid
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"},
        {"aud": "https://other.edu"},
        {"exp": 1},
        {"iat": FAR},
        {"nonce": ""},
        {v.LTI + "message_type": "LtiResourceLinkRequest"},
        {v.LTI + "version": "1.1"},
        {v.LTI + "deployment_id": "other"},
        {DL + "content_items": []},
        {DL + "content_items": [ITEM, ITEM]},
        {DL + "content_items": [{"type": "html"}]},
    ],
)
def test_answers_that_are_refused(school: School, changes: dict[str, Any]) -> None:
    url = settings_of(school)["deep_link_return_url"]
    assert post(school, url, answer(school, **changes)).status_code == 400
    assert post(school, url, answer(school)).status_code == 200


def test_the_signature_and_the_address_are_checked(school: School) -> None:
    url = settings_of(school)["deep_link_return_url"]
    other = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    assert post(school, url, answer(school, key=other)).status_code == 400
    assert post(school, url.partition("data=")[0] + "data=x", answer(school)).status_code == 400
    assert post(school, url, "no token").status_code == 400


def test_only_who_may_make_assignments_makes_one_and_once(school: School) -> None:
    page = post(school, settings_of(school)["deep_link_return_url"], answer(school)).text
    before = len(school.world.assignments)
    assert save(school, page, STUDENT).status_code == 403
    save(school, page)
    assert "no longer open" in html.unescape(save(school, page).text)
    assert len(school.world.assignments) == before + 1
