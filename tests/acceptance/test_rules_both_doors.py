"""Every rule, combination, evidence and rounding of interface 5, from both doors to the same exact cells."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client

from alignments.core import jsonfile
from tests.acceptance.rule_doors import DOORS, command, opened, staged, synced
from tests.acceptance.rule_examples import EXAMPLES

pytestmark = pytest.mark.django_db(transaction=True)

WITHOUT_GRADE = {"zeroed": "0", "excused": "EX"}


def verdict(wanted: str) -> tuple[str | None, str, str]:
    """`to`, decision and reason of a row's grade or word."""
    if wanted[0].isdigit():
        return wanted, "send", "graded"
    if wanted in WITHOUT_GRADE:
        return WITHOUT_GRADE[wanted], "send", wanted
    return None, "unchanged" if wanted == "same" else "held", wanted


@pytest.mark.parametrize("door", DOORS)
def test_the_worked_examples(client: Client, tmp_path: Path, door: str) -> None:
    world, cases = staged(EXAMPLES)
    with opened(client, world) as room:
        DOORS[door](room, cases, tmp_path)
        exported = json.loads(command(room, "export_alignments"))["alignments"]
        told, cells = synced(room, "--dry-run")
    assert (told["status"], told["problems"]) == ("done", [])
    for case, found in zip(cases, exported, strict=True):
        meant = jsonfile.to_json(jsonfile.parse_definition(case.entry))
        assert found | {"id": 0, "name": ""} == meant | {"id": 0, "name": ""}, case.example.what
    wrong = {}
    for case in cases:
        for user, wanted in case.wanted.items():
            cell = cells[case.assignment, user]
            if (cell["to"], cell["decision"], cell["reason"]) != verdict(wanted):
                wrong[case.example.what, user] = (wanted, cell)
    assert wrong == {}


def test_what_was_planned_is_what_canvas_holds(client: Client, tmp_path: Path) -> None:
    world, cases = staged(EXAMPLES[::4])
    with opened(client, world) as room:
        DOORS["import_alignments"](room, cases, tmp_path)
        told, planned = synced(room)
        assert told["status"] == "done"
        for (assignment, user), cell in planned.items():
            held = world.submissions[assignment, int(user)]
            score = None if cell["to"] in {None, "EX"} else Decimal(cell["to"])
            assert (held.score, bool(held.excused)) == (score, cell["to"] == "EX"), cell
        again, _ = synced(room)
        assert again["counts"]["send"] == again["requests"]["write"] == 0
