"""Columns and scores over AGS."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import jwt
import pytest

from canvas.ags import Ags
from canvas.models import ServiceToken
from lti_tool import keys
from lti_tool.errors import AccessLost, Incomplete, MaybeSent, PlatformError, Refused
from lti_tool.models import Registration
from tests.plugins.local_server import Answer, LocalServer

TOKEN = "/login/oauth2/token"
ITEMS = "/api/lti/courses/101/line_items"
SCORES = f"{ITEMS}/3/scores"
TIME = datetime(2026, 3, 1, 12, 0, 0, 123999, tzinfo=UTC)


@pytest.fixture(autouse=True)
def token(server: LocalServer) -> None:
    server.routes["POST", TOKEN] = Answer(
        {"access_token": "service-token-1", "token_type": "Bearer", "expires_in": 3600}
    )


def item_url(server: LocalServer) -> str:
    return f"{server.url}{ITEMS}/3"


def test_the_assertion_says_who_we_are(server: LocalServer, ags: Ags, registration: Registration) -> None:
    server.routes["GET", ITEMS] = Answer([])
    ags.line_items()
    form = server.calls("POST", TOKEN)[0].form()
    key = jwt.PyJWK(keys.public_jwks()["keys"][0]).key
    claims = jwt.decode(form["client_assertion"], key, algorithms=["RS256"], audience=registration.token_url)
    assert (claims["iss"], claims["sub"]) == (registration.client_id, registration.client_id)
    assert claims.keys() >= {"iat", "exp", "jti"}
    assert form["grant_type"] == "client_credentials"


def test_one_token_serves_until_it_ends_and_rests_sealed(server: LocalServer, ags: Ags) -> None:
    server.routes["GET", ITEMS] = Answer([])
    for _ in range(3):
        ags._token = ""  # what another worker starts with
        ags.line_items()
    assert len(server.calls("POST", TOKEN)) == 1
    assert "service-token-1" not in ServiceToken.objects.get().sealed_token


def test_all_pages_of_columns(server: LocalServer, ags: Ags) -> None:
    one = {"id": item_url(server), "label": "1.1", "scoreMaximum": 1.0, "resourceId": "r"}
    server.routes["GET", ITEMS] = [
        Answer([one], headers={"Link": f'<{server.url}{ITEMS}?page=Two&limit=100>; rel="next"'}),
        Answer([{"id": f"{server.url}{ITEMS}/4", "label": "1.2", "scoreMaximum": 2}]),
    ]
    items = ags.line_items()
    assert [(item.label, item.score_maximum, item.resource_id) for item in items] == [
        ("1.1", Decimal(1), "r"),
        ("1.2", Decimal(2), ""),
    ]
    assert server.seen[-1].query["page"] == ["Two"]
    assert "vnd.ims.lis.v2.lineitemcontainer+json" in server.seen[-1].headers["accept"]


def test_a_column_is_made_with_exact_points(server: LocalServer, ags: Ags) -> None:
    server.routes["POST", ITEMS] = Answer({"id": item_url(server), "label": "é", "scoreMaximum": 0.1}, 201)
    item = ags.create_line_item('é "x"', Decimal("0.1"), "r1")
    assert server.seen[-1].body == b'{"label":"\\u00e9 \\"x\\"","scoreMaximum":0.1,"resourceId":"r1"}'
    assert item.url == item_url(server)


def test_a_score_adds_no_attempt_and_no_comment(server: LocalServer, ags: Ags) -> None:
    server.routes["POST", SCORES] = Answer({"resultUrl": "x"})
    ags.post_score(item_url(server), "u-1", Decimal("0.30"), Decimal("1"), TIME)
    sent = json.loads(server.seen[-1].body, parse_float=str)
    assert sent == {
        "userId": "u-1",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": "2026-03-01T12:00:00.123Z",
        "scoreGiven": "0.3",
        "scoreMaximum": 1,
        "https://canvas.instructure.com/lti/submission": {"new_submission": False},
    }
    assert server.seen[-1].headers["content-type"] == "application/vnd.ims.lis.v1.score+json"


def test_emptying_a_cell_sends_neither_score_nor_maximum(server: LocalServer, ags: Ags) -> None:
    server.routes["POST", f"{ITEMS}/3/scores"] = Answer({"resultUrl": "x"})
    ags.post_score(f"{item_url(server)}?a=b", "u-1", None, Decimal("1"), TIME)
    assert server.seen[-1].query == {"a": ["b"]}
    assert not {"scoreGiven", "scoreMaximum"} & server.seen[-1].json().keys()


def lti(message: str) -> dict[str, Any]:
    return {"errors": {"type": "x", "message": message}}


@pytest.mark.parametrize(
    ("answer", "kind", "code", "who"),
    [
        (Answer(lti("User not found in course or is not a student"), 422), Refused, "not_a_student", ""),
        (
            Answer(
                {
                    "errors": [
                        {
                            "field": "grade",
                            "message": "cannot be changed: This assignment is still unpublished",
                        }
                    ]
                },
                422,
            ),
            Refused,
            "unpublished",
            "",
        ),
        (
            Answer(
                {
                    "errors": {
                        "grade": [
                            {"message": "This assignment is in a closed grading period for this student"}
                        ]
                    }
                },
                422,
            ),
            Refused,
            "closed_period",
            "",
        ),
        (
            Answer(lti("This course has concluded. AGS requests will no longer be accepted"), 422),
            Refused,
            "concluded",
            "",
        ),
        (Answer(b"", 404), Refused, "column_gone", ""),
        (Answer(lti("Context is deleted or not found"), 404), Refused, "course_gone", ""),
        (
            Answer({"errors": [{"message": "The specified resource does not exist."}]}, 404),
            Refused,
            "column_gone",
            "",
        ),
        (
            Answer(lti("Provided timestamp of x before last updated timestamp of y"), 400),
            Refused,
            "superseded",
            "",
        ),
        (Answer(lti("Invalid Developer Key"), 401), AccessLost, "key_off", "admin"),
        (
            Answer(lti("Access Token not linked to a Tool associated with this Context"), 401),
            AccessLost,
            "not_installed",
            "admin",
        ),
        (Answer(lti("Insufficient permissions"), 401), AccessLost, "scope_missing", "admin"),
        (Answer(b"", 412), Refused, "not_ours", ""),
        (Answer(b"", 500), MaybeSent, "no_answer", ""),
    ],
)
def test_refusals_are_named(
    server: LocalServer, ags: Ags, answer: Answer, kind: type[PlatformError], code: str, who: str
) -> None:
    server.routes["POST", SCORES] = answer
    with pytest.raises(PlatformError) as caught:
        ags.post_score(item_url(server), "u", Decimal(1), Decimal(1), TIME)
    assert (type(caught.value), caught.value.code, getattr(caught.value, "who", "")) == (kind, code, who)


@pytest.mark.parametrize(
    "text", ["Access token expired", "Invalid access token field/s: the JWT has expired"]
)
def test_an_expired_token_is_replaced_once(server: LocalServer, ags: Ags, text: str) -> None:
    server.routes["POST", TOKEN] = [
        Answer({"access_token": "t1", "expires_in": 3600}),
        Answer({"access_token": "t2"}),
    ]
    server.routes["POST", SCORES] = [Answer(lti(text), 401), Answer({})]
    ags.post_score(item_url(server), "u", Decimal(1), Decimal(1), TIME)
    assert [seen.headers["authorization"] for seen in server.calls("POST", SCORES)] == [
        "Bearer t1",
        "Bearer t2",
    ]


def test_a_token_refused_twice_stops(server: LocalServer, ags: Ags) -> None:
    server.routes["POST", SCORES] = Answer(lti("Access token expired"), 401)
    with pytest.raises(AccessLost) as caught:
        ags.post_score(item_url(server), "u", Decimal(1), Decimal(1), TIME)
    assert (caught.value.code, caught.value.who) == ("service_token_refused", "admin")
    assert len(server.calls("POST", SCORES)) == 2


@pytest.mark.parametrize(
    ("body", "code", "who"),
    [
        (
            {"error": "invalid_scope", "error_description": "A requested scope is invalid"},
            "scope_missing",
            "admin",
        ),
        (
            {"error": "invalid_request", "error_description": "JWS signature invalid."},
            "assertion_refused",
            "operator",
        ),
        (
            {"error": "invalid_request", "error_description": "JWK Error: Invalid JSON"},
            "jwks_unreachable",
            "operator",
        ),
        (
            {"error": "invalid_request", "error_description": "the 'iat' must not be in the future"},
            "clock_skew",
            "operator",
        ),
        ({"error": "invalid_client", "error_description": "unknown client"}, "key_off", "admin"),
    ],
)
def test_a_refused_assertion_says_who_must_act(
    server: LocalServer, ags: Ags, body: dict[str, str], code: str, who: str
) -> None:
    server.routes["POST", TOKEN] = Answer(body, 400)
    with pytest.raises(AccessLost) as caught:
        ags.line_items()
    assert (caught.value.code, caught.value.who) == (code, who)


def test_a_token_never_goes_to_a_foreign_host(server: LocalServer, ags: Ags) -> None:
    with pytest.raises(Refused):
        ags.post_score("https://evil.test/line_items/3", "u", Decimal(1), Decimal(1), TIME)
    server.routes["GET", ITEMS] = Answer([], headers={"Link": '<https://evil.test/x>; rel="next"'})
    with pytest.raises(Incomplete):
        ags.line_items()


def test_a_course_without_the_service_says_so(ags: Ags) -> None:
    ags._context.line_items_url = ""
    with pytest.raises(AccessLost) as caught:
        ags.line_items()
    assert caught.value.code == "no_ags"


def test_results_are_read_whole(server: LocalServer, ags: Ags) -> None:
    server.routes["GET", f"{ITEMS}/3/results"] = Answer(
        [{"userId": "u", "resultScore": 0.1, "resultMaximum": 1}, {"userId": "v"}]
    )
    first, second = ags.results(item_url(server))
    assert (first.score, first.maximum, second.score) == (Decimal("0.1"), Decimal(1), None)
