"""Login initiation, authorize and the launch it answers with: rows A1 to A15 over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from sandbox.lti.jwts import make_hint
from tests.sandbox.fake_tool import authorize_parameters
from tests.sandbox.school import COURSE, SECONDS, STUDENT, TEACHER, TOOL, School, form_of, open_school


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


def redirect_of(school: School, hint: str) -> requests.Response:
    url = f"{school.url}/api/lti/authorize_redirect"
    query = {"lti_message_hint": hint, "state": "s1", "nonce": "n1"}
    return requests.get(url, params=query, timeout=SECONDS, allow_redirects=False)


def test_login_carries_every_parameter(school: School) -> None:
    login = school.click(school.browser(TEACHER))
    assert login["iss"] == "https://canvas.instructure.com"
    assert login["client_id"] == school.key.client_id
    assert login["deployment_id"] == f"{TOOL}:{school.course.lti_context_id}"
    assert login["login_hint"] == school.world.users[TEACHER].legacy_id
    assert login["target_link_uri"] == f"{school.tool.url}/lti/launch"
    assert login["lti_storage_target"] == "post_message_forwarding"
    assert (login["canvas_environment"], login["canvas_region"]) == ("prod", "not_configured")


def test_login_form_works_without_scripts(school: School) -> None:
    browser = school.browser(TEACHER)
    page = browser.get(f"{school.url}/courses/{COURSE}/external_tools/{TOOL}", timeout=SECONDS)
    action, fields = form_of(page.text, "tool_form")
    assert "<noscript>" in page.text
    answer = browser.post(action, data=fields, timeout=SECONDS)  # follows the redirects to authorize
    assert "Continue to the tool" in answer.text
    action, fields = form_of(answer.text, "form_post")
    browser.post(action, data=fields, timeout=SECONDS)
    assert set(school.tool.launches[0]) == {"id_token", "state", "lti_storage_target"}


@pytest.mark.parametrize("kind", ["not a JWT", "expired", "foreign signature"], ids=lambda kind: f"A1-{kind}")
def test_bad_hint(school: School, kind: str) -> None:
    hints = {
        "not a JWT": "gibberish",
        "expired": make_hint(school.platform.secret, issued_at=time.time() - 400),
        "foreign signature": make_hint("another secret of at least 32 bytes", issued_at=time.time()),
    }
    answer = redirect_of(school, hints[kind])
    assert (answer.status_code, answer.json()["message"]) == (400, "Invalid lti_message_hint")


def test_a2_good_hint_goes_to_the_schools_host(school: School) -> None:
    login = school.click(school.browser(TEACHER))
    answer = redirect_of(school, login["lti_message_hint"])
    target = urlsplit(answer.headers["Location"])
    assert answer.status_code == 302
    assert f"{target.scheme}://{target.netloc}{target.path}" == f"{school.url}/api/lti/authorize"
    assert parse_qs(target.query)["state"] == ["s1"]


def error_of(answer: requests.Response) -> tuple[str, str]:
    assert answer.status_code == 200
    _, fields = form_of(answer.text, "form_post")
    assert "id_token" not in fields and fields["state"]
    return fields["error"], fields["error_description"]


def test_a3_missing_parameters(school: School) -> None:
    browser = school.browser(TEACHER)
    answer = school.authorize(browser, school.click(browser), nonce="", prompt="")
    text = "The following parameters are missing: nonce,prompt"
    assert error_of(answer) == ("invalid_request_object", text)


def test_a4_other_scope(school: School) -> None:
    browser = school.browser(TEACHER)
    answer = school.authorize(browser, school.click(browser), scope="banana")
    assert error_of(answer) == ("invalid_request_object", "The 'scope' must be 'openid'")


def test_a5_other_user_logged_in(school: School) -> None:
    login = school.click(school.browser(TEACHER))
    answer = school.authorize(school.browser(STUDENT), login)
    assert error_of(answer) == ("login_required", "Must have an active user session")


def test_a6_no_session_first_try_retries_by_itself(school: School) -> None:
    login = school.click(school.browser(TEACHER))
    answer = school.authorize(school.browser(), login)
    assert answer.status_code == 200 and "It tries once more" in answer.text
    assert 'name="retried"' in answer.text and school.tool.launches == []


def test_a7_no_session_retried(school: School) -> None:
    login = school.click(school.browser(TEACHER))
    answer = school.authorize(school.browser(), login, retried="true")
    assert answer.status_code == 401 and "<form" not in answer.text


def test_a8_no_session_in_a_public_course(school: School) -> None:
    school.course.public = True
    browser = school.browser()
    answer = school.authorize(browser, school.click(browser))
    _, fields = form_of(answer.text, "form_post")
    claims = jwt.decode(fields["id_token"], options={"verify_signature": False})
    assert "sub" not in claims
    assert claims["https://purl.imsglobal.org/spec/lti/claim/lti11_legacy_user_id"] == ""


@pytest.mark.parametrize("switch", ["active", "enabled"], ids=lambda switch: f"A9-{switch}")
def test_key_switched_off(school: School, switch: str) -> None:
    browser = school.browser(TEACHER)
    login = school.click(browser)
    setattr(school.key, switch, False)
    answer = school.authorize(browser, login)
    assert error_of(answer) == ("unauthorized_client", "Client not authorized in requested context")


@pytest.mark.parametrize("kind", ["consumed", "expired"], ids=lambda kind: f"A10-{kind}")
def test_launch_is_single_use_and_short_lived(school: School, kind: str) -> None:
    browser = school.browser(TEACHER)
    login = school.click(browser)
    if kind == "consumed":
        assert "id_token" in form_of(school.authorize(browser, login).text, "form_post")[1]
    else:
        school.world.advance(timedelta(minutes=6))
    text = "The launch has either expired or already been consumed"
    assert error_of(school.authorize(browser, login)) == ("launch_no_longer_valid", text)


def test_a11_redirect_uri_not_registered(school: School) -> None:
    browser = school.browser(TEACHER)
    answer = school.authorize(browser, school.click(browser), redirect_uri="https://evil.example/launch")
    assert answer.status_code == 400 and "Invalid redirect_uri" in answer.text and "<form" not in answer.text


def test_a12_registered_query_must_be_there(school: School) -> None:
    browser, bare = school.browser(TEACHER), f"{school.tool.url}/lti/launch"
    school.key.redirect_uris = [f"{bare}?place=1"]
    login = school.click(browser)
    assert school.authorize(browser, login).status_code == 400
    school.key.redirect_uris.append(bare)
    assert school.authorize(browser, login).status_code == 200


def test_a13_extra_query_on_a_bare_uri(school: School) -> None:
    browser = school.browser(TEACHER)
    uri = f"{school.tool.url}/lti/launch?extra=1"
    answer = school.authorize(browser, school.click(browser), redirect_uri=uri)
    assert form_of(answer.text, "form_post")[0] == uri


def test_a14_unknown_client(school: School) -> None:
    browser = school.browser(TEACHER)
    answer = school.authorize(browser, school.click(browser), client_id="999")
    assert answer.status_code == 404 and "<form" not in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"], ids=lambda method: f"A15-{method}")
def test_all_well(school: School, method: str) -> None:
    browser = school.browser(TEACHER)
    sent = authorize_parameters(school.click(browser), school.tool.url)
    where = "params" if method == "GET" else "data"
    answer = browser.request(method, f"{school.url}/api/lti/authorize", timeout=SECONDS, **{where: sent})
    action, fields = form_of(answer.text, "form_post")
    assert action == sent["redirect_uri"]
    assert fields["state"] == sent["state"]
    assert fields["lti_storage_target"] == "post_message_forwarding"


def test_no_storage_target_in_mobile_views(school: School) -> None:
    school.platform.storage_target = ""
    browser = school.browser(TEACHER)
    login = school.click(browser)
    assert "lti_storage_target" not in login
    assert "lti_storage_target" not in form_of(school.authorize(browser, login).text, "form_post")[1]
