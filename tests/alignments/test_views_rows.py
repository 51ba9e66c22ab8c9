"""What the list and the form show, from made-up readings: no Canvas, no database."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from alignments import pages
from alignments.levelbars import level_bar
from alignments.offers import offers, why_not
from alignments.pages import Filters, Reading
from alignments.readiness import readiness
from canvas.values import (
    Assignment,
    AssignmentGroup,
    Course,
    CourseEvidence,
    GradingScheme,
    Outcome,
    Rating,
    Rollup,
    SchemeLevel,
    Student,
)
from tests.alignments.examples import spaced

RATINGS = (
    Rating("Exceeds", Decimal(4), "127A1B"),
    Rating("Mastery", Decimal(3)),
    Rating("Near", Decimal(2)),
    Rating("Below", Decimal(1)),
)
ONE = Outcome("1", "1.1 Lines", Decimal(4), Decimal(3), RATINGS, group_path=("Unit 1",))


def reading(**changes: Any) -> Reading:
    """Two students, one of them assessed, one outcome, one assignment."""
    usual: dict[str, Any] = {
        "course": Course("7", "Algebra"),
        "evidence": CourseEvidence(
            {"1": ONE}, {"a": Rollup("a", {"1": Decimal(3)})}, datetime(2026, 1, 1, tzinfo=UTC)
        ),
        "students": {one: Student(one, frozenset({"active"})) for one in ("a", "b")},
        "assignments": {"9": Assignment("9", "Quiz", Decimal(10), assignment_group_id="g")},
    }
    return Reading(**(usual | changes))


def test_scores_count_on_the_highest_level_they_reach() -> None:
    bar = level_bar(ONE, [Decimal(score) for score in ("0", "1", "2.99", "3", "4.5")])
    assert [(one.label, one.count) for one in bar.segments] == [
        ("Below (1)", 2),
        ("Near (2)", 1),
        ("Mastery (3)", 1),
        ("Exceeds (4)", 1),
    ]
    assert bar.summary == "2 of 5 at mastery"


def test_levels_wear_canvas_colours_where_they_have_none() -> None:
    colors = [one.color for one in level_bar(ONE, []).segments]
    assert colors == ["#fd5d10", "#fab901", "#0b874b", "#127a1b"]


def test_a_colour_that_is_none_is_not_printed() -> None:
    odd = Outcome("1", "x", Decimal(4), Decimal(3), (Rating("Odd", Decimal(3), 'red" onload="x'),))
    assert level_bar(odd, []).segments[0].color == "#0b874b"


def test_an_outcome_without_levels_or_mastery_still_has_a_bar() -> None:
    assert level_bar(Outcome("1", "x", Decimal(4), None), [Decimal(1)]).summary == "1 assessed"


def test_only_active_students_count() -> None:
    students = {
        "a": Student("a", frozenset({"active"})),
        "b": Student("b", frozenset({"inactive"})),
        "t": Student("t", frozenset({"active"}), is_test_student=True),
    }
    [row] = pages.outcome_rows(reading(students=students), [], {})
    assert (row.bar.assessed, row.students) == (1, 1)


def test_titles_are_listed_as_a_person_counts() -> None:
    titles = ["1.10 Ten", "1.2 Two", "A", "1.1 One"]
    assert sorted(titles, key=pages.natural) == ["1.1 One", "1.2 Two", "1.10 Ten", "A"]


@pytest.mark.parametrize(
    ("method", "number", "words"),
    [
        ("highest", None, "the highest result counts"),
        ("n_mastery", 3, "mastery must be shown 3 times"),
        ("decaying_average", 65, "decaying average, the latest result 65 %"),
        ("decaying_average", None, "decaying average"),
        ("n_mastery", None, "mastery must be shown several times"),
        ("something_new", None, "something new"),
    ],
)
def test_what_an_outcome_measures_is_said_in_words(method: str, number: int | None, words: str) -> None:
    outcome = Outcome("1", "x", Decimal(4), Decimal(3), (), method, number)
    assert spaced(pages.measures(outcome)) == f"0 to 4, mastery at 3; {words}"


def test_filters_take_every_word_and_a_group() -> None:
    [row] = pages.outcome_rows(reading(), [], {})
    assert Filters("LINES unit").keeps(row)
    assert not Filters("lines quadratic").keeps(row)
    assert not Filters(group="Unit 2").keeps(row)
    assert Filters(show="unaligned").keeps(row)
    assert not Filters(show="attention").keeps(row)


NUMBERS = GradingScheme("5", "Numbers", (SchemeLevel("4", Decimal("0.9")), SchemeLevel("3", Decimal(0))))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"published": False}, "Not published"),
        ({"grading_type": "not_graded"}, "Not graded"),
        ({"moderated_grading": True}, "Moderated"),
        ({"anonymous_grading": True}, "Graded anonymously"),
        ({"graded_as_group": True}, "Graded as a group"),
        ({"points_possible": None}, "Worth no points"),
        ({"points_possible": Decimal(0)}, "Worth no points"),
        ({"grading_type": "letter_grade"}, "Its scheme"),
        ({"grading_type": "pass_fail"}, None),
    ],
)
def test_why_an_assignment_cannot_be_used(changes: dict[str, Any], reason: str | None) -> None:
    assignment = Assignment(**({"id": "9", "name": "Quiz", "points_possible": Decimal(10)} | changes))
    found = why_not(assignment, {"9": NUMBERS})
    assert found is None if reason is None else found is not None and found.startswith(reason)


def test_offers_follow_the_gradebook_and_leave_out_our_columns() -> None:
    groups = [AssignmentGroup("g", "Homework", 2), AssignmentGroup("h", "Tests", 1)]
    found = [
        Assignment("1", "Late", Decimal(1), assignment_group_id="g", position=2),
        Assignment("2", "Early", Decimal(1), assignment_group_id="g", position=1),
        Assignment("3", "Exam", Decimal(1), assignment_group_id="h"),
        Assignment("4", "Ours", Decimal(1), assignment_group_id="h"),
    ]
    listed = offers(found, groups, {}, {"3": "1.1 Lines"}, {"4"})
    assert [(one.name, [offer.name for offer in one.offers]) for one in listed] == [
        ("Tests", ["Exam"]),
        ("Homework", ["Early", "Late"]),
    ]
    assert listed[0].offers[0].reason == 'Already fed by "1.1 Lines".'


def test_readiness_names_what_is_missing() -> None:
    empty = CourseEvidence({}, {}, datetime(2026, 1, 1, tzinfo=UTC))
    unpublished = Course("7", "Algebra", workflow_state="unpublished")
    assert readiness(reading()) == []
    titles = [note.title for note in readiness(reading(course=unpublished, evidence=empty))]
    assert titles == ["This course is not published.", "There are no outcomes in this course yet."]
    note, feature = readiness(reading(students={"b": Student("b", frozenset({"active"}))}))
    assert note.title == "No student has evidence on any outcome yet."
    assert feature.path == "/settings#tab-features"
