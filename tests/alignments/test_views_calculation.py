"""Own calculations through the form: the same as from a file, the class under them, and what stands in the way."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from django.test import Client

from alignments import resultreading
from alignments.core.definition import Calculation
from alignments.core.jsonfile import parse_definition, to_json
from tests.alignments.classroom import Classroom, classroom
from tests.alignments.examples import spaced
from tests.alignments.test_views_form import NEW, filled, homework, saved
from tests.alignments.test_views_rules import (
    CLASS,
    RULE,
    both,
    class_table,
    columns_of,
    dry_run,
    kept_in,
    sent_back,
)

pytestmark = pytest.mark.django_db(transaction=True)

RESULTS = "url:GET|/api/v1/courses/:course_id/outcome_results"
ALL = [
    ({"calc": "average"}, {"method": "average"}),
    ({"calc": "standard_decaying_average"}, {"method": "standard_decaying_average", "percent": "65%"}),
    ({"calc": "weighted_average", "calc-percent": "12.5"}, {"method": "weighted_average", "percent": "12.5%"}),
    ({"calc": "latest", "calc-order": "assessed"}, {"method": "latest", "order": "assessed"}),
    ({"calc": "highest", "calc-drop_lowest": "1"}, {"method": "highest", "drop_lowest": 1}),
    ({"calc": "n_mastery", "calc-count-n_mastery": "2"}, {"method": "n_mastery", "count": 2}),
    ({"calc": "latest_and_highest"}, {"method": "latest_and_highest"}),
    ({"calc": "mode", "calc-at_least": "2"}, {"method": "mode", "at_least": 2}),
    ({"calc": "newest", "calc-count-newest": "2"}, {"method": "newest", "count": 2}),
    ({"calc": "latest", "calc-order": "due"}, {"method": "latest", "order": "due"}),
    ({"calc": "power_law"}, {"method": "power_law"}),
    ({"calc": "streak"}, {"method": "streak", "count": 3}),
]  # fmt: skip


def ignoring(course: Classroom) -> tuple[dict[str, str], list[Any]]:
    """Two assignments ignored, one with a reason: as blanks and as JSON."""
    one, two = (str(each.id) for each in list(course.world.assignments.values())[:2])
    blanks = {"calc-ignored-0": one, "calc-ignored-1": two, "calc-ignored-1-reason": "Fire drill"}
    return blanks, [one, {"id": two, "reason": "Fire drill"}]


@pytest.mark.parametrize(("blanks", "calculation"), ALL)
def test_every_method_is_the_same_from_the_form_and_from_a_file(
    client: Client, blanks: dict[str, str], calculation: dict[str, Any]
) -> None:
    with classroom(client) as course:
        more, ignored = ignoring(course)
        entry: dict[str, Any] = {
            "name": "1.1 Linear models", "outcomes": [{"id": "601"}], "rule": {"kind": "cutoff"},
            "target": {"column": {"label": "Models", "points": "1"}},
            "calculation": calculation | {"ignore_assignments": ignored},
        }  # fmt: skip
        response = course.post(NEW, filled(**blanks, **more))
        assert response.status_code == 302, response.content.decode()
        made = saved(course)
        assert made.definition == parse_definition(entry)
        assert parse_definition(to_json(made.definition)) == made.definition
        page = f"/course/alignments/{made.id}/"
        course.post(page, sent_back(course.text(page)))
        assert saved(course).definition == parse_definition(entry)
        course.post(page, sent_back(course.text(page)) | {"calc": [""]})
        assert saved(course).definition.calculation is None


@pytest.mark.parametrize(
    ("blanks", "sentence"),
    [
        ({"calc": "decaying_average"}, "Choose one of the list."),
        ({"calc": "weighted_average", "calc-percent": "100"}, "Type a percentage above 0 and below 100"),
        ({"calc": "weighted_average", "calc-percent": "1,5"}, "Type a percentage above 0 and below 100"),
        ({"calc": "newest", "calc-count-newest": "0"}, "Type a whole number from 1 to 100."),
        ({"calc": "n_mastery", "calc-count-n_mastery": "11"}, "Type a whole number from 1 to 10."),
        ({"calc": "mode", "calc-order": "random"}, "Choose one of the list."),
        ({"calc": "mode", "calc-at_least": ""}, "Type a whole number from 1 to 100."),
        ({"calc": "mode", "calc-drop_lowest": "²"}, "Type a whole number from 0 to 100."),
        ({"calc": "mode", "calc-ignored-0": "31337"}, "That assignment is not in this course."),
        (
            {"calc": "mode", "calc-ignored-0": "", "calc-ignored-0-reason": "Fire"},
            "Choose the assignment this",
        ),
    ],
)
def test_a_mistake_is_told_beside_its_blank(client: Client, blanks: dict[str, str], sentence: str) -> None:
    with classroom(client) as course:
        response = course.post(NEW, filled(**blanks))
        page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page and "Correct the blanks of the calculation" in page
    name = list(blanks)[-1].removesuffix("-reason")
    assert re.search(rf'aria-describedby="id_{name}_error"', page), name
    assert f'id="id_{name}_error"' in page


def test_an_assignment_twice_and_one_that_is_gone(client: Client) -> None:
    with classroom(client) as course:
        more, _ = ignoring(course)
        twice = course.post(NEW, filled(calc="mode", **(more | {"calc-ignored-1": more["calc-ignored-0"]})))
        assert "This assignment is here twice: keep it once." in twice.content.decode()
        course.post(NEW, filled(calc="mode", **more))
        gone = next(one for one in course.world.assignments.values() if str(one.id) == more["calc-ignored-1"])
        with course.world.lock:
            gone.deleted = True
        page = f"/course/alignments/{saved(course).id}/"
        assert f"Assignment {gone.id}, no longer in this course" in course.text(page)
        course.post(page, sent_back(course.text(page)))
        assert saved(course).definition.calculation.ignore_reasons == ((str(gone.id), "Fire drill"),)


def test_another_method_brings_its_blanks_and_loses_nothing(client: Client) -> None:
    with classroom(client) as course:
        page = course.post(RULE, filled(calc="newest", **{"calc-percent": "70"})).content.decode()
        assert 'name="calc-count-newest" value="3"' in page
        assert '<input type="hidden" name="calc-percent" value="70">' in page
        more = course.post(RULE, filled(calc="newest", do="add-ignored")).content.decode()
        assert 'name="calc-ignored-0"' in more and 'name="calc-ignored-0-reason"' in more
        rows, _ = ignoring(course)
        less = course.post(RULE, filled(calc="newest", **rows, do="remove-ignored-0")).content.decode()
        assert 'name="calc-ignored-0-reason" value="Fire drill"' in less
        assert "calc-ignored-1" not in less
        none = course.post(RULE, filled(calc="", **{"calc-percent": "70"})).content.decode()
        assert '<input type="hidden" name="calc-percent" value="70">' in none


@pytest.mark.parametrize(
    "blanks",
    [
        {"calc": "latest"},
        {"calc": "average", "rule": "proportional", "calc-at_least": "3", "otherwise": "zero"},
        {"calc": "newest", "calc-count-newest": "2", "rule": "proportional", "calc-order": "assessed"},
        {"calc": "streak", "calc-count-streak": "2", "combine": "min"},
        {"calc": "power_law", "rule": "proportional", "calc-drop_lowest": "1"},
    ],
)
def test_the_class_under_a_calculation_is_what_a_sync_would_plan(
    client: Client, blanks: dict[str, str]
) -> None:
    with classroom(client) as course:
        sent = both(blanks, target="assignment", assignment=str(homework(course).id))
        shown = class_table(course.post(CLASS, sent).content.decode())
        assert course.post(NEW, sent).status_code == 302
        planned = Counter(cell["to"] for cell in dry_run(course) if cell["reason"] != "not_a_student")
    grades = {label.removesuffix(" of 10"): count for label, count in shown.items() if " of 10" in label}
    assert grades == {to: count for to, count in planned.items() if to is not None}
    assert sum(shown.values()) == planned.total()


def asked(course: Classroom) -> int:
    return sum("outcome_results" in call.path for call in course.world.calls.all("GET"))


def test_results_are_read_only_where_a_rule_on_the_page_calculates(client: Client) -> None:
    with classroom(client) as course:
        course.post(CLASS, filled())
        assert asked(course) == 0
        course.post(CLASS, filled(calc="latest"))
        assert asked(course) == 1
        kept = kept_in(course.post(CLASS, filled(do="keep-preset", preset="from-newest")).content.decode())
        assert asked(course) == 2
        course.post(CLASS, filled(kept=kept))
        assert asked(course) == 3


def test_calculations_stand_side_by_side_and_one_is_taken_over(client: Client) -> None:
    """Outcome 601: a decaying average in Canvas."""
    with classroom(client) as course:
        sent = filled(rule="proportional", points="4", calc="highest", do="keep-preset", preset="from-canvas")
        page = course.post(CLASS, sent).content.decode()
        assert columns_of(page) == ["Now", "2"]
        assert "the highest result" in page
        [kept] = kept_in(page)
        used = course.post(RULE, filled(kept=[kept], calc="highest", do="use-0")).content.decode()
        assert '<option value="" selected' not in used and '<option value="highest" selected' not in used
        [other] = kept_in(course.post(CLASS, filled(calc="highest", do="keep")).content.decode())
        back = course.post(RULE, filled(kept=[other], do="use-0")).content.decode()
        assert '<option value="highest" selected' in back


def test_the_examples_show_the_results_behind_the_grade(client: Client) -> None:
    with classroom(client) as course:
        more, _ = ignoring(course)
        page = course.post(
            CLASS, filled(calc="newest", rule="proportional", points="4", **more)
        ).content.decode()
        assert re.search(r"\d+\xa0[A-Z][a-z]+\xa0\d{4}: [\d.]+\xa0of\xa04", page)
        assert ", ignored (Fire drill)." in page or ", ignored." in page
        assert "The mean of the 3 newest results" in page


def test_the_page_says_where_the_scores_come_from(client: Client) -> None:
    with classroom(client) as course:
        page = spaced(course.post(CLASS, filled()).content.decode())
        assert "Canvas's own score is the decaying average (each newer result counts 65 %)." in page
        same = course.post(CLASS, filled(calc="standard_decaying_average")).content.decode()
        assert "That is Canvas&#x27;s own method for this outcome" in same
        other = course.post(CLASS, filled(calc="highest")).content.decode()
        assert re.search(r"\d of \d students get another score than Canvas shows", other)


def test_a_school_that_computes_otherwise_is_told(client: Client) -> None:
    with classroom(client) as course:
        with course.world.lock:
            for account in course.world.accounts.values():
                account.features.discard("outcomes_new_decaying_average_calculation")
        page = course.post(CLASS, filled(calc="standard_decaying_average")).content.decode()
        assert "in the older way" in page
    with classroom(client, scenario="account-scales") as course:
        outcome = next(iter(course.world.outcomes.values()))
        page = course.post(CLASS, filled(outcomes=[str(outcome.id)])).content.decode()
        assert "Your school sets the mastery scale and the calculation for all outcomes" in page


def test_an_account_without_the_permission_is_asked_to_connect_again(client: Client) -> None:
    with classroom(client) as course:
        with course.world.lock:
            for token in course.world.tokens.values():
                token.scopes = [name for name in token.scopes if name != RESULTS]
        page = course.post(CLASS, filled(calc="latest")).content.decode()
        assert "may not read single results yet" in page and "Connect Canvas again" in page
        assert "histogram" not in page
        assert "histogram" in course.post(CLASS, filled()).content.decode()
        assert course.post(NEW, filled(calc="latest")).status_code == 302
        assert saved(course).definition.calculation == Calculation("latest")


def test_trouble_with_the_results_is_told_in_the_panel(client: Client) -> None:
    with classroom(client) as course:
        course.world.faults.add("reply", path="*/outcome_results", status=500, body="{}", count=None)
        page = course.post(CLASS, filled(calc="latest")).content.decode()
        assert "Canvas did not answer in time, or had a fault of its own." in page
        assert 'name="calc"' in course.post(RULE, filled(calc="latest")).content.decode()


def test_a_class_with_too_many_results_is_counted_in_the_preview(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resultreading, "MOST_PAIRS", 5)
    with classroom(client) as course:
        page = course.post(CLASS, filled(calc="latest")).content.decode()
        assert "too many single results to be counted while you type" in page
        assert asked(course) == 0
