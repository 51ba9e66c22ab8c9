"""The named courses of the demo and the tests."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sandbox import records as r
from sandbox.scenarios.base import TERM_START, Stage

UNIT_ONE = (
    (601, "1.1 Linear models", "standard_decaying_average", 65),
    (602, "1.2 Systems of equations", "highest", None),
    (603, "1.3 Communicates reasoning", "latest", None),
)
UNIT_TWO = (
    (604, "2.1 Models with functions", "average", None),
    (605, "2.2 Uses technology", "decaying_average", 70),
)
PUPILS = (
    (1001, "Ada Lindqvist"),
    (1002, "Bilal Okafor"),
    (1003, "Chloé Marchetti"),
    (1004, "Dmitri Sato"),
    (1005, "Elif Yıldız"),
    (1006, "Finn O'Neil"),
)
# For each student the scores of each outcome, oldest first; an outcome left out was not assessed.
SMALL_SCORES: dict[int, dict[int, tuple[str, ...]]] = {
    1001: {
        601: ("2", "3", "4"),
        602: ("2", "3.5"),
        603: ("1", "3"),
        604: ("3", "4"),
        605: ("3", "4"),
    },
    1002: {601: ("3",), 602: ("4",), 603: ("2",), 604: ("3", "3.33")},
    1003: {601: ("0", "1"), 603: ("0",), 605: ("1", "3")},
    1004: {601: ("4", "4"), 602: ("3",), 603: ("4",), 604: ("2", "2"), 605: ("2",)},
    1005: {602: ("1", "2")},
    1006: {},
}


def small(stage: Stage) -> None:
    """Two groups of outcomes, five methods, one student without any evidence."""
    stage.open_course("Algebra I", 101, [(701, "Section A")])
    _algebra(stage)


def _algebra(stage: Stage) -> list[r.Outcome]:
    world, course = stage.world, stage.course
    root = world.root_group(course.id)
    evidence = world.add_assignment_group(course.id, "Evidence")
    outcomes = []
    for title, rows in (
        ("Unit 1 Linear relationships", UNIT_ONE),
        ("Unit 2 Functions", UNIT_TWO),
    ):
        group = world.add_outcome_group(course.id, title, root.id)
        outcomes += [
            stage.outcome(number, name, method, extra, group=group) for number, name, method, extra in rows
        ]
    works = [
        world.add_assignment(course.id, name, 20, evidence, submission_types=["online_text_entry"])
        for name in ("Project 1", "Project 2", "Exit ticket")
    ]
    for work in works:
        stage.rubric(work, outcomes)
    students = [stage.student(name, number, sis_id=f"S{number}") for number, name in PUPILS]
    stage.observe(students[0])
    for student in students:
        scores = SMALL_SCORES[student.id - stage.base]
        for outcome in outcomes:
            for step, score in enumerate(scores.get(outcome.id - stage.base, ())):
                stage.result(
                    student,
                    outcome,
                    works[step],
                    score,
                    TERM_START + timedelta(days=10 * step),
                )
    stage.columns_named(outcomes)
    world.add_assignment(course.id, "Homework 1", Decimal(10), evidence)
    return outcomes
