"""A course for the worked examples, and the two doors an alignment comes in by: a file, and the form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.test import Client

from alignments import services
from sandbox import records as r
from sandbox.scenarios.base import TERM_START, Options, Stage
from sandbox.server import SandboxServer
from sandbox.world import World
from tests.acceptance.rule_examples import OUTCOMES, SCHEMES, Example
from tests.alignments.classroom import TEACHER, Classroom, connect
from tests.alignments.test_views_rules import sent_back
from tests.people import launch_as, new_platform

NEW = "/course/alignments/new/"
FIRST_STUDENT = 1001


@dataclass
class Seats:
    """Students found or made for the scores a row asks for: one student may serve many examples."""

    scores: list[dict[str, str]] = field(default_factory=list)

    def of(self, wanted: dict[str, str]) -> str:
        """The Canvas id of a student with these scores (`-`: without one)."""
        for place, held in enumerate(self.scores):
            if all(held.get(letter, score) == score for letter, score in wanted.items()):
                held.update(wanted)
                return str(FIRST_STUDENT + place)
        self.scores.append(dict(wanted))
        return str(FIRST_STUDENT + len(self.scores) - 1)


@dataclass
class Case:
    """An example in the course: its target, and what each of its students must get."""

    example: Example
    assignment: int
    wanted: dict[str, str]

    @property
    def entry(self) -> dict[str, Any]:
        """As a file says it."""
        weights = self.example.weights or ("1",) * len(self.example.outcomes)
        outcomes = [
            {"id": OUTCOMES[one][0], "weight": weight}
            for one, weight in zip(self.example.outcomes, weights, strict=True)
        ]
        target = {"assignment": str(self.assignment)}
        return {"outcomes": outcomes, "rule": self.example.rule, "target": target, **self.example.more}


def staged(examples: Sequence[Example], students: Sequence[dict[str, str]] = ()) -> tuple[World, list[Case]]:
    """The course: an assignment for each example, a student for each of these and for each row."""
    stage, seats, cases = Stage(Options()), Seats(list(students)), []
    course = stage.open_course("Every rule", 101, [(701, "Section A")])
    group = stage.world.add_assignment_group(course.id, "Mastery")
    work = stage.world.add_assignment(course.id, "Project", 20)
    for standard_id, (points_based, factor, letters) in SCHEMES.items():
        scheme = [(name, Decimal(bound)) for name, bound in letters]
        stage.world.grading_standards[int(standard_id)] = r.GradingStandard(
            int(standard_id), "Course", course.id, f"Scheme {standard_id}", scheme,
            points_based=points_based, scaling_factor=Decimal(factor),
        )  # fmt: skip
    for number, one in enumerate(examples, 1):
        target = stage.world.add_assignment(course.id, f"{number} {one.what}", None, group)
        target.points_possible = Decimal(one.points)
        wanted = {
            seats.of(dict(zip(one.outcomes, row.split(), strict=True))): to for row, to in one.rows.items()
        }
        cases.append(Case(one, target.id, wanted))
    _assess(stage, seats, work)
    return stage.world, cases


def _assess(stage: Stage, seats: Seats, work: r.Assignment) -> None:
    outcomes = {}
    for letter, (number, top, mastery) in OUTCOMES.items():
        usual = {"method": "n_mastery", "method_int": 2} if letter == "N" else {"method": "latest"}
        outcomes[letter] = stage.outcome(
            int(number), f"Skill {letter}", levels=(("Top", top), ("Nothing", "0")), mastery=mastery, **usual
        )
    for place, scores in enumerate(seats.scores):
        student = stage.student(f"Student {place}", FIRST_STUDENT + place)
        for letter, score in scores.items():
            if score != "-":
                stage.result(student, outcomes[letter], work, score, TERM_START)


@contextmanager
def opened(client: Client, world: World) -> Iterator[Classroom]:
    """The teacher at the tool's pages, with the course behind them."""
    with SandboxServer(world) as canvas:
        key = Options()
        school = {
            "canvas_url": canvas.url,
            "token_url": f"{canvas.url}/login/oauth2/token",
            "api_client_id": key.api_client_id,
            "api_client_secret": key.api_client_secret,
        }
        platform = new_platform(register_with=school)
        person = launch_as(client, "teacher", platform, context="c101", user=f"u{TEACHER}")
        connect(person, world)
        yield Classroom(client, person, world, canvas)


