"""`import_alignments` and `export_alignments`, as an administrator types them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, execute_from_command_line

from alignments import services
from lti_tool.models import Context
from tests.alignments.conftest import make_course
from tests.alignments.examples import entry

TWO = [
    entry({"kind": "cutoff"}, {"605": "1"}, name="1.1 Lines", target={"assignment": "9"}),
    entry({"kind": "proportional"}, {"606": "1"}, target={"column": {"label": "1.2 Slope", "points": "1"}}),
]


def write(folder: Path, *entries: Any) -> str:
    path = folder / "alignments.json"
    path.write_text(json.dumps({"version": 1, "alignments": entries}))
    return str(path)


def run(name: str, *arguments: str, course: str = "course-one") -> str:
    out = io.StringIO()
    call_command(name, *arguments, "--client-id", "10000000000001", "--context", course, stdout=out)
    return out.getvalue()


def refused(*arguments: str, **where: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as caught:
        run("import_alignments", *arguments, **where)
    return caught.value.returncode, str(caught.value)


def test_import_says_what_it_did(course: Context, tmp_path: Path) -> None:
    assert run("import_alignments", write(tmp_path, *TWO)) == "Alignments: 2 added, 0 kept, 0 removed.\n"
    said = run("import_alignments", write(tmp_path, TWO[0]), "--replace", "--json")
    assert json.loads(said) == {"added": 0, "kept": 1, "removed": 1}


def test_import_reads_standard_input(course: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.TextIOWrapper(io.BytesIO(json.dumps({"version": 1, "alignments": TWO}).encode()))
    monkeypatch.setattr("sys.stdin", given)
    assert run("import_alignments", "-") == "Alignments: 2 added, 0 kept, 0 removed.\n"


def test_export_is_what_import_reads(course: Context, other_course: Context, tmp_path: Path) -> None:
    run("import_alignments", write(tmp_path, *TWO))
    exported = run("export_alignments")
    path = tmp_path / "exported.json"
    path.write_text(exported)
    run("import_alignments", str(path), course="course-two")
    again = json.loads(run("export_alignments", "--json", course="course-two"))
    for one in (*again["alignments"], *(first := json.loads(exported))["alignments"]):
        assert one.pop("id") > 0
    assert again == first


def test_a_file_with_errors_changes_nothing_and_exits_1(course: Context, tmp_path: Path) -> None:
    run("import_alignments", write(tmp_path, TWO[0]))
    before = services.stored(course)
    status, said = refused(write(tmp_path, TWO[1], {**TWO[0], "round": 7}), "--replace")
    assert status == 1
    assert '\nalignments[1] "1.1 Lines": round: ' in said
    assert services.stored(course) == before


def test_a_target_in_use_exits_1(course: Context, tmp_path: Path) -> None:
    path = write(tmp_path, TWO[0])
    run("import_alignments", path)
    status, said = refused(path)
    assert (status, '\nalignments[0] "1.1 Lines": target: ' in said) == (1, True)


def test_a_hundred_errors_are_counted_and_fifty_listed(course: Context, tmp_path: Path) -> None:
    status, said = refused(write(tmp_path, *[{**TWO[0], "round": 7, "target": {}}] * 50))
    assert (status, len(said.splitlines())) == (1, 51)
    assert said.startswith("Nothing was imported: 100 errors, of which the first 50 are:")


@pytest.mark.parametrize("name", ["missing.json", ".", "a\x00b"])
def test_a_file_that_cannot_be_opened_exits_2(course: Context, tmp_path: Path, name: str) -> None:
    status, said = refused(f"{tmp_path}/{name}")
    assert (status, "cannot be opened" in said) == (2, True)


def test_a_course_that_was_never_launched_says_to_open_the_tool(course: Context, tmp_path: Path) -> None:
    status, said = refused(write(tmp_path, *TWO), course="course-nine")
    assert (status, "open the tool in it once" in said) == (1, True)


def test_a_client_id_of_two_registrations_exits_2_and_lists_the_keys(course: Context, tmp_path: Path) -> None:
    second = make_course("course-one", canvas_url="http://localhost:2")
    path = write(tmp_path, *TWO)
    status, said = refused(path)
    assert (status, second.registration.key in said, course.registration.key in said) == (2, True, True)
    arguments = ("--registration", second.registration.key, "--context", "course-one")
    call_command("import_alignments", path, *arguments, stdout=io.StringIO())
    assert (len(services.stored(second)), services.stored(course)) == (2, [])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("arguments", "status"), [(["--context", "c"], 2), ([], 2), (["--nonsense"], 2)])
def test_the_process_exits_with_a_sentence_and_no_traceback(
    arguments: list[str], status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        execute_from_command_line(["manage.py", "import_alignments", write(tmp_path, *TWO), *arguments])
    said = capsys.readouterr()
    assert (caught.value.code, said.out) == (status, "")
    assert said.err and "Traceback" not in said.err


@pytest.mark.django_db(transaction=True)
def test_errors_go_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_course("course-one")
    path = write(tmp_path, {**TWO[0], "round": 7})
    arguments = ["--client-id", "10000000000001", "--context", "course-one"]
    with pytest.raises(SystemExit) as caught:
        execute_from_command_line(["manage.py", "import_alignments", path, *arguments])
    said = capsys.readouterr()
    assert (caught.value.code, said.out) == (1, "")
    assert 'alignments[0] "1.1 Lines": round: ' in said.err


def spoiled(old: str, new: str) -> bytes:
    """The two good entries as bytes, with one piece written otherwise."""
    good = json.dumps({"version": 1, "alignments": TWO})
    assert old in good
    return good.replace(old, new, 1).encode("utf-8", "surrogatepass")


FIRST, SECOND = 'alignments[0] "1.1 Lines": ', "alignments[1]: "
FAULTS = [
    (spoiled('"version": 1', '"version": 2'), "version: "),
    (spoiled('"kind": "cutoff"', '"kind": "curve"'), f"{FIRST}rule.kind: "),
    (spoiled('"kind": "cutoff"', '"kind": "cutoff", "at": NaN'), f"{FIRST}rule.at: "),
    (spoiled('"kind": "cutoff"', '"kind": "cutoff", "at": 1e-05'), f"{FIRST}rule.at: "),
    (spoiled('"kind": "cutoff"', '"kind": "cutoff", "at": "1,5"'), f"{FIRST}rule.at: "),
    (spoiled('"kind": "cutoff"', '"kind": "cutoff", "credit": "90"'), f"{FIRST}rule.credit: "),
    (spoiled('"kind": "cutoff"', '"kind": "cutoff", "levels": []'), f"{FIRST}rule.levels: "),
    (spoiled('"kind": "cutoff"', f'"kind": "cutoff", "at": {"9" * 31}'), f"{FIRST}rule.at: "),
    (spoiled('"kind": "cutoff"', f'"kind": "cutoff", "at": {"[" * 900}{"]" * 900}'), f"{FIRST}rule.at: "),
    (
        spoiled('"kind": "cutoff"', '"kind": "table", "levels": [["3", "9%"], ["2", "1%"]]'),
        f"{FIRST}rule.levels[1]: ",
    ),
    (
        spoiled('"kind": "cutoff"', '"kind": "table", "levels": [["3", "9%"], ["3.0", "9%"]]'),
        f"{FIRST}rule.levels[1]: ",
    ),
    (spoiled('"kind": "cutoff"', '"kind": "cutoff", "kind": "cutoff"'), f"{FIRST}rule.kind: "),
    (spoiled('"weight": "1"', '"weight": "-1"'), f"{FIRST}outcomes[0].weight: "),
    (spoiled('"id": "605"', '"id": "0605"'), f"{FIRST}outcomes[0].id: "),
    (spoiled('"id": "605"', f'"id": {"9" * 5000}'), f"{FIRST}outcomes[0].id: "),
    (spoiled('"label": "1.2 Slope"', '"label": "\\ud800"'), f"{SECOND}target.column.label: "),
    (spoiled('{"column": {"label": "1.2 Slope", "points": "1"}}', '{"assignment": 9}'), f"{SECOND}target: "),
    (spoiled('"rule": {"kind": "proportional"}', '"rule": 5'), f"{SECOND}rule: "),
    (spoiled('"rule": {"kind": "proportional"}', '"rule": null, "extra": 1'), f"{SECOND}extra: "),
    (spoiled('"1.1 Lines"', '"\ud800"'), "The file is not UTF-8"),
    (spoiled("]}", "]}]"), "Line 1, column "),
    (b"[" * 100_000, "The file is nested too deeply"),
    (b"alignments:\n- id: 5", "Line 1, column 1: this is not JSON"),
    (b" " * 5_000_001, "The file is larger than 5,000,000 bytes"),
]


@pytest.mark.parametrize(("data", "start"), FAULTS, ids=range(len(FAULTS)))
def test_every_fault_through_the_command(course: Context, tmp_path: Path, data: bytes, start: str) -> None:
    run("import_alignments", write(tmp_path, TWO[0]))
    before, path = services.stored(course), tmp_path / "bad.json"
    path.write_bytes(data)
    status, said = refused(str(path), "--replace")
    assert (status, services.stored(course)) == (1, before)
    headline, *lines = said.splitlines()
    assert headline.startswith("Nothing was imported: ")
    assert any(line.startswith(start) for line in lines), said
    assert all(line.endswith(".") and len(line) < 400 for line in lines)
