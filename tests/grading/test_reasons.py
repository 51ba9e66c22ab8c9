"""Every code that is raised anywhere has its reason: words, a step, who acts, and whom it concerns."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from canvas import refusals, service_tokens
from canvas.refusals import refusal_of
from grading.connection import stopped_by
from grading.core.reasons import REASONS, reason_for
from lti_tool import errors
from lti_tool.answers import Reply
from lti_tool.errors import PlatformError

ROOT = Path(__file__).resolve().parents[2]
MAKERS = {
    "refused",
    "stopped",
    "Verdict",
    "incomplete",
    "Refused",
    "AccessLost",
    "Incomplete",
    "MaybeSent",
    "NeverSent",
}


def codes_raised() -> set[str]:
    """What the code of the tool names as a reason, wherever an error or a receipt is made."""
    found = {row.code for row in refusals.TABLE} | {row[1] for row in service_tokens._TOKEN_TABLE}
    found |= {
        kind.code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, PlatformError)
    }
    for package in ("canvas", "grading", "lti_tool"):
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text())
            named = _constants(tree)
            for node in ast.walk(tree):
                if isinstance(node, ast.Call):
                    found |= _codes_of(node, named)
    return found


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What a module calls by a name of its own: `CHANGED = "changed_while_reading"`."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _codes_of(call: ast.Call, named: dict[str, ast.expr]) -> set[str]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name not in MAKERS:
        return set()
    places = {"refused": call.args[:1], "stopped": call.args[:1], "Verdict": call.args[1:]}.get(name, [])
    given = [*places, *(word.value for word in call.keywords if word.arg == "code")]
    said = [named.get(one.id, one) if isinstance(one, ast.Name) else one for one in given]
    texts = [leaf for one in said for leaf in ast.walk(one) if isinstance(leaf, ast.Constant)]
    return {leaf.value for leaf in texts if isinstance(leaf.value, str) and leaf.value}


def test_every_code_has_its_reason() -> None:
    raised = codes_raised()
    assert len(raised) > 60, "the search found next to nothing"
    assert not {code for code in raised if not reason_for(code).is_known}


@pytest.mark.parametrize("code", sorted(REASONS))
def test_a_reason_reads_well(code: str) -> None:
    reason = REASONS[code]
    assert reason.says[0].isupper() and reason.sentence.endswith(".")
    assert not reason.short.endswith(".") and len(reason.short) <= 34
    assert len(reason.sentence) <= 210
    if reason.who != "nobody":
        assert reason.step, "who acts is told what to do"


SEED_004 = [
    (400, "timestamp is missing", "malformed_call", "operator"),
    (400, "Provided timestamp of x not a valid timestamp", "malformed_call", "operator"),
    (400, "Provided timestamp of 1 before last updated timestamp of 2", "superseded", "teacher"),
    (400, "Provided submitted_at timestamp of 1 in the future", "clock_skew", "operator"),
    (401, "Invalid Developer Key", "key_off", "admin"),
    (401, "Access Token not linked to a Tool associated with this Context", "not_installed", "admin"),
    (404, "The specified resource does not exist.", "gone", "teacher"),
    (404, "Context not found", "course_gone", "teacher"),
    (412, "Tool does not have permission to view line_item", "not_ours", "teacher"),
    (412, "The specified LTI link ID is not associated with the line item", "wrong_link", "teacher"),
    (422, "This course has concluded. AGS requests will no longer be accepted.", "concluded", "teacher"),
    (422, "User not found in course or is not a student", "not_a_student", "nobody"),
    (422, "ScoreMaximum must be greater than or equal to 0", "malformed_call", "operator"),
    (422, "ScoreMaximum not supplied when ScoreGiven present.", "malformed_call", "operator"),
    (422, "Content items must be provided with submission type 'online_upload'", "malformed_call", "operator"),
    (422, "The maximum number of allowed attempts has been reached for this submission", "no_attempts_left", "teacher"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "text", "code", "who"), SEED_004)
def test_canvas_s_own_table_of_errors(status: int, text: str, code: str, who: str) -> None:
    """Each of the common error codes of Canvas's documentation has its code, its sentence and who acts."""
    body = f'{{"errors":{{"type":"x","message":"{text}"}}}}'.encode()
    error = refusal_of(Reply(status, {}, body, "https://canvas.example.edu/x", "POST /x"))
    assert error is not None and error.code == code
    said = stopped_by(error)
    assert said.detail.startswith(reason_for(code).says)
    assert said.who == ("teacher" if who == "nobody" else who)
