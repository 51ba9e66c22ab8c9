"""The notice-handlers service as lti.md 9 tells it: who may ask for what, and the notice itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests

from sandbox.lti import vocabulary as v
from sandbox.lti.notices import COPIED, copy_notices
from tests.sandbox.school import SECONDS, TOOL, School, open_school


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


def put(school: School, body: Any, tool_id: int = TOOL, **more: Any) -> requests.Response:
    return school.call("PUT", f"{school.url}/api/lti/notice-handlers/{tool_id}", body, **more)


def test_one_handler_for_each_kind_until_it_is_taken_back(school: School) -> None:
    wanted = {"notice_type": COPIED, "handler": f"{school.tool.url}/notices"}
    assert put(school, wanted).json() == wanted
    url = f"{school.url}/api/lti/notice-handlers/{TOOL}"
    listed = school.call("GET", url).json()
    assert listed["deployment_id"] == school.world.tools[TOOL].deployment_id
    assert {one["notice_type"]: one["handler"] for one in listed["notice_handlers"]} == {
        "LtiHelloWorldNotice": "",
        COPIED: wanted["handler"],
    }
    assert len(copy_notices(school.world, school.course, "origin")) == 1
    put(school, wanted | {"handler": ""})
    assert not copy_notices(school.world, school.course, "origin")


def test_who_may_not_and_what_is_no_handler(school: School) -> None:
    wanted = {"notice_type": COPIED, "handler": f"{school.tool.url}/notices"}
    other, tool = school.other_key()
    assert put(school, wanted, tool.id).status_code == 403
    assert put(school, wanted, 999).status_code == 404
    assert put(school, wanted, token=school.token(v.SCOPE_SCORE)).status_code == 401
    assert put(school, wanted | {"handler": None}).status_code == 400
    assert put(school, wanted | {"notice_type": "LtiOther"}).status_code == 400
    assert put(school, wanted | {"handler": "https://elsewhere.edu/notices"}).status_code == 400
    assert put(school, wanted).status_code == 200


def test_the_notice_is_signed_and_names_the_new_course_and_the_old(school: School) -> None:
    put(school, {"notice_type": COPIED, "handler": f"{school.tool.url}/notices"})
    [(handler, body)] = copy_notices(school.world, school.course, "origin")
    [token] = [one["jwt"] for one in body["notices"]]
    jwks = requests.get(f"{school.url}/api/lti/security/jwks", timeout=SECONDS).json()
    key = jwt.PyJWKSet.from_dict(jwks)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=school.key.client_id)
    assert handler == f"{school.tool.url}/notices" and claims[v.LTI + "notice"]["type"] == COPIED
    assert claims[v.LTI + "context"]["id"] == school.course.lti_context_id
    assert claims[v.LTI + "origin_contexts"] == ["origin"] and "sub" not in claims
