"""`register_platform`, and how other commands name a registration."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from lti_tool.commands import find_context, find_registration
from lti_tool.models import Registration
from lti_tool.sealing import API_SECRET_PURPOSE, unseal

pytestmark = pytest.mark.django_db

GIVEN = {
    "--issuer": "https://canvas.instructure.com",
    "--client-id": "10000000000042",
    "--authorize-url": "https://sso.canvaslms.com/api/lti/authorize_redirect",
    "--token-url": "https://sso.canvaslms.com/login/oauth2/token",
    "--jwks-url": "https://sso.canvaslms.com/api/lti/security/jwks",
    "--canvas-url": "https://canvas.school.edu",
}


def run(*more: str, **changes: str) -> str:
    """The command's output; `changes` replace options (`issuer=...`)."""
    options = GIVEN | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    out, err = io.StringIO(), io.StringIO()
    arguments = [part for pair in options.items() for part in pair]
    call_command("register_platform", *arguments, *more, stdout=out, stderr=err)
    return out.getvalue()


def test_it_prints_the_key_and_nothing_else() -> None:
    assert run().strip() == Registration.objects.get().key


def test_the_same_three_update_and_keep_the_key() -> None:
    first = json.loads(run("--json", "--deployment-id", "1:a"))
    sealed = Registration.objects.get().sealed_fingerprint_key
    second = json.loads(run("--json", "--deployment-id", "2:b", token_url="https://x.school.edu/token"))
    assert (first["created"], second["created"], first["key"]) == (True, False, second["key"])
    assert second["deployments"] == ["1:a", "2:b"]
    assert Registration.objects.get().token_url == "https://x.school.edu/token"
    assert Registration.objects.get().sealed_fingerprint_key == sealed


def test_another_canvas_with_the_same_ids_is_another_registration() -> None:
    assert run() != run(canvas_url="https://other.school.edu")


def test_registrations_lists_each_with_its_addresses() -> None:
    keys = [run().strip(), run(canvas_url="https://other.school.edu").strip()]
    out = io.StringIO()
    call_command("registrations", "--json", stdout=out)
    listed = json.loads(out.getvalue())["registrations"]
    assert [one["key"] for one in listed] == keys
    assert listed[0]["login_url"] == f"http://127.0.0.1:8000/lti/login/{keys[0]}"
    assert listed[0]["api_redirect_uri"] == "http://127.0.0.1:8000/canvas/callback"
    out = io.StringIO()
    call_command("registrations", "--registration", keys[1], stdout=out)
    assert keys[1] in out.getvalue() and keys[0] not in out.getvalue()
    with pytest.raises(CommandError):
        call_command("registrations", "--client-id", "10000000000042", stdout=out)


def test_new_deployments_are_taken_only_on_request() -> None:
    run()
    assert not Registration.objects.get().allow_new_deployments
    run("--allow-new-deployments")
    assert Registration.objects.get().allow_new_deployments


def test_the_api_secret_is_read_from_a_file_and_sealed(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("very-secret\n")
    run("--api-client-id", "10000000000099", "--api-client-secret-file", str(file))
    registration = Registration.objects.get()
    assert "very-secret" not in registration.sealed_api_client_secret
    assert unseal(registration.sealed_api_client_secret, purpose=API_SECRET_PURPOSE) == "very-secret"
    run()
    assert Registration.objects.get().api_client_id == "10000000000099"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("issuer", "canvas"),
        ("issuer", "ftp://canvas.school.edu"),
        ("client_id", ""),
        ("client_id", "a\nb"),
        ("canvas_url", "https://canvas.school.edu/courses"),
        ("canvas_url", "https://user:pw@canvas.school.edu"),
        ("canvas_url", "http://canvas.school.edu"),
        ("authorize_url", "https://canvas.school.edu/#x"),
        ("token_url", "https://canvas.school.edu:port/"),
        ("jwks_url", "https://" + "x" * 500),
    ],
)
def test_a_wrong_value_names_its_option(option: str, value: str) -> None:
    with pytest.raises(CommandError, match=f"--{option.replace('_', '-')}") as raised:
        run(**{option: value})
    assert raised.value.returncode == 2
    assert Registration.objects.count() == 0


@pytest.mark.parametrize("host", ["https://x.school.edu", "x.school.edu/path", "user@x", "x:port", ""])
def test_a_service_host_is_a_host(host: str) -> None:
    with pytest.raises(CommandError, match="--service-host"):
        run("--service-host", host)


def test_service_hosts_are_kept_when_not_given_again() -> None:
    run("--service-host", "Principal.School.EDU:443")
    run()
    assert Registration.objects.get().service_hosts == ["principal.school.edu"]


@pytest.mark.parametrize("address", ["http://localhost:8100", "https://127.0.0.1", "http://[::1]:1"])
def test_loopback_needs_allow_http(settings: Any, address: str) -> None:
    run(canvas_url=address)
    settings.ALLOW_HTTP = False
    with pytest.raises(CommandError, match="--canvas-url"):
        run(canvas_url=address)


def test_half_an_api_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="both or neither"):
        run("--api-client-id", "1")
    with pytest.raises(CommandError, match="cannot read"):
        run("--api-client-id", "1", "--api-client-secret-file", str(tmp_path / "none"))


def test_a_client_id_that_fits_several_lists_their_keys() -> None:
    keys = {run().strip(), run(canvas_url="https://other.school.edu").strip()}
    with pytest.raises(CommandError) as raised:
        find_registration({"client_id": GIVEN["--client-id"], "registration": None})
    assert raised.value.returncode == 2
    assert all(key in str(raised.value) for key in keys)
    for key in keys:
        assert find_registration({"registration": key, "client_id": None}).key == key


def test_unknown_names_are_said() -> None:
    run()
    with pytest.raises(CommandError, match="No registration"):
        find_registration({"client_id": "nope", "registration": None})
    with pytest.raises(CommandError, match="open the tool in it once") as raised:
        find_context(Registration.objects.get(), "nope")
    assert raised.value.returncode == 1


@pytest.mark.django_db(transaction=True)
def test_tables_that_are_not_there_yet_are_said() -> None:
    newest = MigrationRecorder.Migration.objects.filter(app="lti_tool").latest("name")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE lti_tool_registrationlink RENAME TO elsewhere")
        newest.delete()
        try:
            with pytest.raises(CommandError, match=r"not applied .*; run manage\.py migrate") as told:
                call_command("registration_link")
        finally:
            newest.save(force_insert=True)
            cursor.execute("ALTER TABLE elsewhere RENAME TO lti_tool_registrationlink")
    assert told.value.returncode == 1
