"""The named courses of the demo and the tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox import records as r
from sandbox.grading import Grade, apply_grade, grade_student, run_missing_policy, submit_work
from sandbox.rollups import default_proficiency
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
GLOBAL_BASE = 10_210_000_000_000_000
SECTION_TEACHER_ID, QUIZ_ID, SCHEME_ID = 17, 88, 71
GRADED = datetime(2026, 3, 2, 16, tzinfo=UTC)
SEED_SUBMITTED = datetime(2026, 2, 11, 21, 8, 4, tzinfo=UTC)


@dataclass(frozen=True)
class Algebra:
    """The parts of the algebra course that a scenario changes further."""

    outcomes: list[r.Outcome]
    works: list[r.Assignment]
    students: list[r.User]
    columns: list[r.Assignment]


def small(stage: Stage) -> None:
    """Two groups of outcomes, five methods, one student without any evidence."""
    stage.open_course("Algebra I", 101, [(701, "Section A")])
    algebra(stage)


def global_ids(stage: Stage) -> None:
    """The small course of a school whose ids are beyond what a double holds exactly."""
    stage.reset(GLOBAL_BASE)
    small(stage)


def algebra(stage: Stage, places: dict[int, tuple[int, ...]] | None = None, assessed: bool = True) -> Algebra:
    """Outcomes, rubric-assessed works, students (``places``: sections by user id) and ungraded columns."""
    world, course = stage.world, stage.course
    evidence = world.add_assignment_group(course.id, "Evidence")
    outcomes = _outcomes(stage)
    works = [
        world.add_assignment(course.id, name, 20, evidence, submission_types=["online_text_entry"])
        for name in ("Project 1", "Project 2", "Exit ticket")
    ]
    for work in works:
        stage.rubric(work, outcomes)
    seats = places or {}
    students = [
        stage.student(name, number, *seats.get(number, (0,)), sis_id=f"S{number}") for number, name in PUPILS
    ]
    stage.observe(students[0])
    if assessed:
        _evidence(stage, outcomes, works, students)
    columns = stage.columns_named(outcomes)
    world.add_assignment(course.id, "Homework 1", Decimal(10), evidence)
    return Algebra(outcomes, works, students, columns)


def _outcomes(stage: Stage) -> list[r.Outcome]:
    root = stage.world.root_group(stage.course.id)
    outcomes = []
    for title, rows in (("Unit 1 Linear relationships", UNIT_ONE), ("Unit 2 Functions", UNIT_TWO)):
        group = stage.world.add_outcome_group(stage.course.id, title, root.id)
        outcomes += [
            stage.outcome(number, name, method, extra, group=group) for number, name, method, extra in rows
        ]
    return outcomes


def _evidence(
    stage: Stage, outcomes: list[r.Outcome], works: list[r.Assignment], students: list[r.User]
) -> None:
    for student in students:
        scores = SMALL_SCORES[student.id - stage.base]
        for outcome in outcomes:
            for step, score in enumerate(scores.get(outcome.id - stage.base, ())):
                stage.result(student, outcome, works[step], score, TERM_START + timedelta(days=10 * step))


def two_sections(stage: Stage) -> None:
    """One student in both sections, one inactive in the second; a teacher limited to section B."""
    world = stage.world
    stage.open_course("Algebra I", 101, [(701, "Section A"), (702, "Section B")])
    parts = algebra(stage, {1002: (0, 1), 1004: (1,), 1005: (1,), 1006: (1,)})
    world.enroll(parts.students[0], stage.sections[1], state="inactive")
    limited = world.add_user("Lena Moritz", stage.base + SECTION_TEACHER_ID, login_id="lena")
    world.enroll(limited, stage.sections[1], r.TEACHER, limit_privileges=True)


def nobody_assessed(stage: Stage) -> None:
    """Outcomes and rubrics are there; no student has a result."""
    stage.open_course("Algebra I", 101, [(701, "Section A")])
    algebra(stage, assessed=False)


def graded_by_people(stage: Stage) -> None:
    """Cells of the columns hold grades of the teacher, the TA and a quiz, and one was cleared again."""
    stage.open_course("Algebra I", 101, [(701, "Section A")])
    parts = algebra(stage)
    column, second = parts.columns[0], parts.columns[1]
    for student, text in ((parts.students[0], "1"), (parts.students[1], "0.5"), (parts.students[2], "1")):
        grade_student(stage.world, column, student.id, Grade(text, stage.teacher.id, GRADED))
    grade_student(stage.world, column, parts.students[2].id, Grade("", stage.teacher.id, GRADED))
    grade_student(stage.world, second, parts.students[0].id, Grade("0", stage.ta.id, GRADED))
    quiz = stage.base + QUIZ_ID
    apply_grade(stage.world, second, parts.students[3].id, Grade("1", -quiz, GRADED))


def excused_and_late(stage: Stage) -> None:
    """Excused cells, late work with a deduction, a hidden column, a closed period, a missing-policy grade."""
    world = stage.world
    stage.open_course("Algebra I", 101, [(701, "Section A")])
    stage.course.late_policy = r.LatePolicy(Decimal(10), Decimal(0), missing_percent=Decimal(0))
    parts = algebra(stage)
    for student in parts.students[:2]:
        apply_grade(world, parts.columns[0], student.id, Grade(None, stage.teacher.id, GRADED, excuse=True))
    late = parts.columns[1]
    late.submission_types, late.due_at, late.points_possible = ["online_text_entry"], GRADED, Decimal(10)
    submit_work(world, late, parts.students[0].id, GRADED + timedelta(hours=20))
    grade_student(
        world, late, parts.students[0].id, Grade("8.5", stage.teacher.id, GRADED + timedelta(days=2))
    )
    parts.columns[2].post_manually = True
    grade_student(world, parts.columns[3], parts.students[0].id, Grade("1", stage.teacher.id, GRADED))
    parts.columns[3].closed_period = True
    recent = parts.columns[4]
    recent.submission_types, recent.due_at = ["online_text_entry"], world.now() - timedelta(hours=2)
    run_missing_policy(world, stage.course.id)


def concluded(stage: Stage) -> None:
    """The teacher still reads; every write is refused."""
    stage.open_course("Algebra I", 101, [(701, "Section A")], end_at=datetime(2026, 6, 20, tzinfo=UTC))
    parts = algebra(stage)
    grade_student(stage.world, parts.columns[0], parts.students[0].id, Grade("1", stage.teacher.id, GRADED))
    stage.course.workflow_state = "completed"


def unpublished(stage: Stage) -> None:
    """The first two columns are not published yet."""
    stage.open_course("Algebra I", 101, [(701, "Section A")])
    parts = algebra(stage)
    for column in parts.columns[:2]:
        column.published = False


def account_scales(stage: Stage) -> None:
    """The account's scale and method stand for every outcome; a letter scheme of the account."""
    world = stage.world
    account = world.accounts[1]
    account.features.add(r.ACCOUNT_SCALES)
    account.proficiency = default_proficiency()
    account.proficiency.method, account.proficiency.method_int = "decaying_average", 65
    stage.open_course("Algebra I", 101, [(701, "Section A")])
    algebra(stage)
    number = stage.base + SCHEME_ID
    scheme = [("A", Decimal("0.9")), ("B", Decimal("0.8")), ("C", Decimal("0.7")), ("D", Decimal("0.6"))]
    world.grading_standards[number] = r.GradingStandard(
        number, "Account", 1, "School letters", [*scheme, ("F", Decimal(0))]
    )


