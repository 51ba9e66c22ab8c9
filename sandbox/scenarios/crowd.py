"""Big courses, the same each time."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sandbox.scenarios.base import TERM_START, Stage

TOPICS = ("Measures", "Models", "Argues from evidence", "Designs tests", "Reads graphs", "Explains systems")
FIRST_NAMES = [
    "Ada",
    "Amir",
    "Anna",
    "Bela",
    "Ben",
    "Cara",
    "Chen",
    "Dora",
    "Eli",
    "Emma",
    "Fay",
    "Gus",
    "Hana",
    "Ida",
    "Ivan",
    "Jana",
    "Karl",
    "Lea",
    "Luis",
    "Maya",
    "Nils",
    "Olga",
    "Omar",
    "Pia",
    "Raj",
    "Rosa",
    "Sara",
    "Tim",
    "Uma",
    "Yuki",
]
LAST_NAMES = [
    "Abel",
    "Berg",
    "Cole",
    "Diaz",
    "Ende",
    "Falk",
    "Gray",
    "Hahn",
    "Ito",
    "Jung",
    "Kern",
    "Lang",
    "Mori",
    "Nash",
    "Ober",
    "Pohl",
    "Quist",
    "Rao",
    "Silva",
    "Thal",
    "Ucar",
    "Vogel",
    "Weiss",
    "Xu",
    "Young",
    "Zorn",
    "Adler",
    "Baum",
    "Cruz",
    "Dorn",
    "Eder",
    "Frey",
    "Gold",
    "Horn",
]


ANOTHER_COURSE = 10_000
"""Between the ids of one course and the same ones of the next."""


def large(stage: Stage) -> None:
    """250 students of two sections, 12 outcomes, up to three results each."""
    _crowd(stage, 250, 12, 3)


def huge(stage: Stage) -> None:
    """1,000 students, 40 outcomes, one result each."""
    _crowd(stage, 1000, 40, 1)


def several(stage: Stage, courses: int, students: int, outcomes: int, works: int) -> None:
    """As many courses of one teacher as asked for, each with as many students and outcomes, up to `works`
    results each."""
    for place in range(courses):
        stage.base = place * ANOTHER_COURSE
        _crowd(stage, students, outcomes, works)


def _crowd(stage: Stage, students: int, outcomes: int, works: int) -> None:
    """A big course, the same each time: about one cell in twelve has no evidence."""
    world = stage.world
    stage.open_course("Integrated Science", 201, [(721, "Period 1"), (722, "Period 2")])
    course = stage.course
    evidence = world.add_assignment_group(course.id, "Evidence")
    methods = (("highest", None), ("latest", None), ("average", None), ("decaying_average", 65))
    made = []
    for number in range(outcomes):
        method, extra = methods[number % len(methods)]
        title = f"{number // 4 + 1}.{number % 4 + 1} {TOPICS[number % len(TOPICS)]}"
        made.append(stage.outcome(3001 + number, title, method, extra))
    tasks = [world.add_assignment(course.id, f"Lab {number + 1}", 20, evidence) for number in range(works)]
    for task in tasks:
        stage.rubric(task, made)
    for place in range(students):
        name = f"{FIRST_NAMES[place % len(FIRST_NAMES)]} {LAST_NAMES[place // len(FIRST_NAMES) % len(LAST_NAMES)]}"
        student = stage.student(
            name, 5001 + place, place % 2, login_id=f"s{5001 + place}@example.edu", sis_id=f"S{5001 + place}"
        )
        for number, outcome in enumerate(made):
            seed = (place * 31 + number * 17) % 97
            if seed % 12 == 0:
                continue
            for step, task in enumerate(tasks[: 1 + seed % works]):
                score = Decimal((seed + step * 3) % 9) / 2
                stage.result(student, outcome, task, score, TERM_START + timedelta(days=7 * step))
    stage.observe(world.users[stage.base + 5001])
    stage.columns_named(made)
