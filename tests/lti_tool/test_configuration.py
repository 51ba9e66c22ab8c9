"""What an administrator and a platform read: config.json, the key set, and the command that rotates keys."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from django.conf import settings as project
from django.core.management import call_command
from django.test import Client
from django.urls import resolve

from canvas import noticehandlers, service_tokens
from lti_tool.keys import private_pem, signing_key
from lti_tool.models import SigningKey
from tests.people import LAUNCH, TOOL


def test_config_has_this_tools_addresses_and_they_resolve(client: Client) -> None:
    config = client.get("/lti/config.json").json()
    assert config["target_link_uri"] == LAUNCH
    names = [
        resolve(urlsplit(config[key]).path).view_name for key in ("oidc_initiation_url", "public_jwk_url")
    ]
    assert names == ["lti:login", "lti:jwks"]
    assert all(config[key].startswith(f"{TOOL}/") for key in ("oidc_initiation_url", "public_jwk_url"))
    assert "mastery.school.edu" not in json.dumps(config)


def test_config_asks_for_the_custom_fields_and_the_placement(client: Client) -> None:
    config = client.get("/lti/config.json").json()
    assert config["custom_fields"] == {
        "canvas_course_id": "$Canvas.course.id",
        "canvas_user_id": "$Canvas.user.id",
        "canvas_api_domain": "$Canvas.api.domain",
    }
    extension = config["extensions"][0]
    course, assignment = extension["settings"]["placements"]
    assert (course["placement"], course["visibility"]) == ("course_navigation", "members")
    assert (assignment["placement"], assignment["message_type"]) == (
        "assignment_selection",
        "LtiDeepLinkingRequest",
    )
    assert course["target_link_uri"] == assignment["target_link_uri"] == LAUNCH
    assert (extension["platform"], extension["domain"]) == ("canvas.instructure.com", urlsplit(TOOL).netloc)


def test_config_asks_for_the_scopes_the_code_asks_for(client: Client) -> None:
    wanted = [*service_tokens.WANTED, noticehandlers.SCOPE]
    assert sorted(client.get("/lti/config.json").json()["scopes"]) == sorted(wanted)


def test_the_file_at_the_root_is_the_same_with_an_example_address() -> None:
    text = (project.BASE_DIR / "lti_config.json").read_text()
    assert json.loads(text)["target_link_uri"] == "https://mastery.school.edu/lti/launch"


@pytest.mark.django_db
def test_the_key_set_is_public_halves_only(client: Client) -> None:
    response = client.get("/lti/jwks.json")
    (key,) = response.json()["keys"]
    assert sorted(key) == ["alg", "e", "kid", "kty", "n", "use"]
    assert "max-age" in response["Cache-Control"]
    assert client.get("/lti/jwks.json").json()["keys"] == [key]


@pytest.mark.django_db
def test_what_the_newest_key_signs_the_key_set_verifies(client: Client) -> None:
    key = signing_key()
    token = jwt.encode({"iss": "x"}, private_pem(key), "RS256", headers={"kid": key.kid})
    published = {entry["kid"]: entry for entry in client.get("/lti/jwks.json").json()["keys"]}
    assert jwt.decode(token, jwt.PyJWK(published[key.kid]).key, ["RS256"]) == {"iss": "x"}
    assert "PRIVATE" not in key.sealed_private_pem


def rotate(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("rotate_keys", *arguments, "--json", stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


@pytest.mark.django_db
def test_rotation_keeps_the_old_key_published_until_it_is_retired(client: Client) -> None:
    old = signing_key().kid
    new = rotate()["signing"]
    assert signing_key().kid == new != old
    assert [key["kid"] for key in client.get("/lti/jwks.json").json()["keys"]] == [new, old]
    assert rotate("--retire") == {"signing": new, "published": [new], "retired": 1}
    assert [key["kid"] for key in client.get("/lti/jwks.json").json()["keys"]] == [new]
    assert SigningKey.objects.count() == 2