def seed_003(stage: Stage) -> None:
    """Five students of section 515, two outcomes and the synthetic "Current Score"."""
    world = stage.world
    stage.open_course("Standards-Based Math", 303, [(515, "Section 515")])
    first = stage.outcome(604, "Outcome 1", "standard_decaying_average", 65)
    second = stage.outcome(605, "Outcome 2", "standard_decaying_average", 65)
    current = stage.outcome(
        609,
        "Current Score",
        "latest",
        description="Written by a tool through the rubric of its own assignment",
    )
    evidence = world.add_assignment_group(stage.course.id, "Assignments")
    tasks = [
        world.add_assignment(stage.course.id, f"Assignment {number:03} (LO={number - 7})", 4, evidence)
        for number in (9, 10)
    ]
    tasks.sort(key=lambda task: task.id)
    holder = world.add_assignment(stage.course.id, "Current Score", 4, evidence, omit_from_final_grade=True)
    stage.rubric(tasks[0], [first])
    stage.rubric(tasks[1], [second])
    stage.rubric(holder, [current])
    scores = {642: ("3", "3.5"), 643: ("4", "4"), 644: ("2", "2.5"), 645: ("1", None), 646: (None, None)}
    for position, (number, (one, two)) in enumerate(scores.items(), start=1):
        login = f"teststudent{position:03}"
        student = stage.student(
            f"Test Student{position:03}", number, sis_id=login, login_id=f"{login}@example.com"
        )
        given = [(first, tasks[0], one), (second, tasks[1], two)]
        known = [Decimal(score) for _, _, score in given if score is not None]
        for outcome, task, score in given:
            if score is not None:
                stage.result(student, outcome, task, score, SEED_SUBMITTED)
        if known:
            mean = (sum(known, Decimal(0)) / len(known)).quantize(Decimal("0.01"))
            stage.result(student, current, holder, mean, SEED_SUBMITTED + timedelta(days=7))
    stage.observe(world.users[stage.base + 642])
    stage.columns_named([first, second])


def odd_columns(stage: Stage) -> None:
    """One column of every kind that cannot be graded, or only with care."""
    world = stage.world
    stage.open_course("Algebra I", 101, [(701, "Section A")])
    parts = algebra(stage)
    group = world.add_assignment_group(stage.course.id, "Odd columns")

    def column(name: str, points: int | None = 10, **more: Any) -> r.Assignment:
        return world.add_assignment(stage.course.id, name, points, group, **more)

    column("Not graded", grading_type="not_graded", submission_types=["not_graded"])
    column("Pass or fail", grading_type="pass_fail")
    column("Letters", grading_type="letter_grade")
    column("Percent", grading_type="percent")
    column("Moderated", moderated=True)
    column("Anonymous", anonymous=True)
    column("No points", None)
    column("Zero points", 0)
    column("Posted by hand", post_manually=True)
    column("Closed period", closed_period=True)
    numeric = stage.base + SCHEME_ID
    bounds = (("4", "0.9"), ("3", "0.7"), ("2", "0.5"), ("1", "0"))
    world.grading_standards[numeric] = r.GradingStandard(
        numeric,
        "Course",
        stage.course.id,
        "Four levels",
        [(label, Decimal(bound)) for label, bound in bounds],
    )
    column("Numeric labels", grading_type="letter_grade", grading_standard_id=numeric)
    some = {student.id for student in parts.students[:3]}
    column("For three students", only_visible_to_overrides=True, assigned_user_ids=some)
    category = world.new_id()
    column("Group work", group_category_id=category)
    team = r.Group(world.new_id(), category, [student.id for student in parts.students[:2]])
    world.groups[team.id] = team
    for state, name, number in (
        ("completed", "Gil Past", 1007),
        ("inactive", "Hana Away", 1008),
        ("invited", "Ivo Soon", 1009),
    ):
        stage.student(name, number, state=state)
    stage.student("Test Student", 1010, type=r.TEST_STUDENT)