def by_file(room: Classroom, cases: Sequence[Case], folder: Path) -> None:
    """All of them as `import_alignments` takes them."""
    path = folder / "alignments.json"
    path.write_text(json.dumps({"version": 1, "alignments": [one.entry for one in cases]}))
    command(room, "import_alignments", str(path), "--replace")


def by_form(room: Classroom, cases: Sequence[Case], folder: Path) -> None:
    """Each typed into the form and saved, from the form as the page shows it."""
    shown = sent_back(room.text(NEW, outcome="601"))
    for one in cases:
        answer = room.post(NEW, {**shown, **typed(one)})
        assert answer.status_code == 302, (one.example.what, errors_of(answer))


def errors_of(answer: Any) -> list[str]:
    """What the page says is wrong."""
    return re.findall(r'<div class="field-errors"[^>]*><p>(.*?)</p>', answer.content.decode())


DOORS = {"import_alignments": by_file, "the form": by_form}


def typed(case: Case) -> dict[str, Any]:
    """What a teacher types and ticks for this example."""
    example, more = case.example, case.example.more
    ids = [OUTCOMES[one][0] for one in example.outcomes]
    given = more.get("evidence", {})
    blanks: dict[str, Any] = {
        "outcomes": ids,
        "target": "assignment",
        "assignment": str(case.assignment),
        "rule": example.rule["kind"],
        "combine": more.get("combine", "mean"),
        "at_least": str(given.get("at_least", "")),
        "otherwise": given.get("otherwise", "leave"),
        "overwrite": more.get("overwrite", "ours"),
        "direction": more.get("direction", "both"),
        "round": str(more.get("round", 2)),
    }
    weights = {f"weight-{one}": w for one, w in zip(ids, example.weights or ["1"] * len(ids), strict=True)}
    return blanks | weights | RULES[example.rule["kind"]](example.rule)


def _line(value: str | None, kind: str, at: str) -> dict[str, str]:
    if value is None:
        return {kind: "mastery"}
    return {kind: "percent" if value.endswith("%") else "points", at: value.removesuffix("%")}


def _cutoff(rule: dict[str, Any]) -> dict[str, str]:
    line = _line(rule.get("at"), "line", "at")
    return {**line, "credit": rule.get("credit", "100"), "below": rule.get("below", "0")}


def _table(rule: dict[str, Any]) -> dict[str, str]:
    levels = rule["levels"]
    blanks = {"unit": "percent" if levels[0][0].endswith("%") else "points"}
    for number, (at, credit) in enumerate(levels):
        blanks |= {f"level-{number}-at": at.removesuffix("%"), f"level-{number}-credit": credit}
    return blanks | ({"interpolate": "on"} if rule.get("interpolate") else {})


def _criteria(rule: dict[str, Any]) -> dict[str, str]:
    blanks: dict[str, str] = {}
    names = {"all_at_least": "all", "none_below": "none", "average_at_least": "average"}
    for number, grade in enumerate(rule["grades"]):
        blanks[f"grade-{number}-credit"] = grade["credit"].removesuffix("%")
        if "mastered_at_least" in grade:
            blanks[f"grade-{number}-mastered"] = str(grade["mastered_at_least"])
        for key, short in names.items():
            if key in grade:
                blanks |= _line(grade[key], f"grade-{number}-{short}", f"grade-{number}-{short}_at")
    return blanks


RULES: dict[str, Any] = {
    "cutoff": _cutoff,
    "proportional": lambda rule: {},
    "table": _table,
    "scheme": lambda rule: {"scheme": rule.get("grading_standard_id") or ""},
    "criteria": _criteria,
}


def command(room: Classroom, name: str, *options: str) -> str:
    """What the command prints for this course."""
    context = room.opened.context
    named = ("--client-id", context.registration.client_id, "--context", context.context_id)
    out = StringIO()
    with suppress(SystemExit):
        call_command(name, *options, *named, stdout=out)
    return out.getvalue()


def synced(room: Classroom, *options: str) -> tuple[dict[str, Any], dict[tuple[int, str], dict[str, Any]]]:
    """`sync --json --cells` with these options: everything, and the cells by assignment and student."""
    told = json.loads(command(room, "sync", "--json", "--cells", *options))
    targets = {one.id: int(one.definition.target.assignment_id) for one in stored(room)}
    return told, {(targets[cell["alignment"]], cell["user"]): cell for cell in told["cells"]}


def stored(room: Classroom) -> list[Any]:
    """The course's alignments, all of them to an assignment."""
    return list(services.stored(room.opened.context))
