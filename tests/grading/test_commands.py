"""`sync` and `undo` as they are typed: JSON, text, exit codes, no traceback."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from grading import services
from tests.grading.school import School, entry


def run(school: School, command: str, *options: str) -> tuple[int, str]:
    """The command's exit code and what it printed."""
    out = StringIO()
    named = ("--client-id", school.context.registration.client_id, "--context", school.context.context_id)
    try:
        call_command(command, *named, *options, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def as_json(school: School, command: str, *options: str) -> tuple[int, dict[str, Any]]:
    code, text = run(school, command, "--json", *options)
    return code, json.loads(text)


def test_sync_prints_what_the_interface_says(school: School) -> None:
    one, two = school.align(entry(601, "Models"), entry(99999, "Gone"))
    code, told = as_json(school, "sync", "--cells")
    assert code == 0
    assert set(told) == {"run", "status", "dry_run", "counts", "reasons", "problems", "requests", "cells"}
    assert (told["run"], told["status"], told["dry_run"]) == (1, "partial", False)
    assert told["counts"] == {"send": 4, "unchanged": 0, "held": 8, "conflict": 0, "refused": 0}
    assert told["reasons"] == {"graded": 4, "no_evidence": 2, "broken_alignment": 6}
    assert told["problems"] == [
        {
            "alignment": two.pk,
            "code": "broken_alignment",
            "detail": "Outcome 99999 is no longer in this course.",
        }
    ]
    assert set(told["requests"]) == {"read", "write", "retried", "throttled"}
    assert told["cells"][0] == {
        "alignment": one.pk, "user": "1001", "from": None, "to": "1", "decision": "send", "reason": "graded",
    }  # fmt: skip


def test_a_dry_run_tells_the_same_and_sends_nothing(school: School) -> None:
    school.align(entry(601, "Models"))
    code, told = as_json(school, "sync", "--dry-run")
    assert (code, told["status"], told["dry_run"], told["counts"]["send"]) == (0, "done", True, 4)
    assert "cells" not in told
    assert school.writes() == 0


def test_without_an_account_it_stops_and_says_who(school: School) -> None:
    school.align(entry(601, "Models"))
    school.account.delete()
    code, told = as_json(school, "sync")
    assert (code, told["status"]) == (1, "stopped")
    assert set(told["error"]) == {"code", "who", "detail"}
    assert told["error"]["who"] == "teacher"
    assert told["counts"] == {"send": 0, "unchanged": 0, "held": 0, "conflict": 0, "refused": 0}


def test_the_guard_and_its_confirmation(school: School) -> None:
    numbers = [school.assignment(name).id for name in ("1.1 Linear models", "1.2 Systems of equations")]
    school.align(entry(601, numbers[0]), entry(602, numbers[1]))
    run(school, "sync")
    half = {"kind": "cutoff", "credit": "50%"}
    school.align(entry(601, numbers[0], rule=dict(half)), entry(602, numbers[1], rule=dict(half)))
    code, told = as_json(school, "sync")
    assert (code, told["status"], told["error"]["code"]) == (1, "stopped", "large_change")
    code, told = as_json(school, "sync", "--confirm-large")
    assert (code, told["status"], told["counts"]["send"]) == (0, "done", 6)


def test_a_course_nobody_opened_and_a_registration_nobody_made(school: School) -> None:
    with pytest.raises(CommandError) as error:
        call_command("sync", "--client-id", school.context.registration.client_id, "--context", "nowhere")
    assert error.value.returncode == 1
    with pytest.raises(CommandError) as error:
        call_command("sync", "--client-id", "nobody", "--context", "nowhere")
    assert error.value.returncode == 2


def test_another_sync_under_way_is_waited_for(school: School) -> None:
    school.align(entry(601, "Models"))
    waiting = services.prepare(school.context, school.account, started_by="teacher 11")
    services.approve(waiting, by="teacher 11", digest=waiting.digest)
    code, said = run(school, "sync")
    assert code == 1
    assert "under way" in said


@pytest.mark.parametrize("option", ["--student", "--section"])
def test_what_is_no_canvas_id_is_bad_usage(option: str) -> None:
    for text in ("Ada", "01001", "-1", ""):
        with pytest.raises(CommandError, match="is not a Canvas id"):
            call_command("sync", "--client-id", "x", "--context", "y", option, text)


def test_a_course_without_alignments_has_nothing_to_do(school: School) -> None:
    code, told = as_json(school, "sync")
    assert (code, told["status"], told["reasons"]) == (0, "done", {})


def test_sync_and_undo_as_text(school: School) -> None:
    school.align(entry(601, "Models"))
    code, text = run(school, "sync", "--cells")
    assert code == 0
    assert "4 sent" in text
    assert "Not assessed yet (no_evidence)" in text
    assert "1001" in text
    code, text = run(school, "undo")
    assert code == 0
    assert "4 grades restored" in text


def test_undo_as_json_lists_what_was_kept(school: School) -> None:
    school.align(entry(601, "Models"))
    run(school, "sync")
    school.edit("Models", 1001, "0.5")
    code, told = as_json(school, "undo")
    assert (code, told["status"], told["undone"]) == (0, "done", 1)
    assert told["counts"] == {"restored": 3, "kept": 1, "refused": 0}
    kept = [cell for cell in told["cells"] if cell["decision"] == "kept"]
    assert [cell["user"] for cell in kept] == ["1001"]
    assert run(school, "undo")[0] == 1
