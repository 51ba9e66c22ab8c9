"""`set_default_template` and `delete_template`, as an administrator types them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from alignments import template_services
from alignments.core import templatejson
from alignments.models import Template
from lti_tool.models import Context, Deployment

ENTRY = {
    "outcomes": [{"title": "1.1 Lines"}],
    "rule": {"kind": "cutoff"},
    "target": {"column": {"label": "1.1", "points": "1"}},
}


def whole(name: str) -> dict[str, Any]:
    return {"version": 1, "template": name, "alignments": [ENTRY]}


def file(folder: Path, name: str = "School", **changes: Any) -> str:
    path = folder / "template.json"
    path.write_text(json.dumps(whole(name) | changes))
    return str(path)


def run(command: str, *given: str) -> str:
    out = io.StringIO()
    call_command(command, *given, "--client-id", "10000000000001", stdout=out)
    return out.getvalue()


def refused(*given: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as caught:
        run("set_default_template", *given)
    return caught.value.returncode, str(caught.value)


def kept(course: Context, name: str) -> int:
    template = templatejson.read_template(whole(name), with_ids=False)
    return template_services.keep(course, template).id


def usual() -> list[str]:
    return [row.name for row in Template.objects.filter(is_default=True)]


def test_a_teachers_template_becomes_the_usual_one_and_another_takes_its_place(course: Context) -> None:
    first, second = kept(course, "First"), kept(course, "Second")
    said = run("set_default_template", "--template", str(first))
    assert f"{first}  First: 1 alignment  (the usual set-up)" in said
    run("set_default_template", "--template", str(second))
    assert usual() == ["Second"]
    assert "offered no set-up" in run("set_default_template", "--none")
    assert usual() == []


def test_without_a_choice_it_lists(course: Context) -> None:
    number = kept(course, "First")
    listed = json.loads(run("set_default_template", "--json"))
    assert listed == {"templates": [{"template": number, "name": "First", "alignments": 1, "default": False}]}


def test_a_file_becomes_the_usual_set_up_and_a_new_version_replaces_it(
    course: Context, tmp_path: Path
) -> None:
    run("set_default_template", "--file", file(tmp_path))
    run("set_default_template", "--file", file(tmp_path, alignments=[ENTRY, ENTRY | {
        "target": {"column": {"label": "1.2", "points": "1"}}}]))  # fmt: skip
    [row] = Template.objects.all()
    assert (row.is_default, template_services.count(row), row.made_in) == (True, 2, None)


def test_a_file_does_not_take_a_teachers_template(course: Context, tmp_path: Path) -> None:
    kept(course, "School")
    code, said = refused("--file", file(tmp_path))
    assert code == 1 and 'There is a template "School" already.' in said
    assert usual() == []


def test_a_wrong_file_names_its_fields(course: Context, tmp_path: Path) -> None:
    code, said = refused("--file", file(tmp_path, alignments=[ENTRY | {"round": 9}]))
    assert code == 1 and "alignments[0]: round: 9 is out of range" in said
    assert refused("--file", "/no/such/file")[0] == 2


def test_what_it_names_must_be_there(course: Context, other_course: Context) -> None:
    elsewhere = Deployment.objects.create(registration=course.registration, deployment_id="8:def")
    other_course.deployment = elsewhere
    other_course.save()
    number = kept(other_course, "Elsewhere")
    assert refused()[1].endswith("use --deployment ID:\n  7:abc\n  8:def")
    assert refused("--deployment", "9")[0] == 2
    assert refused("--deployment", "7:abc", "--template", str(number))[0] == 2
    assert refused("--deployment", "7:abc", "--template", "-1")[0] == 2
    run("set_default_template", "--deployment", "8:def", "--template", str(number))
    assert usual() == ["Elsewhere"]


def test_a_template_is_deleted_by_number_also_the_usual_one(course: Context) -> None:
    number = kept(course, "First")
    run("set_default_template", "--template", str(number))
    assert run("delete_template", "--template", str(number)) == f"Template {number} is deleted.\n"
    assert not Template.objects.exists()


def test_forgetting_the_course_leaves_the_template_to_the_school(course: Context) -> None:
    number = kept(course, "First")
    course.delete()
    row = Template.objects.get(pk=number)
    assert row.made_in is None and "First" in run("set_default_template")
